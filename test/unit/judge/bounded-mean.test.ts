import { describe, expect, it } from 'vitest'
import { cautiousVariance, logEMeanAbove, logEMeanBelow } from '../../../src/judge/bounded-mean.ts'

const moments = (n: number, mean: number, variance: number) => ({
  n,
  sum: n * mean,
  sumSquares: n * (variance + mean * mean),
})

describe('evidence on a bounded mean', () => {
  it('says nothing without values and stays finite at the ends of the range', () => {
    expect(logEMeanAbove(moments(0, 0, 0), 0.5)).toBeCloseTo(0, 12)
    for (const limit of [0, 1]) {
      for (const mean of [0, 1]) {
        expect(Number.isFinite(logEMeanAbove(moments(1000, mean, 0), limit))).toBe(true)
        expect(Number.isFinite(logEMeanBelow(moments(1000, mean, 0), limit))).toBe(true)
      }
    }
  })

  it('lets values above a minimum of zero pass', () => {
    expect(logEMeanAbove(moments(1000, 0.9, 0.01), 0)).toBeGreaterThan(3)
  })

  it('points to the side the mean lies on, and to no side at the limit', () => {
    expect(logEMeanAbove(moments(2000, 0.88, 0.0144), 0.86)).toBeGreaterThan(3)
    expect(logEMeanBelow(moments(2000, 0.88, 0.0144), 0.86)).toBeLessThan(0)
    expect(logEMeanBelow(moments(2000, 0.83, 0.0144), 0.86)).toBeGreaterThan(3)
    expect(logEMeanAbove(moments(2000, 0.86, 0.0144), 0.86)).toBeLessThan(0)
  })
})

describe('cautiousVariance', () => {
  it('is never zero, however equal the values are', () => {
    expect(cautiousVariance(moments(10_000, 1, 0))).toBeGreaterThan(0)
    expect(cautiousVariance(moments(0, 0, 0))).toBeGreaterThan(0)
  })

  it('tends to the variance of the values', () => {
    expect(cautiousVariance(moments(1_000_000, 0.86, 0.0144))).toBeCloseTo(0.0144, 5)
  })
})
