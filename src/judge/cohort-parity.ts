import { logSumExp } from './log-space.ts'

/** Parts of the cohorts that may be the ones sent elsewhere: all, or one in 4, 16 or 64. */
const PARTS = [1, 1 / 4, 1 / 16, 1 / 64]

/**
 * ln of the mean over ρ in {1, ¼, 1/16, 1/64} of Π_g (1 − ρ + ρ·E_g), of the cohorts' own evidence
 * ln E_g; 0 for none. ρ = 1 is the product of statistics §3, T5, in which each cohort that is sent as
 * planned costs about ln √n; smaller parts cost little for those, so that one small cohort is found
 * among many. A request belongs to one cohort, so each product over some of them is an e-process, and
 * with it the mean: which cohorts, and how many, need not be known before.
 */
export function parityLogE(cohorts: readonly number[]): number {
  return logSumExp(PARTS.map((part) => logProduct(cohorts, part) - Math.log(PARTS.length)))
}

function logProduct(cohorts: readonly number[], part: number): number {
  let sum = 0
  for (const logE of cohorts) {
    sum += part === 1 ? logE : logSumExp([Math.log1p(-part), Math.log(part) + logE])
  }
  return sum
}
