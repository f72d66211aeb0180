import { overdispersion } from './overdispersion.ts'
import type { PairedKind, PairedSums } from './paired.ts'
import {
  addSums,
  blockVariance,
  effectiveBlocks,
  emptySums,
  modelVariance,
  shiftOf,
} from './paired.ts'

/** When an asymptotic statement may be made. */
export interface GateRules {
  /** Per arm. */
  readonly requests: number
  /** Bad events of both arms; 0 for means. */
  readonly bad: number
  /** Effective blocks; 0 when the count of blocks does not matter. */
  readonly blocks: number
}

/** Sums of one cell with its share of the baseline's traffic and the groups it can be merged into. */
export interface WeightedSums {
  readonly share: number
  readonly parents: readonly string[]
  readonly sums: PairedSums
}

/** Cells that are compared as one. */
export interface Group {
  readonly share: number
  readonly sums: PairedSums
}

/** A group with fewer requests in an arm than this, and nowhere to go, is left out. */
const SMALLEST_GROUP = 50

/** Bad events of both arms. */
export function badOf(sums: PairedSums): number {
  return sums.sumStable + sums.sumCanary
}

function isShort(sums: PairedSums, rules: GateRules): boolean {
  return (
    Math.min(sums.nCanary, sums.nStable) < rules.requests ||
    (rules.bad > 0 && badOf(sums) < rules.bad) ||
    effectiveBlocks(sums) < rules.blocks
  )
}

/**
 * Merges cells that are short of the gate upward: locale → language → all locales within the device,
 * then across devices. What is still short at the top stays a group of its own if it has some data,
 * and otherwise is left out (coverage tells). A single group is kept as it is.
 */
export function mergeShort(cells: readonly WeightedSums[], rules: GateRules): readonly Group[] {
  if (!cells.some(({ sums }) => isShort(sums, rules))) return cells
  const done: Group[] = []
  let open: { share: number; parents: readonly string[]; sums: PairedSums }[] = []
  for (const cell of cells) {
    if (isShort(cell.sums, rules)) open.push(cell)
    else done.push(cell)
  }
  const levels = (open[0] as WeightedSums).parents.length
  for (let level = 0; level < levels; level++) {
    const merged = new Map<string, (typeof open)[number]>()
    for (const group of open) {
      const key = group.parents[level] as string
      const into = merged.get(key)
      if (into === undefined) {
        const sums = emptySums()
        addSums(sums, group.sums)
        merged.set(key, { share: group.share, parents: group.parents, sums })
      } else {
        into.share += group.share
        addSums(into.sums, group.sums)
      }
    }
    open = []
    for (const group of merged.values()) {
      if (isShort(group.sums, rules)) open.push(group)
      else done.push(group)
    }
  }
  const enough = (sums: PairedSums) => Math.min(sums.nCanary, sums.nStable) >= SMALLEST_GROUP
  return [...done, ...open.filter(({ sums }) => done.length === 0 || enough(sums))]
}

/** A difference standardised to the baseline's mix, in the unit of the sums (shares 0…1, or means). */
export interface Standardised {
  /** θ̂ − margin; positive is worse. */
  readonly excess: number
  /** Under the null at the margin. */
  readonly variance: number
  /** For intervals. */
  readonly seenVariance: number
  /** As blocks should show it. */
  readonly blockVariance: number
  readonly stable: number
  readonly canary: number
}

function isPaired({ sums, share }: Group): boolean {
  return sums.h > 0 && share > 0
}

/**
 * Σ π_G θ̂_G and Σ π_G² V_G over the groups that have pairs, π renormalised; null without any. The
 * model's variance counts `designEffect` times, or as often as blocks show, whichever is more.
 */
export function combineGroups(
  groups: readonly Group[],
  kind: PairedKind,
  designEffect: number,
): Standardised | null {
  const combined = noDifference()
  return combineInto(combined, groups, kind, designEffect, true) ? combined : null
}

/** The same, being computed. */
export type Combined = { -readonly [Name in keyof Standardised]: number }

/** To be filled by `combineInto`. */
export function noDifference(): Combined {
  return { excess: 0, variance: 0, seenVariance: 0, blockVariance: 0, stable: 0, canary: 0 }
}

/**
 * The same into an object that there is already; false without any pair. `shown`: false where nobody
 * is going to see it, which leaves out what only intervals need.
 */
export function combineInto(
  into: Combined,
  groups: readonly Group[],
  kind: PairedKind,
  designEffect: number,
  shown: boolean,
): boolean {
  let total = 0
  for (const group of groups) if (isPaired(group)) total += group.share
  if (total === 0) return false
  let excess = 0
  let variance = 0
  let seenVariance = 0
  let expected = 0
  let stable = 0
  let canary = 0
  for (const group of groups) {
    if (!isPaired(group)) continue
    const { sums } = group
    const weight = group.share / total
    excess += weight * (sums.excess / sums.h)
    stable += weight * (sums.hStable / sums.h)
    canary += weight * (sums.hCanary / sums.h)
    const seen = blockVariance(sums, kind)
    const excessive = Math.max(designEffect, overdispersion(kind, sums, seen, sums.sumCanary))
    variance += weight ** 2 * modelVariance(sums, kind, 'margin') * excessive
    expected += weight ** 2 * seen * excessive
    if (shown) seenVariance += weight ** 2 * modelVariance(sums, kind, shiftOf(sums)) * excessive
  }
  into.excess = excess
  into.variance = variance
  into.seenVariance = seenVariance
  into.blockVariance = expected
  into.stable = stable
  into.canary = canary
  return true
}
