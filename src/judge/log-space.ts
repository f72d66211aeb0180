/** Evidence beyond e^±1e6 is reported as that: nothing that leaves the judge is infinite. */
const LOG_BOUND = 1e6

const HALF_LOG_TWO_PI = 0.5 * Math.log(2 * Math.PI)
const TAIL_FROM = 2.5

/** ln Σ exp(terms); −Infinity for no terms. */
export function logSumExp(terms: ArrayLike<number>): number {
  let largest = Number.NEGATIVE_INFINITY
  for (let i = 0; i < terms.length; i++) largest = Math.max(largest, terms[i] as number)
  if (!Number.isFinite(largest)) return largest
  let sum = 0
  for (let i = 0; i < terms.length; i++) sum += Math.exp((terms[i] as number) - largest)
  return largest + Math.log(sum)
}

/** ln Σ exp(terms) together with its derivative when term j moves at `speeds[j]`. */
export function logSumExpSlope(
  terms: Float64Array,
  speeds: ArrayLike<number>,
): { value: number; slope: number } {
  let largest = Number.NEGATIVE_INFINITY
  for (let i = 0; i < terms.length; i++) largest = Math.max(largest, terms[i] as number)
  let sum = 0
  let moving = 0
  for (let i = 0; i < terms.length; i++) {
    const part = Math.exp((terms[i] as number) - largest)
    sum += part
    moving += part * (speeds[i] as number)
  }
  return { value: largest + Math.log(sum), slope: moving / sum }
}

/** Rounding of the mixing weights: ln E of no data at all is exactly 0. */
const NO_EVIDENCE = 1e-12

/** The value inside ±1e6; 0 (no evidence) for what is not a number or only rounding. */
export function boundedLog(value: number): number {
  if (Number.isNaN(value) || Math.abs(value) < NO_EVIDENCE) return 0
  return Math.min(LOG_BOUND, Math.max(-LOG_BOUND, value))
}

/**
 * x²/2 + ln Φ(x), the part of the half-normal mixture that overflows or cancels when its two terms
 * are computed alone. Below −2.5 from Laplace's continued fraction of the tail, so that the value is
 * right for any x down to −1e150; around 0 from the series Φ = ½ + φ(x)(x + x³/3 + x⁵/15 + …).
 */
export function logScaledNormalCdf(x: number): number {
  // Beyond, what Φ(x) lacks of 1 is less than the rounding of x²/2.
  if (x > 9) return 0.5 * x * x
  if (x < -TAIL_FROM) return -HALF_LOG_TWO_PI - Math.log(tailFraction(-x))
  if (x > TAIL_FROM) {
    const logTail = -0.5 * x * x - HALF_LOG_TWO_PI - Math.log(tailFraction(x))
    return 0.5 * x * x + Math.log1p(-Math.exp(logTail))
  }
  let term = x
  let sum = x
  for (let odd = 3; Math.abs(term) > 1e-18 * Math.abs(sum); odd += 2) {
    term *= (x * x) / odd
    sum += term
  }
  const density = Math.exp(-0.5 * x * x - HALF_LOG_TWO_PI)
  return 0.5 * x * x + Math.log(0.5 + density * sum)
}

/** x + 1/(x + 2/(x + 3/(x + …))): φ(x) over the upper tail of the normal. */
function tailFraction(x: number): number {
  let fraction = x
  // Convergence is faster the farther out: 60 terms at 2.5, 13 at 10.
  for (let k = Math.ceil(10 + 310 / (x * x)); k >= 1; k--) fraction = x + k / fraction
  return fraction
}

const STIRLING_FROM = 32

/**
 * ln(x·(x+1)·…·(x+n−1)) for x ≥ 1, from Stirling's series of lnΓ(x+n) − lnΓ(x); its first terms are
 * multiplied out where the series is not good enough.
 */
export function logRising(x: number, n: number): number {
  let sum = 0
  let from = x
  const end = x + n
  for (; from < Math.min(end, STIRLING_FROM); from++) sum += Math.log(from)
  if (from >= end) return sum
  const rest = end - from
  const series = (y: number) => 1 / (12 * y) - 1 / (360 * y ** 3) + 1 / (1260 * y ** 5)
  return (
    sum +
    rest * Math.log(end) +
    (from - 0.5) * Math.log1p(rest / from) -
    rest +
    series(end) -
    series(from)
  )
}
