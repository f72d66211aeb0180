import type { Random } from './random.ts'

const INVERSION_BELOW = 12

/** Number of successes in `n` trials of probability `p`; exact up to rounding. */
export function binomial(random: Random, n: number, p: number): number {
  if (n <= 0 || p <= 0) return 0
  if (p >= 1) return n
  if (p > 0.5) return n - binomial(random, n, 1 - p)
  return n * p < INVERSION_BELOW ? byInversion(random, n, p) : byRejection(random, n, p)
}

function byInversion(random: Random, n: number, p: number): number {
  const odds = p / (1 - p)
  let probability = Math.exp(n * Math.log1p(-p))
  let left = random.next()
  let k = 0
  while (left >= probability && k < n) {
    left -= probability
    k++
    probability *= ((n - k + 1) / k) * odds
  }
  return k
}

/** Transformed rejection with a triangular hat: Hörmann, J. Stat. Comput. Simul. 46 (1993), BTRS. */
function byRejection(random: Random, n: number, p: number): number {
  const spread = Math.sqrt(n * p * (1 - p))
  const b = 1.15 + 2.53 * spread
  const a = -0.0873 + 0.0248 * b + 0.01 * p
  const center = n * p + 0.5
  const alpha = (2.83 + 5.1 / b) * spread
  const logOdds = Math.log(p / (1 - p))
  const mode = Math.floor((n + 1) * p)
  const atMode = logFactorial(mode) + logFactorial(n - mode)
  const squeeze = 0.92 - 4.2 / b
  for (;;) {
    const u = random.next() - 0.5
    const v = random.next()
    const us = 0.5 - Math.abs(u)
    const k = Math.floor(((2 * a) / us + b) * u + center)
    if (k < 0 || k > n) continue
    if (us >= 0.07 && v <= squeeze) return k
    const accept = Math.log((v * alpha) / (a / (us * us) + b))
    if (accept <= atMode - logFactorial(k) - logFactorial(n - k) + (k - mode) * logOdds) return k
  }
}

const SMALL_FACTORIALS = [1, 1, 2, 6, 24, 120, 720, 5040, 40_320, 362_880].map(Math.log)

function logFactorial(k: number): number {
  const small = SMALL_FACTORIALS[k]
  if (small !== undefined) return small
  const x = k + 1
  const series = (1 / 12 - (1 / 360 - 1 / (1260 * x * x)) / (x * x)) / x
  return (x - 0.5) * Math.log(x) - x + 0.5 * Math.log(2 * Math.PI) + series
}

/** Splits `n` over parts of the given shares (Σ = 1), into `out`. */
export function multinomial(
  random: Random,
  n: number,
  shares: ArrayLike<number>,
  out: number[],
): void {
  let left = n
  let rest = 1
  for (let i = 0; i < shares.length; i++) {
    const share = shares[i]!
    const last = i === shares.length - 1
    const count = last ? left : binomial(random, left, Math.min(1, share / rest))
    out[i] = count
    left -= count
    rest = Math.max(Number.MIN_VALUE, rest - share)
  }
}

/** Standard normal, by Box and Muller; one of the pair is thrown away. */
export function normal(random: Random): number {
  return Math.sqrt(-2 * Math.log(1 - random.next())) * Math.cos(2 * Math.PI * random.next())
}

/** Gamma of shape k > 0, scale 1: Marsaglia and Tsang 2000. */
export function gamma(random: Random, shape: number): number {
  if (shape < 1) return gamma(random, shape + 1) * (1 - random.next()) ** (1 / shape)
  const d = shape - 1 / 3
  const c = 1 / Math.sqrt(9 * d)
  for (;;) {
    const x = normal(random)
    const v = (1 + c * x) ** 3
    if (v > 0 && Math.log(1 - random.next()) < 0.5 * x * x + d - d * v + d * Math.log(v))
      return d * v
  }
}

/** Beta of a mean and an intra-class correlation ρ: a + b = 1/ρ − 1. */
export function clusterRate(random: Random, mean: number, icc: number): number {
  const size = 1 / icc - 1
  const x = gamma(random, mean * size)
  return x / (x + gamma(random, (1 - mean) * size))
}

/** Walker's alias table: draws an index by its weight in constant time. */
export interface AliasTable {
  readonly size: number
  readonly keep: Float64Array
  readonly alias: Int32Array
}

export function aliasTable(weights: readonly number[]): AliasTable {
  const size = weights.length
  const total = weights.reduce((sum, weight) => sum + weight, 0)
  const keep = new Float64Array(size)
  const alias = new Int32Array(size)
  const scaled = weights.map((weight) => (weight * size) / total)
  const small: number[] = []
  const large: number[] = []
  for (const [i, value] of scaled.entries()) (value < 1 ? small : large).push(i)
  for (;;) {
    const [low, high] = [small.pop(), large.at(-1)]
    if (low === undefined || high === undefined) {
      if (low !== undefined) keep[low] = 1
      break
    }
    keep[low] = scaled[low]!
    alias[low] = high
    scaled[high] = scaled[high]! + scaled[low]! - 1
    if (scaled[high]! < 1) small.push(large.pop()!)
  }
  for (const i of [...small, ...large]) keep[i] = 1
  return { size, keep, alias }
}

export function drawIndex(random: Random, table: AliasTable): number {
  const at = random.next() * table.size
  const index = Math.floor(at)
  return at - index < table.keep[index]! ? index : table.alias[index]!
}
