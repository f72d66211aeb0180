import { GRID_SIZE, type MixtureGrid } from './grid.ts'
import { logSumExpSlope } from './log-space.ts'
import { differenceLogE } from './paired.ts'
import type { Gate } from './window-reading.ts'

const LARGEST_GROWTH = 1e9

const terms = new Float64Array(GRID_SIZE)

/**
 * How many times the present data it takes until a mixture's evidence reaches `logThreshold` when
 * component j stands at `logs[j]` and gains `gains[j]` each time the present data come again. Null
 * when no component gains. Newton's method on a convex function from beyond its last root.
 */
export function growthForMixture(
  grid: MixtureGrid,
  logs: Float64Array,
  gains: Float64Array,
  logThreshold: number,
): number | null {
  const { logWeights } = grid
  let more = Number.POSITIVE_INFINITY
  for (let j = 0; j < logWeights.length; j++) {
    const gain = gains[j] as number
    if (!(gain > 0)) continue
    const missing = logThreshold - (logWeights[j] as number) - (logs[j] as number)
    more = Math.min(more, missing / gain)
  }
  if (!Number.isFinite(more) || more > LARGEST_GROWTH) return null
  for (let iteration = 0; iteration < 30 && more > 0; iteration++) {
    for (let j = 0; j < terms.length; j++) {
      terms[j] = (logWeights[j] as number) + (logs[j] as number) + more * (gains[j] as number)
    }
    const { value, slope } = logSumExpSlope(terms, gains)
    if (!(slope > 0)) break
    const step = (value - logThreshold) / slope
    more -= step
    if (Math.abs(step) < 1e-9 * (1 + more)) break
  }
  return 1 + Math.max(0, more)
}

/**
 * The same for a difference whose estimate stays `excess` beyond its margin (negative: inside) while
 * its variance falls as 1/n, and not before its gate is met; to a part in 4,000. Null when the value
 * seen is outside.
 */
export function growthForDifference(
  excess: number,
  variance: number,
  tau: number,
  gate: Gate,
  logThreshold: number,
): number | null {
  if (!(variance > 0) || excess >= 0 || gate.growth === null) return null
  const reached = (growth: number) =>
    differenceLogE(-excess, variance / growth, tau) >= logThreshold
  let high = gate.growth
  if (reached(high)) return high
  let low = high
  while (!reached(high)) {
    low = high
    high *= 2
    if (high > LARGEST_GROWTH) return null
  }
  for (let i = 0; i < 12; i++) {
    const middle = 0.5 * (low + high)
    if (reached(middle)) high = middle
    else low = middle
  }
  return high
}
