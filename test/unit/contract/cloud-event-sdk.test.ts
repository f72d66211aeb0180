import { HTTP, Kafka, CloudEvent as SdkEvent } from 'cloudevents'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { BATCH_TYPE, type MessageHeaders, readMessage } from '../../../src/contract/cloud-event.ts'
import { recordHeaders } from '../../../src/contract/cloud-event-http.ts'
import {
  type CloudEvent,
  httpBatch,
  httpBinary,
  httpStructured,
  kafkaHeaders,
  structuredText,
} from '../../../src/contract/cloud-event-writer.ts'
import { splitJsonArray } from '../../../src/contract/event-lines.ts'

const bytes = (text: string) => new TextEncoder().encode(text)

/** Texts the SDK writes into headers as they are: it does not encode what HTTP cannot carry. */
const plain = fc.stringMatching(/^[!#$&-~]{1,30}$/)
/** Attributes may hold any Unicode character but control characters, surrogates and noncharacters. */
const unicode = fc
  .string({ unit: 'grapheme', minLength: 1, maxLength: 20 })
  .filter((text) => !/[\p{Cc}\p{Cs}\p{Cn}]/u.test(text))
const data = fc.dictionary(
  fc.stringMatching(/^[a-z_]{1,10}$/),
  fc.oneof(fc.string({ unit: 'grapheme' }), fc.integer(), fc.boolean(), fc.constant(null)),
)
const timeMs = fc.integer({ min: 0, max: 4_291_747_199_999 })
const PLAIN_SOURCE = fc.stringMatching(/^\/[a-z0-9/._-]{0,20}$/)

const event = (text: fc.Arbitrary<string>): fc.Arbitrary<CloudEvent> =>
  fc
    .record({
      id: text,
      source: PLAIN_SOURCE,
      type: text,
      subject: text,
      timeMs,
      data,
      sequence: fc.nat().map((number) => String(number).padStart(20, '0')),
    })
    .map(({ data, sequence, ...rest }) => ({
      ...rest,
      extensions: { sequence },
      data: JSON.stringify(data),
    }))

/** What both sides must agree on. */
const essence = ({ id, source, type, timeMs, data }: CloudEvent) => ({
  ...{ id, source, type, timeMs },
  object: JSON.parse(data) as unknown,
})
const read = (value: Uint8Array, headers: MessageHeaders) => {
  const content = readMessage(value, headers, 'request')
  if (Array.isArray(content)) throw new Error(JSON.stringify(content))
  if (content.envelope === null) throw new Error('bare')
  const { id, source, type, timeMs } = content.envelope
  return { id, source, type, timeMs, object: content.object }
}
const essenceOfSdk = (event: unknown) => {
  const { id, source, type, time, subject, sequence, data } = event as SdkEvent<unknown> & {
    sequence?: unknown
  }
  return { id, source, type, time, subject, sequence, data: data as unknown }
}
const expectedOfSdk = (event: CloudEvent) => ({
  id: event.id,
  source: event.source,
  type: event.type,
  time: new Date(event.timeMs ?? 0).toISOString(),
  subject: event.subject,
  sequence: event.extensions?.['sequence'],
  data: JSON.parse(event.data) as unknown,
})

const sdkEvent = (event: CloudEvent) => {
  const { timeMs, extensions, data, ...rest } = event
  return new SdkEvent(
    {
      ...rest,
      ...extensions,
      time: new Date(timeMs ?? 0).toISOString(),
      datacontenttype: 'application/json',
      data: JSON.parse(data) as unknown,
    },
    false,
  )
}
/** Node gives header names in lower case and bytes as Latin-1. */
const asReceived = (headers: Readonly<Record<string, unknown>>) =>
  Object.fromEntries(
    Object.entries(headers).map(([name, value]) => [name.toLowerCase(), String(value)]),
  )
/** Headers as the client of the broker hands them over; undefined ones cannot be sent. */
const asRecord = (headers: Readonly<Record<string, unknown>>): MessageHeaders =>
  Object.fromEntries(
    Object.entries(headers)
      .filter(([, value]) => value !== undefined)
      .map(([name, value]) => [name, Buffer.from(String(value))]),
  )

describe('what the CloudEvents SDK writes, we read', () => {
  const holds = (check: (event: CloudEvent, sdk: SdkEvent<unknown>) => void, text = unicode) =>
    fc.assert(
      fc.property(event(text), (one) => check(one, sdkEvent(one))),
      { numRuns: 300 },
    )

  it('binary over HTTP', () => {
    holds((one, sdk) => {
      const { headers, body } = HTTP.binary(sdk)
      expect(read(bytes(String(body)), recordHeaders(asReceived(headers)))).toEqual(essence(one))
    }, plain)
  })

  it('structured over HTTP', () => {
    holds((one, sdk) => {
      const { headers, body } = HTTP.structured(sdk)
      expect(read(bytes(String(body)), recordHeaders(asReceived(headers)))).toEqual(essence(one))
    })
  })

  it('binary data as data_base64', () => {
    holds((one) => {
      const { data: text, ...rest } = one
      const sdk = sdkEvent({ ...rest, data: 'null' }).cloneWith(
        { data: bytes(text), datacontenttype: 'application/json' },
        false,
      )
      const { body } = HTTP.structured(sdk as SdkEvent<unknown>)
      expect(String(body)).toContain('data_base64')
      expect(read(bytes(String(body)), {})).toEqual(essence(one))
    })
  })

  it('a batch, one event after the other', () => {
    fc.assert(
      fc.property(fc.array(event(unicode), { maxLength: 4 }), (events) => {
        const body = JSON.stringify(events.map(sdkEvent))
        const headers = { 'content-type': Buffer.from('application/cloudevents+json') }
        const found = splitJsonArray(bytes(body)).map((element) => read(element, headers))
        expect(found).toEqual(events.map(essence))
      }),
      { numRuns: 100 },
    )
  })

  it('binary in Kafka, its data being serialised by the sender', () => {
    holds((one, sdk) => {
      const { headers, value } = Kafka.binary(sdk) as { headers: object; value: unknown }
      expect(read(bytes(JSON.stringify(value)), asRecord({ ...headers }))).toEqual(essence(one))
    })
  })

  it('structured in Kafka', () => {
    holds((one, sdk) => {
      const { headers, value } = Kafka.structured(sdk) as { headers: object; value: unknown }
      expect(read(bytes(String(value)), asRecord({ ...headers }))).toEqual(essence(one))
    })
  })
})

describe('what we write, the CloudEvents SDK reads', () => {
  const holds = (check: (event: CloudEvent) => void, text = unicode) =>
    fc.assert(fc.property(event(text), check), { numRuns: 300 })

  it('binary over HTTP, texts that need no encoding', () => {
    holds((one) => {
      const { headers, body } = httpBinary(one)
      const sdk = HTTP.toEvent({ headers: { ...headers }, body })
      expect(essenceOfSdk(sdk)).toEqual(expectedOfSdk(one))
    }, plain)
  })

  it('structured over HTTP', () => {
    holds((one) => {
      const { headers, body } = httpStructured(one)
      // The SDK knows the media type with this parameter only in small letters.
      const lower = { 'content-type': String(headers['content-type']).toLowerCase() }
      expect(essenceOfSdk(HTTP.toEvent({ headers: lower, body }))).toEqual(expectedOfSdk(one))
    })
  })

  it('a batch', () => {
    fc.assert(
      fc.property(fc.array(event(unicode), { minLength: 1, maxLength: 4 }), (events) => {
        const { headers, body } = httpBatch(events)
        expect(headers['content-type']).toContain(BATCH_TYPE)
        // With a body of text the SDK looks for the version where a batch has none.
        const message = { headers: { ...headers }, body: new String(body) }
        const batch = HTTP.toEvent(message as unknown as Parameters<typeof HTTP.toEvent>[0])
        expect((batch as SdkEvent<unknown>[]).map(essenceOfSdk)).toEqual(events.map(expectedOfSdk))
      }),
      { numRuns: 100 },
    )
  })

  it('binary in Kafka, its headers being texts', () => {
    holds((one) => {
      const headers = kafkaHeaders(one)
      const message = { headers, key: 'k', value: Buffer.from(one.data), body: '' }
      expect(essenceOfSdk(Kafka.toEvent(message as never))).toEqual(expectedOfSdk(one))
    })
  })

  it('structured in Kafka', () => {
    holds((one) => {
      const headers = { 'content-type': 'application/cloudevents+json' }
      const value = structuredText(one)
      const message = { headers, key: 'k', value, body: value }
      expect(essenceOfSdk(Kafka.toEvent(message as never))).toEqual(expectedOfSdk(one))
    })
  })
})

describe('what we write, we read', () => {
  it('in every form, with any text', () => {
    fc.assert(
      fc.property(event(unicode), (one) => {
        const expected = essence(one)
        const http = httpBinary(one)
        expect(Object.values(http.headers).join('')).toMatch(/^[\x20-\x7e]*$/)
        expect(read(bytes(http.body), recordHeaders(http.headers))).toEqual(expected)
        expect(read(bytes(one.data), asRecord(kafkaHeaders(one)))).toEqual(expected)
        expect(read(bytes(structuredText(one)), {})).toEqual(expected)
      }),
      { numRuns: 500 },
    )
  })
})
