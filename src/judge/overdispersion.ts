import type { PairedKind, SeriesSums } from './paired.ts'
import { effectiveBlocks, robustVariance, smallSampleFactor } from './paired.ts'

/** From this many effective blocks on the robust variance is worth comparing with the model's. */
const ROBUST_FROM = 30
/** Standard errors beyond 1 from which counts are taken to be more than by chance apart. */
const NOTICED_FROM = 2

/**
 * How many times larger the variance is that blocks show than `seen`, the model's at the difference
 * as it is seen; at least 1, and 1 with few blocks. (Blocks cannot show the variance under the null at
 * the margin: compared with that one, a canary that is much worse would look like one with shocks.)
 *
 * Of counts the ratio is 1 as long as more may be chance: a sample variance of n blocks has the
 * relative variance (κ − 1)/n, κ = 3 + 1/λ with λ canary's bad events a block, which is much for rare
 * ones. `canaryBad`: all of them.
 */
export function overdispersion(
  kind: PairedKind,
  blocks: SeriesSums,
  seen: number,
  canaryBad: number,
): number {
  const count = effectiveBlocks(blocks)
  if (count < ROBUST_FROM || !(seen > 0)) return 1
  const ratio = (robustVariance(blocks) * smallSampleFactor(count)) / seen
  if (kind === 'mean') return Math.max(1, ratio)
  const noise = Math.sqrt((2 + count / canaryBad) / count)
  return ratio > 1 + NOTICED_FROM * noise ? ratio : 1
}
