import { logSumExp } from './log-space.ts'

/** A mixing distribution on a geometric grid; `logWeights` are normalised. */
export interface MixtureGrid {
  readonly steps: Float64Array
  readonly logWeights: Float64Array
}

/** A grid of bets λ on a bounded mean, with ψ(λ) = −ln(1−λ) − λ, what each costs. */
export interface BetGrid extends MixtureGrid {
  readonly penalties: Float64Array
}

/** Points of every grid (statistics §2). */
export const GRID_SIZE = 16

/**
 * Geometric grid with weights ∝ step / (1 + (step/scale)²): a half-Cauchy(scale) prior seen on a
 * logarithmic grid. It keeps the price of not knowing the effect size low over four decades of it.
 */
function halfCauchyGrid(from: number, to: number, scale: number): MixtureGrid {
  const steps = new Float64Array(GRID_SIZE)
  const logWeights = new Float64Array(GRID_SIZE)
  const ratio = to / from
  for (let j = 0; j < GRID_SIZE; j++) {
    const step = from * ratio ** (j / (GRID_SIZE - 1))
    steps[j] = step
    logWeights[j] = Math.log(step) - Math.log1p((step / scale) ** 2)
  }
  const logTotal = logSumExp(logWeights)
  for (let j = 0; j < GRID_SIZE; j++) logWeights[j] = (logWeights[j] as number) - logTotal
  return { steps, logWeights }
}

/** Shifts of the log odds, 0.005 … 3.2, for every test on counts (T1, T2). */
export const TILT_GRID = halfCauchyGrid(0.005, 3.2, 0.4)

/** Bets on a bounded mean, 0.004 … 0.8 (T4). */
export const BET_GRID = betGrid(halfCauchyGrid(0.004, 0.8, 0.1))

/** Bets of the baseline's half of a two-arm test of bounded means (T4): 0.002 … 0.8, all alike. */
export const FLAT_BET_GRID = betGrid({
  steps: Float64Array.from({ length: GRID_SIZE }, (_, j) => 0.002 * 400 ** (j / (GRID_SIZE - 1))),
  logWeights: new Float64Array(GRID_SIZE).fill(-Math.log(GRID_SIZE)),
})

function betGrid(grid: MixtureGrid): BetGrid {
  return { ...grid, penalties: grid.steps.map(betPenalty) }
}

/** ψ(λ) = −ln(1−λ) − λ. */
function betPenalty(bet: number): number {
  return -Math.log1p(-bet) - bet
}

/** e to the power of this does not change a sum that is at least 1. */
const NEGLIGIBLE = -45

/** ln Σ w_j·exp(logs_j): the evidence of a mixture whose components have the given logarithms. */
export function mixtureLogE(grid: MixtureGrid, logs: Float64Array): number {
  const { logWeights } = grid
  let largest = Number.NEGATIVE_INFINITY
  for (let j = 0; j < GRID_SIZE; j++) {
    largest = Math.max(largest, (logWeights[j] as number) + (logs[j] as number))
  }
  if (!Number.isFinite(largest)) return largest
  let sum = 0
  for (let j = 0; j < GRID_SIZE; j++) {
    const below = (logWeights[j] as number) + (logs[j] as number) - largest
    if (!(below < NEGLIGIBLE)) sum += Math.exp(below)
  }
  return largest + Math.log(sum)
}
