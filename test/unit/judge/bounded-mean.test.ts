import { describe, expect, it } from 'vitest'
import {
  cautiousVariance,
  logEMeanAbove,
  logEMeanBelow,
  logEMeanLower,
  meanLogs,
} from '../../../src/judge/bounded-mean.ts'
import { FLAT_BET_GRID, mixtureLogE } from '../../../src/judge/grid.ts'

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

describe('T4 of two arms', () => {
  it('is the least product over the baseline’s mean', () => {
    const canary = moments(300, 0.7, 0.0144)
    const stable = moments(2700, 0.86, 0.0144)
    const found = logEMeanLower(canary, stable, 0.01)
    let least = Number.POSITIVE_INFINITY
    for (let m = 0; m <= 1; m += 1e-4) {
      const product =
        mixtureLogE(FLAT_BET_GRID, meanLogs(stable, m, 1, FLAT_BET_GRID)) +
        logEMeanBelow(canary, m - 0.01)
      least = Math.min(least, product)
    }
    expect(found).toBeLessThan(least + 1e-6)
    expect(found).toBeGreaterThan(least - 0.01)
    expect(found).toBeGreaterThan(10)
  })

  it('says nothing for arms that are equal, without values, or better', () => {
    for (const [canary, stable] of [
      [moments(300, 0.86, 0.0144), moments(2700, 0.86, 0.0144)],
      [moments(300, 0.95, 0.0025), moments(2700, 0.86, 0.0144)],
      [moments(0, 0, 0), moments(2700, 0.86, 0.0144)],
      [moments(300, 0.5, 0.0144), moments(0, 0, 0)],
      [moments(5, 0, 0), moments(5, 1, 0)],
    ] as const) {
      expect(logEMeanLower(canary, stable, 0)).toBeLessThan(Math.log(20))
      expect(Number.isFinite(logEMeanLower(canary, stable, 0))).toBe(true)
    }
  })
})
