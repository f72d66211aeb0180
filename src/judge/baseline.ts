import { type CellMetrics, type HistoryCell, outcomesOf } from '../domain/block.ts'
import { cohortKey } from '../domain/cohort.ts'
import type { Cell, CohortUnits, Unit } from './cohort-units.ts'
import type { LatencyHistogram } from './latency-histogram.ts'
import { addBins, addHistogram, emptyHistogram, quantileBin } from './latency-histogram.ts'
import type { LatencyWindow } from './latency-window.ts'
import { createLatencyWindow } from './latency-window.ts'

/** Requests (latencies) from which a cohort's own baseline is used, and from which a release starts. */
export const ENOUGH_BASELINE = 1000
const RATE_BLOCKS = 60
/** Weight of the rate before the release, in requests, beside the last 60 blocks. */
const RATE_PRIOR = 2000
const RATE_FLOOR = 1e-4

/** Requests of which the outcome is known, and those that failed. */
export interface BaselineCounts {
  /** Of which it is known whether they failed. */
  readonly requests: number
  readonly errors: number
}

/**
 * What is known about the baseline from closed blocks and from before the release. Everything read
 * here depends on earlier blocks only, so thresholds and margins made from it are predictable.
 */
export interface Baseline {
  /** Closes a block: `metrics` of the baseline per cell that has any. */
  add(metrics: ReadonlyMap<Cell, CellMetrics>): void
  readonly totalRequests: number
  requestsOf(cell: Cell): number
  /** Everything seen so far, before the release and in it. */
  countsOf(unit: Unit): BaselineCounts
  /** Keeps the error rates as "before the release" from here on. */
  freezeRates(): void
  /**
   * Error rate before the release: the unit's own with enough requests, else the overall one. Null
   * until the rates are frozen.
   */
  rateBefore(unit: Unit): number | null
  /** Floored rate over the last 60 closed blocks, with 2,000 requests' worth of the rate before. */
  rollingRate(cell: Cell): number
  /** Bins of all cohorts' quantiles as they are now, in the order of `quantiles`; none without any latency. */
  overallBins(): readonly number[]
  /**
   * Bins whose upper edges are x₀, the rolling baseline quantiles of the cell, in the order of
   * `quantiles`; null if unknown.
   */
  quantileBins(cell: Cell): (number | null)[]
}

interface CellBaseline {
  requests: number
  outcomes: number
  errors: number
  rateBefore: number
  readonly ring: Float64Array
  recentRequests: number
  recentErrors: number
  readonly window: LatencyWindow | null
  /** Bins of the quantiles before the release, in the order of `quantiles`; empty if too few. */
  readonly before: readonly number[]
}

/**
 * `history`: one entry per cohort with what the baseline did before the release; `quantiles` in (0, 1),
 * those that are tested relative to the baseline.
 */
export function createBaseline(
  units: CohortUnits,
  history: readonly HistoryCell[],
  quantiles: readonly number[],
): Baseline {
  const states: CellBaseline[] = []
  const newWindow = () => (quantiles.length === 0 ? null : createLatencyWindow())
  const allWindow = newWindow()
  const quantilesOf = (histogram: LatencyHistogram): number[] =>
    histogram.total < ENOUGH_BASELINE
      ? []
      : quantiles.map((quantile) => quantileBin(histogram, quantile) as number)
  const allHistory = emptyHistogram()
  for (const { metrics } of history) addBins(allHistory, metrics.bins, metrics.counts)
  const allBefore = quantilesOf(allHistory)
  const grouped = groupHistory(units, history, quantilesOf)
  let overallBefore = 0
  let frozen = false
  let position = 0
  let totalRequests = 0

  const ownRate = ({ requests, errors }: BaselineCounts): number =>
    requests >= ENOUGH_BASELINE ? errors / requests : overallBefore

  const stateOf = (cell: Cell): CellBaseline => {
    for (let index = states.length; index <= cell.index; index++) {
      const before = grouped.get(index)
      states.push({
        requests: before?.requests ?? 0,
        outcomes: before?.outcomes ?? 0,
        errors: before?.errors ?? 0,
        rateBefore: frozen ? overallBefore : 0,
        ring: new Float64Array(2 * RATE_BLOCKS),
        recentRequests: 0,
        recentErrors: 0,
        window: newWindow(),
        before: before?.quantileBins ?? [],
      })
    }
    return states[cell.index] as CellBaseline
  }

  for (const cell of units.cells) totalRequests += stateOf(cell).requests

  const countsOf = (unit: Unit): BaselineCounts => {
    let requests = 0
    let errors = 0
    for (const cell of unit.cells) {
      const state = stateOf(cell)
      requests += state.outcomes
      errors += state.errors
    }
    return { requests, errors }
  }
  const ratesBefore = new Map<number, number>()

  return {
    add(metrics) {
      for (const cell of units.cells) {
        const block = metrics.get(cell)
        const state = stateOf(cell)
        const outcomes = block === undefined ? 0 : outcomesOf(block)
        pushRates(state, position, outcomes, block?.errors ?? 0)
        state.requests += block?.requests ?? 0
        totalRequests += block?.requests ?? 0
        if (block === undefined || state.window === null) continue
        state.window.add(block.bins, block.counts)
        allWindow?.add(block.bins, block.counts)
      }
      position = (position + 1) % RATE_BLOCKS
    },
    get totalRequests() {
      return totalRequests
    },
    requestsOf: (cell) => stateOf(cell).requests,
    countsOf,
    freezeRates() {
      const all = countsOf(units.overall)
      overallBefore = all.requests === 0 ? 0 : all.errors / all.requests
      frozen = true
      for (const cell of units.cells) {
        const state = stateOf(cell)
        state.rateBefore = ownRate({ requests: state.outcomes, errors: state.errors })
      }
      for (const unit of units.units) ratesBefore.set(unit.index, ownRate(countsOf(unit)))
    },
    rateBefore: (unit) => (frozen ? (ratesBefore.get(unit.index) ?? overallBefore) : null),
    rollingRate(cell) {
      const state = stateOf(cell)
      const prior = Math.max(RATE_FLOOR, state.rateBefore)
      return (state.recentErrors + RATE_PRIOR * prior) / (state.recentRequests + RATE_PRIOR)
    },
    overallBins() {
      const all = emptyHistogram()
      addHistogram(all, allHistory)
      allWindow?.addTo(all)
      if (all.total === 0) return []
      return quantiles.map((quantile) => quantileBin(all, quantile) as number)
    },
    quantileBins(cell) {
      const state = stateOf(cell)
      return quantiles.map(
        (quantile, at) =>
          rollingQuantile(state.window, quantile) ??
          state.before[at] ??
          rollingQuantile(allWindow, quantile) ??
          allBefore[at] ??
          null,
      )
    },
  }
}

function rollingQuantile(window: LatencyWindow | null, quantile: number): number | null {
  if (window === null || window.total < ENOUGH_BASELINE) return null
  return window.quantileBin(quantile)
}

/** Replaces the oldest of the 60 blocks. */
function pushRates(state: CellBaseline, position: number, outcomes: number, errors: number): void {
  const { ring } = state
  state.outcomes += outcomes
  state.errors += errors
  state.recentRequests += outcomes - (ring[2 * position] as number)
  state.recentErrors += errors - (ring[2 * position + 1] as number)
  ring[2 * position] = outcomes
  ring[2 * position + 1] = errors
}

interface CellHistory {
  readonly requests: number
  readonly outcomes: number
  readonly errors: number
  readonly quantileBins: readonly number[]
}

/** Registers the cells of the history, in an order that does not depend on the store's. */
function groupHistory(
  units: CohortUnits,
  history: readonly HistoryCell[],
  quantilesOf: (histogram: LatencyHistogram) => number[],
): Map<number, CellHistory> {
  const compare = (a: string, b: string) => (a < b ? -1 : a > b ? 1 : 0)
  const named = history.map(({ cohort, metrics }) => {
    const projected = units.project(cohort)
    return { projected, metrics, key: cohortKey(projected) }
  })
  named.sort((a, b) => compare(a.key, b.key))
  const grouped = new Map<number, CellMetrics[]>()
  for (const { projected, metrics } of named) {
    const { index } = units.cellOf(projected)
    grouped.set(index, [...(grouped.get(index) ?? []), metrics])
  }
  return new Map(
    [...grouped].map(([index, parts]) => {
      const histogram = emptyHistogram()
      for (const { bins, counts } of parts) addBins(histogram, bins, counts)
      const requests = parts.reduce((sum, part) => sum + part.requests, 0)
      const errors = parts.reduce((sum, part) => sum + part.errors, 0)
      const outcomes = parts.reduce((sum, part) => sum + outcomesOf(part), 0)
      return [index, { requests, outcomes, errors, quantileBins: quantilesOf(histogram) }]
    }),
  )
}
