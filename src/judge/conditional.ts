import { GRID_SIZE, TILT_GRID } from './grid.ts'
import { logRising } from './log-space.ts'

/** One stratum of two arms: requests and the bad ones among them. */
export interface TwoArmCounts {
  readonly canary: number
  readonly stable: number
  readonly canaryBad: number
  readonly stableBad: number
}

const NEGLIGIBLE = 1e-18
const RESCALE_AT = 1e200
/** Terms between two modes that are gone through one by one: only windows of hours have more. */
const LONGEST_WALK = 10_000
/** Counts of the canary up to which every term is kept: the largest shift to this power is finite. */
const FEW_COUNTS = 128

/** e^{d_j}. */
const SHIFTS = TILT_GRID.steps.map(Math.exp)
const terms = new Float64Array(FEW_COUNTS + 1)

/**
 * T2: given both arms' sizes and the number k of bad events in a stratum, the canary's share of the
 * bad ones is Fisher's non-central hypergeometric, C(θ) = Σ a_i e^{θi}, whatever the level of the
 * stratum is. `out[j]` becomes the log-likelihood ratio of odds ratio e^{θ₀+d_j} against e^{θ₀}:
 * d_j·S_c − [ln C(θ₀+d_j) − ln C(θ₀)]. Its exponential has mean ≤ 1 for every odds ratio ≤ e^{θ₀},
 * because ln C is convex. False (and `out` untouched) when the stratum says nothing: an arm is
 * empty, or the canary's count is forced by k.
 *
 * With few possible counts all terms are made once, and their sum is a polynomial in e^{d_j}. With
 * more, the sums run outward from the largest term until terms no longer count, so a stratum of ten
 * million events costs some thousand terms and loses no digits.
 */
export function conditionalIncrements(
  counts: TwoArmCounts,
  logOddsLimit: number,
  out: Float64Array,
): boolean {
  const { canary, stable, canaryBad } = counts
  const k = canaryBad + counts.stableBad
  const low = Math.max(0, k - stable)
  const high = Math.min(k, canary)
  if (low === high) return false
  if (high - low <= FEW_COUNTS) fewIncrements(counts, low, high, logOddsLimit, out)
  else manyIncrements(counts, low, logOddsLimit, out)
  return true
}

function fewIncrements(
  { canary, stable, canaryBad, stableBad }: TwoArmCounts,
  low: number,
  high: number,
  logOddsLimit: number,
  out: Float64Array,
): void {
  const k = canaryBad + stableBad
  const odds = Math.exp(logOddsLimit)
  // terms[i − low] is a_i e^{θ₀i} relative to the largest one.
  const origin = modeOf(canary, stable, k, low, odds) - low
  const last = high - low
  let sum = 1
  terms[origin] = 1
  for (let i = origin, term = 1; i < last; i++) {
    term *= ratioAt(canary, stable, k, low + i) * odds
    terms[i + 1] = term
    sum += term
  }
  for (let i = origin - 1, term = 1; i >= 0; i--) {
    term /= ratioAt(canary, stable, k, low + i) * odds
    terms[i] = term
    sum += term
  }
  const logAtLimit = Math.log(sum)
  for (let j = 0; j < GRID_SIZE; j++) {
    const shift = SHIFTS[j] as number
    const back = 1 / shift
    let above = terms[last] as number
    for (let i = last - 1; i >= origin; i--) above = above * shift + (terms[i] as number)
    let below = 0
    for (let i = 0; i < origin; i++) below = (below + (terms[i] as number)) * back
    const logSum = Math.log(above + below)
    out[j] = (TILT_GRID.steps[j] as number) * (canaryBad - low - origin) - (logSum - logAtLimit)
  }
}

function manyIncrements(
  { canary, stable, canaryBad, stableBad }: TwoArmCounts,
  low: number,
  logOddsLimit: number,
  out: Float64Array,
): void {
  const k = canaryBad + stableBad
  const oddsLimit = Math.exp(logOddsLimit)
  const origin = modeOf(canary, stable, k, low, oddsLimit)
  const logAtLimit = Math.log(sumAround(canary, stable, k, origin, oddsLimit))
  let mode = origin
  let logScale = 0
  let product = 1
  for (let j = 0; j < GRID_SIZE; j++) {
    const step = TILT_GRID.steps[j] as number
    const odds = Math.exp(logOddsLimit + step)
    const target = modeOf(canary, stable, k, mode, odds)
    if (target - mode > LONGEST_WALK) {
      logScale += logTermRatio({ canary, stable, canaryBad, stableBad }, mode, target)
      mode = target
    }
    for (; mode < target; mode++) {
      product *= ratioAt(canary, stable, k, mode)
      if (product > RESCALE_AT || product < 1 / RESCALE_AT) {
        logScale += Math.log(product)
        product = 1
      }
    }
    const logSum =
      logScale +
      Math.log(product) +
      (logOddsLimit + step) * (mode - origin) +
      Math.log(sumAround(canary, stable, k, mode, odds))
    out[j] = step * (canaryBad - origin) - (logSum - logAtLimit)
  }
}

/** The same stratum seen from the other arm: turns "canary worse" into "canary better" at −θ₀. */
export function swapArms(counts: TwoArmCounts): TwoArmCounts {
  return {
    canary: counts.stable,
    stable: counts.canary,
    canaryBad: counts.stableBad,
    stableBad: counts.canaryBad,
  }
}

/** ln(a_to/a_from), the ratio of two terms, without going through those between them. */
function logTermRatio(
  { canary, stable, canaryBad, stableBad }: TwoArmCounts,
  from: number,
  to: number,
): number {
  const k = canaryBad + stableBad
  const length = to - from
  return (
    logRising(canary - to + 1, length) +
    logRising(k - to + 1, length) -
    logRising(from + 1, length) -
    logRising(stable - k + from + 1, length)
  )
}

/** a_{i+1}/a_i of an arm of `canary` and one of `stable` requests, `k` of all of them bad. */
function ratioAt(canary: number, stable: number, k: number, i: number): number {
  return ((canary - i) * (k - i)) / ((i + 1) * (stable - k + i + 1))
}

/** Index of the largest term, `low` or later; the ratio of neighbours falls with the index. */
function modeOf(canary: number, stable: number, k: number, low: number, odds: number): number {
  let from = low
  let to = Math.min(k, canary)
  while (from < to) {
    const middle = Math.floor((from + to) / 2)
    if (ratioAt(canary, stable, k, middle) * odds >= 1) from = middle + 1
    else to = middle
  }
  return from
}

/** Σ of all terms relative to the one at `mode`. */
function sumAround(canary: number, stable: number, k: number, mode: number, odds: number): number {
  const low = Math.max(0, k - stable)
  const high = Math.min(k, canary)
  let sum = 1
  let term = 1
  for (let i = mode; i < high; i++) {
    term *= ratioAt(canary, stable, k, i) * odds
    sum += term
    if (term < NEGLIGIBLE) break
  }
  term = 1
  for (let i = mode - 1; i >= low; i--) {
    term /= ratioAt(canary, stable, k, i) * odds
    sum += term
    if (term < NEGLIGIBLE) break
  }
  return sum
}
