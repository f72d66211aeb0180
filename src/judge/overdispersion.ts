import type { PairedKind, SeriesSums } from './paired.ts'
import { effectiveBlocks, robustVariance, smallSampleFactor } from './paired.ts'

/** Effective blocks from which the robust variance is worth comparing with the model's. */
const MEANS_FROM = 30
/** Fewer for counts, of which it is known how far chance goes. */
const COUNTS_FROM = 8
/** Standard errors beyond 1 from which counts are taken to be more than by chance apart. */
const NOTICED_FROM = 2

/**
 * How many times larger the variance is that blocks show than `expected`, that of arms which are as
 * they are seen; at least 1, and 1 with few blocks. (Blocks cannot show the variance under a null:
 * compared with that one, a canary that is much worse would look like one with shocks.)
 *
 * Of counts the ratio is 1 as long as more may be chance: a sample variance of n blocks has the
 * relative variance (κ − 1)/n, κ = 3 + 1/λ with λ canary's bad events a block, which is much for rare
 * ones. `canaryBad`: all of them.
 */
export function overdispersion(
  kind: PairedKind,
  blocks: SeriesSums,
  expected: number,
  canaryBad: number,
): number {
  const count = effectiveBlocks(blocks)
  if (count < (kind === 'mean' ? MEANS_FROM : COUNTS_FROM) || !(expected > 0)) return 1
  const ratio = robustVariance(blocks) / expected
  const cautious = Math.max(1, ratio * smallSampleFactor(count))
  if (kind === 'mean') return cautious
  const noise = Math.sqrt((2 + count / canaryBad) / count)
  return ratio > 1 + NOTICED_FROM * noise ? cautious : 1
}

/** The most that counts can be overdispersed by, from what blocks have shown; not bounded by a few. */
export function mostOverdispersion(
  blocks: SeriesSums,
  expected: number,
  canaryBad: number,
): number {
  const count = effectiveBlocks(blocks)
  if (count < COUNTS_FROM || !(expected > 0)) return Number.POSITIVE_INFINITY
  const ratio = (robustVariance(blocks) / expected) * smallSampleFactor(count)
  const noise = Math.sqrt((2 + count / Math.max(1, canaryBad)) / count)
  return Math.max(1, ratio * (1 + NOTICED_FROM * noise))
}

/** What is known of the shocks of a unit's blocks. */
interface Shocks {
  /** At least, and at most, as the differences show. */
  readonly shocks: number
  readonly shocksMost: number
  /** Σ h, Σ h². */
  readonly h: number
  readonly h2: number
}

/**
 * How many times the model's variance shocks make that of the evidence, ≥ 1. The variance of a shock
 * is the same whatever the share; what it does to a block grows with the block's information weight h
 * (1 + τ²h/p(1 − p)), so what was seen at a small share counts for more at the larger one of the
 * present step. `feared`: by h, what the baseline alone lets expect, as far as differences allow it.
 */
export function shocksNow(all: Shocks, now: Shocks, feared: (h: number) => number): number {
  if (all.h === 0) return 1
  const seenAt = all.h2 / all.h
  const h = now.h === 0 ? seenAt : Math.max(seenAt, now.h2 / now.h)
  const scaled = (shocks: number) => 1 + ((shocks - 1) * h) / seenAt
  return Math.max(scaled(all.shocks), Math.min(feared(h), scaled(all.shocksMost)))
}
