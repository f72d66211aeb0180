import type { FeedbackEvent } from '../domain/feedback-event.ts'
import type { Rejection, RequestEvent } from '../domain/request-event.ts'
import type { BusRecord } from '../ports.ts'
import { checkEventTime, type FileEvent } from './event-decoder.ts'
import { decodeFeedbackEvent, decodeFeedbackLine } from './feedback-event-decoder.ts'
import { decodeEventLine, decodeRequestEvent } from './request-event-decoder.ts'

/** What of a record says which event it holds. */
export type EventRecord = Pick<BusRecord, 'value' | 'headers' | 'timestampMs'>

/** One kind of event as ingest meets it, at every door. What it says depends on the record alone. */
export interface EventFormat<Event> {
  /** The event, or every reason why the record holds none; its time is judged too. */
  decode(record: EventRecord): Event | Rejection[]
  /** A line of a file, whose time is judged later: against the lines around it. */
  decodeLine(line: Uint8Array): FileEvent<Event> | Rejection[]
  /** When it happened, Unix ms. */
  timeMsOf(event: Event): number
  checkTime(timeMs: number, referenceMs: number): Rejection | null
  /** Key of its record in Kafka. */
  keyOf(event: Event): string
}

export const REQUEST_EVENTS: EventFormat<RequestEvent> = {
  decode({ value, headers, timestampMs }) {
    const event = decodeRequestEvent(value, timestampMs, headers)
    if (Array.isArray(event)) return event
    const untimely = checkEventTime(event.occurredAtMs, timestampMs)
    return untimely === null ? event : [untimely]
  },
  decodeLine: decodeEventLine,
  timeMsOf: (event) => event.occurredAtMs,
  checkTime: checkEventTime,
  keyOf: (event) => event.requestId,
}

export const FEEDBACK_EVENTS: EventFormat<FeedbackEvent> = {
  decode({ value, headers, timestampMs }) {
    const event = decodeFeedbackEvent(value, timestampMs, headers)
    if (Array.isArray(event)) return event
    const untimely = checkFeedbackTime(event.observedAtMs, timestampMs)
    return untimely === null ? event : [untimely]
  },
  decodeLine: decodeFeedbackLine,
  timeMsOf: (event) => event.observedAtMs,
  checkTime: checkFeedbackTime,
  keyOf: (event) => event.requestId,
}

function checkFeedbackTime(observedAtMs: number, referenceMs: number): Rejection | null {
  return checkEventTime(observedAtMs, referenceMs, 'observed_at')
}
