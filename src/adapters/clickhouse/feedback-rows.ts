import type { FeedbackEvent } from '../../domain/feedback-event.ts'
import { PLACE_COLUMNS, type RowFormat } from './chunked-rows.ts'
import { toMillionths } from './fixed-point.ts'
import { putInt64, putNullableInt32, putString } from './row-binary.ts'

// More than all numbers of a row and the prefixes of its strings.
const FIXED_ROOM_BYTES = 64

/** Rows of `feedback_events`. */
export const FEEDBACK_ROWS: RowFormat<FeedbackEvent> = {
  table: 'feedback_events',
  columns: [
    ...PLACE_COLUMNS,
    ['observed_at', "DateTime64(3, 'UTC')"],
    ['quality_score_e6', 'Nullable(Int32)'],
    ['request_id', 'String'],
    ['model_name', 'String'],
    ['environment', 'String'],
    ['model_version', 'String'],
    ['quality_metric', 'String'],
    ['label', 'String'],
    ['annotator_kind', 'String'],
  ],
  roomOf(event) {
    const characters =
      event.requestId.length +
      event.modelName.length +
      event.environment.length +
      event.modelVersion.length +
      event.qualityMetric.length +
      event.label.length +
      event.annotatorKind.length
    return FIXED_ROOM_BYTES + characters * 3
  },
  put(bytes, view, start, event) {
    const { qualityScore } = event
    let at = putInt64(view, start, event.observedAtMs)
    at = putNullableInt32(view, at, qualityScore === null ? null : toMillionths(qualityScore))
    at = putString(bytes, at, event.requestId)
    at = putString(bytes, at, event.modelName)
    at = putString(bytes, at, event.environment)
    at = putString(bytes, at, event.modelVersion)
    at = putString(bytes, at, event.qualityMetric)
    at = putString(bytes, at, event.label)
    return putString(bytes, at, event.annotatorKind)
  },
}
