import type { Rejection, RequestEvent } from '../domain/request-event.ts'
import { readInvalidUtf8Twice, readJsonObject } from './json-object.ts'
import { allowedOf, describeValue, printable, rejectionsOf } from './rejection-text.ts'
import { requestEventOf, requestEventSchema } from './request-event.ts'
import { readRequestEvent } from './request-event-guard.ts'
import { formatTime, isStorableTime, parseRfc3339 } from './rfc3339.ts'
import { isObject } from './stored-text.ts'

/** Events that started longer before their reference time are not accepted. */
const MAX_AGE_MS = 7 * 86_400_000
/** Events that start later than this after their reference time are not accepted. */
const MAX_FUTURE_MS = 10 * 60_000

/** Text that is stored as it was sent; locale and device are stored as known words only. */
const STORED_TEXTS = [
  'request_id',
  'occurred_at',
  'model_name',
  'model_version',
  'variant',
  'environment',
  'error_type',
  'region',
  'quality_metric',
  'prediction_label',
  'session_id',
  'release_id',
] as const
const STORED_MAPS = ['kpi', 'attributes'] as const

export type RequestEventGuard = typeof readRequestEvent

export interface RequestEventDecoder {
  decode(value: Uint8Array | null, defaultOccurredAtMs: number | null): RequestEvent | Rejection[]
  /** A line of an events file: `occurred_at` is required, `recorded_at` may say when it was logged. */
  decodeLine(value: Uint8Array): FileEvent | Rejection[]
  /** How often the schema accepted what the guard had refused: a fault of the guard, never of the event. */
  mismatches(): number
}

export interface FileEvent {
  readonly event: RequestEvent
  /** Unix ms; null when the line does not have it. */
  readonly recordedAtMs: number | null
}

/** A decoder that asks `guard` first, and the schema when the guard says no. */
export function createRequestEventDecoder(guard: RequestEventGuard): RequestEventDecoder {
  let mismatches = 0

  const judge = (
    object: Record<string, unknown>,
    defaultOccurredAtMs: number | null,
  ): RequestEvent | Rejection[] => {
    const event = guard(object, defaultOccurredAtMs)
    if (event !== null) return event
    const parsed = requestEventSchema.safeParse(object)
    const rejections = parsed.success ? [] : rejectionsOf(requestEventSchema, parsed.error, object)
    if (object['occurred_at'] == null && defaultOccurredAtMs === null) {
      rejections.unshift(missingTime())
    }
    if (!parsed.success || rejections.length > 0) return rejections
    mismatches++
    return requestEventOf(parsed.data, defaultOccurredAtMs) ?? [missingTime()]
  }

  const decodeObject = (
    value: Uint8Array | null,
    defaultOccurredAtMs: number | null,
  ): { event: RequestEvent; object: Record<string, unknown> } | Rejection[] => {
    const read = readJsonObject(value)
    if (Array.isArray(read)) return read
    const broken = read.validUtf8 || value === null ? [] : invalidTexts(value)
    // A record's own time can be anything; one the store cannot hold stands in for nothing.
    const usable = defaultOccurredAtMs !== null && isStorableTime(defaultOccurredAtMs)
    const event = judge(read.object, usable ? defaultOccurredAtMs : null)
    if (broken.length > 0) {
      const named = new Set(broken.map(({ field }) => field))
      const others = Array.isArray(event) ? event.filter(({ field }) => !named.has(field)) : []
      return [...broken, ...others]
    }
    return Array.isArray(event) ? event : { event, object: read.object }
  }

  return {
    decode(value, defaultOccurredAtMs) {
      const decoded = decodeObject(value, defaultOccurredAtMs)
      return Array.isArray(decoded) ? decoded : decoded.event
    },
    decodeLine(value) {
      const decoded = decodeObject(value, null)
      if (Array.isArray(decoded)) return decoded
      const recordedAt = readRecordedAt(decoded.object['recorded_at'])
      if (Array.isArray(recordedAt)) return recordedAt
      return { event: decoded.event, recordedAtMs: recordedAt }
    },
    mismatches: () => mismatches,
  }
}

const decoder = createRequestEventDecoder(readRequestEvent)

/**
 * The event a record's value holds, or every reason why it holds none (`Array.isArray` tells them
 * apart). `defaultOccurredAtMs` stands in for a missing `occurred_at`; with null it is required.
 */
export function decodeRequestEvent(
  value: Uint8Array | null,
  defaultOccurredAtMs: number | null,
): RequestEvent | Rejection[] {
  return decoder.decode(value, defaultOccurredAtMs)
}

/** `decodeRequestEvent` for a line of an events file, with the line's `recorded_at`. */
export function decodeEventLine(value: Uint8Array): FileEvent | Rejection[] {
  return decoder.decodeLine(value)
}

/** Events of this process that the schema accepted and the guard refused; anything but 0 is a bug. */
export function guardMismatches(): number {
  return decoder.mismatches()
}

/** Judges an event's time against the time its record was written; null when it is in order. */
export function checkEventTime(occurredAtMs: number, referenceMs: number): Rejection | null {
  if (referenceMs - occurredAtMs > MAX_AGE_MS) {
    return untimely('too_old', occurredAtMs, 'more than 7 days before', referenceMs)
  }
  if (occurredAtMs - referenceMs > MAX_FUTURE_MS) {
    return untimely('future', occurredAtMs, 'more than 10 minutes after', referenceMs)
  }
  return null
}

function untimely(
  code: 'too_old' | 'future',
  occurredAtMs: number,
  relation: string,
  referenceMs: number,
): Rejection {
  const reference = isStorableTime(referenceMs) ? formatTime(referenceMs) : `${referenceMs} ms`
  const message = `${formatTime(occurredAtMs)} is ${relation} ${reference}, the time it is judged against`
  return { field: 'occurred_at', code, message }
}

function missingTime(): Rejection {
  const allowed = allowedOf(requestEventSchema, 'occurred_at')
  return { field: 'occurred_at', code: 'missing', message: `is missing; allowed is ${allowed}` }
}

function readRecordedAt(value: unknown): number | null | Rejection[] {
  if (value == null) return null
  const timeMs = typeof value === 'string' ? parseRfc3339(value) : null
  if (timeMs !== null && isStorableTime(timeMs)) return timeMs
  const code = typeof value !== 'string' ? 'type' : timeMs === null ? 'format' : 'range'
  const allowed = allowedOf(requestEventSchema, 'occurred_at')
  const message = `is ${describeValue(value)}; allowed is ${allowed}`
  return [{ field: 'recorded_at', code, message }]
}

/** Stored texts that hold bytes which are no UTF-8. */
function invalidTexts(value: Uint8Array): Rejection[] {
  const [replaced, marked] = readInvalidUtf8Twice(value)
  const rejections: Rejection[] = []
  const compare = (field: string, seen: unknown, other: unknown) => {
    if (typeof seen !== 'string' || seen === other) return
    const message = `${describeValue(seen)} holds bytes that are not UTF-8; send UTF-8 text`
    rejections.push({ field, code: 'invalid_utf8', message })
  }
  for (const field of STORED_TEXTS) compare(field, replaced[field], marked[field])
  for (const field of STORED_MAPS) {
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
