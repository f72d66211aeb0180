import { isDeepStrictEqual } from 'node:util'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { requestEventOf, requestEventSchema } from '../../../src/contract/request-event.ts'
import { readRequestEvent } from '../../../src/contract/request-event-guard.ts'
import type { RequestEvent } from '../../../src/domain/request-event.ts'
import { FIELDS, mutatedEvent, SAMPLE, STRANGE, validEvent } from './request-event-samples.ts'

const DEFAULT_MS = 1_795_428_000_000
const SMALL = { request_id: 'r', model_name: 'm', variant: 'canary', status_code: 503 }

function bySchema(raw: unknown, defaultMs: number | null): RequestEvent | null {
  const parsed = requestEventSchema.safeParse(raw)
  return parsed.success ? requestEventOf(parsed.data, defaultMs) : null
}

function expectAgreement(raw: unknown, defaultMs: number | null): void {
  const quick = readRequestEvent(raw, defaultMs)
  const slow = bySchema(raw, defaultMs)
  if (!isDeepStrictEqual(quick, slow)) expect(quick).toStrictEqual(slow)
}

describe('readRequestEvent', () => {
  it('accepts every event that keeps the rules, and reads it as the schema does', () => {
    fc.assert(
      fc.property(validEvent, (event) => {
        expect(readRequestEvent(event, DEFAULT_MS)).not.toBeNull()
        expectAgreement(event, DEFAULT_MS)
      }),
      { numRuns: 1000 },
    )
  })

  it('says yes exactly when the schema does, and reads the same event, whatever is changed', () => {
    let accepted = 0
    let refused = 0
    fc.assert(
      fc.property(mutatedEvent, fc.constantFrom(DEFAULT_MS, null), (event, defaultMs) => {
        expectAgreement(event, defaultMs)
        if (readRequestEvent(event, defaultMs) === null) refused++
        else accepted++
      }),
      { numRuns: 10_000 },
    )
    expect(Math.min(accepted, refused)).toBeGreaterThan(1000)
  })

  it('agrees with the schema on every strange value in every field', () => {
    for (const field of FIELDS) {
      for (const value of STRANGE) {
        expectAgreement({ ...SAMPLE, [field]: value }, DEFAULT_MS)
        expectAgreement({ ...SMALL, [field]: value }, null)
      }
    }
  })

  it('agrees with the schema on values that are no events at all', () => {
    fc.assert(
      fc.property(fc.oneof(fc.jsonValue(), fc.anything()), (value) => {
        expectAgreement(value, DEFAULT_MS)
      }),
      { numRuns: 1000 },
    )
  })

  it('fills in every default of a small event', () => {
    expect(readRequestEvent(SMALL, 7)).toStrictEqual({
      requestId: 'r',
      occurredAtMs: 7,
      modelName: 'm',
      environment: 'production',
      modelVersion: '',
      variant: 'canary',
      traffic: 'live',
      outcome: 'error',
      latencyMs: null,
      ttftMs: null,
      statusCode: 503,
      errorType: '',
      locale: 'und',
      device: 'unknown',
      region: '',
      qualityScore: null,
      qualityMetric: '',
      predictionLabel: '',
      confidence: null,
      inputTokens: null,
      outputTokens: null,
      sampleRate: 1,
      isSynthetic: false,
      sessionId: '',
      releaseId: '',
      decisionGeneration: null,
      memoryBytes: null,
      memoryLimitBytes: null,
      kpi: null,
      attributes: null,
      localeReplaced: false,
      deviceReplaced: false,
    })
  })

  it('keeps an invalid locale as und and an unknown device as other, and says so', () => {
    const event = { ...SAMPLE, locale: 'de DE', device: 'phone' }
    expect(readRequestEvent(event, null)).toMatchObject({
      locale: 'und',
      localeReplaced: true,
      device: 'other',
      deviceReplaced: true,
    })
  })

  it('makes locale and device canonical without calling them replaced', () => {
    const event = { ...SAMPLE, locale: 'EN_us', device: 'Desktop' }
    expect(readRequestEvent(event, null)).toMatchObject({
      locale: 'en-US',
      localeReplaced: false,
      device: 'desktop',
      deviceReplaced: false,
    })
  })

  it('lets the words of one event say nothing about the next one', () => {
    expect(readRequestEvent({ ...SAMPLE, latency_ms: 'slow' }, null)).toBeNull()
    expect(readRequestEvent(SAMPLE, null)).not.toBeNull()
    expect(readRequestEvent({ ...SAMPLE, model_name: null }, null)).toBeNull()
    expect(readRequestEvent({ ...SAMPLE, model_version: 'intent-classifier' }, null)).toBeNull()
  })

  it('requires a time when there is no default', () => {
    expect(readRequestEvent({ ...SAMPLE, occurred_at: null }, null)).toBeNull()
    expect(readRequestEvent({ ...SAMPLE, occurred_at: null }, 0)).toMatchObject({ occurredAtMs: 0 })
  })

  it('reads -0 as 0 and does not let a map change its prototype', () => {
    const event = JSON.parse(
      JSON.stringify(SAMPLE).replace('41.2', '-0').replace('}', ',"kpi":{"__proto__":1,"a":-0}}'),
    ) as unknown
    const read = readRequestEvent(event, null)
    expect(Object.is(read?.latencyMs, 0)).toBe(true)
    expect(read?.kpi).toStrictEqual({ a: 0 })
  })
})
