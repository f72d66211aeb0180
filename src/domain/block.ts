import type { Cohort } from './cohort.ts'

export type Arm = 'stable' | 'canary'

/** Count, sum and sum of squares of a bounded value; sums of fixed-point integers, so exact. */
export interface Moments {
  readonly n: number
  readonly sum: number
  readonly sumSquares: number
}

/**
 * What the users of one version and cohort did in one block, by hash bucket of their session id; only
 * requests that name a session. All lists are parallel to `buckets`.
 */
export interface UserBuckets {
  /** Buckets with requests, each once, ascending, 0…63. */
  readonly buckets: readonly number[]
  readonly requests: readonly number[]
  readonly errors: readonly number[]
  readonly latencies: readonly number[]
  /** Per absolute latency limit of the release: latencies above it. */
  readonly overLimit: readonly (readonly number[])[]
  /** Per slow bin the block was closed with: latencies in a higher bin. Empty when it had none. */
  readonly overSlowBin: readonly (readonly number[])[]
  readonly qualityN: readonly number[]
  readonly qualitySum: readonly number[]
  /** Per KPI of the release. */
  readonly kpiN: readonly (readonly number[])[]
  readonly kpiSum: readonly (readonly number[])[]
}

/** What one version did in one cohort in one block. Duplicates and late events are not in it. */
export interface CellMetrics {
  /** Requests that were not cancelled. */
  readonly requests: number
  /** Of `requests`: error, timeout, rejected. */
  readonly errors: number
  /** Requests of which it is known whether they failed; missing: all. */
  readonly outcomes?: number
  /** Requests that count for latency: ok and timeout. */
  readonly latencies: number
  /** Per absolute limit of the release (`latencyLimitsOf`): latencies above it. */
  readonly overLimit: readonly number[]
  /**
   * The same, counted from the next edge below, where a limit lies between two edges of a histogram
   * that was counted elsewhere; missing: `overLimit` is exact.
   */
  readonly overEdgeBelow?: readonly number[]
  /** Histogram of `latencies`, bins ascending; `counts[i]` belongs to `bins[i]`. */
  readonly bins: readonly number[]
  readonly counts: readonly number[]
  readonly quality: Moments
  /** Per KPI of the release (`kpisOf`). */
  readonly kpis: readonly Moments[]
  /** Requests that were cancelled: not judged, but assigned to this version; missing: none. */
  readonly cancelled?: number
  /** Smallest and largest share of the traffic that is logged, of these requests; missing: all is. */
  readonly sampleRates?: readonly [low: number, high: number]
  /** Missing: no request names a session. */
  readonly users?: UserBuckets
}

/**
 * Metrics that are being put together. What may be missing is assigned, not spread: objects that are
 * spread before something is added have hidden classes of their own, which makes all that reads them
 * several times slower.
 */
export type OpenMetrics = { -readonly [Name in keyof CellMetrics]: CellMetrics[Name] }

export interface BlockCell {
  readonly arm: Arm
  readonly cohort: Cohort
  readonly metrics: CellMetrics
}

/** A closed block: written once, never changed, all the judge ever sees of an interval. */
export interface ClosedBlock {
  readonly startMs: number
  readonly endMs: number
  /** Ascending by arm, locale, device; cells without events are absent. */
  readonly cells: readonly BlockCell[]
  /** Stored events of the route in this block, duplicates and late ones included. */
  readonly events: number
  readonly duplicates: number
  /** Events that arrived in this block but belong to one already closed; not judged. */
  readonly late: number
  /** Share of `late` by arm is kept for analysts. */
  readonly lateCanary: number
}

/** Baseline totals of one cohort before the release. */
export interface HistoryCell {
  readonly cohort: Cohort
  readonly metrics: CellMetrics
}

/** How many requests an error rate is of. */
export function outcomesOf(metrics: CellMetrics): number {
  return metrics.outcomes ?? metrics.requests
}

export const EMPTY_MOMENTS: Moments = { n: 0, sum: 0, sumSquares: 0 }
