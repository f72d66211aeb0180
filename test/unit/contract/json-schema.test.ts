import { readdirSync, readFileSync } from 'node:fs'
import { Ajv2020 } from 'ajv/dist/2020.js'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { decodeControlCommand } from '../../../src/contract/control-command.ts'
import { decisionToWire } from '../../../src/contract/decision.ts'
import { publishedSchemas } from '../../../src/contract/json-schema.ts'
import { requestEventSchema } from '../../../src/contract/request-event.ts'
import { encodeRouterAck } from '../../../src/contract/router-ack.ts'
import { KPI_DROP, P95_MAX, specOf } from '../judge/judge-builders.ts'
import { anyDecision } from './decision-samples.ts'
import { anyFile, problemsOf, sampleFile } from './metrics-samples.ts'
import { mutatedEvent, SAMPLE, validEvent } from './request-event-samples.ts'

const ROOT = new URL('../../../', import.meta.url)
const schemas = publishedSchemas()

/** Formats are annotations in 2020-12; rules may stand beside the types and fields they are about. */
const STRICT = {
  strict: true,
  strictRequired: false,
  strictTypes: false,
  validateFormats: false,
} as const

/** Another implementation's opinion. */
function validatorOf(name: string) {
  const ajv = new Ajv2020({ ...STRICT, allErrors: true })
  return ajv.compile(schemas.get(`${name}.v1.schema.json`) as object)
}

describe('the published schemas', () => {
  it('are what the contract says now', () => {
    const directory = new URL('schemas/', ROOT)
    const published = readdirSync(directory).sort()
    const documents = [...schemas.keys(), 'asyncapi.json', 'openapi.json']
    expect(published, 'run `npm run schemas`').toEqual(documents.sort())
    for (const [name, schema] of schemas) {
      const text = readFileSync(new URL(name, directory), 'utf8')
      expect(JSON.parse(text), `run \`npm run schemas\`: ${name}`).toEqual(schema)
    }
  })

  it.each([...schemas.keys()])('%s is a schema of the draft, of its own', (name) => {
    const ajv = new Ajv2020(STRICT)
    expect(ajv.validateSchema(schemas.get(name) as object)).toBe(true)
    expect(schemas.get(name)).toMatchObject({ $id: expect.stringMatching(/^urn:haldane:.+:v1$/) })
  })
})

describe('the schema of a request event', () => {
  const validate = validatorOf('request-event')

  it('takes every event the decoder takes', () => {
    fc.assert(
      fc.property(validEvent, (event) => {
        expect(validate(event), JSON.stringify(validate.errors)).toBe(true)
      }),
    )
    let taken = 0
    fc.assert(
      fc.property(mutatedEvent, (event) => {
        // The decoder passes over map entries of this name; a schema cannot say so.
        if (JSON.stringify(event).includes('__proto__')) return
        if (!requestEventSchema.safeParse(event).success) return
        taken++
        expect(validate(event), JSON.stringify(validate.errors)).toBe(true)
      }),
      { numRuns: 2000 },
    )
    expect(taken).toBeGreaterThan(100)
  })

  it.each([
    ['no request_id', { request_id: undefined }],
    ['neither version nor variant', { model_version: undefined }],
    ['neither outcome nor status', { outcome: undefined }],
    ['a negative latency', { latency_ms: -1 }],
    ['an unknown outcome', { outcome: 'fine' }],
    ['a version that is none', { model_version: 'latest' }],
    ['nine KPIs', { kpi: Object.fromEntries([...'abcdefghi'].map((name) => [name, 1])) }],
  ])('refuses an event with %s', (_, change) => {
    expect(validate(SAMPLE)).toBe(true)
    expect(validate(JSON.parse(JSON.stringify({ ...SAMPLE, ...change })))).toBe(false)
  })

  it('takes the events in the documentation', () => {
    const text = readFileSync(new URL('README.md', ROOT), 'utf8')
    const examples = [...text.matchAll(/^```json\n(\{"request_id".*\})\n```$/gm)]
    expect(examples.length).toBeGreaterThan(0)
    for (const [, example = ''] of examples) expect(validate(JSON.parse(example))).toBe(true)
  })
})

describe('the schema of a metrics file', () => {
  const validate = validatorOf('metrics-file')
  const spec = specOf([P95_MAX, KPI_DROP])

  it('takes every file the reader takes', () => {
    fc.assert(
      fc.property(anyFile, (file) => {
        expect(problemsOf(file, spec)).toEqual([])
        expect(validate(file), JSON.stringify(validate.errors)).toBe(true)
      }),
    )
  })

  it.each([
    ['a negative count', { errors: -1 }],
    ['part of a request', { requests: 0.5 }],
    ['a number as text', { errors: '1' }],
    ['an unknown key', { request: 1 }],
    ['no +Inf', { latency_ms: { le: { '10': 1 } } }],
    ['an edge that is no number', { latency_ms: { le: { fast: 1, '+Inf': 1 } } }],
    ['no quantile', { latency_ms: {} }],
    ['a version that is a number', { version: 1.5 }],
  ])('refuses %s, as the reader does', (_, change) => {
    const file = JSON.parse(JSON.stringify(sampleFile({}, change)))
    expect(validate(sampleFile())).toBe(true)
    expect(validate(file)).toBe(false)
    expect(problemsOf(file, spec)).not.toEqual([])
  })

  it('takes the files in the documentation', () => {
    const text = readFileSync(new URL('docs/judge.md', ROOT), 'utf8')
    const examples = [...text.matchAll(/^```json\n(\{[\s\S]*?\})\n```$/gm)]
    expect(examples.length).toBeGreaterThan(0)
    for (const [, example = ''] of examples) {
      expect(validate(JSON.parse(example)), JSON.stringify(validate.errors)).toBe(true)
    }
  })
})

describe('the schema of a decision', () => {
  it('takes every decision that is published', () => {
    const validate = validatorOf('decision')
    fc.assert(
      fc.property(anyDecision, (decision) => {
        const wire = JSON.parse(JSON.stringify(decisionToWire(decision)))
        expect(validate(wire), JSON.stringify(validate.errors)).toBe(true)
        expect(validate({ ...wire, generation: 0 })).toBe(false)
      }),
    )
  })
})

describe('the schema of a router ack', () => {
  it('takes every ack that is sent', () => {
    const ack = { route: 'm/e', routerId: 'r', appliedGeneration: 0, appliedAtMs: 0 }
    const wire = JSON.parse(new TextDecoder().decode(encodeRouterAck(ack)))
    const validate = validatorOf('router-ack')
    expect(validate(wire), JSON.stringify(validate.errors)).toBe(true)
    expect(validate({ ...wire, applied_generation: -1 })).toBe(false)
  })
})

describe('the schema of a control command', () => {
  const validate = validatorOf('control-command')
  const command = {
    ...{ command_id: 'c-1', kind: 'start', route: 'm/e', at: '2026-11-23T10:00:00Z' },
    ...{ by: 'me', reason: '' },
  }

  it.each([
    ['a start with its file', { source: 'route: m/e' }, true],
    ['a start without one', {}, false],
    ['a pause', { kind: 'pause' }, true],
  ])('agrees with the decoder on %s', (_, change, good) => {
    const changed = { ...command, ...change }
    expect(validate(changed)).toBe(good)
    const decoded = decodeControlCommand(new TextEncoder().encode(JSON.stringify(changed)))
    expect(!Array.isArray(decoded)).toBe(good)
  })
})
