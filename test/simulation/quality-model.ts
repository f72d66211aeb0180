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
const MICRO = 1e6
const cached = new Map<string, Int32Array>()

/**
 * Scores of the distribution at equally likely ranks, in millionths as the store keeps them: an
 * entry drawn at random is a score.
 */
export function qualityScores(shape: QualityShape): Int32Array {
  const key = `${shape.mean} ${shape.sd}`
  const known = cached.get(key)
  if (known !== undefined) return known
  const size = (shape.mean * (1 - shape.mean)) / shape.sd ** 2 - 1
  const [a, b] = [shape.mean * size, (1 - shape.mean) * size]
  // With x = sin²φ the density has no pole at 0 or 1 for a, b > ½.
  const density = new Float64Array(GRID)
  let total = 0
  for (let i = 0; i < GRID; i++) {
    const angle = ((i + 0.5) / GRID) * (Math.PI / 2)
    const logDensity =
      (2 * a - 1) * Math.log(Math.sin(angle)) + (2 * b - 1) * Math.log(Math.cos(angle))
    density[i] = Math.exp(logDensity)
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
  cached.set(key, scores)
  return scores
}

const PART = 2 ** 50

/** n, Σx and Σx² of `n` scores: exact sums of integers, rounded once. */
export function drawQuality(random: Random, scores: Int32Array, n: number): Moments {
  let sum = 0
  let squares = 0
  let parts = 0
  for (let i = 0; i < n; i++) {
    const score = scores[random.bits() >>> (32 - LOG_CELLS)]!
    sum += score
    squares += score * score
    if (squares >= PART) {
      squares -= PART
      parts++
    }
  }
  return { n, sum: sum / MICRO, sumSquares: (parts * PART + squares) / (MICRO * MICRO) }
}
