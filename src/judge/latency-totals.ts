import type { Arm } from '../domain/block.ts'
import { upperEdge } from '../domain/histogram.ts'
import type { Unit } from './cohort-units.ts'
import type { Stratum } from './guardrail-test.ts'
import { INTERVAL_ALPHA } from './guardrail-test.ts'
import type { LatencyHistogram } from './latency-histogram.ts'
import {
  addBins,
  addHistogram,
  emptyHistogram,
  quantileBin,
  quantileInterval,
} from './latency-histogram.ts'
import type { ProportionLimit } from './proportion.ts'

/** Latencies of the release's judged blocks, for the values and intervals people read. */
export interface LatencyTotals {
  fold(strata: readonly Stratum[]): void
  /** All latencies of the unit as they are. */
  pooled(unit: Unit, arm: Arm): LatencyHistogram
  /**
   * Mixture of the unit's cells with the baseline's shares, over the cells in which both arms have
   * data; its total is the number of requests an unweighted sample of the same precision would have.
   */
  standardised(unit: Unit, arm: Arm): LatencyHistogram
}

export function createLatencyTotals(): LatencyTotals {
  const cells: { stable: LatencyHistogram; canary: LatencyHistogram }[] = []
  const cache = new Map<string, LatencyHistogram>()
  const cellOf = (index: number) => {
    while (cells.length <= index) cells.push({ stable: emptyHistogram(), canary: emptyHistogram() })
    return cells[index] as (typeof cells)[number]
  }
  const cached = (key: string, make: () => LatencyHistogram): LatencyHistogram => {
    const known = cache.get(key) ?? make()
    cache.set(key, known)
    return known
  }
  const pooled = (unit: Unit, arm: Arm): LatencyHistogram => {
    const only = unit.cells.length === 1 ? unit.cells[0] : undefined
    if (only !== undefined) return cellOf(only.index)[arm]
    return cached(`pooled ${arm} ${unit.index}`, () => {
      const sum = emptyHistogram()
      for (const cell of unit.cells) addHistogram(sum, cellOf(cell.index)[arm])
      return sum
    })
  }

  return {
    fold(strata) {
      cache.clear()
      for (const { cell, canary, stable } of strata) {
        const totals = cellOf(cell.index)
        addBins(totals.canary, canary.bins, canary.counts)
        addBins(totals.stable, stable.bins, stable.counts)
      }
    },
    pooled,
    standardised(unit, arm) {
      const known = unit.cells.filter((cell) => {
        const { stable, canary } = cellOf(cell.index)
        return cell.share > 0 && stable.total > 0 && canary.total > 0
      })
      if (unit.kind === 'cell' || known.length === 0) return pooled(unit, arm)
      return cached(`standardised ${arm} ${unit.index}`, () => {
        const total = known.reduce((sum, { share }) => sum + share, 0)
        let spread = 0
        for (const { index, share } of known) {
          spread += (share / total) ** 2 / cellOf(index)[arm].total
        }
        const mixture = emptyHistogram()
        for (const { index, share } of known) {
          const histogram = cellOf(index)[arm]
          addHistogram(mixture, histogram, share / total / histogram.total / spread)
        }
        return mixture
      })
    },
  }
}

export interface LatencyComparison {
  readonly stableMs: number | null
  readonly canaryMs: number | null
  readonly difference: number | null
  readonly ciLow: number | null
  readonly ciHigh: number | null
}

/**
 * A quantile of both arms with their difference in ms, or relative to the baseline. The interval
 * joins the arms' own quantile sequences, each at half the error probability.
 */
export function compareQuantiles(
  stable: LatencyHistogram,
  canary: LatencyHistogram,
  limit: ProportionLimit,
  relative: boolean,
): LatencyComparison {
  const level = Math.log(4 / INTERVAL_ALPHA)
  const stableMs = edgeOf(quantileBin(stable, 1 - limit.p0))
  const canaryMs = edgeOf(quantileBin(canary, 1 - limit.p0))
  const compare = (c: number | null, b: number | null): number | null => {
    if (c === null || b === null) return null
    if (!relative) return c - b
    return b > 0 ? c / b - 1 : null
  }
  const known = stableMs !== null && canaryMs !== null
  const b = known ? quantileInterval(stable, limit, level) : null
  const c = known ? quantileInterval(canary, limit, level) : null
  return {
    stableMs,
    canaryMs,
    difference: compare(canaryMs, stableMs),
    ciLow: compare(edgeOf(c?.lower ?? null), edgeOf(b?.upper ?? null)),
    ciHigh: compare(edgeOf(c?.upper ?? null), edgeOf(b?.lower ?? null)),
  }
}

/** Upper edge in ms; null where there is none. */
function edgeOf(bin: number | null): number | null {
  if (bin === null) return null
  const edge = upperEdge(bin)
  return Number.isFinite(edge) ? edge : null
}
