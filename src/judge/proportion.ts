import { GRID_SIZE, mixtureLogE, TILT_GRID } from './grid.ts'
import { logSumExpSlope } from './log-space.ts'

/**
 * T1: one arm, H₀ "the share of bad events is at most (at least) p₀". Each component of the mixture
 * is the likelihood ratio of a Bernoulli whose log odds are shifted by ±d_j; its one-step mean under
 * p ≤ p₀ is at most 1, also when p changes from event to event, so the mixture is an e-process at
 * any number of events.
 */
export interface ProportionLimit {
  readonly p0: number
  /** ln(1 + p₀(e^{d_j} − 1)), the cost of one event in the test for "more than p₀". */
  readonly costAbove: Float64Array
  /** ln(1 + p₀(e^{−d_j} − 1)), the (negative) cost in the test for "less than p₀". */
  readonly costBelow: Float64Array
}

/** `p0` outside [0, 1] is taken as the nearer end. */
export function proportionLimit(p0: number): ProportionLimit {
  const p = Math.min(1, Math.max(0, p0))
  const costAbove = new Float64Array(GRID_SIZE)
  const costBelow = new Float64Array(GRID_SIZE)
  for (let j = 0; j < GRID_SIZE; j++) {
    const step = TILT_GRID.steps[j] as number
    costAbove[j] = Math.log1p(p * Math.expm1(step))
    costBelow[j] = Math.log1p(p * Math.expm1(-step))
  }
  return { p0: p, costAbove, costBelow }
}

/** Adds `n` events, `bad` of them bad, to the logarithms of the components for "more than p₀". */
export function addAbove(logs: Float64Array, limit: ProportionLimit, n: number, bad: number): void {
  const { steps } = TILT_GRID
  for (let j = 0; j < steps.length; j++) {
    const gain = (steps[j] as number) * bad - n * (limit.costAbove[j] as number)
    logs[j] = (logs[j] as number) + gain
  }
}

/** Adds `n` events, `bad` of them bad, to the logarithms of the components for "less than p₀". */
export function addBelow(logs: Float64Array, limit: ProportionLimit, n: number, bad: number): void {
  const { steps } = TILT_GRID
  for (let j = 0; j < steps.length; j++) {
    const gain = -(steps[j] as number) * bad - n * (limit.costBelow[j] as number)
    logs[j] = (logs[j] as number) + gain
  }
}

const scratch = new Float64Array(GRID_SIZE)

/** ln E against "p ≤ p₀". */
export function logEAbove(limit: ProportionLimit, n: number, bad: number): number {
  scratch.fill(0)
  addAbove(scratch, limit, n, bad)
  return mixtureLogE(TILT_GRID, scratch)
}

/** ln E against "p ≥ p₀". */
export function logEBelow(limit: ProportionLimit, n: number, bad: number): number {
  scratch.fill(0)
  addBelow(scratch, limit, n, bad)
  return mixtureLogE(TILT_GRID, scratch)
}

const BISECTIONS = 60

/**
 * Confidence sequence for p, valid at every look: each end is where the evidence against it
 * reaches ln(2/α). [0, 1] without events.
 */
export function proportionInterval(
  n: number,
  bad: number,
  alpha: number,
): { lower: number; upper: number } {
  const level = Math.log(2 / alpha)
  const seen = n > 0 ? bad / n : 0.5
  const lower = boundary(0, seen, (p) => logEAbove(proportionLimit(p), n, bad) >= level)
  const upper = boundary(1, seen, (p) => logEBelow(proportionLimit(p), n, bad) >= level)
  return { lower, upper }
}

/** Where `excluded` changes between the end (excluded or not) and the value seen (never excluded). */
function boundary(end: number, seen: number, excluded: (p: number) => boolean): number {
  if (!excluded(end)) return end
  let outside = end
  let inside = seen
  for (let i = 0; i < BISECTIONS; i++) {
    const middle = 0.5 * (outside + inside)
    if (excluded(middle)) outside = middle
    else inside = middle
  }
  return 0.5 * (outside + inside)
}

/** Smallest (real) number of bad among `n` events at which ln E for "more than p₀" reaches `level`. */
export function criticalAbove(limit: ProportionLimit, n: number, level: number): number {
  return critical(limit.costAbove, 1, n, level)
}

/** Largest (real) number of bad at which ln E for "less than p₀" reaches `level`; < 0 if none does. */
export function criticalBelow(limit: ProportionLimit, n: number, level: number): number {
  return critical(limit.costBelow, -1, n, level)
}

/**
 * Newton's method on ln E, which is convex in the number of bad events. It starts where the best
 * single component reaches the level, a little outside of the root, so every step comes nearer.
 */
function critical(cost: Float64Array, sign: 1 | -1, n: number, level: number): number {
  const { steps, logWeights } = TILT_GRID
  let bad = sign * Number.POSITIVE_INFINITY
  for (let j = 0; j < steps.length; j++) {
    const needed = level - (logWeights[j] as number) + n * (cost[j] as number)
    const alone = (sign * needed) / (steps[j] as number)
    bad = sign > 0 ? Math.min(bad, alone) : Math.max(bad, alone)
  }
  for (let iteration = 0; iteration < 20; iteration++) {
    for (let j = 0; j < steps.length; j++) {
      const tilt = sign * (steps[j] as number) * bad - n * (cost[j] as number)
      scratch[j] = (logWeights[j] as number) + tilt
    }
    const { value, slope } = logSumExpSlope(scratch, steps)
    const step = (value - level) / (sign * slope)
    bad -= step
    if (Math.abs(step) < 1e-9 * (1 + Math.abs(bad))) break
  }
  return bad
}
