import { z } from 'zod'
import { controlCommandSchema } from './control-command.ts'
import { decisionSchema } from './decision.ts'
import { feedbackEventSchema } from './feedback-event.ts'
import { metricsFileSchema } from './metrics-schema.ts'
import { releaseFileSchema, releasePolicySchema } from './release-file-schema.ts'
import { requestEventSchema } from './request-event.ts'
import { routerAckSchema } from './router-ack.ts'
import type { JsonSchema } from './schema-parts.ts'

/** A contract whose schema is the one its zod source gives. */
interface Contract {
  readonly name: string
  readonly schema: z.ZodType
  readonly rules?: JsonSchema
}

const DRAFT = 'https://json-schema.org/draft/2020-12/schema'

const oneOf = (...fields: string[]) => ({ anyOf: fields.map((field) => ({ required: [field] })) })

/** An answer is ok by its outcome, or by its status where it names no outcome. */
const OK_HAS_LATENCY: JsonSchema = {
  if: {
    anyOf: [
      { properties: { outcome: { const: 'ok' } }, required: ['outcome'] },
      {
        properties: {
          outcome: { type: 'null' },
          status_code: { type: 'integer', exclusiveMaximum: 400 },
        },
        required: ['status_code'],
      },
    ],
  },
  // biome-ignore lint/suspicious/noThenProperty: a keyword of JSON Schema
  then: { properties: { latency_ms: { type: 'number' } }, required: ['latency_ms'] },
}

const CONTRACTS: readonly Contract[] = [
  {
    name: 'request-event',
    schema: requestEventSchema,
    rules: {
      allOf: [oneOf('model_version', 'variant'), oneOf('outcome', 'status_code'), OK_HAS_LATENCY],
    },
  },
  {
    name: 'feedback-event',
    schema: feedbackEventSchema,
    rules: oneOf('quality_score', 'label'),
  },
  { name: 'decision', schema: decisionSchema },
  { name: 'metrics-file', schema: metricsFileSchema },
  { name: 'router-ack', schema: routerAckSchema },
  {
    name: 'control-command',
    schema: controlCommandSchema,
    rules: {
      if: { properties: { kind: { const: 'start' } }, required: ['kind'] },
      // biome-ignore lint/suspicious/noThenProperty: a keyword of JSON Schema
      then: { required: ['source'] },
    },
  },
]

/** Rules between the fields of a contract, which zod cannot write down; none for other schemas. */
export function rulesOf(schema: z.ZodType): JsonSchema {
  return CONTRACTS.find((contract) => contract.schema === schema)?.rules ?? {}
}

/**
 * The published contracts as JSON Schema 2020-12, by file name. What a decoder accepts is valid under
 * its schema (but for map entries named `__proto__`, which decoders pass over); the decoders check more
 * than a schema can say: calendar days, Unicode, time windows.
 */
export function publishedSchemas(): ReadonlyMap<string, JsonSchema> {
  const bodies = [
    ...CONTRACTS.map(({ name, schema, rules = {} }) => {
      const { $schema: _, ...body } = z.toJSONSchema(schema, { io: 'input' })
      return { name, body: { ...body, ...rules } }
    }),
    { name: 'release-file', body: releaseFileSchema() },
    { name: 'release-policy', body: releasePolicySchema() },
  ]
  return new Map(
    bodies.map(({ name, body }) => [
      `${name}.v1.schema.json`,
      { $schema: DRAFT, $id: `urn:haldane:${name}:v1`, ...body },
    ]),
  )
}
