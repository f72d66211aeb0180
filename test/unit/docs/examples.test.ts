import { Ajv2020, type ValidateFunction } from 'ajv/dist/2020.js'
import { describe, expect, it } from 'vitest'
import { parse } from 'yaml'
import { openApiDocument } from '../../../src/adapters/http/openapi.ts'
import { decodeControlCommand } from '../../../src/contract/control-command.ts'
import { decodeDecision } from '../../../src/contract/decision.ts'
import { decodeFeedbackEvent } from '../../../src/contract/feedback-event-decoder.ts'
import { publishedSchemas } from '../../../src/contract/json-schema.ts'
import { formatProblem, parseReleaseFile } from '../../../src/contract/release-file.ts'
import { decodeRequestEvent } from '../../../src/contract/request-event-decoder.ts'
import { decodeRouterAck } from '../../../src/contract/router-ack.ts'
import { type CodeBlock, codeBlocks, documentationPages } from '../../support/docs-pages.ts'
import { createDocumentJudge, pointerOf } from '../../support/json-refs.ts'

const blocks = documentationPages().flatMap(codeBlocks)
const examples = blocks.filter(({ language }) => ['json', 'yaml', 'ndjson'].includes(language))

const ajv = new Ajv2020({ strict: false, allErrors: true, validateFormats: false })
const schemas = new Map<string, ValidateFunction>(
  [...publishedSchemas()].map(([file, schema]) => [
    file.replace('.v1.schema.json', ''),
    ajv.compile(schema),
  ]),
)
const http = createDocumentJudge(openApiDocument(), '2020-12')
const HTTP_SCHEMAS: Readonly<Record<string, string>> = {
  problem: 'Problem',
  'cloud-event': 'CloudEvent',
}

const NOON_MS = Date.parse('2026-11-23T12:00:00Z')
const bytes = (text: string) => new TextEncoder().encode(text)
/** Everything a decoder says against an example. */
const DECODERS: Readonly<Record<string, (text: string) => unknown>> = {
  'request-event': (text) => refusals(decodeRequestEvent(bytes(text), NOON_MS)),
  'cloud-event': (text) => refusals(decodeRequestEvent(bytes(text), NOON_MS)),
  'feedback-event': (text) => refusals(decodeFeedbackEvent(bytes(text), NOON_MS)),
  'router-ack': (text) => refusals(decodeRouterAck(bytes(text))),
  'control-command': (text) => refusals(decodeControlCommand(bytes(text))),
  decision: (text) => (decodeDecision(JSON.stringify(JSON.parse(text))) ? [] : ['unreadable']),
  'release-file': releaseProblems,
}

function refusals(decoded: unknown): unknown {
  return Array.isArray(decoded) ? decoded : []
}

/** Problems of a release file of the documentation; what it extends is the policy shown beside it. */
function releaseProblems(text: string): string[] {
  const policy = blocks.find(({ label }) => label === 'release-policy')?.code ?? ''
  const read = parseReleaseFile(text, { fileName: 'example.yaml', readPolicy: () => policy })
  return 'problems' in read ? read.problems.map(formatProblem) : []
}

/** The contract of an example: as it is labelled, else as its fields say. */
function contractOf({ label, language, code }: CodeBlock): string | null {
  if (label !== '') return label
  const value: unknown = language === 'ndjson' ? firstLine(code) : parse(code)
  if (typeof value !== 'object' || value === null) return null
  const has = (...fields: string[]) => fields.every((field) => field in value)
  if (has('specversion', 'type')) return 'cloud-event'
  if (has('request_id', 'observed_at')) return 'feedback-event'
  if (has('request_id')) return 'request-event'
  if (has('generation', 'traffic')) return 'decision'
  if (has('command_id', 'kind')) return 'control-command'
  if (has('router_id')) return 'router-ack'
  if (has('window', 'rows')) return 'metrics-file'
  if (has('route', 'canary')) return 'release-file'
  return null
}

function firstLine(code: string): unknown {
  return JSON.parse(code.split('\n')[0] ?? '')
}

/** The texts of single values in an example. */
function textsOf({ language, code }: CodeBlock): string[] {
  return language === 'ndjson' ? code.split('\n').filter((line) => line.trim() !== '') : [code]
}

function schemaFaults(contract: string, value: unknown): string | null {
  const component = HTTP_SCHEMAS[contract]
  if (component !== undefined) {
    return http.faults(pointerOf('components', 'schemas', component), value)
  }
  const validate = schemas.get(contract)
  if (validate === undefined) return `there is no contract ${contract}`
  return validate(value) ? null : ajv.errorsText(validate.errors)
}

describe('the examples of the documentation', () => {
  it('are there for every contract', () => {
    const shown = new Set(examples.map(contractOf))
    expect([...schemas.keys()].filter((contract) => !shown.has(contract))).toEqual([])
  })

  it.each(examples.map((block) => [`${block.page}:${block.line}`, block] as const))(
    '%s is valid',
    (_, block) => {
      const contract = contractOf(block)
      for (const text of textsOf(block)) {
        const value: unknown = block.language === 'yaml' ? parse(text) : JSON.parse(text)
        if (contract === null) continue
        expect(schemaFaults(contract, value), contract).toBe(null)
        expect(DECODERS[contract]?.(text) ?? []).toEqual([])
      }
    },
  )
})
