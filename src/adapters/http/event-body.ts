import type { FastifyRequest } from 'fastify'
import {
  BATCH_TYPE,
  CONTENT_TYPE,
  isBinaryMode,
  type MessageHeaders,
  NO_HEADERS,
  STRUCTURED_TYPE,
} from '../../contract/cloud-event.ts'
import { recordHeaders } from '../../contract/cloud-event-http.ts'
import { createLineSplitter, splitJsonArray } from '../../contract/event-lines.ts'
import { HaldaneError } from '../../domain/errors.ts'
import type { Rejection } from '../../domain/request-event.ts'
import { bodyBytes, mediaType } from './endpoint.ts'
import { DoorError } from './problem.ts'

export const EVENTS_BODY_BYTES = 16_777_216
export const MOST_EVENTS = 100_000
/** Bytes that are split into lines at once, so that a body of tiny lines is refused early. */
const SLICE_BYTES = 65_536

/** Media types of one event a line. */
export const EVENT_LINE_TYPES = ['application/x-ndjson', 'application/jsonl', 'text/plain']
const JSON_TYPE = 'application/json'
/** Every media type that events are read from; binary CloudEvents have that of their data. */
const READABLE_TYPES = [JSON_TYPE, ...EVENT_LINE_TYPES, STRUCTURED_TYPE, BATCH_TYPE]

const STRUCTURED: MessageHeaders = { [CONTENT_TYPE]: Buffer.from(STRUCTURED_TYPE) }
const OPEN_LIST = 0x5b

/** The events of a request, each with the headers it would have as a record in Kafka. */
export interface SentEvents {
  /** The bytes of each event, as they were sent. */
  readonly values: readonly Uint8Array[]
  readonly headers: MessageHeaders
}

function tooMany(): DoorError {
  return new DoorError('too_large', 'The body holds more than 100,000 events.', {
    remedy: 'Send the events in several requests.',
  })
}

function valuesOfLines(body: Uint8Array): Uint8Array[] {
  const splitter = createLineSplitter(body.byteLength)
  const values: Uint8Array[] = []
  const add = (lines: ReturnType<typeof splitter.end>): void => {
    for (const { bytes } of lines) if (bytes !== null) values.push(bytes)
    if (values.length > MOST_EVENTS) throw tooMany()
  }
  for (let from = 0; from < body.byteLength; from += SLICE_BYTES) {
    add(splitter.push(body.subarray(from, from + SLICE_BYTES)))
  }
  add(splitter.end())
  return values
}

function valuesOfList(body: Uint8Array): Uint8Array[] {
  let values: Uint8Array[]
  try {
    values = splitJsonArray(body, MOST_EVENTS)
  } catch (thrown) {
    if (!(thrown instanceof HaldaneError)) throw thrown
    throw new DoorError('malformed', `The body cannot be split into events: ${thrown.message}.`, {
      ...(thrown.remedy === undefined ? {} : { remedy: thrown.remedy }),
    })
  }
  if (values.length > MOST_EVENTS) throw tooMany()
  return values
}

/** First byte that is neither white space nor part of a byte order mark; undefined when there is none. */
function firstByte(body: Uint8Array): number | undefined {
  const marked = body[0] === 0xef && body[1] === 0xbb && body[2] === 0xbf
  return body.subarray(marked ? 3 : 0).find((byte) => byte > 0x20)
}

/** One value, or those of a list. */
function valuesOfJson(body: Uint8Array): Uint8Array[] {
  const first = firstByte(body)
  if (first === undefined) return []
  return first === OPEN_LIST ? valuesOfList(body) : [body]
}

function unreadable(type: string): DoorError {
  return new DoorError('unsupported_media_type', `Events cannot be read from ${type}.`, {
    remedy:
      'Send application/json (one event or a list), one event a line as application/x-ndjson, application/jsonl or text/plain, or CloudEvents 1.0.',
    headers: { accept: READABLE_TYPES.join(', ') },
  })
}

function checked(values: readonly Uint8Array[]): readonly Uint8Array[] {
  if (values.length > 0) return values
  throw new DoorError('malformed', 'There is no event in the body.', {
    remedy: 'Send a JSON list of events, or one event a line as application/x-ndjson.',
  })
}

/**
 * The events of a request in any form: one JSON object, a JSON list, one event a line; CloudEvents
 * in binary, structured or batch mode. The media type decides between them, then the `ce-` headers.
 * Throws `unsupported_media_type`, `malformed` and `too_large`; an empty batch of CloudEvents is none.
 */
export function eventsIn(request: FastifyRequest): SentEvents {
  const type = mediaType(request)
  const body = bodyBytes(request)
  if (type === BATCH_TYPE) return { values: valuesOfList(body), headers: STRUCTURED }
  if (type.startsWith('application/cloudevents')) {
    if (type !== STRUCTURED_TYPE && type !== 'application/cloudevents') throw unreadable(type)
    return { values: checked(firstByte(body) === undefined ? [] : [body]), headers: STRUCTURED }
  }
  const headers = recordHeaders(request.headers)
  if (isBinaryMode(headers)) return { values: [body], headers }
  if (EVENT_LINE_TYPES.includes(type)) {
    return { values: checked(valuesOfLines(body)), headers: NO_HEADERS }
  }
  if (type !== JSON_TYPE && type !== '') throw unreadable(type)
  return { values: checked(valuesOfJson(body)), headers: NO_HEADERS }
}

/** The rejection with the name an attribute has over HTTP: `ce-id`, not `ce_id`. */
export function asSent({ field, code, message }: Rejection): Rejection {
  return { field: field.replace(/^ce_/, 'ce-'), code, message }
}
