import type { UnitMoments } from './bounded-mean.ts'
import { cautiousVariance } from './bounded-mean.ts'
import type { Cell, Unit } from './cohort-units.ts'
import type { TwoArmCounts } from './conditional.ts'
import { overdispersion } from './overdispersion.ts'
import type { PairedKind, PairedSums, SeriesSums } from './paired.ts'
import {
  addDifference,
  addSums,
  blockVariance,
  effectiveBlocks,
  emptySums,
  robustVariance,
  sumsSince,
} from './paired.ts'
import type { GateRules, Standardised } from './standardise.ts'
import { badOf, combineGroups, mergeShort } from './standardise.ts'

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
  /** The same as moments; sums of squares of means only. */
  readonly stable: UnitMoments
  readonly canary: UnitMoments
  readonly gate: Gate
  /**
   * How much more blocks of an arm differ than counts of independent requests would, at least 1; 1 as
   * long as that may be chance. Exact tests on counts know nothing of it.
   */
  readonly shocks: number
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
   * Of what came since a snapshot (null: since the start or the last reset). `designEffect` ≥ 1: how
   * many times the model's variance requests that go together make it.
   */
  estimate(unit: Unit, designEffect: number, since?: WindowSnapshot | null): Estimate
  snapshot(): WindowSnapshot
}

/** The sums of a window at one time. */
export interface WindowSnapshot {
  readonly cells: readonly Readonly<PairedSums>[]
  readonly series: ReadonlyMap<number, SeriesSums>
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
      sums.loadCanary += (h * h) / canary
      sums.loadStable += (h * h) / stable
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
    estimate(unit, designEffect, since = null) {
      const parts = unit.cells.map((cell) => ({
        share: cell.share,
        parents: cell.parents,
        sums: complete(kind, cells[cell.index], since?.cells[cell.index]),
      }))
      const total = emptySums()
      for (const { sums } of parts) addSums(total, sums)
      const blocks =
        unit.kind === 'cell'
          ? total
          : seriesSince(series.get(unit.index) ?? emptySeries(), since?.series.get(unit.index))
      // Cells without a share of the baseline count for units made only of such cells.
      const weighted = parts.filter(({ share }) => share > 0)
      const groups =
        weighted.length === 0 || unit.kind === 'cell'
          ? [{ share: 1, sums: total }]
          : mergeShort(weighted, rules)
      const { nStable, nCanary } = total
      return {
        difference: withFloor(
          combineGroups(groups, kind, designEffect),
          kind,
          blocks,
          total.sumCanary,
        ),
        nStable,
        nCanary,
        plainStable: nStable === 0 ? null : total.sumStable / nStable,
        plainCanary: nCanary === 0 ? null : total.sumCanary / nCanary,
        stable: { n: nStable, sum: total.sumStable, sumSquares: total.squaresStable },
        canary: { n: nCanary, sum: total.sumCanary, sumSquares: total.squaresCanary },
        gate: saysNothing(unit, cells, kind, rules)
          ? { met: false, growth: null }
          : gateOf(total, blocks, kind, rules, designEffect),
        shocks: overdispersion(kind, blocks, blockVariance(total, kind), total.sumCanary),
      }
    },
    snapshot: () => ({
      cells: cells.map((sums) => ({ ...sums })),
      series: new Map([...series].map(([unit, sums]) => [unit, { ...sums }])),
    }),
  }
}

function seriesSince(sums: SeriesSums, earlier: SeriesSums | undefined): SeriesSums {
  if (earlier === undefined) return sums
  return {
    h: sums.h - earlier.h,
    h2: sums.h2 - earlier.h2,
    excess: sums.excess - earlier.excess,
    excessSquares: sums.excessSquares - earlier.excessSquares,
    excessCross: sums.excessCross - earlier.excessCross,
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
function complete(
  kind: PairedKind,
  all: PairedSums | undefined,
  earlier: Readonly<PairedSums> | undefined,
): Readonly<PairedSums> {
  if (all === undefined) return emptySums()
  const sums = sumsSince(all, earlier)
  if (kind !== 'mean') return sums
  const canary = { n: sums.nCanary, sum: sums.sumCanary, sumSquares: sums.squaresCanary }
  const stable = { n: sums.nStable, sum: sums.sumStable, sumSquares: sums.squaresStable }
  const base =
    cautiousVariance(canary) * sums.loadCanary + cautiousVariance(stable) * sums.loadStable
  return { ...sums, base }
}

/** The variance of the whole is never below what the series of blocks shows. */
function withFloor(
  combined: Standardised | null,
  kind: PairedKind,
  blocks: SeriesSums,
  canaryBad: number,
): Standardised | null {
  if (combined === null) return combined
  const excessive = overdispersion(kind, blocks, combined.blockVariance, canaryBad)
  return {
    ...combined,
    variance: combined.variance * excessive,
    seenVariance: combined.seenVariance * excessive,
  }
}

function gateOf(
  total: PairedSums,
  blocks: SeriesSums,
  kind: PairedKind,
  rules: GateRules,
  designEffect: number,
): Gate {
  const count = effectiveBlocks(blocks)
  const explained = designEffect * blockVariance(total, kind)
  const shocked = rules.blocks > 0 && robustVariance(blocks) > SHOCK_RATIO * explained
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
