import { BET_GRID, type BetGrid, FLAT_BET_GRID, GRID_SIZE, mixtureLogE } from './grid.ts'

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

const scratch = new Float64Array(GRID_SIZE)

/**
 * T4, one arm: evidence that the mean is above (sign 1) or below (sign −1) `limit`, exact at any n.
 * Component j is exp(λ_j·Σy − ψ(λ_j)·Σy²), y = sign·(x − limit)/c ≥ −1, ψ(λ) = −ln(1−λ) − λ; it is
 * a supermartingale because exp(λy − ψ(λ)y²) ≤ 1 + λy (Fan, Grama and Liu).
 */
export function meanLogs(
  { n, sum, sumSquares }: UnitMoments,
  limit: number,
  sign: 1 | -1,
  { steps, penalties }: BetGrid = BET_GRID,
  logs: Float64Array = new Float64Array(GRID_SIZE),
): Float64Array {
  const scale = betScale(limit, sign)
  const first = (sign * (sum - n * limit)) / scale
  const second = (sumSquares - 2 * limit * sum + n * limit * limit) / (scale * scale)
  const spread = Math.max(0, second)
  for (let j = 0; j < GRID_SIZE; j++) {
    logs[j] = (steps[j] as number) * first - (penalties[j] as number) * spread
  }
  return logs
}

/** The divisor c of values that are compared with `limit`. */
export function betScale(limit: number, sign: 1 | -1): number {
  return Math.max(SMALLEST_SCALE, sign > 0 ? limit : 1 - limit)
}

/** ln E against "mean ≤ limit". */
export function logEMeanAbove(moments: UnitMoments, limit: number): number {
  return mixtureLogE(BET_GRID, meanLogs(moments, limit, 1, BET_GRID, scratch))
}

/** ln E against "mean ≥ limit". */
export function logEMeanBelow(moments: UnitMoments, limit: number): number {
  return mixtureLogE(BET_GRID, meanLogs(moments, limit, -1, BET_GRID, scratch))
}

/**
 * Variance of a single value, with one pseudo-value 0 and one 1: an arm whose values are all equal
 * must not claim to be known exactly.
 */
export function cautiousVariance(moments: UnitMoments): number {
  const { n, sum, sumSquares } = moments
  return Math.max(0, (sumSquares + 1 - (sum + 1) ** 2 / (n + 2)) / (n + 1))
}

/**
 * Components are linear in the moments, so 1/designEffect of them is the same as the evidence to the
 * power of 1/designEffect.
 */
export function tempered({ n, sum, sumSquares }: UnitMoments, designEffect: number): UnitMoments {
  return { n: n / designEffect, sum: sum / designEffect, sumSquares: sumSquares / designEffect }
}

const COARSE_POINTS = 16
const FINE_STEPS = 24
const GOLDEN = (Math.sqrt(5) - 1) / 2
/** Standard errors around both means within which the least evidence is looked for. */
const REACH = 4

/**
 * T4, two arms: ln E against "μ_canary ≥ μ_stable − margin", exact at any n. For each m the product of
 * the evidence that the baseline's mean is above m and that the canary's is below m − margin is an
 * e-process if the baseline's mean is m, so the smallest over all m is one. It pools over time: only
 * for the beginning of a release.
 */
export function logEMeanLower(canary: UnitMoments, stable: UnitMoments, margin: number): number {
  const at = (m: number): number =>
    mixtureLogE(FLAT_BET_GRID, meanLogs(stable, m, 1, FLAT_BET_GRID, scratch)) +
    logEMeanBelow(canary, m - margin)
  const c = canary.n === 0 ? 0.5 : canary.sum / canary.n + margin
  const b = stable.n === 0 ? 0.5 : stable.sum / stable.n
  const reachOf = (moments: UnitMoments) =>
    REACH * Math.sqrt(cautiousVariance(moments) / Math.max(1, moments.n))
  const from = Math.max(0, Math.min(c, b) - reachOf(canary))
  const to = Math.min(1, Math.max(c, b) + reachOf(stable))
  const step = (to - from) / COARSE_POINTS
  let lowest = from
  let least = at(from)
  for (let i = 1; i <= COARSE_POINTS; i++) {
    const value = at(from + i * step)
    if (value < least) {
      least = value
      lowest = from + i * step
    }
  }
  return minimum(at, Math.max(0, lowest - step), Math.min(1, lowest + step))
}

/** Least value between `from` and `to`, by golden section. */
function minimum(f: (x: number) => number, from: number, to: number): number {
  let [low, high] = [from, to]
  let [left, right] = [high - GOLDEN * (high - low), low + GOLDEN * (high - low)]
  let [atLeft, atRight] = [f(left), f(right)]
  for (let i = 0; i < FINE_STEPS; i++) {
    if (atLeft < atRight) {
      ;[high, right, atRight] = [right, left, atLeft]
      left = high - GOLDEN * (high - low)
      atLeft = f(left)
    } else {
      ;[low, left, atLeft] = [left, right, atRight]
      right = low + GOLDEN * (high - low)
      atRight = f(right)
    }
  }
  return Math.min(atLeft, atRight)
}
