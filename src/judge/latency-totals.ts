import type { Arm } from '../domain/block.ts'
import type { Unit } from './cohort-units.ts'
import type { Stratum } from './guardrail-test.ts'
import { INTERVAL_ALPHA } from './guardrail-test.ts'
import type { LatencyHistogram } from './latency-histogram.ts'
import {
  addBins,
  addHistogram,
  clear,
  emptyHistogram,
  placeOf,
  quantileInterval,
} from './latency-histogram.ts'
import type { LatencyScale } from './latency-scale.ts'
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
  /** The quantile 1 − p₀ of one of these histograms. */
  quantile(histogram: LatencyHistogram, limit: ProportionLimit): QuantileRange
}

/** A quantile in ms, and the ends of its confidence sequence; null for what is not known. */
interface QuantileRange {
  readonly ms: number | null
  readonly lowMs: number | null
  readonly highMs: number | null
}

/** Each arm's own quantile sequence has half the error probability of the comparison. */
const LEVEL = Math.log(4 / INTERVAL_ALPHA)

/** `scale`: how bins stand for milliseconds. */
export function createLatencyTotals(scale: LatencyScale): LatencyTotals {
  const cells: { stable: LatencyHistogram; canary: LatencyHistogram }[] = []
  /** Until the next block: by unit, and by p₀. */
  const pooledUnits = perArm()
  const standardisedUnits = perArm()
  const ranges = new Map<number, Map<LatencyHistogram, QuantileRange>>()
  const cellOf = (index: number) => {
    while (cells.length <= index) cells.push({ stable: emptyHistogram(), canary: emptyHistogram() })
    return cells[index] as (typeof cells)[number]
  }
  const pooled = (unit: Unit, arm: Arm): LatencyHistogram => {
    const only = unit.cells.length === 1 ? unit.cells[0] : undefined
    if (only !== undefined) return cellOf(only.index)[arm]
    return cached(pooledUnits[arm].made, unit.index, () => {
      const sum = emptied(pooledUnits[arm].room, unit.index)
      for (const cell of unit.cells) addHistogram(sum, cellOf(cell.index)[arm])
      return sum
    })
  }

  return {
    fold(strata) {
      for (const { stable, canary } of [pooledUnits, standardisedUnits]) {
        stable.made.clear()
        canary.made.clear()
      }
      ranges.clear()
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
      const [only] = known
      if (only !== undefined && known.length === 1) return cellOf(only.index)[arm]
      return cached(standardisedUnits[arm].made, unit.index, () => {
        const total = known.reduce((sum, { share }) => sum + share, 0)
        let spread = 0
        for (const { index, share } of known) {
          spread += (share / total) ** 2 / cellOf(index)[arm].total
        }
        const mixture = emptied(standardisedUnits[arm].room, unit.index)
        for (const { index, share } of known) {
          const histogram = cellOf(index)[arm]
          addHistogram(mixture, histogram, share / total / histogram.total / spread)
        }
        return mixture
      })
    },
    quantile(histogram, limit) {
      const known = ranges.get(limit.p0) ?? new Map<LatencyHistogram, QuantileRange>()
      ranges.set(limit.p0, known)
      return cached(known, histogram, () => rangeOf(histogram, limit, scale))
    },
  }
}

interface UnitHistograms {
  /** Those of the present block. */
  readonly made: Map<number, LatencyHistogram>
  /** All there ever were: their room is used again. */
  readonly room: Map<number, LatencyHistogram>
}

function perArm(): Record<Arm, UnitHistograms> {
  const none = () => ({ made: new Map(), room: new Map() })
  return { stable: none(), canary: none() }
}

function emptied(room: Map<number, LatencyHistogram>, unit: number): LatencyHistogram {
  const histogram = cached(room, unit, emptyHistogram)
  clear(histogram)
  return histogram
}

function cached<Key, Value>(made: Map<Key, Value>, key: Key, make: () => Value): Value {
  const known = made.get(key)
  if (known !== undefined) return known
  const value = make()
  made.set(key, value)
  return value
}

/** One quantile of both arms in ms; the difference and its interval in ms, or relative (0.1 is 10 %). */
export interface LatencyComparison {
  readonly stableMs: number | null
  readonly canaryMs: number | null
  readonly difference: number | null
  readonly ciLow: number | null
  readonly ciHigh: number | null
}

/**
 * A quantile of both arms with their difference in ms, or relative to the baseline. The interval
 * joins the arms' own.
 */
export function compareQuantiles(
  { ms: stableMs, lowMs: stableLow, highMs: stableHigh }: QuantileRange,
  { ms: canaryMs, lowMs: canaryLow, highMs: canaryHigh }: QuantileRange,
  relative: boolean,
): LatencyComparison {
  const compare = (c: number | null, b: number | null): number | null => {
    if (c === null || b === null) return null
    if (!relative) return c - b
    return b > 0 && Number.isFinite(c / b) ? c / b - 1 : null
  }
  return {
    stableMs,
    canaryMs,
    difference: compare(canaryMs, stableMs),
    ciLow: compare(canaryLow, stableHigh),
    ciHigh: compare(canaryHigh, stableLow),
  }
}

function rangeOf(
  histogram: LatencyHistogram,
  limit: ProportionLimit,
  scale: LatencyScale,
): QuantileRange {
  const place = placeOf(histogram, 1 - limit.p0)
  const ms = place === null ? null : scale.valueIn(place.bin, place.fraction)
  if (ms === null) return { ms, lowMs: null, highMs: null }
  const { lower, upper } = quantileInterval(histogram, limit, LEVEL)
  return { ms, lowMs: scale.intervalFrom(lower), highMs: scale.intervalTo(upper) }
}
