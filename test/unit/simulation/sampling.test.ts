import { describe, expect, it } from 'vitest'
import { randomOf } from '../../simulation/random.ts'
import {
  aliasTable,
  binomial,
  clusterRate,
  drawIndex,
  gamma,
  multinomial,
  normal,
} from '../../simulation/sampling.ts'

const DRAWS = 40_000

function momentsOf(draw: () => number): { mean: number; variance: number } {
  let sum = 0
  let squares = 0
  for (let i = 0; i < DRAWS; i++) {
    const value = draw()
    sum += value
    squares += value * value
  }
  const mean = sum / DRAWS
  return { mean, variance: squares / DRAWS - mean * mean }
}

/** Largest difference of the mean from the truth in standard errors of the mean. */
const FAR = 5

describe('random numbers', () => {
  it('are the same for the same key and others for another', () => {
    const take = (...key: (string | number)[]) => {
      const random = randomOf(...key)
      return Array.from({ length: 5 }, () => random.bits())
    }
    expect(take(1, 'case', 7)).toEqual(take(1, 'case', 7))
    expect(take(1, 'case', 7)).not.toEqual(take(1, 'case', 8))
    expect(take(1, 'case', 71)).not.toEqual(take(17, 'case', 1))
  })

  it('are uniform, also the first of many neighbouring streams', () => {
    let next = 0
    const { mean, variance } = momentsOf(() => randomOf(1, 'case', next++).next())
    expect(Math.abs(mean - 0.5)).toBeLessThan(FAR * Math.sqrt(1 / 12 / DRAWS))
    expect(variance).toBeCloseTo(1 / 12, 2)
  })
})

describe('binomial', () => {
  it.each([
    [10, 0.005],
    [90, 0.05],
    [900, 0.005],
    [1000, 0.05],
    [50, 0.6],
    [100_000, 0.3],
    [9000, 0.995],
  ])('of %i at %f has its mean and variance', (n, p) => {
    const random = randomOf('binomial', n, p)
    const { mean, variance } = momentsOf(() => binomial(random, n, p))
    const truth = n * p * (1 - p)
    expect(Math.abs(mean - n * p)).toBeLessThan(FAR * Math.sqrt(truth / DRAWS))
    expect(Math.abs(variance / truth - 1)).toBeLessThan(FAR * Math.sqrt((2 + 1 / truth) / DRAWS))
  })

  it('has the right probability for every value, by inversion and by rejection', () => {
    for (const [n, p] of [
      [20, 0.2],
      [60, 0.4],
    ] as const) {
      const random = randomOf('probabilities', n)
      const counts = new Array<number>(n + 1).fill(0)
      for (let i = 0; i < DRAWS; i++) counts[binomial(random, n, p)]!++
      let probability = (1 - p) ** n
      let chiSquare = 0
      let cells = 0
      for (let k = 0; k <= n; k++) {
        if (DRAWS * probability > 5) {
          chiSquare += (counts[k]! - DRAWS * probability) ** 2 / (DRAWS * probability)
          cells++
        }
        probability *= ((n - k) / (k + 1)) * (p / (1 - p))
      }
      expect(chiSquare).toBeLessThan(cells + FAR * Math.sqrt(2 * cells))
    }
  })

  it('knows certainty', () => {
    const random = randomOf('certain')
    expect([binomial(random, 7, 0), binomial(random, 7, 1), binomial(random, 0, 0.5)]).toEqual([
      0, 7, 0,
    ])
  })
})

describe('other distributions', () => {
  it('multinomial parts add up and have their shares', () => {
    const random = randomOf('multinomial')
    const shares = [0.5, 0.3, 0.2]
    const sums = [0, 0, 0]
    for (let i = 0; i < 4000; i++) {
      const out: number[] = []
      multinomial(random, 100, shares, out)
      expect(out.reduce((sum, count) => sum + count, 0)).toBe(100)
      for (const [j, count] of out.entries()) sums[j]! += count
    }
    for (const [j, share] of shares.entries()) {
      expect(Math.abs(sums[j]! / 400_000 - share)).toBeLessThan(
        FAR * Math.sqrt((share * (1 - share)) / 400_000),
      )
    }
  })

  it('an alias table draws by weight', () => {
    const random = randomOf('alias')
    const weights = [5, 0, 1, 3, 1]
    const table = aliasTable(weights)
    const counts = [0, 0, 0, 0, 0]
    for (let i = 0; i < DRAWS; i++) counts[drawIndex(random, table)]!++
    expect(counts[1]).toBe(0)
    for (const [i, weight] of weights.entries()) {
      const p = weight / 10
      expect(Math.abs(counts[i]! / DRAWS - p)).toBeLessThanOrEqual(
        FAR * Math.sqrt((p * (1 - p)) / DRAWS),
      )
    }
  })

  it('normal and gamma have their moments', () => {
    const random = randomOf('continuous')
    const standard = momentsOf(() => normal(random))
    expect(standard.mean).toBeCloseTo(0, 1)
    expect(standard.variance).toBeCloseTo(1, 1)
    for (const shape of [0.3, 2.5]) {
      const { mean, variance } = momentsOf(() => gamma(random, shape))
      expect(Math.abs(mean - shape)).toBeLessThan(FAR * Math.sqrt(shape / DRAWS))
      expect(variance / shape).toBeCloseTo(1, 1)
    }
  })

  it("users' rates have the mean and, through their variance, the correlation", () => {
    const random = randomOf('users')
    const { mean, variance } = momentsOf(() => clusterRate(random, 0.05, 0.1))
    expect(Math.abs(mean - 0.05)).toBeLessThan(FAR * Math.sqrt(variance / DRAWS))
    expect(variance / (0.05 * 0.95)).toBeCloseTo(0.1, 2)
  })
})
