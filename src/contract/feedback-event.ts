import { z } from 'zod'
import { ANNOTATOR_KINDS, type FeedbackEvent } from '../domain/feedback-event.ts'
import { DEFAULT_ENVIRONMENT } from './request-event.ts'
import { parseRfc3339 } from './rfc3339.ts'
import { ENVIRONMENT, isObject, MAX_SEMVER_LENGTH, MODEL_NAME, SEMVER } from './stored-text.ts'
import { characters, documented, requiredTime, storedText, TIME_WORDS } from './wire-field.ts'

/**
 * A feedback event in wire form. Unknown fields are ignored, `null` in an optional field counts as
 * absent. Text must be free of NUL and lone surrogates.
 */
export const feedbackEventSchema = z
  .object({
    request_id: documented(
      storedText(1, 128),
      'The request the feedback is about',
      characters(1, 128),
    ),
    observed_at: documented(
      requiredTime().nullish(),
      'When it was observed; of several scores of a request the earliest counts. Required in files; elsewhere the time of the record stands in',
      TIME_WORDS,
      { format: 'date-time' },
    ),
    model_name: documented(
      z.string().regex(MODEL_NAME),
      'Name of the model that answered',
      '1 to 128 of the characters A-Z a-z 0-9 . _ / -',
    ),
    environment: documented(
      z.string().regex(ENVIRONMENT).nullish(),
      'Where the model serves',
      '1 to 64 of the characters A-Z a-z 0-9 . _ -',
      { default: DEFAULT_ENVIRONMENT },
    ),
    model_version: documented(
      z.string().max(MAX_SEMVER_LENGTH, { abort: true }).regex(SEMVER).nullish(),
      'Version that answered. When given, the feedback counts only for a request this version answered',
      `a semantic version such as 1.5.0, at most ${MAX_SEMVER_LENGTH} characters`,
    ),
    quality_metric: documented(
      storedText(0, 128).nullish(),
      'Name of the quality score',
      characters(0, 128),
    ),
    quality_score: documented(
      z.number().min(0).max(1).nullish(),
      'Quality of the answer, larger is better; this or label is required',
      'a number from 0 to 1',
    ),
    label: documented(
      storedText(0, 256).nullish(),
      'What the right answer was, or what was said of the answer; kept for analysts',
      characters(0, 256),
    ),
    annotator_kind: documented(
      z.enum(ANNOTATOR_KINDS).nullish(),
      'Who or what observed it',
      ANNOTATOR_KINDS.join(', '),
    ),
  })
  .refine((event) => event.quality_score != null || event.label != null, {
    when: ({ value }: { value: unknown }) => isObject(value),
    path: ['quality_score'],
    params: { code: 'missing' },
  })
  .meta({
    title: 'Feedback event',
    description: 'What was found out later about the answer to one request.',
  })

type WireFeedbackEvent = z.output<typeof feedbackEventSchema>

/**
 * The domain's form of a valid wire event. Null when neither the event nor the caller knows when it
 * was observed.
 */
export function feedbackEventOf(
  wire: WireFeedbackEvent,
  defaultObservedAtMs: number | null,
): FeedbackEvent | null {
  const observedAtMs =
    wire.observed_at == null ? defaultObservedAtMs : parseRfc3339(wire.observed_at)
  if (observedAtMs === null) return null
  return {
    requestId: wire.request_id,
    observedAtMs,
    modelName: wire.model_name,
    environment: wire.environment ?? DEFAULT_ENVIRONMENT,
    modelVersion: wire.model_version ?? '',
    qualityMetric: wire.quality_metric ?? '',
    // Adding 0 turns -0, which JSON can write, into 0.
    qualityScore: wire.quality_score == null ? null : wire.quality_score + 0,
    label: wire.label ?? '',
    annotatorKind: wire.annotator_kind ?? '',
  }
}
