import type { UnitMoments } from './bounded-mean.ts'
import { cautiousVariance } from './bounded-mean.ts'
import type { Cell, Unit } from './cohort-units.ts'
import type { TwoArmCounts } from './conditional.ts'
import type { PairedKind, PairedSums, SeriesSums } from './paired.ts'
import {
  addDifference,
  addSums,
  effectiveBlocks,
  emptySums,
  modelVariance,
  robustVariance,
  smallSampleFactor,
} from './paired.ts'
import type { GateRules, Standardised } from './standardise.ts'
import { badOf, combineGroups, mergeShort, ROBUST_FROM } from './standardise.ts'

/** With much larger variance between blocks than the model explains, more blocks are asked for. */
const BLOCKS_WHEN_SHOCKED = 100
const SHOCK_RATIO = 2

export interface Gate {
  readonly met: boolean
  /** How many times the present data it takes, ≥ 1; null when nothing can be said. */
  readonly growth: number | null
}

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
  estimate(unit: Unit): Estimate
}

interface Series extends SeriesSums {
  blockH: number
  blockExcess: number
}

const emptySeries = (): Series => ({
  h: 0,
  h2: 0,
  excess: 0,
  excessSquares: 0,
  excessCross: 0,
  blockH: 0,
  blockExcess: 0,
})

export function createPairedWindow(kind: PairedKind, rules: GateRules): PairedWindow {
  let cells: PairedSums[] = []
  let series = new Map<number, Series>()

  const sumsOf = (cell: Cell): PairedSums => {
    const known = cells[cell.index]
    if (known !== undefined) return known
    while (cells.length <= cell.index) cells.push(emptySums())
    return cells[cell.index] as PairedSums
  }
  const addPair = (cell: Cell, h: number, excess: number): void => {
    addDifference(sumsOf(cell), h, excess)
    for (const unit of cell.memberOf) {
      let block = series.get(unit)
      if (block === undefined) {
        block = emptySeries()
        series.set(unit, block)
      }
      block.blockH += h
      block.blockExcess += h * excess
    }
  }

  return {
    addCounts(cell, counts, margin) {
      const sums = sumsOf(cell)
      const { canary, stable, canaryBad, stableBad } = counts
      sums.nCanary += canary
      sums.nStable += stable
      sums.sumCanary += canaryBad
      sums.sumStable += stableBad
      if (canary === 0 || stable === 0) return
      const both = canary + stable
      const h = (canary * stable) / both
      const share = (canaryBad + stableBad) / both
      sums.hCanary += h * (canaryBad / canary)
      sums.hStable += h * (stableBad / stable)
      if (kind === 'exceedance') {
        sums.base += both > 1 ? (h * share * (1 - share) * both) / (both - 1) : 0
      } else {
        const slope = (h * (stable - canary)) / both
        const floor = (h * stable) / both
        sums.base += h * share
        sums.slope += slope
        sums.floor += floor
        sums.slopeAtMargin += margin * slope
        sums.floorAtMargin += margin * floor
      }
      addPair(cell, h, canaryBad / canary - stableBad / stable - margin)
    },
    addMeans(cell, canary, stable, sign, margin) {
      const sums = sumsOf(cell)
      sums.nCanary += canary.n
      sums.nStable += stable.n
      sums.sumCanary += canary.sum
      sums.sumStable += stable.sum
      sums.squaresCanary += canary.sumSquares
      sums.squaresStable += stable.sumSquares
      if (canary.n === 0 || stable.n === 0) return
      const h = (canary.n * stable.n) / (canary.n + stable.n)
      sums.hCanary += h * (canary.sum / canary.n)
      sums.hStable += h * (stable.sum / stable.n)
      sums.loadCanary += (h * h) / canary.n
      sums.loadStable += (h * h) / stable.n
      addPair(cell, h, sign * (canary.sum / canary.n - stable.sum / stable.n) - margin)
    },
    endBlock() {
      for (const block of series.values()) {
        if (block.blockH > 0) addDifference(block, block.blockH, block.blockExcess / block.blockH)
        block.blockH = 0
        block.blockExcess = 0
      }
    },
    reset() {
      cells = []
      series = new Map()
    },
    estimate(unit) {
      const parts = unit.cells.map((cell) => ({
        share: cell.share,
        parents: cell.parents,
        sums: complete(kind, cells[cell.index]),
      }))
      const total = emptySums()
      for (const { sums } of parts) addSums(total, sums)
      const blocks = unit.kind === 'cell' ? total : (series.get(unit.index) ?? emptySeries())
      // Cells without a share of the baseline count for units made only of such cells.
      const weighted = parts.filter(({ share }) => share > 0)
      const groups =
        weighted.length === 0 || unit.kind === 'cell'
          ? [{ share: 1, sums: total }]
          : mergeShort(weighted, rules)
      const { nStable, nCanary } = total
      return {
        difference: withFloor(combineGroups(groups, kind), blocks),
        nStable,
        nCanary,
        plainStable: nStable === 0 ? null : total.sumStable / nStable,
        plainCanary: nCanary === 0 ? null : total.sumCanary / nCanary,
        gate: saysNothing(unit, cells, kind, rules)
          ? { met: false, growth: null }
          : gateOf(total, blocks, kind, rules),
      }
    },
  }
}

/** Spread of values in [0, 1] that is no more than the rounding of their sums. */
const NO_SPREAD = 1e-10

/**
 * Whether all values of all cohorts and both arms are one and the same: rather a scorer that has
 * stopped working than two versions that agree. A single cohort may well be perfect, and who adds up
 * one window has seen what is in it.
 */
function saysNothing(
  unit: Unit,
  cells: readonly PairedSums[],
  kind: PairedKind,
  rules: GateRules,
): boolean {
  if (kind !== 'mean' || unit.kind !== 'overall' || rules.blocks === 0) return false
  const all = { n: 0, sum: 0, squares: 0 }
  for (const sums of cells) {
    all.n += sums.nCanary + sums.nStable
    all.sum += sums.sumCanary + sums.sumStable
    all.squares += sums.squaresCanary + sums.squaresStable
  }
  return all.n > 0 && all.squares / all.n - (all.sum / all.n) ** 2 <= NO_SPREAD
}

/**
 * For means the model variance is s²_c·Σh²/n_c + s²_b·Σh²/n_b with s² over all the cell's blocks of
 * the window: it contains the drift of the level between blocks, so it is rather too large than too
 * small, and needs no second pass over a block's scores.
 */
function complete(kind: PairedKind, sums: PairedSums | undefined): PairedSums {
  if (sums === undefined) return emptySums()
  if (kind !== 'mean') return sums
  const canary = { n: sums.nCanary, sum: sums.sumCanary, sumSquares: sums.squaresCanary }
  const stable = { n: sums.nStable, sum: sums.sumStable, sumSquares: sums.squaresStable }
  const base =
    cautiousVariance(canary) * sums.loadCanary + cautiousVariance(stable) * sums.loadStable
  return { ...sums, base }
}

/** The variance of the whole is never below what the series of blocks shows. */
function withFloor(combined: Standardised | null, blocks: SeriesSums): Standardised | null {
  const count = effectiveBlocks(blocks)
  if (combined === null || count < ROBUST_FROM) return combined
  const floor = robustVariance(blocks) * smallSampleFactor(count)
  return {
    ...combined,
    variance: Math.max(combined.variance, floor),
    seenVariance: Math.max(combined.seenVariance, floor),
  }
}

function gateOf(total: PairedSums, blocks: SeriesSums, kind: PairedKind, rules: GateRules): Gate {
  const count = effectiveBlocks(blocks)
  const shocked =
    rules.blocks > 0 && robustVariance(blocks) > SHOCK_RATIO * modelVariance(total, kind, 'margin')
  const blocksNeeded = shocked ? BLOCKS_WHEN_SHOCKED : rules.blocks
  const fewest = Math.min(total.nCanary, total.nStable)
  const met =
    fewest >= rules.requests &&
    (rules.bad === 0 || badOf(total) >= rules.bad) &&
    count >= blocksNeeded
  if (met) return { met, growth: 1 }
  const seen = badOf(total)
  if (fewest === 0 || count === 0 || (rules.bad > 0 && seen === 0)) return { met, growth: null }
  const bad = rules.bad === 0 ? 1 : rules.bad / seen
  return { met, growth: Math.max(1, rules.requests / fewest, bad, blocksNeeded / count) }
}
