import type { Moments } from '../domain/block.ts'

/** Hash buckets users are told apart by. */
export const BUCKETS = 64
/** Bad requests, and values, from which a design effect is more than noise. */
const FEWEST_BAD = 30
const FEWEST_VALUES = 100

/**
 * What a design effect is estimated from, for one arm and metric. Each stratum (cell × block) adds to
 * every bucket what its users did beyond their stratum's mean, so differences between cohorts, and a
 * level that drifts, are not taken for users that differ; but a user who is worse block after block
 * adds up.
 */
export interface ClusterSums {
  /** By bucket: Σ over strata of (amount − mean of the stratum · n). */
  readonly beyond: Float64Array
  /** What Σ beyond² would be on average if requests did not go together. */
  expected: number
  /** Bad (or, if fewer, good) requests seen, or what that many values are worth. */
  seen: number
}

/** Without any stratum yet; 64 buckets. */
export function createClusterSums(): ClusterSums {
  return { beyond: new Float64Array(BUCKETS), expected: 0, seen: 0 }
}

/** Adds a stratum of requests of which `bad` are bad; lists by bucket. */
export function addCountsOf(
  sums: ClusterSums,
  buckets: readonly number[],
  n: readonly number[],
  bad: readonly number[],
): void {
  let total = 0
  let totalBad = 0
  for (let i = 0; i < n.length; i++) {
    total += n[i] as number
    totalBad += bad[i] ?? 0
  }
  const rate = noteCounts(sums, total, totalBad)
  if (rate === null) return
  const { beyond } = sums
  let squares = 0
  for (let i = 0; i < n.length; i++) {
    const bucket = buckets[i] as number
    const size = n[i] as number
    squares += size * size
    beyond[bucket] = (beyond[bucket] as number) + ((bad[i] ?? 0) - rate * size)
  }
  sums.expected += expectedOf(total, rate * (1 - rate), squares)
}

/** The same, of every bucket in its place. */
export function addAllCounts(sums: ClusterSums, n: Int32Array, bad: Int32Array): void {
  let total = 0
  let totalBad = 0
  for (let bucket = 0; bucket < BUCKETS; bucket++) {
    total += n[bucket] as number
    totalBad += bad[bucket] as number
  }
  const rate = noteCounts(sums, total, totalBad)
  if (rate === null) return
  const { beyond } = sums
  let squares = 0
  for (let bucket = 0; bucket < BUCKETS; bucket++) {
    const size = n[bucket] as number
    squares += size * size
    beyond[bucket] = (beyond[bucket] as number) + ((bad[bucket] as number) - rate * size)
  }
  sums.expected += expectedOf(total, rate * (1 - rate), squares)
}

/** The share of bad ones, if there is something to learn from it. */
function noteCounts(sums: ClusterSums, total: number, bad: number): number | null {
  sums.seen += Math.min(bad, total - bad)
  return total < 2 || bad === 0 || bad === total ? null : bad / total
}

/** Adds a stratum of values: their number and sum by bucket, and the moments of all the stratum. */
export function addValuesOf(
  sums: ClusterSums,
  buckets: readonly number[],
  n: readonly number[],
  sum: readonly number[],
  moments: Moments,
): void {
  let total = 0
  let amount = 0
  for (let i = 0; i < n.length; i++) {
    total += n[i] as number
    amount += sum[i] as number
  }
  sums.seen += (total * FEWEST_BAD) / FEWEST_VALUES
  if (total < 2) return
  const variance = Math.max(0, moments.sumSquares / moments.n - (moments.sum / moments.n) ** 2)
  const mean = amount / total
  const { beyond } = sums
  let squares = 0
  for (let i = 0; i < n.length; i++) {
    const bucket = buckets[i] as number
    const size = n[i] as number
    squares += size * size
    beyond[bucket] = (beyond[bucket] as number) + ((sum[i] as number) - mean * size)
  }
  sums.expected += expectedOf(total, variance, squares)
}

/**
 * Σ_b beyond_b² against what it would be: with values drawn without regard to buckets,
 * E(amount_b − mean·n_b)² = s²(n_b − n_b²/n), s² the variance with the divisor n − 1. The estimator of
 * a ratio's variance from clusters (Deng, Knoblich, Lu 2018), within strata. Null while too little is
 * known.
 */
export function designEffectOf({ beyond, expected, seen }: ClusterSums): number | null {
  if (seen < FEWEST_BAD || expected <= 0) return null
  let squares = 0
  for (const each of beyond) squares += each * each
  return squares / expected
}

/** Σ s²(n_b − n_b²/n); `squares`: Σ n_b². */
function expectedOf(total: number, variance: number, squares: number): number {
  return ((variance * total) / (total - 1)) * (total - squares / total)
}
