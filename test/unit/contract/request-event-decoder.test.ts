import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import {
  createRequestEventDecoder,
  decodeEventLine,
  decodeRequestEvent,
  guardMismatches,
} from '../../../src/contract/request-event-decoder.ts'
import { mutatedEvent, SAMPLE } from './request-event-samples.ts'

const DEFAULT_MS = 1_795_428_000_000
const bytes = (text: string) => new TextEncoder().encode(text)
const decode = (event: unknown, defaultMs: number | null = DEFAULT_MS) =>
  decodeRequestEvent(bytes(JSON.stringify(event)), defaultMs)
const decodeText = (text: string) => decodeRequestEvent(bytes(text), DEFAULT_MS)
const withBytes = (before: string, raw: readonly number[], after: string) =>
  Buffer.concat([Buffer.from(before), Buffer.from(raw), Buffer.from(after)])

/** The sample as text, with one more field before its end. */
const sampleWith = (field: string) => JSON.stringify(SAMPLE).replace(/\}$/, `,${field}}`)

describe('decodeRequestEvent', () => {
  it('reads the event of the documentation', () => {
    expect(decode(SAMPLE)).toMatchObject({
      requestId: 'r-1',
      occurredAtMs: 1_795_428_000_123,
      modelVersion: '1.5.0',
      latencyMs: 41.2,
      locale: 'de-DE',
      device: 'mobile',
    })
  })

  it('names values that are no event at all', () => {
    expect(decodeRequestEvent(null, 0)).toMatchObject([{ field: '', code: 'tombstone' }])
    expect(decodeText('')).toMatchObject([{ field: '', code: 'not_json' }])
    expect(decodeText('[]')).toMatchObject([{ field: '', code: 'not_an_object' }])
    expect(decodeRequestEvent(new Uint8Array(1_048_577), 0)).toMatchObject([
      { field: '', code: 'too_large' },
    ])
  })

  it('gives every reason at once', () => {
    const rejections = decode({ ...SAMPLE, latency_ms: -5, device: 7, kpi: { revenue: 'x' } })
    expect(rejections).toMatchObject([
      { field: 'latency_ms', code: 'range' },
      { field: 'kpi.revenue', code: 'type' },
      { field: 'device', code: 'type' },
    ])
  })

  it('uses the default time only where the event has none', () => {
    const { occurred_at, ...rest } = SAMPLE
    expect(decode(rest)).toMatchObject({ occurredAtMs: DEFAULT_MS })
    expect(decode(SAMPLE)).toMatchObject({ occurredAtMs: 1_795_428_000_123 })
  })

  it.each([null, -1, Number.NaN, 9e18])('requires a time when the default is %s', (defaultMs) => {
    const { occurred_at, ...rest } = SAMPLE
    expect(decode(rest, defaultMs)).toMatchObject([{ field: 'occurred_at', code: 'missing' }])
    expect(decode({ ...rest, latency_ms: -1 }, defaultMs)).toMatchObject([
      { field: 'occurred_at', code: 'missing' },
      { field: 'latency_ms', code: 'range' },
    ])
  })

  it('lets the last of a doubled key count, right or wrong', () => {
    expect(decodeText(sampleWith('"request_id":"r-2"'))).toMatchObject({ requestId: 'r-2' })
    expect(decodeText(sampleWith('"request_id":7'))).toMatchObject([{ field: 'request_id' }])
  })

  it('refuses numbers beyond what JSON numbers can be, and does not crash', () => {
    expect(decodeText(sampleWith('"ttft_ms":1e400'))).toMatchObject([
      { field: 'ttft_ms', code: 'range' },
    ])
  })

  it('refuses NUL and lone surrogates in stored texts, raw NUL bytes as no JSON', () => {
    expect(decodeText(sampleWith('"region":"a\\u0000"'))).toMatchObject([{ code: 'format' }])
    expect(decodeText(sampleWith('"region":"\\ud800"'))).toMatchObject([{ code: 'format' }])
    expect(decodeText(sampleWith('"unknown":"\\ud800\\u0000"'))).toMatchObject({ requestId: 'r-1' })
    expect(decodeText(sampleWith('"region":"\0"'))).toMatchObject([{ code: 'not_json' }])
  })

  it('survives 100,000 levels of nesting in known and unknown fields', () => {
    const deep = '['.repeat(100_000) + ']'.repeat(100_000)
    expect(decodeText(sampleWith(`"unknown":${deep}`))).toMatchObject({ requestId: 'r-1' })
    expect(decodeText(sampleWith(`"kpi":${deep}`))).toMatchObject([{ field: 'kpi' }])
    expect(decodeText(sampleWith(`"kpi":{"a":${deep}}`))).toMatchObject([{ field: 'kpi.a' }])
    const objects = `${'{"a":'.repeat(100_000)}1${'}'.repeat(100_000)}`
    expect(decodeText(sampleWith(`"attributes":${objects}`))).toMatchObject([
      { field: 'attributes.a' },
    ])
  })

  it('is not moved by names of the prototype', () => {
    expect(decodeText(sampleWith('"__proto__":{"region":"x"},"constructor":1'))).toMatchObject({
      region: '',
    })
    expect(decodeText(sampleWith('"kpi":{"__proto__":{"a":1},"constructor":2}'))).toMatchObject({
      kpi: { constructor: 2 },
    })
  })

  it('refuses bytes that are no UTF-8 in stored texts, names and values of maps among them', () => {
    const region = withBytes(`${JSON.stringify(SAMPLE).slice(0, -1)},"region":"a`, [0xff], '"}')
    expect(decodeRequestEvent(region, DEFAULT_MS)).toMatchObject([
      { field: 'region', code: 'invalid_utf8' },
    ])
    const start = `${JSON.stringify(SAMPLE).slice(0, -1)},"attributes":{"`
    expect(decodeRequestEvent(withBytes(`${start}a":"`, [0xc3], '"}}'), DEFAULT_MS)).toMatchObject([
      { field: 'attributes.a', code: 'invalid_utf8' },
    ])
    expect(decodeRequestEvent(withBytes(start, [0xed, 0xa0, 0x80], '":""}}'), 0)).toMatchObject([
      { field: 'attributes', code: 'invalid_utf8' },
    ])
  })

  it('gives the other reasons beside bytes that are no UTF-8', () => {
    const raw = withBytes('{"request_id":"a', [0xff], '","model_name":"m","variant":"canary"}')
    expect(decodeRequestEvent(raw, DEFAULT_MS)).toMatchObject([
      { field: 'request_id', code: 'invalid_utf8' },
      { field: 'outcome', code: 'missing' },
    ])
  })

  it('ignores bytes that are no UTF-8 in ignored fields; a locale becomes und', () => {
    const start = JSON.stringify({ ...SAMPLE, session_id: 'sent \ufffd' }).slice(0, -1)
    expect(decodeRequestEvent(withBytes(`${start},"x":"`, [0xff], '"}'), DEFAULT_MS)).toMatchObject(
      {
        sessionId: 'sent \ufffd',
      },
    )
    const broken = withBytes(`${start},"locale":"de`, [0xff], '"}')
    expect(decodeRequestEvent(broken, DEFAULT_MS)).toMatchObject({
      locale: 'und',
      localeReplaced: true,
    })
  })

  it('never throws and never lets guard and schema differ, whatever the bytes', () => {
    const before = guardMismatches()
    const noise = fc.oneof(
      fc.uint8Array({ maxLength: 200 }),
      fc.string().map(bytes),
      mutatedEvent.map((event) => bytes(JSON.stringify(event))),
      fc.tuple(mutatedEvent, fc.nat(), fc.nat({ max: 255 })).map(([event, at, byte]) => {
        const value = bytes(JSON.stringify(event))
        value[at % value.byteLength] = byte
        return value
      }),
    )
    fc.assert(
      fc.property(noise, (value) => {
        const decoded = decodeRequestEvent(value, DEFAULT_MS)
        if (Array.isArray(decoded)) {
          expect(decoded.length).toBeGreaterThan(0)
          for (const { message } of decoded) {
            expect(message).toMatch(/^[^\p{C}]{5,500}$/u)
          }
        }
      }),
      { numRuns: 3000 },
    )
    expect(guardMismatches()).toBe(before)
  })
})

describe('a request event in an envelope', () => {
  const { request_id, occurred_at, ...DATA } = SAMPLE
  const ENVELOPE = { specversion: '1.0', id: 'ce-1', source: '/s', type: 't' }
  const TIME = '2026-11-23T09:00:00Z'
  const headersOf = (attributes: Readonly<Record<string, string>>) =>
    Object.fromEntries(
      Object.entries(attributes).map(([name, text]) => [`ce_${name}`, Buffer.from(text)]),
    )
  const binary = (data: unknown, attributes: object = {}) =>
    decodeRequestEvent(
      bytes(JSON.stringify(data)),
      DEFAULT_MS,
      headersOf({ ...ENVELOPE, ...attributes }),
    )
  const structured = (data: unknown, attributes: object = {}) =>
    decode({ ...ENVELOPE, ...attributes, data })

  it('takes id and time from the envelope where it has none', () => {
    const expected = { requestId: 'ce-1', occurredAtMs: Date.parse(TIME), latencyMs: 41.2 }
    expect(binary(DATA, { time: TIME })).toMatchObject(expected)
    expect(structured(DATA, { time: TIME })).toMatchObject(expected)
    expect(binary({ ...DATA, request_id: null })).toMatchObject({
      requestId: 'ce-1',
      occurredAtMs: DEFAULT_MS,
    })
    expect(structured(DATA)).toMatchObject({ requestId: 'ce-1', occurredAtMs: DEFAULT_MS })
  })

  it('keeps its own id and time', () => {
    for (const event of [binary(SAMPLE, { time: TIME }), structured(SAMPLE, { time: TIME })]) {
      expect(event).toEqual(decode(SAMPLE))
    }
  })

  it('is rejected by the names of the fields that are wrong', () => {
    const long = 'x'.repeat(129)
    expect(binary(DATA, { id: long })).toMatchObject([{ field: 'ce_id', code: 'range' }])
    expect(structured({ ...DATA, latency_ms: -1 }, { id: 'a\u0000' })).toMatchObject([
      { field: 'id', code: 'format' },
      { field: 'latency_ms', code: 'range' },
    ])
    expect(binary({ ...DATA, request_id: 7 })).toMatchObject([{ field: 'request_id' }])
  })

  it('refuses bytes that are no UTF-8 in stored texts of the data alone', () => {
    const event = JSON.stringify({ ...ENVELOPE, subject: 'a\xff', data: SAMPLE })
    expect(decodeRequestEvent(Buffer.from(event, 'latin1'), 0)).toMatchObject({ requestId: 'r-1' })
    const broken = JSON.stringify({ ...ENVELOPE, data: { ...SAMPLE, region: 'a\xff' } })
    expect(decodeRequestEvent(Buffer.from(broken, 'latin1'), 0)).toMatchObject([
      { field: 'region', code: 'invalid_utf8' },
    ])
  })

  it('may stand on a line of a file, where its time is required or that of the envelope', () => {
    const line = (event: object) => decodeEventLine(bytes(JSON.stringify(event)))
    expect(line({ ...ENVELOPE, data: DATA })).toMatchObject([
      { field: 'occurred_at', code: 'missing' },
    ])
    expect(line({ ...ENVELOPE, time: TIME, data: { ...DATA, recorded_at: TIME } })).toMatchObject({
      event: { requestId: 'ce-1', occurredAtMs: Date.parse(TIME) },
      recordedAtMs: Date.parse(TIME),
    })
  })
})

describe('createRequestEventDecoder', () => {
  it('accepts what the schema accepts although the guard refused it, and counts it', () => {
    const decoder = createRequestEventDecoder(() => null)
    const expected = decode(SAMPLE)
    expect(decoder.decode(bytes(JSON.stringify(SAMPLE)), null)).toStrictEqual(expected)
    expect(decoder.mismatches()).toBe(1)
    expect(decoder.decode(bytes('{}'), null)).toMatchObject([
      { field: 'occurred_at' },
      { field: 'request_id' },
      { field: 'model_name' },
      { field: 'model_version' },
      { field: 'outcome' },
    ])
    expect(decoder.mismatches()).toBe(1)
  })
})

describe('decodeEventLine', () => {
  const line = (event: unknown) => decodeEventLine(bytes(JSON.stringify(event)))

  it('requires occurred_at and reads recorded_at beside it', () => {
    const { occurred_at, ...rest } = SAMPLE
    expect(line(rest)).toMatchObject([{ field: 'occurred_at', code: 'missing' }])
    expect(line(SAMPLE)).toMatchObject({ event: { requestId: 'r-1' }, recordedAtMs: null })
    expect(line({ ...SAMPLE, recorded_at: '2026-11-23T10:00:01Z' })).toMatchObject({
      recordedAtMs: 1_795_428_001_000,
    })
    expect(line({ ...SAMPLE, recorded_at: null })).toMatchObject({ recordedAtMs: null })
  })

  it.each([
    ['soon', 'format'],
    [1_795_428_001, 'type'],
    ['1960-01-01T00:00:00Z', 'range'],
  ])('refuses %j as recorded_at', (recordedAt, code) => {
    expect(line({ ...SAMPLE, recorded_at: recordedAt })).toMatchObject([
      { field: 'recorded_at', code },
    ])
  })
})
