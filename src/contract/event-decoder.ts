import type { z } from 'zod'
import type { Rejection } from '../domain/request-event.ts'
import { type MessageContent, type MessageHeaders, NO_HEADERS, readMessage } from './cloud-event.ts'
import type { EventKind } from './cloud-event-type.ts'
import { allowedOf, describeValue, printable, rejectionsOf } from './rejection-text.ts'
import { formatTime, isStorableTime, parseRfc3339 } from './rfc3339.ts'
import { isObject } from './stored-text.ts'

/** Events that happened longer before their reference time are not accepted. */
const MAX_AGE_MS = 7 * 86_400_000
/** Events that happened later than this after their reference time are not accepted. */
const MAX_FUTURE_MS = 10 * 60_000

/** One kind of event: its schema, and what the schema alone does not say. */
export interface EventContract<Schema extends z.ZodObject, Event> {
  readonly kind: EventKind
  readonly schema: Schema
  /** The field the `id` of a CloudEvent stands in for; null when it stands in for none. */
  readonly idField: string | null
  /** The field that says when it happened. */
  readonly timeField: string
  /** Text that is stored as it was sent; what is stored as known words only is not among them. */
  readonly storedTexts: readonly string[]
  readonly storedMaps: readonly string[]
  /** The fast path: the event, or null when anything is off. Null: there is none. */
  readonly guard: ((raw: unknown, defaultTimeMs: number | null) => Event | null) | null
  /** The domain's form of what the schema accepted; null when nobody knows when it happened. */
  eventOf(wire: z.output<Schema>, defaultTimeMs: number | null): Event | null
}

export interface EventDecoder<Event> {
  /**
   * The event a message holds, or every reason why it holds none (`Array.isArray` tells them apart).
   * For a missing time stands in the `time` of a CloudEvent, else `defaultTimeMs`; without both it
   * is required.
   */
  decode(
    value: Uint8Array | null,
    defaultTimeMs: number | null,
    headers?: MessageHeaders,
  ): Event | Rejection[]
  /**
   * A line of an events file, bare or a structured CloudEvent. Nothing but the `time` of the latter
   * stands in for a missing time; `recorded_at` beside the data's fields may say when it was logged.
   */
  decodeLine(value: Uint8Array): FileEvent<Event> | Rejection[]
  /** How often the schema accepted what the guard had refused: a fault of the guard, never of the event. */
  mismatches(): number
}

export interface FileEvent<Event> {
  readonly event: Event
  /** Unix ms; null when the line does not have it. */
  readonly recordedAtMs: number | null
}

/** A decoder that asks the guard first, and the schema when the guard says no. */
export function createEventDecoder<Schema extends z.ZodObject, Event>(
  contract: EventContract<Schema, Event>,
): EventDecoder<Event> {
  const { schema, timeField, idField, guard } = contract
  let mismatches = 0

  const missingTime = (): Rejection => {
    const allowed = allowedOf(schema, timeField)
    return { field: timeField, code: 'missing', message: `is missing; allowed is ${allowed}` }
  }

  const judge = (
    object: Record<string, unknown>,
    defaultTimeMs: number | null,
  ): Event | Rejection[] => {
    const event = guard?.(object, defaultTimeMs) ?? null
    if (event !== null) return event
    const parsed = schema.safeParse(object)
    const rejections = parsed.success ? [] : rejectionsOf(schema, parsed.error, object)
    if (object[timeField] == null && defaultTimeMs === null) rejections.unshift(missingTime())
    if (!parsed.success || rejections.length > 0) return rejections
    if (guard !== null) mismatches++
    return contract.eventOf(parsed.data, defaultTimeMs) ?? [missingTime()]
  }

  /** What the envelope says stands in for what the data leaves out. */
  const judgeContent = (
    { envelope, object }: MessageContent,
    defaultTimeMs: number | null,
  ): Event | Rejection[] => {
    if (envelope === null) return judge(object, defaultTimeMs)
    const timeMs = envelope.timeMs ?? defaultTimeMs
    if (idField === null || object[idField] != null) return judge(object, timeMs)
    const event = judge({ ...object, [idField]: envelope.id }, timeMs)
    if (!Array.isArray(event)) return event
    const field = `${envelope.prefix}id`
    return event.map((why) => (why.field === idField ? { ...why, field } : why))
  }

  const decodeObject = (
    value: Uint8Array | null,
    defaultTimeMs: number | null,
    headers: MessageHeaders,
  ): { event: Event; object: Record<string, unknown> } | Rejection[] => {
    const content = readMessage(value, headers, contract.kind)
    if (Array.isArray(content)) return content
    // A record's own time can be anything; one the store cannot hold stands in for nothing.
    const usable = defaultTimeMs !== null && isStorableTime(defaultTimeMs)
    const event = judgeContent(content, usable ? defaultTimeMs : null)
    const broken = content.brokenTexts === null ? [] : invalidTexts(content.brokenTexts, contract)
    if (broken.length > 0) {
      const named = new Set(broken.map(({ field }) => field))
      const others = Array.isArray(event) ? event.filter(({ field }) => !named.has(field)) : []
      return [...broken, ...others]
    }
    return Array.isArray(event) ? event : { event, object: content.object }
  }

  return {
    decode(value, defaultTimeMs, headers = NO_HEADERS) {
      const decoded = decodeObject(value, defaultTimeMs, headers)
      return Array.isArray(decoded) ? decoded : decoded.event
    },
    decodeLine(value) {
      const decoded = decodeObject(value, null, NO_HEADERS)
      if (Array.isArray(decoded)) return decoded
      const recordedAt = readRecordedAt(decoded.object['recorded_at'], allowedOf(schema, timeField))
      if (Array.isArray(recordedAt)) return recordedAt
      return { event: decoded.event, recordedAtMs: recordedAt }
    },
    mismatches: () => mismatches,
  }
}

/** Judges an event's time against the time its record was written; null when it is in order. */
export function checkEventTime(
  timeMs: number,
  referenceMs: number,
  field = 'occurred_at',
): Rejection | null {
  if (referenceMs - timeMs > MAX_AGE_MS) {
    return untimely(field, 'too_old', timeMs, 'more than 7 days before', referenceMs)
  }
  if (timeMs - referenceMs > MAX_FUTURE_MS) {
    return untimely(field, 'future', timeMs, 'more than 10 minutes after', referenceMs)
  }
  return null
}

function untimely(
  field: string,
  code: 'too_old' | 'future',
  timeMs: number,
  relation: string,
  referenceMs: number,
): Rejection {
  const reference = isStorableTime(referenceMs) ? formatTime(referenceMs) : `${referenceMs} ms`
  const message = `${formatTime(timeMs)} is ${relation} ${reference}, the time it is judged against`
  return { field, code, message }
}

function readRecordedAt(value: unknown, allowed: string): number | null | Rejection[] {
  if (value == null) return null
  const timeMs = typeof value === 'string' ? parseRfc3339(value) : null
  if (timeMs !== null && isStorableTime(timeMs)) return timeMs
  const code = typeof value !== 'string' ? 'type' : timeMs === null ? 'format' : 'range'
  const message = `is ${describeValue(value)}; allowed is ${allowed}`
  return [{ field: 'recorded_at', code, message }]
}

/** Stored texts that hold bytes which are no UTF-8. */
function invalidTexts(
  [replaced, marked]: NonNullable<MessageContent['brokenTexts']>,
  { storedTexts, storedMaps }: { storedTexts: readonly string[]; storedMaps: readonly string[] },
): Rejection[] {
  const rejections: Rejection[] = []
  const compare = (field: string, seen: unknown, other: unknown) => {
    if (typeof seen !== 'string' || seen === other) return
    const message = `${describeValue(seen)} holds bytes that are not UTF-8; send UTF-8 text`
    rejections.push({ field, code: 'invalid_utf8', message })
  }
  for (const field of storedTexts) compare(field, replaced[field], marked[field])
  for (const field of storedMaps) {
    const seen = replaced[field]
    if (!isObject(seen)) continue
    const other = isObject(marked[field]) ? marked[field] : {}
    compare(field, Object.keys(seen).join('\n'), Object.keys(other).join('\n'))
    for (const [name, text] of Object.entries(seen)) {
      if (Object.hasOwn(other, name)) compare(`${field}.${printable(name)}`, text, other[name])
    }
  }
  return rejections
}
