import type { SeriesSnapshot } from './block-series.ts'
import { createBlockSeries } from './block-series.ts'
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
} from './paired.ts'
import { copySums, fillSums, setSums } from './paired-sums.ts'
import type { GateRules, Standardised, WeightedSums } from './standardise.ts'
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
   * Of what came since the start or the last reset. `designEffect` ≥ 1: how many times the model's
   * variance requests that go together make it.
   */
  estimate(unit: Unit, designEffect: number): Estimate
  /** Of what came since a snapshot (null: since the start); no difference before the gate is met. */
  evidence(unit: Unit, designEffect: number, since: WindowSnapshot | null): Evidence
  snapshot(): WindowSnapshot
}

/** The sums of a window at one time. */
export interface WindowSnapshot {
  readonly cells: Float64Array
  readonly series: SeriesSnapshot
}

/** What T3 needs of an estimate. */
export type Evidence = Pick<Estimate, 'difference' | 'gate'>

/** Sums of one unit as they are read, until the next reading. */
interface UnitSums {
  /** By cell; none for a unit that is one. */
  readonly parts: readonly WeightedSums[]
  readonly total: Readonly<PairedSums>
  /** Differences of whole blocks. */
  readonly blocks: Readonly<SeriesSums>
}

/** Used again by every reading: they differ in nothing but numbers. */
const scratchParts: { share: number; parents: readonly string[]; sums: PairedSums }[] = []
const scratchTotal = emptySums()
const EMPTY = emptySums()

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
  const partOf = (cell: Cell, at: number, since: WindowSnapshot | null): WeightedSums => {
    while (scratchParts.length <= at)
      scratchParts.push({ share: 0, parents: [], sums: emptySums() })
    const part = scratchParts[at] as (typeof scratchParts)[number]
    part.share = cell.share
    part.parents = cell.parents
    fillSums(part.sums, cells, cell.index, since?.cells ?? null)
    if (kind === 'mean') addModel(part.sums)
    return part
  }
  const sumsOfUnit = (unit: Unit, since: WindowSnapshot | null): UnitSums => {
    const [only] = unit.cells
    if (unit.kind === 'cell' && only !== undefined) {
      const { sums } = partOf(only, 0, since)
      return { parts: [], total: sums, blocks: sums }
    }
    const parts = unit.cells.map((cell, at) => partOf(cell, at, since))
    setSums(scratchTotal, EMPTY)
    for (const { sums } of parts) addSums(scratchTotal, sums)
    return { parts, total: scratchTotal, blocks: series.since(unit.index, since?.series ?? null) }
  }
  const gateOfUnit = (unit: Unit, { total, blocks }: UnitSums, designEffect: number): Gate =>
    saysNothing(unit, cells, kind, rules)
      ? { met: false, growth: null }
      : gateOf(total, blocks, kind, rules, designEffect)
  const differenceOf = (unit: Unit, sums: UnitSums, designEffect: number): Standardised | null => {
    const { parts, total, blocks } = sums
    // Cells without a share of the baseline count for units made only of such cells.
    const weighted = unit.kind === 'cell' ? parts : parts.filter(({ share }) => share > 0)
    const groups = weighted.length === 0 ? [{ share: 1, sums: total }] : mergeShort(weighted, rules)
    const combined = combineGroups(groups, kind, designEffect)
    return withFloor(combined, kind, blocks, total.sumCanary)
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
    endBlock: series.endBlock,
    reset() {
      cells.length = 0
      series.clear()
    },
    estimate(unit, designEffect) {
      const sums = sumsOfUnit(unit, null)
      const { total, blocks } = sums
      const { nStable, nCanary } = total
      return {
        difference: differenceOf(unit, sums, designEffect),
        nStable,
        nCanary,
        plainStable: nStable === 0 ? null : total.sumStable / nStable,
        plainCanary: nCanary === 0 ? null : total.sumCanary / nCanary,
        stable: { n: nStable, sum: total.sumStable, sumSquares: total.squaresStable },
        canary: { n: nCanary, sum: total.sumCanary, sumSquares: total.squaresCanary },
        gate: gateOfUnit(unit, sums, designEffect),
        shocks: overdispersion(kind, blocks, blockVariance(total, kind), total.sumCanary),
      }
    },
    evidence(unit, designEffect, since) {
      const sums = sumsOfUnit(unit, since)
      const gate = gateOfUnit(unit, sums, designEffect)
      return { gate, difference: gate.met ? differenceOf(unit, sums, designEffect) : null }
    },
    snapshot: () => ({ cells: copySums(cells), series: series.snapshot() }),
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
function addModel(sums: PairedSums): void {
  const canary = { n: sums.nCanary, sum: sums.sumCanary, sumSquares: sums.squaresCanary }
  const stable = { n: sums.nStable, sum: sums.sumStable, sumSquares: sums.squaresStable }
  sums.base =
    cautiousVariance(canary) * sums.loadCanary + cautiousVariance(stable) * sums.loadStable
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
  const { excess, variance, seenVariance, blockVariance: expected, stable, canary } = combined
  return {
    excess,
    variance: variance * excessive,
    seenVariance: seenVariance * excessive,
    blockVariance: expected,
    stable,
    canary,
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
