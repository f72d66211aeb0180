import type { BlockSeries, SeriesSnapshot } from './block-series.ts'
import { cautiousVariance } from './bounded-mean.ts'
import type { Cell, Unit } from './cohort-units.ts'
import { overdispersion } from './overdispersion.ts'
import type { PairedKind, PairedSums, SeriesSums } from './paired.ts'
import { addSums, blockVariance, effectiveBlocks, emptySums, robustVariance } from './paired.ts'
import { fillSums, setSums } from './paired-sums.ts'
import type { Combined, GateRules, Group, WeightedSums } from './standardise.ts'
import { badOf, combineInto, mergeShort } from './standardise.ts'

/** With much larger variance between blocks than the model explains, more blocks are asked for. */
const BLOCKS_WHEN_SHOCKED = 100
const SHOCK_RATIO = 2

/** Whether there is enough for an asymptotic test, and how much more it takes. */
export interface Gate {
  readonly met: boolean
  /** How many times the present data it takes, ≥ 1; null when nothing can be said. */
  readonly growth: number | null
}

const MET: Gate = { met: true, growth: 1 }
const NEVER: Gate = { met: false, growth: null }

/** The sums of a window at one time. */
export interface WindowSnapshot {
  readonly cells: Float64Array
  readonly series: SeriesSnapshot
}

/** What a window keeps. */
export interface WindowSums {
  readonly kind: PairedKind
  readonly rules: GateRules
  readonly cells: readonly PairedSums[]
  readonly series: BlockSeries
}

/** Sums of one unit, as they are until the next reading. */
export interface UnitReading {
  readonly unit: Unit
  readonly total: Readonly<PairedSums>
  /** Differences of whole blocks. */
  readonly blocks: Readonly<SeriesSums>
  /** Cells with a share of the baseline; none for a unit that is a cell. */
  readonly weighted: readonly WeightedSums[]
}

// A tick reads thousands of units, so what they are read into is used again.
const parts: { share: number; parents: readonly string[]; sums: PairedSums }[] = []
const sumOfParts = emptySums()
const weighted: WeightedSums[] = []
const whole: Group & { sums: Readonly<PairedSums> } = { share: 1, sums: sumOfParts }
const onlyWhole: readonly Group[] = [whole]
const NO_SUMS = emptySums()

/** Of what came since a snapshot (null: since the start or the last reset). */
export function readUnit(
  window: WindowSums,
  unit: Unit,
  since: WindowSnapshot | null,
): UnitReading {
  weighted.length = 0
  const [only] = unit.cells
  if (unit.kind === 'cell' && only !== undefined) {
    const { sums } = partOf(window, only, 0, since)
    return { unit, total: sums, blocks: sums, weighted }
  }
  setSums(sumOfParts, NO_SUMS)
  for (let at = 0; at < unit.cells.length; at++) {
    const part = partOf(window, unit.cells[at] as Cell, at, since)
    addSums(sumOfParts, part.sums)
    if (part.share > 0) weighted.push(part)
  }
  const blocks = window.series.since(unit.index, since?.series ?? null)
  return { unit, total: sumOfParts, blocks, weighted }
}

function partOf(
  { kind, cells }: WindowSums,
  cell: Cell,
  at: number,
  since: WindowSnapshot | null,
): WeightedSums {
  while (parts.length <= at) parts.push({ share: 0, parents: [], sums: emptySums() })
  const part = parts[at] as (typeof parts)[number]
  part.share = cell.share
  part.parents = cell.parents
  fillSums(part.sums, cells, cell.index, since === null ? null : since.cells)
  if (kind === 'mean') addModel(part.sums)
  return part
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

/**
 * The difference that is standardised over the unit's cells; false without a pair. The variance of
 * the whole is never below what the series of blocks shows.
 */
export function differenceInto(
  into: Combined,
  { kind, rules }: WindowSums,
  { total, blocks, weighted }: UnitReading,
  designEffect: number,
  shown: boolean,
): boolean {
  // Cells without a share of the baseline count for units made only of such cells.
  whole.sums = total
  const groups = weighted.length === 0 ? onlyWhole : mergeShort(weighted, rules)
  if (!combineInto(into, groups, kind, designEffect, shown)) return false
  const excessive = overdispersion(kind, blocks, into.blockVariance, total.sumCanary)
  into.variance *= excessive
  into.seenVariance *= excessive
  return true
}

/**
 * Whether the unit has the requests, bad events and effective blocks of the window's rules (statistics
 * §3, T3). Where blocks differ more than `designEffect` ≥ 1 explains, it takes more of them.
 */
export function gateOf(window: WindowSums, reading: UnitReading, designEffect: number): Gate {
  const { rules } = window
  const { total, blocks } = reading
  if (saysNothing(window, reading.unit)) return NEVER
  const needed = blocksNeeded(window, reading, designEffect)
  if (isReached(rules, reading, needed)) return MET
  const fewest = Math.min(total.nCanary, total.nStable)
  const count = effectiveBlocks(blocks)
  const seen = badOf(total)
  if (fewest === 0 || count === 0 || (rules.bad > 0 && seen === 0)) return NEVER
  const bad = rules.bad === 0 ? 1 : rules.bad / seen
  const growth = Math.max(1, rules.requests / fewest, bad, needed / count)
  return { met: false, growth }
}

/** Whether the gate is met. */
export function mayTell(window: WindowSums, reading: UnitReading, designEffect: number): boolean {
  const needed = blocksNeeded(window, reading, designEffect)
  return isReached(window.rules, reading, needed) && !saysNothing(window, reading.unit)
}

function blocksNeeded(
  { kind, rules }: WindowSums,
  { total, blocks }: UnitReading,
  designEffect: number,
): number {
  const explained = designEffect * blockVariance(total, kind)
  const shocked = rules.blocks > 0 && robustVariance(blocks) > SHOCK_RATIO * explained
  return shocked ? BLOCKS_WHEN_SHOCKED : rules.blocks
}

function isReached(rules: GateRules, { total, blocks }: UnitReading, needed: number): boolean {
  return (
    Math.min(total.nCanary, total.nStable) >= rules.requests &&
    (rules.bad === 0 || badOf(total) >= rules.bad) &&
    effectiveBlocks(blocks) >= needed
  )
}

/** Spread of values in [0, 1] that is no more than the rounding of their sums. */
const NO_SPREAD = 1e-10

/**
 * Whether all values of all cohorts and both arms are one and the same: rather a scorer that has
 * stopped working than two versions that agree. A single cohort may well be perfect, and who adds up
 * one window has seen what is in it.
 */
function saysNothing({ cells, kind, rules }: WindowSums, unit: Unit): boolean {
  if (kind !== 'mean' || unit.kind !== 'overall' || rules.blocks === 0) return false
  let n = 0
  let sum = 0
  let squares = 0
  for (const sums of cells) {
    n += sums.nCanary + sums.nStable
    sum += sums.sumCanary + sums.sumStable
    squares += sums.squaresCanary + sums.squaresStable
  }
  return n > 0 && squares / n - (sum / n) ** 2 <= NO_SPREAD
}
