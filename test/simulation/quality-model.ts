import type { Moments } from '../../src/domain/block.ts'
import type { Random } from './random.ts'

/** Scores are Beta distributed. */
export interface QualityShape {
  readonly mean: number
  readonly sd: number
}

const LOG_CELLS = 14
const CELLS = 2 ** LOG_CELLS
const GRID = 60_000
export const MICRO = 1e6
/** By standard deviation and mean. */
const cached = new Map<number, Map<number, Int32Array>>()

/** Of x = sin²φ and of 1 − x in the middle of each part of the grid. */
const LOG_SIN = new Float64Array(GRID)
const LOG_COS = new Float64Array(GRID)
for (let i = 0; i < GRID; i++) {
  const angle = ((i + 0.5) / GRID) * (Math.PI / 2)
  LOG_SIN[i] = Math.log(Math.sin(angle))
  LOG_COS[i] = Math.log(Math.cos(angle))
}

/**
 * Scores of the distribution at equally likely ranks, in millionths as the store keeps them: an
 * entry drawn at random is a score.
 */
export function qualityScores(shape: QualityShape): Int32Array {
  let means = cached.get(shape.sd)
  if (means === undefined) {
    means = new Map()
    cached.set(shape.sd, means)
  }
  const known = means.get(shape.mean)
  if (known !== undefined) return known
  const made = scoresOf(shape)
  means.set(shape.mean, made)
  return made
}

function scoresOf(shape: QualityShape): Int32Array {
  const size = (shape.mean * (1 - shape.mean)) / shape.sd ** 2 - 1
  const [a, b] = [shape.mean * size, (1 - shape.mean) * size]
  // With x = sin²φ the density has no pole at 0 or 1 for a, b > ½.
  const density = new Float64Array(GRID)
  let total = 0
  for (let i = 0; i < GRID; i++) {
    density[i] = Math.exp((2 * a - 1) * LOG_SIN[i]! + (2 * b - 1) * LOG_COS[i]!)
    total += density[i]!
  }
  const scores = new Int32Array(CELLS)
  let at = 0
  let below = 0
  for (let cell = 0; cell < CELLS; cell++) {
    const rank = ((cell + 0.5) / CELLS) * total
    while (at < GRID - 1 && below + density[at]! < rank) below += density[at++]!
    const angle = ((at + (rank - below) / density[at]!) / GRID) * (Math.PI / 2)
    scores[cell] = Math.round(MICRO * Math.sin(Math.min(angle, Math.PI / 2)) ** 2)
  }
  return scores
}

const PART = 2 ** 50
/** Of so many squares the sum is an exact integer. */
const EXACT = 1000
const INDEX_MASK = CELLS - 1
const INDEX_SHIFT = 32 - LOG_CELLS

/** n, Σx and Σx² of `n` scores: exact sums of integers, rounded once. */
export function drawQuality(random: Random, scores: Int32Array, n: number): Moments {
  let sum = 0
  let squares = 0
  let parts = 0
  for (let left = n; left > 0; left -= EXACT) {
    const count = Math.min(EXACT, left)
    // One word of 32 random bits holds two indices.
    for (let i = 1; i < count; i += 2) {
      const word = random.bits()
      const first = scores[word >>> INDEX_SHIFT]!
      const second = scores[word & INDEX_MASK]!
      sum += first + second
      squares += first * first + second * second
    }
    if (count % 2 === 1) {
      const score = scores[random.bits() >>> INDEX_SHIFT]!
      sum += score
      squares += score * score
    }
    if (squares >= PART) {
      squares -= PART
      parts++
    }
  }
  return { n, sum: sum / MICRO, sumSquares: (parts * PART + squares) / (MICRO * MICRO) }
}

/** One score, in millionths. */
export function drawScore(random: Random, scores: Int32Array): number {
  return scores[random.bits() >>> INDEX_SHIFT]!
}
