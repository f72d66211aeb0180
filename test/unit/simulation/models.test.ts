import { describe, expect, it } from 'vitest'
import {
  HEAVY,
  LOGNORMAL,
  latencyQuantile,
  normalCdf,
  shapedCdf,
} from '../../simulation/latency-model.ts'
import { drawQuality, qualityScores } from '../../simulation/quality-model.ts'
import { randomOf } from '../../simulation/random.ts'

describe('latencies', () => {
  it('normal probabilities have every digit', () => {
    expect(normalCdf(0)).toBe(0.5)
    expect(normalCdf(1.6448536269514722)).toBeCloseTo(0.95, 14)
    expect(normalCdf(-3.090232306167813)).toBeCloseTo(0.001, 15)
    expect(normalCdf(-6) / 9.865876450376981e-10).toBeCloseTo(1, 10)
  })

  it('both families have p50 35 and p95 110 ms; the heavy one a p99.9 of 461', () => {
    for (const family of ['lognormal', 'heavy'] as const) {
      expect(latencyQuantile(family, 0.5)).toBeCloseTo(35, 1)
      expect(latencyQuantile(family, 0.95)).toBeCloseTo(110, 0)
    }
    expect(latencyQuantile('heavy', 0.999)).toBeCloseTo(461, -0.5)
  })

  it('scaling moves every quantile, a longer tail only those above p80', () => {
    const p80 = latencyQuantile('lognormal', 0.8)
    const p95 = latencyQuantile('lognormal', 0.95)
    expect(shapedCdf({ ...LOGNORMAL, by: 1.2 }, 1.2 * p80)).toBeCloseTo(0.8, 10)
    const tail = { ...LOGNORMAL, change: 'tail', by: 1.2 } as const
    expect(shapedCdf(tail, p80)).toBeCloseTo(0.8, 10)
    expect(shapedCdf(tail, 0.5 * p80)).toBe(shapedCdf(LOGNORMAL, 0.5 * p80))
    expect(shapedCdf(tail, 1.2 * p95)).toBeCloseTo(0.95, 10)
    expect(shapedCdf({ ...HEAVY, by: 2 }, 220)).toBeCloseTo(0.95, 2)
  })
})

describe('quality', () => {
  it.each([0.86, 0.855, 0.85, 0.83])('scores at mean %f have their mean and sd', (mean) => {
    const scores = qualityScores({ mean, sd: 0.12 })
    const seen = scores.reduce((sum, score) => sum + score / 1e6, 0) / scores.length
    const squares = scores.reduce((sum, score) => sum + (score / 1e6 - seen) ** 2, 0)
    expect(seen).toBeCloseTo(mean, 5)
    expect(Math.sqrt(squares / scores.length)).toBeCloseTo(0.12, 4)
  })

  it('sums are those of the millionths, without a rounding on the way', () => {
    const ones = new Int32Array(2 ** 14).fill(1_000_000)
    const many = drawQuality(randomOf('ones'), ones, 5000)
    expect(many).toEqual({ n: 5000, sum: 5000, sumSquares: 5000 })
    const thirds = new Int32Array(2 ** 14).fill(333_333)
    const { sumSquares } = drawQuality(randomOf('thirds'), thirds, 30_000)
    expect(sumSquares).toBe(Number(30_000n * 333_333n ** 2n) / 1e12)
  })
})
