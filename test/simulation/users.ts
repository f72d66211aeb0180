import type { Arm, CellMetrics, UserBuckets } from '../../src/domain/block.ts'
import { EMPTY_MOMENTS } from '../../src/domain/block.ts'
import type { LatencyCells } from './latency-draws.ts'
import { drawCell } from './latency-draws.ts'
import { drawScore, MICRO } from './quality-model.ts'
import type { Random } from './random.ts'
import { clusterRate } from './sampling.ts'
import type { Clusters } from './scenario.ts'

const BUCKETS = 64
const BUCKET_SHIFT = 26

/** What is drawn for the requests of one arm and cohort in one block. */
export interface UserRequests {
  readonly arm: Arm
  readonly requests: number
  readonly errorRate: number
  readonly latency: LatencyCells | null
  readonly scores: Int32Array | null
  readonly limits: number
  /** Bins above which latencies are counted by bucket. */
  readonly slowBins: readonly number[]
}

type Sessions = Extract<Clusters, { kind: 'session' }>
type Persistent = Extract<Clusters, { kind: 'persistent' }>

/** Draws metrics with the buckets of the users they come from. */
export type UserDraw = (wanted: UserRequests) => CellMetrics

/** Traffic in which requests of one user are alike; both arms have users of their own. */
export function createUserDraw(clusters: Clusters, random: Random): UserDraw {
  if (clusters.kind === 'persistent') return failing(clusters, random)
  if (clusters.of !== 'errors') return alikeSessions(clusters, random)
  return failingSessions(clusters, random)
}

/** A user's hash: independent of what the user does. */
export function bucketOf(random: Random): number {
  return random.bits() >>> BUCKET_SHIFT
}

/**
 * Every user fails at a rate of their own, Beta distributed around the mean. How often in a session
 * of m requests is Beta-binomial, drawn from its table.
 */
function failingSessions({ requests, icc }: Sessions, random: Random): UserDraw {
  const tables = new Map<string, Float64Array>()
  const tableOf = (count: number, rate: number): Float64Array => {
    const key = `${count} ${rate}`
    const known = tables.get(key) ?? cumulativeErrors(count, rate, icc)
    tables.set(key, known)
    return known
  }
  return ({ requests: n, errorRate }) => {
    const sums = emptyBuckets()
    const whole = tableOf(Math.min(n, requests), errorRate)
    for (let left = n; left > 0; left -= requests) {
      const count = Math.min(left, requests)
      const table = count === whole.length ? whole : tableOf(count, errorRate)
      const at = random.next()
      let bad = 0
      while (bad < count && at >= table[bad]!) bad++
      const bucket = bucketOf(random)
      sums.requests[bucket]! += count
      sums.errors[bucket]! += bad
    }
    return errorsOnly(sums, n)
  }
}

/** P(at most k errors), k = 0…count−1, of a Beta-binomial with a + b = 1/ICC − 1. */
export function cumulativeErrors(count: number, rate: number, icc: number): Float64Array {
  const size = 1 / icc - 1
  const [a, b] = [rate * size, (1 - rate) * size]
  let probability = 1
  for (let i = 0; i < count; i++) probability *= (b + i) / (size + i)
  const cumulative = new Float64Array(count)
  let sum = 0
  for (let k = 0; k < count; k++) {
    sum += probability
    cumulative[k] = sum
    probability *= ((count - k) / (k + 1)) * ((a + k) / (b + count - k - 1))
  }
  return cumulative
}

/** Users who come again during the whole run; who they are is drawn when they first come. */
function failing({ users, icc }: Persistent, random: Random): UserDraw {
  const armOf = (size: number) => ({
    rates: new Float64Array(size).fill(Number.NaN),
    buckets: new Uint8Array(size),
  })
  const arms = { stable: armOf(users.stable), canary: armOf(users.canary) }
  return ({ arm, requests: n, errorRate }) => {
    const { rates, buckets } = arms[arm]
    const sums = emptyBuckets()
    for (let i = 0; i < n; i++) {
      const user = Math.floor(random.next() * rates.length)
      if (Number.isNaN(rates[user])) {
        rates[user] = clusterRate(random, errorRate, icc)
        buckets[user] = bucketOf(random)
      }
      const bucket = buckets[user]!
      sums.requests[bucket]!++
      if (random.next() < rates[user]!) sums.errors[bucket]!++
    }
    return errorsOnly(sums, n)
  }
}

/**
 * With chance √ICC a request is just like the user's usual one, else like anybody's: every request
 * by itself has the distribution of the arm, and two of one user are correlated by ICC, as values
 * and above every threshold.
 */
function alikeSessions({ requests, icc }: Sessions, random: Random): UserDraw {
  const usual = Math.sqrt(icc)
  return (wanted) => {
    const { latency, scores, limits, slowBins } = wanted
    const sums = emptyBuckets(limits, slowBins.length)
    const inCell = new Uint32Array(latency === null ? 0 : latency.bins.length)
    let scoreSquares = 0
    for (let left = wanted.requests; left > 0; left -= requests) {
      const bucket = bucketOf(random)
      const count = Math.min(left, requests)
      sums.requests[bucket]! += count
      const usualCell = latency === null ? 0 : drawCell(random, latency)
      const usualScore = scores === null ? 0 : drawScore(random, scores)
      for (let i = 0; i < count; i++) {
        const same = random.next() < usual
        if (latency !== null) {
          const cell = same ? usualCell : drawCell(random, latency)
          const bin = latency.bins[cell]!
          inCell[cell]!++
          sums.latencies[bucket]!++
          for (let at = 0; at < latency.above[cell]!; at++) sums.overLimit[at]![bucket]!++
          for (let at = 0; at < slowBins.length; at++) {
            if (bin > slowBins[at]!) sums.overSlowBin[at]![bucket]!++
          }
        }
        if (scores === null) continue
        const score = same ? usualScore : drawScore(random, scores)
        sums.scores[bucket]! += score
        scoreSquares += (score / MICRO) ** 2
      }
    }
    const { bins, counts } = latency === null ? NO_BINS : binsOf(latency, inCell)
    const quality =
      scores === null
        ? EMPTY_MOMENTS
        : { n: wanted.requests, sum: total(sums.scores) / MICRO, sumSquares: scoreSquares }
    return {
      requests: wanted.requests,
      errors: 0,
      latencies: latency === null ? 0 : wanted.requests,
      overLimit: sums.overLimit.map(total),
      bins,
      counts,
      quality,
      kpis: [],
      users: bucketsOf(sums, scores !== null),
    }
  }
}

const NO_BINS = { bins: [], counts: [] }

/** Cells are ascending; a bin that a limit cuts in two is one again. */
function binsOf({ bins: cellBins }: LatencyCells, inCell: Uint32Array) {
  const bins: number[] = []
  const counts: number[] = []
  for (let cell = 0; cell < inCell.length; cell++) {
    const count = inCell[cell]!
    if (count === 0) continue
    if (bins.at(-1) === cellBins[cell]) counts[counts.length - 1]! += count
    else {
      bins.push(cellBins[cell]!)
      counts.push(count)
    }
  }
  return { bins, counts }
}

export interface BucketSums {
  readonly requests: Float64Array
  readonly errors: Float64Array
  readonly latencies: Float64Array
  readonly scores: Float64Array
  readonly overLimit: readonly Float64Array[]
  readonly overSlowBin: readonly Float64Array[]
}

export function emptyBuckets(limits = 0, slowBins = 0): BucketSums {
  const empty = () => new Float64Array(BUCKETS)
  return {
    requests: empty(),
    errors: empty(),
    latencies: empty(),
    scores: empty(),
    overLimit: Array.from({ length: limits }, empty),
    overSlowBin: Array.from({ length: slowBins }, empty),
  }
}

const total = (values: Float64Array): number => values.reduce((sum, value) => sum + value, 0)

/** Metrics of requests of which only the errors are drawn. */
export function errorsOnly(sums: BucketSums, requests: number): CellMetrics {
  return {
    requests,
    errors: total(sums.errors),
    latencies: 0,
    overLimit: [],
    bins: [],
    counts: [],
    quality: EMPTY_MOMENTS,
    kpis: [],
    users: bucketsOf(sums, false),
  }
}

function bucketsOf(sums: BucketSums, scored: boolean): UserBuckets {
  const buckets: number[] = []
  for (let bucket = 0; bucket < BUCKETS; bucket++)
    if (sums.requests[bucket]! > 0) buckets.push(bucket)
  const pick = (values: Float64Array) => buckets.map((bucket) => values[bucket]!)
  return {
    buckets,
    requests: pick(sums.requests),
    errors: pick(sums.errors),
    latencies: pick(sums.latencies),
    overLimit: sums.overLimit.map(pick),
    overSlowBin: sums.overSlowBin.map(pick),
    qualityN: scored ? pick(sums.requests) : buckets.map(() => 0),
    qualitySum: pick(sums.scores).map((score) => score / MICRO),
    kpiN: [],
    kpiSum: [],
  }
}
