import { z } from 'zod'
import { HaldaneError } from '../domain/errors.ts'
import type { ReleaseSpec } from '../domain/release.ts'
import { DEVICES } from '../domain/request-event.ts'
import { printable } from './rejection-text.ts'

const cohortSchema = z.object({
  locale: z.string().exactOptional(),
  device: z.enum(DEVICES).exactOptional(),
})

const metricSchema = z.discriminatedUnion('kind', [
  z.object({
    kind: z.literal('latency'),
    name: z.enum(['latency_p50', 'latency_p90', 'latency_p95', 'latency_p99']),
    quantile: z.number(),
  }),
  z.object({ kind: z.literal('error_rate'), name: z.literal('error_rate') }),
  z.object({ kind: z.literal('quality'), name: z.literal('quality') }),
  z.object({
    kind: z.literal('kpi'),
    name: z.templateLiteral(['kpi.', z.string()]),
    key: z.string(),
    bounds: z.tuple([z.number(), z.number()]),
  }),
])

const limitSchema = z.discriminatedUnion('kind', [
  z.object({ kind: z.literal('max'), value: z.number() }),
  z.object({ kind: z.literal('min'), value: z.number() }),
  z.object({ kind: z.literal('max_increase'), relative: z.boolean(), value: z.number() }),
  z.object({ kind: z.literal('max_drop'), value: z.number() }),
])

const specSchema: z.ZodType<ReleaseSpec> = z.object({
  route: z.string(),
  modelName: z.string(),
  environment: z.string(),
  stable: z.string(),
  canary: z.string(),
  plan: z.array(z.object({ weight: z.int(), minDurationMs: z.number(), minRequests: z.int() })),
  guardrails: z.array(
    z.object({
      metric: metricSchema,
      limit: limitSchema,
      written: z.string(),
      importance: z.number(),
      severity: z.enum(['critical', 'signal']),
      dryRun: z.boolean(),
      cohorts: z.enum(['all', 'key', 'overall']),
    }),
  ),
  cohorts: z.object({
    by: z.array(z.enum(['locale', 'device'])),
    key: z.array(cohortSchema),
  }),
  coverage: z.object({ minRequestsPerKeyCohort: z.int() }),
  risk: z.object({ falseRollback: z.number(), falsePass: z.number() }),
  blocks: z.object({
    lengthMs: z.int(),
    watermarkMs: z.int(),
    duplicateLookbackMs: z.int(),
  }),
  warmupMs: z.int(),
  heartbeatMs: z.int(),
  maxDurationMs: z.int(),
  totalWeight: z.int(),
  mode: z.enum(['enforced', 'dry_run']),
  includeSynthetic: z.boolean(),
  policy: z.object({ name: z.string(), hash: z.string() }),
})

/** The release as JSON, for storing; `specFromJson` gives back an equal one. */
export function specToJson(spec: ReleaseSpec): string {
  return JSON.stringify(spec)
}

/** Inverse of `specToJson`. Throws `invalid_input` for text it did not write. */
export function specFromJson(text: string): ReleaseSpec {
  let raw: unknown
  try {
    raw = JSON.parse(text)
  } catch (cause) {
    throw new HaldaneError('invalid_input', `not a stored release: ${printable(text)}`, { cause })
  }
  const parsed = specSchema.safeParse(raw)
  if (parsed.success) return parsed.data
  const fields = parsed.error.issues.map(({ path }) => path.join('.') || 'value').join(', ')
  throw new HaldaneError('invalid_input', `not a stored release; wrong: ${fields}`)
}
