import {
  ATTRIBUTE_PREFIX,
  BATCH_TYPE,
  CONTENT_TYPE,
  SPEC_VERSION,
  STRUCTURED_TYPE,
} from './cloud-event.ts'
import { HTTP_PREFIX, percentEncoded } from './cloud-event-http.ts'
import { formatTime } from './rfc3339.ts'

const JSON_TYPE = 'application/json'

/** An event to be written as a CloudEvent 1.0. */
export interface CloudEvent {
  readonly id: string
  /** URI-reference; with `id` it names the event. */
  readonly source: string
  readonly type: string
  readonly subject?: string
  /** Unix ms. */
  readonly timeMs?: number
  /** By name: lower-case letters and digits, at most 20. */
  readonly extensions?: Readonly<Record<string, string>>
  /** One JSON value as text; it is written as it is, in every form. */
  readonly data: string
}

/** A request body with its headers. */
export interface HttpMessage {
  readonly headers: Readonly<Record<string, string>>
  readonly body: string
}

type Attributes = Omit<CloudEvent, 'data'>

function attributesOf(event: Attributes): readonly (readonly [string, string])[] {
  const { subject, timeMs } = event
  return [
    ['specversion', SPEC_VERSION],
    ['id', event.id],
    ['source', event.source],
    ['type', event.type],
    ...(subject === undefined ? [] : [['subject', subject] as const]),
    ...(timeMs === undefined ? [] : [['time', formatTime(timeMs)] as const]),
    ...Object.entries(event.extensions ?? {}),
  ]
}

/** Headers of the Kafka record in binary mode; its value is the data. */
export function kafkaHeaders(event: Attributes): Record<string, string> {
  const attributes = attributesOf(event).map(([name, value]) => [ATTRIBUTE_PREFIX + name, value])
  return { ...Object.fromEntries(attributes), [CONTENT_TYPE]: JSON_TYPE }
}

/** Binary mode over HTTP. */
export function httpBinary(event: CloudEvent): HttpMessage {
  const attributes = attributesOf(event).map(([name, value]) => [
    HTTP_PREFIX + name,
    percentEncoded(value),
  ])
  const headers = { ...Object.fromEntries(attributes), [CONTENT_TYPE]: JSON_TYPE }
  return { headers, body: event.data }
}

/** The event as one line of JSON, if its data is one: a line of a file, or the value of a record. */
export function structuredText(event: CloudEvent): string {
  const envelope = Object.fromEntries([...attributesOf(event), ['datacontenttype', JSON_TYPE]])
  return `${JSON.stringify(envelope).slice(0, -1)},"data":${event.data}}`
}

/** Structured mode over HTTP; in Kafka the same headers and the body as the value. */
export function httpStructured(event: CloudEvent): HttpMessage {
  const headers = { [CONTENT_TYPE]: `${STRUCTURED_TYPE}; charset=UTF-8` }
  return { headers, body: structuredText(event) }
}

export function httpBatch(events: readonly CloudEvent[]): HttpMessage {
  const headers = { [CONTENT_TYPE]: `${BATCH_TYPE}; charset=UTF-8` }
  return { headers, body: `[${events.map(structuredText).join(',')}]` }
}
