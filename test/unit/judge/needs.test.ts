import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { growthToPass } from '../../../src/judge/absolute-proportion.ts'
import { logEMeanAbove, meanLogs } from '../../../src/judge/bounded-mean.ts'
import { BET_GRID, GRID_SIZE, mixtureLogE } from '../../../src/judge/grid.ts'
import { growthForDifference, growthForMixture } from '../../../src/judge/needs.ts'
import { differenceLogE } from '../../../src/judge/paired.ts'
import { logEBelow, proportionLimit } from '../../../src/judge/proportion.ts'

const LEVEL = Math.log(20)
const MET = { met: true, growth: 1 }

describe('what a proportion needs to pass', () => {
  it('is the smallest sample at the rate seen that reaches the level', () => {
    const limit = proportionLimit(0.05)
    const growth = growthToPass(limit, { n: 200, bad: 5 }, LEVEL)!
    const rate = (5 + 0.5) / 201
    const evidenceAt = (more: number) => logEBelow(limit, 200 + more, 5 + more * rate)
    expect(evidenceAt((growth - 1) * 200)).toBeCloseTo(LEVEL, 6)
    expect(evidenceAt((growth - 1) * 200 - 1)).toBeLessThan(LEVEL)
  })

  it('is a few hundred requests more when no request was bad so far', () => {
    const growth = growthToPass(proportionLimit(0.008), { n: 300, bad: 0 }, LEVEL)!
    expect(growth * 300).toBeGreaterThan(650)
    expect(growth * 300).toBeLessThan(1000)
  })

  it('is unknown beyond the limit and without data', () => {
    expect(growthToPass(proportionLimit(0.05), { n: 200, bad: 12 }, LEVEL)).toBeNull()
    expect(growthToPass(proportionLimit(0.05), { n: 0, bad: 0 }, LEVEL)).toBeNull()
    expect(growthToPass(proportionLimit(0), { n: 1000, bad: 0 }, LEVEL)).toBeNull()
  })

  it('is nothing once the level is reached', () => {
    expect(growthToPass(proportionLimit(0.05), { n: 5000, bad: 50 }, LEVEL)).toBe(1)
  })
})

describe('what a bounded mean needs to pass', () => {
  it('is the multiple of the data at which the evidence reaches the level', () => {
    const moments = { n: 100, sum: 88, sumSquares: 78.88 }
    const logs = meanLogs(moments, 0.86, 1)
    const growth = growthForMixture(BET_GRID, logs, logs, LEVEL)!
    const grown = {
      n: 100 * growth,
      sum: 88 * growth,
      sumSquares: 78.88 * growth,
    }
    expect(growth).toBeGreaterThan(1)
    expect(logEMeanAbove(grown, 0.86)).toBeCloseTo(LEVEL, 6)
  })
})

describe('what a mixture needs', () => {
  const at = (logs: Float64Array, gains: Float64Array, more: number) =>
    mixtureLogE(
      BET_GRID,
      logs.map((log, j) => log + more * gains[j]!),
    )

  it('is just where its evidence reaches the level, wherever its components stand', () => {
    const numbers = (min: number, max: number) =>
      fc
        .array(fc.double({ min, max, noNaN: true }), { minLength: GRID_SIZE, maxLength: GRID_SIZE })
        .map((values) => Float64Array.from(values))
    fc.assert(
      fc.property(numbers(-40, 2), numbers(-3, 3), (logs, gains) => {
        gains[3] = 0.01
        const growth = growthForMixture(BET_GRID, logs, gains, LEVEL)!
        if (growth === 1) expect(at(logs, gains, 0)).toBeGreaterThanOrEqual(LEVEL - 1e-6)
        else expect(at(logs, gains, growth - 1)).toBeCloseTo(LEVEL, 6)
      }),
    )
  })

  it('is unknown when no component gains, or when it would take a billion times as much', () => {
    const logs = new Float64Array(GRID_SIZE)
    const gains = (each: number) => new Float64Array(GRID_SIZE).fill(each)
    expect(growthForMixture(BET_GRID, logs, gains(0), LEVEL)).toBeNull()
    expect(growthForMixture(BET_GRID, logs, gains(-1), LEVEL)).toBeNull()
    expect(growthForMixture(BET_GRID, logs, gains(1e-10), LEVEL)).toBeNull()
    expect(growthForMixture(BET_GRID, logs, gains(1e-8), LEVEL)! / (LEVEL / 1e-8)).toBeCloseTo(1, 6)
  })

  it('is nothing more when it has reached the level', () => {
    const logs = new Float64Array(GRID_SIZE).fill(LEVEL + 1)
    expect(growthForMixture(BET_GRID, logs, logs, LEVEL)).toBe(1)
  })

  it('stays in bounds when what has reached the level falls faster than the rest grows', () => {
    const logs = new Float64Array(GRID_SIZE).fill(-40)
    const gains = new Float64Array(GRID_SIZE).fill(0.01)
    logs[0] = 1000
    gains[0] = -1e-4
    const growth = growthForMixture(BET_GRID, logs, gains, LEVEL)!
    expect(growth).toBeGreaterThanOrEqual(1)
    expect(at(logs, gains, growth - 1)).toBeGreaterThanOrEqual(LEVEL)
  })
})

describe('what a difference needs to pass', () => {
  it('is unknown at the margin, and where the evidence grows too slowly', () => {
    expect(growthForDifference(0, 1e-6, 0.01, MET, LEVEL)).toBeNull()
    expect(growthForDifference(-1e-8, 1, 0.01, MET, LEVEL)).toBeNull()
  })

  it('is the growth at which a falling variance reaches the level', () => {
    const growth = growthForDifference(-0.01, 5e-5, 0.01, MET, LEVEL)!
    expect(differenceLogE(0.01, 5e-5 / growth, 0.01)).toBeGreaterThanOrEqual(LEVEL)
    expect(differenceLogE(0.01, 5e-5 / (growth * 0.999), 0.01)).toBeLessThan(LEVEL)
  })

  it('is never less than what the gate lacks', () => {
    expect(growthForDifference(-0.01, 1e-8, 0.01, { met: false, growth: 7 }, LEVEL)).toBe(7)
  })

  it('is unknown outside of the margin, without a variance, and without data for the gate', () => {
    expect(growthForDifference(0.001, 1e-6, 0.01, MET, LEVEL)).toBeNull()
    expect(growthForDifference(-0.01, 0, 0.01, MET, LEVEL)).toBeNull()
    expect(growthForDifference(-0.01, 1e-6, 0.01, { met: false, growth: null }, LEVEL)).toBeNull()
  })
})
