import type { z } from 'zod'
import type { Rejection } from '../domain/request-event.ts'
import { readInvalidUtf8Twice, readJsonObject } from './json-object.ts'
import { allowedOf, describeValue, printable, rejectionsOf } from './rejection-text.ts'
import { formatTime, isStorableTime, parseRfc3339 } from './rfc3339.ts'
import { isObject } from './stored-text.ts'

/** Events that happened longer before their reference time are not accepted. */
const MAX_AGE_MS = 7 * 86_400_000
/** Events that happened later than this after their reference time are not accepted. */
const MAX_FUTURE_MS = 10 * 60_000

/** One kind of event: its schema, and what the schema alone does not say. */
export interface EventContract<Schema extends z.ZodObject, Event> {
  readonly schema: Schema
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
   * The event the bytes hold, or every reason why they hold none (`Array.isArray` tells them apart).
   * `defaultTimeMs` stands in for a missing time; with null it is required.
   */
  decode(value: Uint8Array | null, defaultTimeMs: number | null): Event | Rejection[]
  /** A line of an events file: the time is required, `recorded_at` may say when it was logged. */
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
  const { schema, timeField, guard } = contract
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

  const decodeObject = (
    value: Uint8Array | null,
    defaultTimeMs: number | null,
  ): { event: Event; object: Record<string, unknown> } | Rejection[] => {
    const read = readJsonObject(value)
    if (Array.isArray(read)) return read
    const broken = read.validUtf8 || value === null ? [] : invalidTexts(value, contract)
    // A record's own time can be anything; one the store cannot hold stands in for nothing.
    const usable = defaultTimeMs !== null && isStorableTime(defaultTimeMs)
    const event = judge(read.object, usable ? defaultTimeMs : null)
    if (broken.length > 0) {
      const named = new Set(broken.map(({ field }) => field))
      const others = Array.isArray(event) ? event.filter(({ field }) => !named.has(field)) : []
      return [...broken, ...others]
    }
    return Array.isArray(event) ? event : { event, object: read.object }
  }

  return {
    decode(value, defaultTimeMs) {
      const decoded = decodeObject(value, defaultTimeMs)
      return Array.isArray(decoded) ? decoded : decoded.event
    },
    decodeLine(value) {
      const decoded = decodeObject(value, null)
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
  value: Uint8Array,
  { storedTexts, storedMaps }: { storedTexts: readonly string[]; storedMaps: readonly string[] },
): Rejection[] {
  const [replaced, marked] = readInvalidUtf8Twice(value)
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
