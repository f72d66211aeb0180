import { isUtf8 } from 'node:buffer'
import type { Rejection, RejectionCode } from '../domain/request-event.ts'
import { type EventKind, otherKindOf } from './cloud-event-type.ts'
import { readInvalidUtf8Twice, readJsonObject } from './json-object.ts'
import { describeValue, printable } from './rejection-text.ts'
import { isStorableTime, parseRfc3339 } from './rfc3339.ts'
import { isObject } from './stored-text.ts'
import { TIME_WORDS } from './wire-field.ts'

/** Headers of a Kafka record. Messages of other doors are given the headers they would have there. */
export type MessageHeaders = Readonly<Record<string, Uint8Array>>

export const NO_HEADERS: MessageHeaders = Object.freeze({})

export const SPEC_VERSION = '1.0'
export const CONTENT_TYPE = 'content-type'
export const STRUCTURED_TYPE = 'application/cloudevents+json'
export const BATCH_TYPE = 'application/cloudevents-batch+json'
/** Before the name of an attribute in the header of a Kafka record. */
export const ATTRIBUTE_PREFIX = 'ce_'

const REQUIRED = ['specversion', 'id', 'source', 'type'] as const
const READ = [...REQUIRED, 'time'] as const
type AttributeName = (typeof READ)[number]

/** The CloudEvents attributes that mean something here; the others are left alone. */
export interface Envelope {
  readonly id: string
  readonly source: string
  readonly type: string
  /** Unix ms; null when the event does not say. */
  readonly timeMs: number | null
  /** Before an attribute's name where it was read: `ce_` in headers, nothing in JSON. */
  readonly prefix: string
}

/** What a message says. */
export interface MessageContent {
  /** Null for bare JSON. */
  readonly envelope: Envelope | null
  /** The event's data. */
  readonly object: Record<string, unknown>
  /** `readInvalidUtf8Twice` of the data; null when all its bytes are UTF-8. */
  readonly brokenTexts: ReturnType<typeof readInvalidUtf8Twice> | null
}

/**
 * Reads one message of any door: a CloudEvent 1.0 in binary mode (attributes in `ce_` headers, the
 * value is the data), in structured mode (`content-type: application/cloudevents+json`, or a JSON
 * object with `specversion` beside `type` or `source`), or bare JSON (neither). The `content-type`
 * header decides first, as in the Kafka protocol binding, where there are no batches. Data must be a
 * JSON object. Never throws: what is wrong is said of `ce_id` or `id`, after where it was read.
 */
export function readMessage(
  value: Uint8Array | null,
  headers: MessageHeaders,
  kind: EventKind,
): MessageContent | Rejection[] {
  const mode = modeOf(headers)
  if (mode === 'binary') return readBinary(value, headers, kind)
  if (typeof mode === 'object') return mode
  const read = readJsonObject(value)
  if (Array.isArray(read)) return read
  const { object, validUtf8 } = read
  if (mode === 'structured' || isStructured(object)) {
    return readStructured(object, validUtf8 ? null : value, kind)
  }
  const brokenTexts = validUtf8 || value === null ? null : readInvalidUtf8Twice(value)
  return { envelope: null, object, brokenTexts }
}

/** `readMessage` for acks and commands, which must be UTF-8 throughout. */
export function readUtf8Message(
  value: Uint8Array | null,
  headers: MessageHeaders,
  kind: EventKind,
): Record<string, unknown> | Rejection[] {
  const read = readMessage(value, headers, kind)
  if (Array.isArray(read)) return read
  if (read.brokenTexts === null) return read.object
  return [rejection('', 'invalid_utf8', 'holds bytes that are not UTF-8; send UTF-8 text')]
}

/** True for a JSON object that is an envelope and not the event itself. */
function isStructured(object: Record<string, unknown>): boolean {
  return object['specversion'] != null && (object['type'] != null || object['source'] != null)
}

type Mode = 'bare' | 'binary' | 'structured'

function modeOf(headers: MessageHeaders): Mode | Rejection[] {
  if (headers === NO_HEADERS) return 'bare'
  const contentType = headers[CONTENT_TYPE]
  if (contentType !== undefined) {
    const type = mediaTypeOf(textOf(contentType))
    if (type.startsWith('application/cloudevents')) return structuredModeOf(type)
  }
  return isBinaryMode(headers) ? 'binary' : 'bare'
}

/** True when attributes that a CloudEvent must have are among the headers. */
export function isBinaryMode(headers: MessageHeaders): boolean {
  return (
    headers['ce_id'] !== undefined ||
    headers['ce_specversion'] !== undefined ||
    headers['ce_type'] !== undefined ||
    headers['ce_source'] !== undefined
  )
}

function structuredModeOf(type: string): Mode | Rejection[] {
  if (type === STRUCTURED_TYPE || type === 'application/cloudevents') return 'structured'
  const why = type.startsWith('application/cloudevents-batch')
    ? 'a batch, which one record cannot be; send one event a record'
    : `${printable(type)}; allowed is ${STRUCTURED_TYPE}`
  return [rejection(CONTENT_TYPE, 'format', `is ${why}`)]
}

/** Media type without parameters, in lower case. */
export function mediaTypeOf(contentType: string): string {
  const end = contentType.indexOf(';')
  return (end < 0 ? contentType : contentType.slice(0, end)).trim().toLowerCase()
}

/** True for the media types of JSON: a subtype `json`, or one that ends in `+json`. */
function isJsonType(mediaType: string): boolean {
  return /^[^/]+\/(?:[^/]+\+)?json$/.test(mediaType)
}

function readBinary(
  value: Uint8Array | null,
  headers: MessageHeaders,
  kind: EventKind,
): MessageContent | Rejection[] {
  const broken: Rejection[] = []
  const attributes: Partial<Record<AttributeName, unknown>> = {}
  for (const name of READ) {
    const bytes = headers[ATTRIBUTE_PREFIX + name]
    if (bytes === undefined) continue
    attributes[name] = textOf(bytes)
    if (!isUtf8(bytes)) broken.push(notUtf8(ATTRIBUTE_PREFIX + name))
  }
  if (broken.length > 0) return broken
  const envelope = readAttributes(attributes, ATTRIBUTE_PREFIX, kind)
  if (Array.isArray(envelope)) return envelope
  const contentType = headers[CONTENT_TYPE]
  if (contentType !== undefined) {
    const unreadable = checkDataType(textOf(contentType), CONTENT_TYPE)
    if (unreadable !== null) return [unreadable]
  }
  const read = readJsonObject(value)
  if (Array.isArray(read)) return read
  const brokenTexts = read.validUtf8 || value === null ? null : readInvalidUtf8Twice(value)
  return { envelope, object: read.object, brokenTexts }
}

/** `broken` is the whole value when some of its bytes are not UTF-8. */
function readStructured(
  event: Record<string, unknown>,
  broken: Uint8Array | null,
  kind: EventKind,
): MessageContent | Rejection[] {
  const twice = broken === null ? null : readInvalidUtf8Twice(broken)
  if (twice !== null) {
    const [replaced, marked] = twice
    const names = READ.filter((name) => replaced[name] !== marked[name])
    if (names.length > 0) return names.map(notUtf8)
  }
  const envelope = readAttributes(event, '', kind)
  if (Array.isArray(envelope)) return envelope
  const contentType = event['datacontenttype']
  if (contentType != null) {
    const unreadable = checkDataType(contentType, 'datacontenttype')
    if (unreadable !== null) return [unreadable]
  }
  const { data, data_base64: base64 } = event
  if (base64 != null) {
    if (data != null) {
      const message = 'stands beside data; an event has one of the two'
      return [rejection('data_base64', 'format', message)]
    }
    return readBase64(base64, envelope)
  }
  if (data === undefined) return [rejection('data', 'missing', 'is missing; allowed is an object')]
  if (!isObject(data)) {
    const message = `is ${describeValue(data)}; allowed is an object`
    return [rejection('data', 'not_an_object', message)]
  }
  const brokenTexts = twice === null ? null : ([dataOf(twice[0]), dataOf(twice[1])] as const)
  return { envelope, object: data, brokenTexts }
}

function dataOf(event: Record<string, unknown>): Record<string, unknown> {
  return isObject(event['data']) ? event['data'] : {}
}

// Standard alphabet; padding may be left out.
const BASE64 = /^[A-Za-z0-9+/]*={0,2}$/

function readBase64(value: unknown, envelope: Envelope): MessageContent | Rejection[] {
  if (typeof value !== 'string' || !BASE64.test(value)) {
    const code = typeof value === 'string' ? 'format' : 'type'
    const message = `is ${describeValue(value)}; allowed is Base64 text`
    return [rejection('data_base64', code, message)]
  }
  const bytes = Buffer.from(value, 'base64')
  const read = readJsonObject(bytes)
  if (Array.isArray(read)) return read.map((why) => ({ ...why, field: 'data_base64' }))
  const brokenTexts = read.validUtf8 ? null : readInvalidUtf8Twice(bytes)
  return { envelope, object: read.object, brokenTexts }
}

function readAttributes(
  attributes: Readonly<Record<string, unknown>>,
  prefix: string,
  kind: EventKind,
): Envelope | Rejection[] {
  const rejections: Rejection[] = []
  const reject = (name: AttributeName, code: RejectionCode, message: string) => {
    rejections.push(rejection(prefix + name, code, message))
    return ''
  }
  const required = (name: AttributeName, allowed: string): string => {
    const value = attributes[name]
    if (value == null) return reject(name, 'missing', `is missing; allowed is ${allowed}`)
    if (typeof value === 'string' && value !== '') return value
    const code = value === '' ? 'range' : 'type'
    return reject(name, code, `is ${describeValue(value)}; allowed is ${allowed}`)
  }
  const version = required('specversion', SPEC_VERSION)
  if (version !== '' && version !== SPEC_VERSION) {
    reject('specversion', 'format', `is ${describeValue(version)}; allowed is ${SPEC_VERSION}`)
  }
  const id = required('id', 'a text that is not empty')
  const source = required('source', 'a URI or a path that is not empty')
  const type = required('type', 'a text that is not empty')
  const other = otherKindOf(type, kind)
  if (other !== null) reject('type', 'format', `${describeValue(type)} ${other}`)
  const timeMs = readTime(attributes['time'])
  if (typeof timeMs === 'string') {
    const message = `is ${describeValue(attributes['time'])}; allowed is ${TIME_WORDS}`
    reject('time', timeMs, message)
    return rejections
  }
  return rejections.length > 0 ? rejections : { id, source, type, timeMs, prefix }
}

function readTime(value: unknown): number | null | RejectionCode {
  if (value == null) return null
  if (typeof value !== 'string') return 'type'
  const timeMs = parseRfc3339(value)
  if (timeMs === null) return 'format'
  return isStorableTime(timeMs) ? timeMs : 'range'
}

/** Null when data of this media type can be read. */
function checkDataType(contentType: unknown, field: string): Rejection | null {
  const text = typeof contentType === 'string' ? contentType : ''
  const charset = /;\s*charset\s*=\s*"?([^\s";]+)/i.exec(text)?.[1]?.toLowerCase() ?? 'utf-8'
  const readable = charset === 'utf-8' || charset === 'us-ascii'
  if (isJsonType(mediaTypeOf(text)) && readable) return null
  const code = typeof contentType === 'string' ? 'format' : 'type'
  const message = `is ${describeValue(contentType)}; allowed is JSON in UTF-8, such as application/json`
  return rejection(field, code, message)
}

function notUtf8(field: string): Rejection {
  return rejection(field, 'invalid_utf8', 'holds bytes that are not UTF-8; send UTF-8 text')
}

function rejection(field: string, code: RejectionCode, message: string): Rejection {
  return { field, code, message }
}

function textOf(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('utf8')
}
