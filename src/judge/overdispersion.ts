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
