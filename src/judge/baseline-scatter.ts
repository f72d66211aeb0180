import type { Cell } from './cohort-units.ts'

/** Standard errors beyond what chance explains from which differences of blocks are shocks. */
const NOTICED_FROM = 4

/** Sums over consecutive blocks of the baseline in one unit. */
interface Scatter {
  n: number
  bad: number
  lastN: number
  lastBad: number
  /** Σ w(r_k − r_{k−1})², Σ w and their number; w = n_k·n_{k−1}/(n_k + n_{k−1}). */
  squares: number
  weight: number
  pairs: number
  /** All requests and bad ones. */
  allN: number
  allBad: number
}

/**
 * How far blocks of the baseline jump, beyond chance, from one to the next. What shakes one arm for a
 * block shakes the other one sooner or later; the baseline shows it within a few blocks, long before
 * the differences between the arms do, because it has most of the traffic. Levels that drift do not
 * show in it.
 */
export interface BaselineScatter {
  add(cell: Cell, n: number, bad: number): void
  endBlock(): void
  /**
   * How many times the variance of counts shocks of both arms make that of a difference, ≥ 1, where a
   * block has the information weight `h`.
   */
  shocks(unit: number, h: number): number
}

/** For every unit, made when first seen; counts of requests, rates 0…1. */
export function createBaselineScatter(): BaselineScatter {
  const scatters = new Map<number, Scatter>()
  const of = (unit: number): Scatter => {
    let known = scatters.get(unit)
    if (known === undefined) {
      known = {
        n: 0,
        bad: 0,
        lastN: 0,
        lastBad: 0,
        squares: 0,
        weight: 0,
        pairs: 0,
        allN: 0,
        allBad: 0,
      }
      scatters.set(unit, known)
    }
    return known
  }
  return {
    add(cell, n, bad) {
      for (const unit of cell.units) {
        const scatter = of(unit)
        scatter.n += n
        scatter.bad += bad
      }
    },
    endBlock() {
      for (const scatter of scatters.values()) endBlockOf(scatter)
    },
    shocks(unit, h) {
      const scatter = scatters.get(unit)
      if (scatter === undefined) return 1
      const variance = shockVariance(scatter)
      const p = scatter.allBad / scatter.allN
      return variance === 0 ? 1 : 1 + (2 * variance * h) / (p * (1 - p))
    },
  }
}

function endBlockOf(scatter: Scatter): void {
  const { n, bad, lastN, lastBad } = scatter
  if (n === 0) return
  if (lastN > 0) {
    const weight = (n * lastN) / (n + lastN)
    const jump = bad / n - lastBad / lastN
    scatter.squares += weight * jump * jump
    scatter.weight += weight
    scatter.pairs++
  }
  scatter.allN += n
  scatter.allBad += bad
  scatter.lastN = n
  scatter.lastBad = bad
  scatter.n = 0
  scatter.bad = 0
}

/**
 * Variance of a block's rate beyond p(1 − p)/n, by moments: E w(r_k − r_{k−1})² = p(1 − p) + 2w·τ².
 * 0 as long as it may be chance: (r_k − r_{k−1})² of counts has the relative variance 2 + 1/λ, λ bad
 * ones a block, and neighbours share a block, which makes that of their mean half as large again.
 */
function shockVariance({ squares, weight, pairs, allN, allBad }: Scatter): number {
  if (pairs === 0 || allBad === 0 || allBad === allN) return 0
  const p = allBad / allN
  const expected = pairs * p * (1 - p)
  const badPerBlock = allBad / (pairs + 1)
  const noise = Math.sqrt((1.5 * (2 + 1 / badPerBlock)) / pairs)
  if (squares <= (1 + NOTICED_FROM * noise) * expected) return 0
  return (squares - expected) / (2 * weight)
}
