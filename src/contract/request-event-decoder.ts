import type { Rejection, RequestEvent } from '../domain/request-event.ts'
import type { MessageHeaders } from './cloud-event.ts'
import { createEventDecoder, type EventDecoder, type FileEvent } from './event-decoder.ts'
import { requestEventOf, requestEventSchema } from './request-event.ts'
import { readRequestEvent } from './request-event-guard.ts'

export type RequestEventGuard = typeof readRequestEvent

/** A decoder that asks `guard` first, and the schema when the guard says no. */
export function createRequestEventDecoder(guard: RequestEventGuard): EventDecoder<RequestEvent> {
  return createEventDecoder({
    kind: 'request',
    idField: 'request_id',
    schema: requestEventSchema,
    timeField: 'occurred_at',
    storedTexts: [
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
    ],
    storedMaps: ['kpi', 'attributes'],
    guard,
    eventOf: requestEventOf,
  })
}

const decoder = createRequestEventDecoder(readRequestEvent)

/**
 * The event a message holds, bare or as a CloudEvent, or every reason why it holds none
 * (`Array.isArray` tells them apart). Of a CloudEvent the `id` stands in for a missing `request_id`
 * and the `time` for a missing `occurred_at`; `defaultOccurredAtMs` comes after it, and with null one
 * of the two is required.
 */
export function decodeRequestEvent(
  value: Uint8Array | null,
  defaultOccurredAtMs: number | null,
  headers?: MessageHeaders,
): RequestEvent | Rejection[] {
  return decoder.decode(value, defaultOccurredAtMs, headers)
}

/** `decodeRequestEvent` for a line of an events file, with the line's `recorded_at`. */
export function decodeEventLine(value: Uint8Array): FileEvent<RequestEvent> | Rejection[] {
  return decoder.decodeLine(value)
}

/** Events of this process that the schema accepted and the guard refused; anything but 0 is a bug. */
export function guardMismatches(): number {
  return decoder.mismatches()
}
