import type { FeedbackEvent } from '../domain/feedback-event.ts'
import type { Rejection } from '../domain/request-event.ts'
import type { MessageHeaders } from './cloud-event.ts'
import { createEventDecoder, type FileEvent } from './event-decoder.ts'
import { feedbackEventOf, feedbackEventSchema } from './feedback-event.ts'

const decoder = createEventDecoder({
  kind: 'feedback',
  // The id of a CloudEvent names the feedback, not the request it is about.
  idField: null,
  schema: feedbackEventSchema,
  timeField: 'observed_at',
  storedTexts: [
    'request_id',
    'observed_at',
    'model_name',
    'model_version',
    'environment',
    'quality_metric',
    'label',
  ],
  storedMaps: [],
  guard: null,
  eventOf: feedbackEventOf,
})

/**
 * The feedback a message holds, bare or as a CloudEvent, or every reason why it holds none
 * (`Array.isArray` tells them apart). For a missing `observed_at` stands in the `time` of a
 * CloudEvent, else `defaultObservedAtMs`; without both it is required.
 */
export function decodeFeedbackEvent(
  value: Uint8Array | null,
  defaultObservedAtMs: number | null,
  headers?: MessageHeaders,
): FeedbackEvent | Rejection[] {
  return decoder.decode(value, defaultObservedAtMs, headers)
}

/** `decodeFeedbackEvent` for a line of a feedback file, with the line's `recorded_at`. */
export function decodeFeedbackLine(value: Uint8Array): FileEvent<FeedbackEvent> | Rejection[] {
  return decoder.decodeLine(value)
}
