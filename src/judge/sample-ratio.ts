import { GRID_SIZE, TILT_GRID } from './grid.ts'
import { logSumExp } from './log-space.ts'

/**
 * T5: whether requests reach the canary as often as planned, either way. Λ of each tilt, apart for
 * "too often" and "too seldom"; additive over blocks, also when the planned share changes.
 */
export interface SampleRatioSums {
  readonly above: Float64Array
  readonly below: Float64Array
}

/** Λ of no request: 16 tilts each way, all 0. */
export function createSampleRatioSums(): SampleRatioSums {
  return { above: new Float64Array(GRID_SIZE), below: new Float64Array(GRID_SIZE) }
}

/**
 * Adds `canary` of `requests` with the planned share π in (0, 1): Λ_σj += σ·d_j·c − n·log1p(π·(e^σd_j − 1)),
 * so each request is scored against the share of its own time. `scale` ≤ 1: how much of it counts.
 */
export function addSplit(
  sums: SampleRatioSums,
  requests: number,
  canary: number,
  share: number,
  scale = 1,
): void {
  if (requests === 0 || !(share > 0 && share < 1)) return
  if (share !== costs.share) setCosts(share)
  for (let j = 0; j < GRID_SIZE; j++) {
    const step = TILT_GRID.steps[j] as number
    const up = step * canary - requests * (costs.above[j] as number)
    const down = -step * canary - requests * (costs.below[j] as number)
    sums.above[j] = (sums.above[j] as number) + scale * up
    sums.below[j] = (sums.below[j] as number) + scale * down
  }
}

/** log1p(π·(e^σd_j − 1)) of the newest share: that of all cohorts of a block, often of a whole step. */
const costs = {
  share: Number.NaN,
  above: new Float64Array(GRID_SIZE),
  below: new Float64Array(GRID_SIZE),
}

function setCosts(share: number): void {
  costs.share = share
  for (let j = 0; j < GRID_SIZE; j++) {
    const step = TILT_GRID.steps[j] as number
    costs.above[j] = Math.log1p(share * Math.expm1(step))
    costs.below[j] = Math.log1p(share * Math.expm1(-step))
  }
}

/**
 * ln E = ln Σ_σ Σ_j (w_j/2)·exp(Λ_σj / `designEffect`): an e-process against "split as planned" as
 * long as no cluster of requests that go together has more than `designEffect` of them (Hölder).
 */
export function sampleRatioLogE({ above, below }: SampleRatioSums, designEffect: number): number {
  const terms = new Float64Array(2 * GRID_SIZE)
  for (let j = 0; j < GRID_SIZE; j++) {
    const logWeight = (TILT_GRID.logWeights[j] as number) - Math.LN2
    terms[j] = logWeight + (above[j] as number) / designEffect
    terms[GRID_SIZE + j] = logWeight + (below[j] as number) / designEffect
  }
  return logSumExp(terms)
}
