import type { BlockCell, CellMetrics, Moments } from '../../../src/domain/block.ts'
import { upperEdge } from '../../../src/domain/histogram.ts'

const VERSIONS = { stable: '1.0.0', canary: '1.1.0' } as const
const MICRO = 1_000_000
/** An answer has a latency, also where the simulation has drawn none as no guardrail reads it. */
const ANY_LATENCY_MS = 1

/** A cell whose scores are known one by one, in millionths; empty without scores. */
export interface ScoredCell extends BlockCell {
  readonly scores: readonly number[]
}

/** Sums of scores as the store makes them of the single ones. */
export function momentsOf(scores: readonly number[]): Moments {
  let sum = 0
  let squares = 0
  for (const score of scores) {
    sum += score
    squares += score * score
  }
  return { n: scores.length, sum: sum / MICRO, sumSquares: squares / (MICRO * MICRO) }
}

/**
 * Request events that make up the cells of one interval, evenly spread over it: what failed has no
 * latency, the others lie inside their bin, on the side of each limit that its exact count tells.
 */
export function* eventsOf(
  cells: readonly ScoredCell[],
  {
    startMs,
    lengthMs,
    limitsMs,
    id,
  }: {
    readonly startMs: number
    readonly lengthMs: number
    /** Absolute latency limits of the release, ascending. */
    readonly limitsMs: readonly number[]
    readonly id: string
  },
): Generator<string> {
  const total = cells.reduce((sum, { metrics }) => sum + metrics.requests, 0)
  let index = 0
  for (const { arm, cohort, metrics, scores } of cells) {
    const latencies = latenciesOf(metrics, limitsMs)
    for (let i = 0; i < metrics.requests; i++) {
      const at = startMs + Math.floor((index * lengthMs) / total)
      const answered = i < metrics.requests - metrics.errors
      const score = scores[i]
      yield JSON.stringify({
        request_id: `${id}-${index++}`,
        occurred_at: new Date(at).toISOString(),
        model_name: 'sim',
        environment: 'production',
        model_version: VERSIONS[arm],
        outcome: answered ? 'ok' : 'error',
        ...cohort,
        ...(answered ? { latency_ms: latencies[i] ?? ANY_LATENCY_MS } : {}),
        ...(score === undefined ? {} : { quality_score: score / MICRO }),
      })
    }
  }
}

function latenciesOf(metrics: CellMetrics, limitsMs: readonly number[]): number[] {
  const latencies: number[] = []
  for (const [i, bin] of metrics.bins.entries()) {
    const edges = [upperEdge(bin - 1), upperEdge(bin)] as const
    const inside = limitsMs.findIndex((limit) => limit > edges[0] && limit < edges[1])
    const above = inside < 0 ? 0 : (metrics.overLimit[inside] ?? 0) - countFrom(metrics, i + 1)
    const limit = limitsMs[inside] ?? edges[0]
    for (let k = 0; k < (metrics.counts[i] ?? 0); k++) {
      latencies.push(
        k < above ? between(limit, edges[1]) : between(edges[0], inside < 0 ? edges[1] : limit),
      )
    }
  }
  return latencies
}

function countFrom(metrics: CellMetrics, from: number): number {
  return metrics.counts.slice(from).reduce((sum, count) => sum + count, 0)
}

function between(low: number, high: number): number {
  return Math.sqrt(low * high)
}
