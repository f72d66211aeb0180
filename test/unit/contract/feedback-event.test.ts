import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { FEEDBACK_EVENTS } from '../../../src/contract/event-format.ts'
import {
  decodeFeedbackEvent,
  decodeFeedbackLine,
} from '../../../src/contract/feedback-event-decoder.ts'

const RECORD_MS = 1_795_428_000_000
const FEEDBACK = {
  request_id: 'r-1',
  observed_at: '2026-11-23T10:00:05.123Z',
  model_name: 'intent-classifier',
  environment: 'staging',
  model_version: '1.5.0',
  quality_metric: 'thumbs',
  quality_score: 0.93,
  label: 'travel.booking',
  annotator_kind: 'HUMAN',
}
const bytes = (value: unknown) => new TextEncoder().encode(JSON.stringify(value))
const decode = (changes: object = {}, defaultMs: number | null = RECORD_MS) =>
  decodeFeedbackEvent(bytes({ ...FEEDBACK, ...changes }), defaultMs)
const codesOf = (changes: object, defaultMs: number | null = RECORD_MS) => {
  const decoded = decode(changes, defaultMs)
  return Array.isArray(decoded) ? decoded.map(({ field, code }) => `${field} ${code}`) : decoded
}

describe('a feedback event', () => {
  it('is read with all its fields', () => {
    expect(decode()).toEqual({
      requestId: 'r-1',
      observedAtMs: RECORD_MS + 5123,
      modelName: 'intent-classifier',
      environment: 'staging',
      modelVersion: '1.5.0',
      qualityMetric: 'thumbs',
      qualityScore: 0.93,
      label: 'travel.booking',
      annotatorKind: 'HUMAN',
    })
  })

  it('needs only a request, a model and a score or a label; null counts as absent', () => {
    const rest = { environment: null, model_version: null, label: null, annotator_kind: null }
    expect(decode({ ...rest, observed_at: undefined, quality_metric: null })).toEqual({
      requestId: 'r-1',
      observedAtMs: RECORD_MS,
      modelName: 'intent-classifier',
      environment: 'production',
      modelVersion: '',
      qualityMetric: '',
      qualityScore: 0.93,
      label: '',
      annotatorKind: '',
    })
    expect(decode({ quality_score: null })).toMatchObject({ qualityScore: null })
    expect(
      Object.is((decode({ quality_score: -0 }) as { qualityScore: number }).qualityScore, 0),
    ).toBe(true)
  })

  it.each([
    [{ request_id: undefined }, ['request_id missing']],
    [{ request_id: '' }, ['request_id range']],
    [{ request_id: 'x'.repeat(129) }, ['request_id range']],
    [{ request_id: 'a\0' }, ['request_id format']],
    [{ model_name: undefined }, ['model_name missing']],
    [{ model_name: 'a b' }, ['model_name format']],
    [{ environment: 'a/b' }, ['environment format']],
    [{ model_version: 'latest' }, ['model_version format']],
    [{ quality_score: 1.000001 }, ['quality_score range']],
    [{ quality_score: -0.1 }, ['quality_score range']],
    [{ quality_score: '0.9' }, ['quality_score type']],
    [{ quality_score: null, label: null }, ['quality_score missing']],
    [{ quality_metric: 'x'.repeat(129) }, ['quality_metric range']],
    [{ label: 'x'.repeat(257) }, ['label range']],
    [{ annotator_kind: 'human' }, ['annotator_kind format']],
    [{ observed_at: 'yesterday' }, ['observed_at format']],
    [{ observed_at: '2106-01-01T00:00:00Z' }, ['observed_at range']],
  ])('with %o is rejected: %j', (changes, expected) => {
    expect(codesOf(changes)).toEqual(expected)
  })

  it('is rejected with all reasons at once', () => {
    expect(codesOf({ request_id: 7, quality_score: 2, observed_at: undefined }, null)).toEqual([
      'observed_at missing',
      'request_id type',
      'quality_score range',
    ])
  })

  it('says what is allowed in words', () => {
    expect(decode({ annotator_kind: 'robot' })).toEqual([
      {
        field: 'annotator_kind',
        code: 'format',
        message: 'is the text "robot"; allowed is HUMAN, LLM, CODE',
      },
    ])
  })

  it('with bytes that are no UTF-8 in a stored text is rejected by that field', () => {
    const text = JSON.stringify({ ...FEEDBACK, label: '#' })
    const at = text.indexOf('#')
    const broken = Buffer.concat([
      Buffer.from(text.slice(0, at)),
      Buffer.from([0xff]),
      Buffer.from(text.slice(at + 1)),
    ])
    expect(decodeFeedbackEvent(broken, RECORD_MS)).toMatchObject([
      { field: 'label', code: 'invalid_utf8' },
    ])
  })

  it('of any bytes is an event or says why not, and never throws', () => {
    fc.assert(
      fc.property(
        fc.oneof(
          fc.uint8Array(),
          fc.json().map((text) => Buffer.from(text)),
        ),
        (value) => {
          const decoded = decodeFeedbackEvent(value, RECORD_MS)
          if (Array.isArray(decoded)) expect(decoded.length).toBeGreaterThan(0)
        },
      ),
    )
  })
})

describe('a line of a feedback file', () => {
  it('needs its own time and may say when it was recorded', () => {
    const line = { ...FEEDBACK, recorded_at: '2026-11-23T10:00:06Z' }
    expect(decodeFeedbackLine(bytes(line))).toMatchObject({
      event: { observedAtMs: RECORD_MS + 5123 },
      recordedAtMs: RECORD_MS + 6000,
    })
    expect(decodeFeedbackLine(bytes({ ...FEEDBACK, observed_at: null }))).toMatchObject([
      { field: 'observed_at', code: 'missing' },
    ])
  })
})

describe('a record with feedback', () => {
  const judged = (observedMs: number) => {
    const value = bytes({ ...FEEDBACK, observed_at: new Date(observedMs).toISOString() })
    return FEEDBACK_EVENTS.decode({ value, headers: {}, timestampMs: RECORD_MS })
  }

  it('is judged by its own timestamp: 7 days back, 10 minutes ahead', () => {
    const week = 7 * 86_400_000
    expect(judged(RECORD_MS - week)).toMatchObject({ observedAtMs: RECORD_MS - week })
    expect(judged(RECORD_MS + 600_000)).toMatchObject({ observedAtMs: RECORD_MS + 600_000 })
    expect(judged(RECORD_MS - week - 1)).toMatchObject([{ field: 'observed_at', code: 'too_old' }])
    expect(judged(RECORD_MS + 600_001)).toMatchObject([{ field: 'observed_at', code: 'future' }])
  })

  it('without a time of its own takes that of the record', () => {
    const { observed_at: _, ...timeless } = FEEDBACK
    const record = { value: bytes(timeless), headers: {}, timestampMs: RECORD_MS }
    expect(FEEDBACK_EVENTS.decode(record)).toMatchObject({ observedAtMs: RECORD_MS })
    expect(FEEDBACK_EVENTS.decode({ ...record, value: null })).toMatchObject([
      { code: 'tombstone' },
    ])
  })
})
