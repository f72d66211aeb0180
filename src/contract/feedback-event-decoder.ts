import type { FeedbackEvent } from '../domain/feedback-event.ts'
import type { Rejection } from '../domain/request-event.ts'
import { createEventDecoder, type FileEvent } from './event-decoder.ts'
import { feedbackEventOf, feedbackEventSchema } from './feedback-event.ts'

const decoder = createEventDecoder({
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
 * The feedback a record's value holds, or every reason why it holds none (`Array.isArray` tells them
 * apart). `defaultObservedAtMs` stands in for a missing `observed_at`; with null it is required.
 */
export function decodeFeedbackEvent(
  value: Uint8Array | null,
  defaultObservedAtMs: number | null,
): FeedbackEvent | Rejection[] {
  return decoder.decode(value, defaultObservedAtMs)
}

/** `decodeFeedbackEvent` for a line of a feedback file, with the line's `recorded_at`. */
export function decodeFeedbackLine(value: Uint8Array): FileEvent<FeedbackEvent> | Rejection[] {
  return decoder.decodeLine(value)
}
