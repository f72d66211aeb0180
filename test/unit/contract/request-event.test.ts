import { describe, expect, it } from 'vitest'
import { z } from 'zod'
import {
  requestEventOf,
  requestEventSchema,
  type WireRequestEvent,
} from '../../../src/contract/request-event.ts'
import { SAMPLE } from './request-event-samples.ts'

const accepts = (event: unknown) => requestEventSchema.safeParse(event).success

describe('requestEventSchema', () => {
  it('takes the event of the documentation', () => {
    expect(accepts(SAMPLE)).toBe(true)
  })

  it('ignores unknown fields', () => {
    expect(accepts({ ...SAMPLE, tokens: {}, kafka_offset: 'x', recorded_at: 7 })).toBe(true)
  })

  it.each([
    'occurred_at',
    'environment',
    'locale',
    'device',
    'quality_score',
    'kpi',
    'attributes',
    'sample_rate',
    'is_synthetic',
    'traffic',
  ])('takes null in %s for absent', (field) => {
    expect(accepts({ ...SAMPLE, [field]: null })).toBe(true)
  })

  it.each(['request_id', 'model_name', 'model_version', 'outcome', 'latency_ms'])(
    'requires %s, null or missing',
    (field) => {
      expect(accepts({ ...SAMPLE, [field]: null })).toBe(false)
      expect(accepts({ ...SAMPLE, [field]: undefined })).toBe(false)
    },
  )

  it('takes variant instead of model_version and status_code instead of outcome', () => {
    const { model_version, outcome, ...rest } = SAMPLE
    expect(accepts({ ...rest, variant: 'canary', status_code: 200 })).toBe(true)
    expect(accepts({ ...rest, variant: 'canary' })).toBe(false)
    expect(accepts({ ...rest, status_code: 200 })).toBe(false)
  })

  it('requires latency only of requests that were answered, also when the status says so', () => {
    const { outcome, latency_ms, ...rest } = SAMPLE
    expect(accepts({ ...rest, outcome: 'timeout' })).toBe(true)
    expect(accepts({ ...rest, status_code: 500 })).toBe(true)
    expect(accepts({ ...rest, status_code: 302 })).toBe(false)
  })

  it.each([
    ['latency_ms', 86_400_000, 86_400_000.001],
    ['ttft_ms', 0, -0.001],
    ['status_code', 599, 600],
    ['status_code', 100, 99],
    ['input_tokens', 4_294_967_295, 4_294_967_296],
    ['output_tokens', 0, -1],
    ['decision_generation', 9_007_199_254_740_991, 9_007_199_254_740_992],
    ['memory_bytes', 0, 0.5],
    ['memory_limit_bytes', 9_007_199_254_740_991, 1e300],
    ['sample_rate', 1, 1.0001],
    ['sample_rate', 5e-324, 0],
    ['quality_score', 1, 1.0001],
    ['confidence', 0, -0.0001],
    ['variant', 'v', ''],
    ['environment', 'x'.repeat(64), 'x'.repeat(65)],
    ['region', 'x'.repeat(64), 'x'.repeat(65)],
    ['request_id', 'x'.repeat(128), 'x'.repeat(129)],
    ['request_id', 'r', ''],
    ['model_name', 'a/b.c-d_e', 'a b'],
    ['model_version', `1.0.0-${'a'.repeat(58)}`, `1.0.0-${'a'.repeat(59)}`],
    ['error_type', 'x'.repeat(128), 'x'.repeat(129)],
    ['prediction_label', 'x'.repeat(256), 'x'.repeat(257)],
    ['release_id', '', 'x'.repeat(257)],
    ['session_id', 'ß😀', 'a\0'],
    ['quality_metric', '😀'.repeat(128), '\ud800'],
    ['kpi', { a: -1e9, b: 1e9 }, { a: 1e9 + 1 }],
    ['kpi', {}, { 'a b': 1 }],
    ['attributes', { 'any name': '' }, { '': 'x' }],
    ['traffic', 'shadow', 'mirrored'],
    ['is_synthetic', true, 'true'],
    ['occurred_at', '2026-11-23T11:00:00+01:00', '2026-11-23T25:00:00Z'],
    ['occurred_at', '1970-01-01T00:00:00Z', '1969-12-31T23:59:59Z'],
  ])('bounds %s: takes %j, refuses %j', (field, good, bad) => {
    expect(accepts({ ...SAMPLE, [field]: good })).toBe(true)
    expect(accepts({ ...SAMPLE, [field]: bad })).toBe(false)
  })

  it('can be written as JSON Schema, with units and bounds', () => {
    const schema = z.toJSONSchema(requestEventSchema, { io: 'input' })
    const properties = schema.properties as Record<string, { description?: string }>
    expect(schema.required).toEqual(['request_id', 'model_name'])
    expect(schema.additionalProperties).toBeUndefined()
    expect(properties['latency_ms']?.description).toContain('milliseconds')
    expect(properties['kpi']).toMatchObject({ maxProperties: 8 })
    for (const [name, property] of Object.entries(properties)) {
      expect(property.description, name).toMatch(/\S/)
    }
  })
})

describe('requestEventOf', () => {
  it('has no event without any time', () => {
    const { occurred_at, ...rest } = SAMPLE
    const wire = requestEventSchema.parse(rest)
    expect(requestEventOf(wire, null)).toBeNull()
    expect(requestEventOf(wire, 5)).toMatchObject({ occurredAtMs: 5 })
  })

  it('prefers the time of the event to the default', () => {
    const wire: WireRequestEvent = requestEventSchema.parse(SAMPLE)
    expect(requestEventOf(wire, 5)).toMatchObject({ occurredAtMs: 1_795_428_000_123 })
  })

  it('takes empty maps for none', () => {
    const wire = requestEventSchema.parse({ ...SAMPLE, kpi: {}, attributes: {} })
    expect(requestEventOf(wire, null)).toMatchObject({ kpi: null, attributes: null })
  })
})
