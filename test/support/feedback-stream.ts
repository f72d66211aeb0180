import { generateEvents, mulberry32, type StreamOptions } from './event-generator.ts'

/** A line with the event time it names, Unix ms. */
export interface PlacedLine {
  readonly line: string
  readonly atMs: number
  readonly requestId: string
}

/** Requests without a score, and their scores as feedback up to `delayMs` later, both in time order. */
export function scoredLater(
  options: StreamOptions,
  delayMs: number,
): { requests: PlacedLine[]; feedback: PlacedLine[] } {
  const random = mulberry32(options.seed + 77)
  const requests: PlacedLine[] = []
  const feedback: PlacedLine[] = []
  for (const { quality_score, ...event } of generateEvents(options)) {
    const requestId = String(event['request_id'])
    const atMs = Date.parse(String(event['occurred_at']))
    requests.push({ line: JSON.stringify(event), atMs, requestId })
    const observedAtMs = atMs + Math.floor(random() * delayMs)
    const given = {
      request_id: requestId,
      observed_at: new Date(observedAtMs).toISOString(),
      model_name: event['model_name'],
      ...(random() < 0.5 ? { model_version: event['model_version'] } : {}),
      quality_metric: 'answer_accepted',
      quality_score,
      annotator_kind: 'HUMAN',
    }
    feedback.push({ line: JSON.stringify(given), atMs: observedAtMs, requestId })
  }
  return { requests, feedback: feedback.sort((a, b) => a.atMs - b.atMs) }
}
