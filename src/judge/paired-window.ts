import { createBlockSeries } from './block-series.ts'
import type { UnitMoments } from './bounded-mean.ts'
import type { Cell, Unit } from './cohort-units.ts'
import type { TwoArmCounts } from './conditional.ts'
import { mostOverdispersion, overdispersion } from './overdispersion.ts'
import type { PairedKind, PairedSums } from './paired.ts'
import { addDifference, blockVariance, differenceLogE, emptySums } from './paired.ts'
import { copySums } from './paired-sums.ts'
import type { GateRules, Standardised } from './standardise.ts'
import { noDifference } from './standardise.ts'
import type { Gate, WindowSnapshot, WindowSums } from './window-reading.ts'
import { differenceInto, gateOf, mayTell, readUnit } from './window-reading.ts'

/** What a window says about one unit. */
export interface Estimate {
  /** Null without a block in which both arms have data. */
  readonly difference: Standardised | null
  readonly nStable: number
  readonly nCanary: number
  /** Plain means over everything, paired or not; null without data. */
  readonly plainStable: number | null
  readonly plainCanary: number | null
  readonly gate: Gate
  /**
   * How much more blocks of an arm differ than counts of independent requests would, at least 1; 1 as
   * long as that may be chance. Exact tests on counts know nothing of it.
   */
  readonly shocks: number
  /** The most that they may. */
  readonly shocksMost: number
  /** Σ h and Σ h² over blocks. */
  readonly h: number
  readonly h2: number
}

/**
 * Paired sums of one guardrail over one span of time (the release, the present step, or the blocks a
 * rule selects): per cell, and as a series of blocks for each unit of several cells.
 */
export interface PairedWindow {
  /** `margin` in the unit of the share; predictable. */
  addCounts(cell: Cell, counts: TwoArmCounts, margin: number): void
  /** `sign` 1: larger is worse, −1: smaller is worse. */
  addMeans(cell: Cell, canary: UnitMoments, stable: UnitMoments, sign: 1 | -1, margin: number): void
  /** Closes the block: must follow the adds of each block. */
  endBlock(): void
  reset(): void
  /**
   * Of what came since the start or the last reset. `designEffect` ≥ 1: how many times the model's
   * variance requests that go together make it.
   */
  estimate(unit: Unit, designEffect: number): Estimate
  /** ln E of T3 for "worse than the margin" since a snapshot (null: since the start); 0 before the gate is met. */
  logE(unit: Unit, designEffect: number, since: WindowSnapshot | null, tau: number): number
  snapshot(): WindowSnapshot
}

/** What T3 needs of an estimate. */
export type Evidence = Pick<Estimate, 'difference' | 'gate'>

const combined = noDifference()

/** `kind`: what the differences are of; `rules`: when T3 may speak (statistics §3, T3). */
export function createPairedWindow(kind: PairedKind, rules: GateRules): PairedWindow {
  const cells: PairedSums[] = []
  const series = createBlockSeries()

  const sumsOf = (cell: Cell): PairedSums => {
    const known = cells[cell.index]
    if (known !== undefined) return known
    while (cells.length <= cell.index) cells.push(emptySums())
    return cells[cell.index] as PairedSums
  }
  const addPair = (cell: Cell, h: number, excess: number): void => {
    addDifference(sumsOf(cell), h, excess)
    for (const unit of cell.memberOf) series.add(unit, h, excess)
  }
  const sums: WindowSums = { kind, rules, cells, series }

  return {
    addCounts(cell, counts, margin) {
      const own = sumsOf(cell)
      const { canary, stable, canaryBad, stableBad } = counts
      own.nCanary += canary
      own.nStable += stable
      own.sumCanary += canaryBad
      own.sumStable += stableBad
      if (canary === 0 || stable === 0) return
      const both = canary + stable
      const h = (canary * stable) / both
      const share = (canaryBad + stableBad) / both
      own.hCanary += h * (canaryBad / canary)
      own.hStable += h * (stableBad / stable)
      own.loadCanary += (h * h) / canary
      own.loadStable += (h * h) / stable
      if (kind === 'exceedance') {
        own.base += (h * share * (1 - share) * both) / (both - 1)
      } else {
        const slope = (h * (stable - canary)) / both
        const floor = (h * stable) / both
        own.base += h * share
        own.slope += slope
        own.floor += floor
        own.slopeAtMargin += margin * slope
        own.floorAtMargin += margin * floor
      }
      addPair(cell, h, canaryBad / canary - stableBad / stable - margin)
    },
    addMeans(cell, canary, stable, sign, margin) {
      const own = sumsOf(cell)
      own.nCanary += canary.n
      own.nStable += stable.n
      own.sumCanary += canary.sum
      own.sumStable += stable.sum
      own.squaresCanary += canary.sumSquares
      own.squaresStable += stable.sumSquares
      if (canary.n === 0 || stable.n === 0) return
      const h = (canary.n * stable.n) / (canary.n + stable.n)
      own.hCanary += h * (canary.sum / canary.n)
      own.hStable += h * (stable.sum / stable.n)
      own.loadCanary += (h * h) / canary.n
      own.loadStable += (h * h) / stable.n
      addPair(cell, h, sign * (canary.sum / canary.n - stable.sum / stable.n) - margin)
    },
    endBlock: series.endBlock,
    reset() {
      cells.length = 0
      series.clear()
    },
    estimate(unit, designEffect) {
      const reading = readUnit(sums, unit, null)
      const { total, blocks } = reading
      const { nStable, nCanary } = total
      return {
        difference: differenceInto(combined, sums, reading, designEffect, true)
          ? { ...combined }
          : null,
        nStable,
        nCanary,
        plainStable: nStable === 0 ? null : total.sumStable / nStable,
        plainCanary: nCanary === 0 ? null : total.sumCanary / nCanary,
        gate: gateOf(sums, reading, designEffect),
        shocks: overdispersion(kind, blocks, blockVariance(total, kind), total.sumCanary),
        shocksMost: mostOverdispersion(blocks, blockVariance(total, kind), total.sumCanary),
        h: blocks.h,
        h2: blocks.h2,
      }
    },
    logE(unit, designEffect, since, tau) {
      const reading = readUnit(sums, unit, since)
      if (!mayTell(sums, reading, designEffect)) return 0
      if (!differenceInto(combined, sums, reading, designEffect, false)) return 0
      return differenceLogE(combined.excess, combined.variance, tau)
    },
    snapshot: () => ({ cells: copySums(cells), series: series.snapshot() }),
  }
}
