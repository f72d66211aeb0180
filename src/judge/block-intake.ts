import type {
  Arm,
  CellMetrics,
  ClosedBlock,
  Moments,
  OpenMetrics,
  UserBuckets,
} from '../domain/block.ts'
import { EMPTY_MOMENTS, outcomesOf } from '../domain/block.ts'
import { cohortKey } from '../domain/cohort.ts'
import type { Cell, CohortUnits } from './cohort-units.ts'

/** One arm of one block. */
export type BlockMetrics = ReadonlyMap<Cell, CellMetrics>

/** An arm without requests. */
export const EMPTY_METRICS: CellMetrics = {
  requests: 0,
  errors: 0,
  latencies: 0,
  overLimit: [],
  bins: [],
  counts: [],
  quality: EMPTY_MOMENTS,
  kpis: [],
}

/**
 * The metrics of each arm by cell. New cells are registered in the order of their names, and cohorts
 * that differ only in dimensions the release does not use are added up, so the order of a block's
 * cells never matters.
 */
export function intake(block: ClosedBlock, units: CohortUnits): Record<Arm, BlockMetrics> {
  if (block.cells.some(({ cohort }) => units.known(cohort) === undefined)) registerNew(block, units)
  const byArm = { stable: new Map<Cell, CellMetrics>(), canary: new Map<Cell, CellMetrics>() }
  for (const { arm, cohort, metrics } of block.cells) {
    const cell = units.known(cohort) as Cell
    const seen = byArm[arm].get(cell)
    byArm[arm].set(cell, seen === undefined ? metrics : sumOf(seen, metrics))
  }
  return byArm
}

function registerNew(block: ClosedBlock, units: CohortUnits): void {
  const named = block.cells.map(({ cohort }) => ({
    cohort,
    key: cohortKey(units.project(cohort)),
  }))
  named.sort((a, b) => (a.key < b.key ? -1 : a.key > b.key ? 1 : 0))
  for (const { cohort } of named) units.cellOf(cohort)
}

/** What both say together, of one arm and cohort. */
export function sumOf(a: CellMetrics, b: CellMetrics): CellMetrics {
  const histogram = new Map<number, number>()
  for (const { bins, counts } of [a, b]) {
    for (const [i, bin] of bins.entries()) {
      histogram.set(bin, (histogram.get(bin) ?? 0) + (counts[i] ?? 0))
    }
  }
  const bins = [...histogram.keys()].sort((x, y) => x - y)
  const sum: OpenMetrics = {
    requests: a.requests + b.requests,
    errors: a.errors + b.errors,
    outcomes: outcomesOf(a) + outcomesOf(b),
    latencies: a.latencies + b.latencies,
    overLimit: sumsOf(a.overLimit, b.overLimit),
    overEdgeBelow: sumsOf(a.overEdgeBelow ?? a.overLimit, b.overEdgeBelow ?? b.overLimit),
    bins,
    counts: bins.map((bin) => histogram.get(bin) as number),
    quality: sumOfMoments(a.quality, b.quality),
    kpis: longer(a.kpis, b.kpis).map((_, i) =>
      sumOfMoments(a.kpis[i] ?? EMPTY_MOMENTS, b.kpis[i] ?? EMPTY_MOMENTS),
    ),
  }
  addRest(sum, a, b)
  return sum
}

/** What is missing where there is nothing of it. */
function addRest(sum: OpenMetrics, a: CellMetrics, b: CellMetrics): void {
  const cancelled = (a.cancelled ?? 0) + (b.cancelled ?? 0)
  if (cancelled > 0) sum.cancelled = cancelled
  const rates = [a, b].flatMap(({ requests, sampleRates }) =>
    requests === 0 ? [] : (sampleRates ?? [1, 1]),
  )
  if (rates.some((rate) => rate !== 1)) sum.sampleRates = [Math.min(...rates), Math.max(...rates)]
  const users = a.users !== undefined && b.users !== undefined ? merged(a.users, b.users) : null
  const known = users ?? a.users ?? b.users
  if (known !== undefined) sum.users = known
}

/** The same user may be in both: what falls into one bucket is added up. */
function merged(a: UserBuckets, b: UserBuckets): UserBuckets {
  const buckets = [...new Set([...a.buckets, ...b.buckets])].sort((x, y) => x - y)
  const places = buckets.map((bucket) => [a.buckets.indexOf(bucket), b.buckets.indexOf(bucket)])
  const add = (of: readonly number[] = [], and: readonly number[] = []) =>
    places.map(([inA, inB]) => (of[inA as number] ?? 0) + (and[inB as number] ?? 0))
  const addEach = (of: readonly (readonly number[])[], and: readonly (readonly number[])[]) =>
    longer(of, and).map((_, i) => add(of[i], and[i]))
  return {
    buckets,
    requests: add(a.requests, b.requests),
    errors: add(a.errors, b.errors),
    latencies: add(a.latencies, b.latencies),
    overLimit: addEach(a.overLimit, b.overLimit),
    overSlowBin: addEach(a.overSlowBin, b.overSlowBin),
    qualityN: add(a.qualityN, b.qualityN),
    qualitySum: add(a.qualitySum, b.qualitySum),
    kpiN: addEach(a.kpiN, b.kpiN),
    kpiSum: addEach(a.kpiSum, b.kpiSum),
  }
}

function longer<T>(a: readonly T[], b: readonly T[]): readonly T[] {
  return a.length >= b.length ? a : b
}

function sumsOf(a: readonly number[], b: readonly number[]): number[] {
  return longer(a, b).map((_, i) => (a[i] ?? 0) + (b[i] ?? 0))
}

function sumOfMoments(a: Moments, b: Moments): Moments {
  return { n: a.n + b.n, sum: a.sum + b.sum, sumSquares: a.sumSquares + b.sumSquares }
}
