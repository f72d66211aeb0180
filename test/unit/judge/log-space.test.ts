import { describe, expect, it } from 'vitest'
import { BET_GRID, GRID_SIZE, mixtureLogE, TILT_GRID } from '../../../src/judge/grid.ts'
import {
  boundedLog,
  logRising,
  logScaledNormalCdf,
  logSumExp,
} from '../../../src/judge/log-space.ts'

describe('logSumExp', () => {
  it('adds what would overflow or vanish', () => {
    expect(logSumExp([1000, 1000])).toBeCloseTo(1000 + Math.LN2, 12)
    expect(logSumExp([-2000, -2000])).toBeCloseTo(-2000 + Math.LN2, 12)
  })

  it('is −Infinity for nothing and ignores terms that are nothing', () => {
    expect(logSumExp([])).toBe(Number.NEGATIVE_INFINITY)
    expect(logSumExp([Number.NEGATIVE_INFINITY, 3])).toBe(3)
  })
})

describe('a mixture', () => {
  const logs = (each: number) => new Float64Array(GRID_SIZE).fill(each)

  it('of nothing is nothing, and of the boundless boundless', () => {
    expect(mixtureLogE(BET_GRID, logs(Number.NEGATIVE_INFINITY))).toBe(Number.NEGATIVE_INFINITY)
    expect(mixtureLogE(BET_GRID, logs(Number.POSITIVE_INFINITY))).toBe(Number.POSITIVE_INFINITY)
  })

  it('of equal parts is each of them', () => {
    expect(mixtureLogE(BET_GRID, logs(-700))).toBeCloseTo(-700, 9)
    expect(mixtureLogE(TILT_GRID, logs(700))).toBeCloseTo(700, 9)
  })
})

describe('logScaledNormalCdf', () => {
  // x²/2 + ln Φ(x), 40-digit arithmetic.
  it.each([
    [-1e8, -19.339619277157],
    [-40, -4.608442013753788],
    [-5, -2.564998393988726],
    [-2.51, -1.959871283700363],
    [-2.49, -1.953416373454175],
    [0, -Math.LN2],
    [2.49, 3.093642360087603],
    [2.51, 3.143995148245152],
    [10, 50],
  ])('at %f is %f', (x, expected) => {
    expect(logScaledNormalCdf(x)).toBeCloseTo(expected, 10)
  })

  it('grows without a jump where the series hands over to the continued fraction', () => {
    for (const x of [-2.5, 2.5]) {
      const step = logScaledNormalCdf(x + 1e-9) - logScaledNormalCdf(x - 1e-9)
      expect(step).toBeGreaterThan(0)
      expect(step).toBeLessThan(1e-8)
    }
  })
})

describe('boundedLog', () => {
  it('lets nothing infinite or undefined out', () => {
    expect(boundedLog(Number.POSITIVE_INFINITY)).toBe(1e6)
    expect(boundedLog(Number.NEGATIVE_INFINITY)).toBe(-1e6)
    expect(boundedLog(Number.NaN)).toBe(0)
    expect(boundedLog(-3.5)).toBe(-3.5)
  })
})

describe('logRising', () => {
  it.each([
    [1, 0],
    [1, 100],
    [31, 3],
    [40, 1000],
    [1e6, 20_000],
  ])('of %d, %d factors, is the sum of their logarithms', (x, n) => {
    let sum = 0
    for (let i = 0; i < n; i++) sum += Math.log(x + i)
    expect(logRising(x, n)).toBeCloseTo(sum, 7)
  })
})
