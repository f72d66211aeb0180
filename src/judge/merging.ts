import { logSumExp } from './log-space.ts'

/** A hypothesis as it enters the average over the release. */
export interface WeightedEvidence {
  /** ln of the hypothesis' weight; −Infinity for none. */
  readonly logWeight: number
  readonly logE: number
}

/**
 * ln Σ w·E. A weighted average of e-processes read at the same moment is an e-process under any
 * dependence, so one error probability covers all metrics and cohorts of a release.
 */
export function logWeightedAverage(evidence: readonly WeightedEvidence[]): number {
  return logSumExp(evidence.map(({ logWeight, logE }) => logWeight + logE))
}

/** Index of the largest w·E; −1 without any weight. The first of equals. */
export function leadingEvidence(evidence: readonly WeightedEvidence[]): number {
  let leading = -1
  let largest = Number.NEGATIVE_INFINITY
  for (const [index, { logWeight, logE }] of evidence.entries()) {
    if (logWeight + logE <= largest) continue
    largest = logWeight + logE
    leading = index
  }
  return leading
}

/**
 * Hypotheses that may be listed with a false-discovery rate of at most α (e-BH): the largest i with
 * E_(i) ≥ K/(α·i). Takes the present values, never running maxima. Indices, largest evidence first.
 */
export function discoveries(logE: readonly number[], alpha: number): number[] {
  const order = logE
    .map((value, index) => ({ value, index }))
    .sort((a, b) => b.value - a.value || a.index - b.index)
  let listed = 0
  for (const [position, { value }] of order.entries()) {
    if (value >= Math.log(logE.length / (alpha * (position + 1)))) listed = position + 1
  }
  return order.slice(0, listed).map(({ index }) => index)
}
