import type { TwoArmCounts } from './conditional.ts'
import { conditionalIncrements, swapArms } from './conditional.ts'
import { GRID_SIZE } from './grid.ts'
import { boundedLog } from './log-space.ts'
import { createSampleRatioSums, type SampleRatioSums, sampleRatioLogE } from './sample-ratio.ts'
import { addInto } from './tilt-sums.ts'

/** What is known of how often something is true of requests of either arm. */
export interface Balance {
  /** Shares of each arm's requests; null without requests. */
  readonly stable: number | null
  readonly canary: number | null
  readonly logE: number
}

/** Whether something is true of both arms' requests equally often: e.g. that they carry a score. */
export interface RateBalance {
  /** A stratum; `…Bad` counts of what it is true. */
  add(counts: TwoArmCounts): void
  read(designEffect: number): Balance
  reset(): void
}

/**
 * T2 both ways at odds ratio 1 (statistics §3), averaged: given how many there are in a stratum, who
 * has them is chance. So the rate may change from block to block and cohort to cohort at will.
 */
export function createRateBalance(): RateBalance {
  const increments = new Float64Array(GRID_SIZE)
  let sums: SampleRatioSums = createSampleRatioSums()
  let total = { canary: 0, stable: 0, canaryBad: 0, stableBad: 0 }
  return {
    add(counts) {
      total = {
        canary: total.canary + counts.canary,
        stable: total.stable + counts.stable,
        canaryBad: total.canaryBad + counts.canaryBad,
        stableBad: total.stableBad + counts.stableBad,
      }
      const rarer = rarerOf(counts)
      if (conditionalIncrements(rarer, 0, increments)) addInto(sums.above, increments)
      if (conditionalIncrements(swapArms(rarer), 0, increments)) addInto(sums.below, increments)
    },
    read: (designEffect) => ({
      stable: total.stable === 0 ? null : total.stableBad / total.stable,
      canary: total.canary === 0 ? null : total.canaryBad / total.canary,
      // Nothing of it yet: what most late counts are.
      logE:
        total.canaryBad + total.stableBad === 0
          ? 0
          : boundedLog(sampleRatioLogE(sums, designEffect)),
    }),
    reset() {
      sums = createSampleRatioSums()
      total = { canary: 0, stable: 0, canaryBad: 0, stableBad: 0 }
    },
  }
}

/** The same question about what is not so, where that is rarer: both ways alike, and cheaper. */
function rarerOf(counts: TwoArmCounts): TwoArmCounts {
  const { canary, stable, canaryBad, stableBad } = counts
  if (2 * (canaryBad + stableBad) <= canary + stable) return counts
  return { canary, stable, canaryBad: canary - canaryBad, stableBad: stable - stableBad }
}
