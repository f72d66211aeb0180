import { BET_GRID, GRID_SIZE, mixtureLogE } from './grid.ts'

/** Count, sum and sum of squares of values in [0, 1]. */
export interface UnitMoments {
  n: number
  sum: number
  sumSquares: number
}

/**
 * Values are divided by the distance from the limit to the far end of [0, 1], or by this if that is
 * shorter: any divisor at least the distance keeps the test exact, and a very small one would make
 * single values outweigh everything.
 */
const SMALLEST_SCALE = 0.02

/**
 * T4, one arm: evidence that the mean is above (sign 1) or below (sign −1) `limit`, exact at any n.
 * Component j is exp(λ_j·Σy − ψ(λ_j)·Σy²), y = sign·(x − limit)/c ≥ −1, ψ(λ) = −ln(1−λ) − λ; it is
 * a supermartingale because exp(λy − ψ(λ)y²) ≤ 1 + λy (Fan, Grama and Liu).
 */
export function meanLogs(moments: UnitMoments, limit: number, sign: 1 | -1): Float64Array {
  const { n, sum, sumSquares } = moments
  const scale = betScale(limit, sign)
  const first = (sign * (sum - n * limit)) / scale
  const second = (sumSquares - 2 * limit * sum + n * limit * limit) / (scale * scale)
  const logs = new Float64Array(GRID_SIZE)
  for (let j = 0; j < GRID_SIZE; j++) {
    const bet = BET_GRID.steps[j] as number
    logs[j] = bet * first - betPenalty(bet) * Math.max(0, second)
  }
  return logs
}

/** The divisor c of values that are compared with `limit`. */
export function betScale(limit: number, sign: 1 | -1): number {
  return Math.max(SMALLEST_SCALE, sign > 0 ? limit : 1 - limit)
}

/** ψ(λ) = −ln(1−λ) − λ. */
export function betPenalty(bet: number): number {
  return -Math.log1p(-bet) - bet
}

/** ln E against "mean ≤ limit". */
export function logEMeanAbove(moments: UnitMoments, limit: number): number {
  return mixtureLogE(BET_GRID, meanLogs(moments, limit, 1))
}

/** ln E against "mean ≥ limit". */
export function logEMeanBelow(moments: UnitMoments, limit: number): number {
  return mixtureLogE(BET_GRID, meanLogs(moments, limit, -1))
}

/**
 * Variance of a single value, with one pseudo-value 0 and one 1: an arm whose values are all equal
 * must not claim to be known exactly.
 */
export function cautiousVariance(moments: UnitMoments): number {
  const { n, sum, sumSquares } = moments
  return Math.max(0, (sumSquares + 1 - (sum + 1) ** 2 / (n + 2)) / (n + 1))
}
