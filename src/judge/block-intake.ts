import type { Arm, CellMetrics, ClosedBlock, Moments } from '../domain/block.ts'
import { EMPTY_MOMENTS, outcomesOf } from '../domain/block.ts'
import { cohortKey } from '../domain/cohort.ts'
import type { Cell, CohortUnits } from './cohort-units.ts'

export type BlockMetrics = ReadonlyMap<Cell, CellMetrics>

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
  const sorted = block.cells
    .map((cell) => {
      const cohort = units.project(cell.cohort)
      return { ...cell, cohort, key: cohortKey(cohort) }
    })
    .sort((a, b) => (a.key < b.key ? -1 : a.key > b.key ? 1 : 0))
  const byArm = { stable: new Map<Cell, CellMetrics>(), canary: new Map<Cell, CellMetrics>() }
  for (const { arm, cohort, metrics } of sorted) {
    const cell = units.cellOf(cohort)
    const known = byArm[arm].get(cell)
    byArm[arm].set(cell, known === undefined ? metrics : sumOf(known, metrics))
  }
  return byArm
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
  return {
    requests: a.requests + b.requests,
    errors: a.errors + b.errors,
    outcomes: outcomesOf(a) + outcomesOf(b),
    latencies: a.latencies + b.latencies,
    overLimit: sumsOf(a.overLimit, b.overLimit),
    overEdgeBelow: sumsOf(a.overEdgeBelow ?? a.overLimit, b.overEdgeBelow ?? b.overLimit),
    bins,
    counts: bins.map((bin) => histogram.get(bin) ?? 0),
    quality: sumOfMoments(a.quality, b.quality),
    kpis: longer(a.kpis, b.kpis).map((_, i) =>
      sumOfMoments(a.kpis[i] ?? EMPTY_MOMENTS, b.kpis[i] ?? EMPTY_MOMENTS),
    ),
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
