import type { FeedbackEvent } from '../../../src/domain/feedback-event.ts'
import type { ReleaseSpec } from '../../../src/domain/release.ts'
import { mulberry32 } from '../../support/event-generator.ts'
import type { Stored, StoredFeedback } from './naive-blocks.ts'

export function plainFeedback(overrides: Partial<FeedbackEvent> = {}): FeedbackEvent {
  return {
    requestId: 'r-1',
    observedAtMs: 0,
    modelName: 'm',
    environment: 'production',
    modelVersion: '',
    qualityMetric: '',
    qualityScore: 0.5,
    label: '',
    annotatorKind: '',
    ...overrides,
  }
}

/**
 * Feedback about the events: with and without score and version, for other versions and routes, for
 * requests that are not there, several times, before its request, in time and late to the exact
 * millisecond, by observation and by arrival.
 */
export function randomFeedback(
  seed: number,
  spec: ReleaseSpec,
  events: readonly Stored[],
  count: number,
): StoredFeedback[] {
  const random = mulberry32(seed + 1000)
  const pick = <T>(values: readonly T[]): T => values[Math.floor(random() * values.length)] as T
  const { lengthMs, watermarkMs } = spec.blocks
  const about = events
    .map(({ event }) => event)
    .filter(({ qualityScore }) => random() < (qualityScore === null ? 0.9 : 0.1))
  return Array.from({ length: count }, (_, offset) => {
    const request = pick(about)
    const blockEndMs = (Math.floor(request.occurredAtMs / lengthMs) + 1) * lengthMs
    const lastMs = blockEndMs + watermarkMs - 1
    const observedAtMs = pick([
      request.occurredAtMs + Math.floor(random() * 40_000),
      request.occurredAtMs + Math.floor(random() * 40_000),
      request.occurredAtMs,
      request.occurredAtMs - 600_000,
      request.occurredAtMs - 600_001,
      lastMs,
      lastMs + 1,
      lastMs + Math.floor(random() * 100_000),
    ])
    return {
      event: plainFeedback({
        requestId: random() < 0.9 ? request.requestId : `nobody-${offset}`,
        observedAtMs,
        modelName: random() < 0.95 ? request.modelName : 'other',
        environment: random() < 0.95 ? request.environment : 'staging',
        modelVersion: pick(['', '', spec.stable, spec.canary, '0.9.0', request.modelVersion]),
        qualityScore: pick([null, 0, 1, random(), random()]),
      }),
      place: {
        topic: 'feedback',
        partition: Math.floor(random() * 3),
        offset,
        timestampMs: observedAtMs,
        arrivalWatermarkMs: pick([0, observedAtMs, lastMs, lastMs + 1, lastMs - 5000]),
      },
    }
  })
}
