import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { NO_HEADERS, readMessage, readUtf8Message } from '../../../src/contract/cloud-event.ts'

const bytes = (text: string) => new TextEncoder().encode(text)
const headersOf = (texts: Readonly<Record<string, string>>) =>
  Object.fromEntries(Object.entries(texts).map(([name, text]) => [name, Buffer.from(text)]))

const BINARY = {
  ce_specversion: '1.0',
  ce_id: 'r-1',
  ce_source: '/services/intent',
  ce_type: 'com.acme.ml.inference.request.v1',
  ce_time: '2026-11-23T10:00:00.123Z',
  'content-type': 'application/json',
}
const STRUCTURED = {
  specversion: '1.0',
  id: 'r-1',
  source: '/services/intent',
  type: 'com.acme.ml.inference.request.v1',
  time: '2026-11-23T10:00:00.123Z',
  datacontenttype: 'application/json; charset=UTF-8',
  data: { latency_ms: 41.2 },
}
const DATA = '{"latency_ms":41.2}'

const binary = (changes: Readonly<Record<string, string | undefined>>, value = DATA) => {
  const texts = Object.entries({ ...BINARY, ...changes }).filter(([, text]) => text !== undefined)
  return readMessage(bytes(value), headersOf(Object.fromEntries(texts)), 'request')
}
const structured = (changes: object, contentType = 'application/cloudevents+json') =>
  readMessage(
    bytes(JSON.stringify({ ...STRUCTURED, ...changes })),
    headersOf({ 'content-type': contentType }),
    'request',
  )
const ENVELOPE = {
  id: 'r-1',
  source: '/services/intent',
  type: 'com.acme.ml.inference.request.v1',
  timeMs: 1_795_428_000_123,
}

describe('the form of a message', () => {
  it('is binary when required attributes are among the headers', () => {
    expect(binary({})).toEqual({
      envelope: { ...ENVELOPE, prefix: 'ce_' },
      object: { latency_ms: 41.2 },
      brokenTexts: null,
    })
    for (const only of ['ce_id', 'ce_specversion', 'ce_type', 'ce_source']) {
      const read = readMessage(bytes(DATA), headersOf({ [only]: '1.0' }), 'request')
      expect(read).toHaveLength(3)
    }
  })

  it.each([
    'application/cloudevents+json',
    'APPLICATION/CloudEvents+JSON; charset=UTF-8',
    'application/cloudevents',
  ])('is structured when the content type is %s, whatever the other headers', (contentType) => {
    const expected = {
      envelope: { ...ENVELOPE, prefix: '' },
      object: { latency_ms: 41.2 },
      brokenTexts: null,
    }
    expect(structured({}, contentType)).toEqual(expected)
    const both = headersOf({ ...BINARY, ce_id: 'other', 'content-type': contentType })
    expect(readMessage(bytes(JSON.stringify(STRUCTURED)), both, 'request')).toEqual(expected)
  })

  it('is structured without a content type when specversion stands beside type or source', () => {
    const { type, source, ...rest } = STRUCTURED
    const read = (event: object) => readMessage(bytes(JSON.stringify(event)), NO_HEADERS, 'request')
    expect(read(STRUCTURED)).toMatchObject({ envelope: ENVELOPE })
    expect(read({ ...rest, type })).toMatchObject([{ field: 'source', code: 'missing' }])
    expect(read({ ...rest, source })).toMatchObject([{ field: 'type', code: 'missing' }])
    expect(read(rest)).toMatchObject({ envelope: null })
  })

  it('is bare JSON otherwise, with other headers or none', () => {
    for (const headers of [
      NO_HEADERS,
      headersOf({ 'content-type': 'application/json', ce_traceparent: '00-a-b-01', type: 'x' }),
    ]) {
      expect(readMessage(bytes(DATA), headers, 'request')).toEqual({
        envelope: null,
        object: { latency_ms: 41.2 },
        brokenTexts: null,
      })
    }
  })

  it.each([
    ['application/cloudevents-batch+json', 'a batch, which one record cannot be'],
    ['application/cloudevents+avro', 'allowed is application/cloudevents+json'],
  ])('is refused as %s', (contentType, why) => {
    const read = structured({}, contentType)
    expect(read).toMatchObject([{ field: 'content-type', code: 'format' }])
    expect(JSON.stringify(read)).toContain(why)
  })
})

describe('a wrong envelope', () => {
  it.each([
    ['specversion', undefined, 'missing'],
    ['specversion', '0.3', 'format'],
    ['id', undefined, 'missing'],
    ['id', '', 'range'],
    ['source', undefined, 'missing'],
    ['source', '', 'range'],
    ['type', undefined, 'missing'],
    ['type', '', 'range'],
    ['type', 'com.acme.ml.inference.feedback.v1', 'format'],
    ['type', 'ml.canary.decision.v1', 'format'],
    ['time', 'yesterday', 'format'],
    ['time', '1969-12-31T23:59:59Z', 'range'],
  ])('is named by its attribute: %s %j', (name, value, code) => {
    expect(binary({ [`ce_${name}`]: value })).toMatchObject([{ field: `ce_${name}`, code }])
    expect(structured({ [name]: value })).toMatchObject([{ field: name, code }])
  })

  it('is named with all its attributes at once', () => {
    expect(binary({ ce_id: undefined, ce_specversion: '2.0', ce_time: '' })).toMatchObject([
      { field: 'ce_specversion' },
      { field: 'ce_id' },
      { field: 'ce_time' },
    ])
    expect(structured({ id: 7, source: null, type: {}, time: false })).toMatchObject([
      { field: 'id', code: 'type' },
      { field: 'source', code: 'missing' },
      { field: 'type', code: 'type' },
      { field: 'time', code: 'type' },
    ])
  })

  it('of another contract says where that belongs', () => {
    expect(binary({ ce_type: 'com.acme.ml.inference.feedback.v1' })).toEqual([
      {
        field: 'ce_type',
        code: 'format',
        message:
          'the text "com.acme.ml.inference.feedback.v1" names feedback events; they belong to ml.inference.feedback.v1 or POST /v1/feedback',
      },
    ])
    expect(readMessage(bytes(DATA), headersOf(BINARY), 'feedback')).toMatchObject([
      { field: 'ce_type', code: 'format' },
    ])
  })

  it.each(['org.kubeflow.serving.inference.request', 'x', 'my.ml.inference.feedback.v1.archive'])(
    'is not one whose type is a word of its own: %s',
    (type) => {
      expect(binary({ ce_type: type })).toMatchObject({ envelope: { type } })
    },
  )

  it('holds bytes that are no UTF-8 in what is read of it, and may elsewhere', () => {
    const broken = Buffer.from([0x61, 0xff])
    const headers = { ...headersOf(BINARY), ce_id: broken, ce_source: broken }
    expect(readMessage(bytes(DATA), headers, 'request')).toMatchObject([
      { field: 'ce_id', code: 'invalid_utf8' },
      { field: 'ce_source', code: 'invalid_utf8' },
    ])
    const others = { ...headersOf(BINARY), ce_subject: broken, traceparent: broken }
    expect(readMessage(bytes(DATA), others, 'request')).toMatchObject({ envelope: { id: 'r-1' } })
    const text = (event: object) => Buffer.from(JSON.stringify(event), 'latin1')
    expect(readMessage(text({ ...STRUCTURED, id: 'a\xff' }), NO_HEADERS, 'request')).toMatchObject([
      { field: 'id', code: 'invalid_utf8' },
    ])
    expect(
      readMessage(text({ ...STRUCTURED, subject: 'a\xff' }), NO_HEADERS, 'request'),
    ).toMatchObject({ envelope: { id: 'r-1' } })
  })
})

describe('the data', () => {
  it.each([
    ['text/plain', 'format'],
    ['application/avro', 'format'],
    ['application/json; charset=utf-16', 'format'],
    ['', 'format'],
  ])('is not read as %j', (type, code) => {
    expect(binary({ 'content-type': type })).toMatchObject([{ field: 'content-type', code }])
    expect(structured({ datacontenttype: type })).toMatchObject([
      { field: 'datacontenttype', code },
    ])
  })

  it.each(['application/json', 'text/json', 'application/vnd.acme.event+json; charset="utf-8"'])(
    'is JSON as %s, and without a type',
    (type) => {
      expect(binary({ 'content-type': type })).toMatchObject({ object: { latency_ms: 41.2 } })
      expect(structured({ datacontenttype: type })).toMatchObject({ object: { latency_ms: 41.2 } })
      expect(binary({ 'content-type': undefined })).toMatchObject({ object: { latency_ms: 41.2 } })
      expect(structured({ datacontenttype: null })).toMatchObject({ object: { latency_ms: 41.2 } })
    },
  )

  it('is the value in binary mode', () => {
    expect(binary({}, '[1]')).toMatchObject([{ field: '', code: 'not_an_object' }])
    expect(binary({}, '{')).toMatchObject([{ field: '', code: 'not_json' }])
    expect(readMessage(null, headersOf(BINARY), 'request')).toMatchObject([{ code: 'tombstone' }])
  })

  it('is an object under data, never JSON inside of a text', () => {
    expect(structured({ data: undefined })).toMatchObject([{ field: 'data', code: 'missing' }])
    for (const data of [null, [], 7, DATA]) {
      expect(structured({ data })).toMatchObject([{ field: 'data', code: 'not_an_object' }])
    }
  })

  it('may be Base64 under data_base64, with or without padding', () => {
    const inBase64 = (base64: unknown, data?: unknown) => structured({ data, data_base64: base64 })
    expect(inBase64(Buffer.from(DATA).toString('base64'))).toMatchObject({
      object: { latency_ms: 41.2 },
    })
    expect(inBase64('e30', null)).toMatchObject({ object: {} })
    expect(inBase64('e30=', {})).toMatchObject([{ field: 'data_base64', code: 'format' }])
    expect(inBase64('{}')).toMatchObject([{ field: 'data_base64', code: 'format' }])
    expect(inBase64(7)).toMatchObject([{ field: 'data_base64', code: 'type' }])
    expect(inBase64('W10=')).toMatchObject([{ field: 'data_base64', code: 'not_an_object' }])
  })

  it('that is not UTF-8 comes with both readings of it', () => {
    const raw = Buffer.from(JSON.stringify({ ...STRUCTURED, data: { a: '\xff' } }), 'latin1')
    const twice = [{ a: '\ufffd' }, { a: 'X' }]
    expect(readMessage(raw, NO_HEADERS, 'request')).toMatchObject({ brokenTexts: twice })
    const data = Buffer.from('{"a":"\xff"}', 'latin1')
    expect(readMessage(data, headersOf(BINARY), 'request')).toMatchObject({ brokenTexts: twice })
    expect(structured({ data: undefined, data_base64: data.toString('base64') })).toMatchObject({
      brokenTexts: twice,
    })
  })
})

describe('readMessage', () => {
  it('never throws, whatever the headers and the bytes', () => {
    const name = fc.constantFrom(
      ...['ce_id', 'ce_type', 'ce_source', 'ce_specversion', 'ce_time'],
      ...['content-type', '__proto__', 'constructor'],
    )
    const value = fc.oneof(
      fc.uint8Array({ maxLength: 12 }),
      fc.constantFrom('1.0', 'application/cloudevents+json', 'application/json').map(bytes),
    )
    const member = fc.constantFrom(
      ...['specversion', 'id', 'type', 'source', 'time', 'data', 'data_base64'],
      ...['datacontenttype', '__proto__'],
    )
    const event = fc
      .array(fc.tuple(member, fc.jsonValue({ maxDepth: 1 })), { maxLength: 9 })
      .map((entries) => entries.map(([key, one]) => `"${key}":${JSON.stringify(one)}`).join())
      .map((text) => bytes(`{"specversion":"1.0","type":"t",${text || '"a":1'}}`))
    fc.assert(
      fc.property(
        fc.dictionary(name, value, { maxKeys: 6 }),
        fc.oneof(fc.uint8Array({ maxLength: 40 }), event, fc.constant(null)),
        (headers, body) => {
          const read = readMessage(body, headers, 'request')
          if (!Array.isArray(read)) return
          expect(read.length).toBeGreaterThan(0)
          for (const { message } of read) expect(message).toMatch(/^[^\p{C}]{5,500}$/u)
        },
      ),
      { numRuns: 5000 },
    )
  })
})

describe('readUtf8Message', () => {
  it('refuses bytes that are no UTF-8 anywhere in the data', () => {
    const read = (text: string) => readUtf8Message(Buffer.from(text, 'latin1'), NO_HEADERS, 'ack')
    expect(read('{"unknown":"\xff"}')).toMatchObject([{ code: 'invalid_utf8' }])
    expect(read('{"unknown":"a"}')).toEqual({ unknown: 'a' })
  })
})
