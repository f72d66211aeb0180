import { describe, expect, it } from 'vitest'
import { createCohortUnits } from '../../../src/judge/cohort-units.ts'
import { differenceLogE } from '../../../src/judge/paired.ts'
import { createPairedWindow } from '../../../src/judge/paired-window.ts'
import { DE, EN } from './judge-builders.ts'

const RULES = { requests: 100, bad: 30, blocks: 30 }

function twoCells() {
  const units = createCohortUnits({ by: ['locale', 'device'], key: [] })
  const en = units.cellOf(EN)
  const de = units.cellOf(DE)
  units.fixShares((cell) => (cell === en ? 900 : 100))
  return { units, en, de, overall: units.overall }
}

describe('a paired window of exceedances', () => {
  it('has the variance of a stratum in which the slow ones are dealt out by chance', () => {
    const { units, en } = twoCells()
    const window = createPairedWindow('exceedance', { requests: 0, bad: 0, blocks: 0 })
    window.addCounts(en, { canary: 100, stable: 900, canaryBad: 9, stableBad: 41 }, 0)
    window.endBlock()
    const { difference } = window.estimate(units.units[en.unit]!, 1)
    const dealt = (0.05 * 0.95 * 1000) / 999
    expect(difference!.variance).toBeCloseTo(dealt / 100 + dealt / 900, 15)
    expect(difference!.excess).toBeCloseTo(9 / 100 - 41 / 900, 15)
    const seen = (share: number, n: number) => (share * (1 - share)) / n
    expect(difference!.blockVariance).toBeCloseTo(seen(0.09, 100) + seen(41 / 900, 900), 15)
  })

  it('has no pair in a block in which one arm is empty, and counts its requests', () => {
    const { units, en } = twoCells()
    const window = createPairedWindow('exceedance', { requests: 0, bad: 0, blocks: 0 })
    window.addCounts(en, { canary: 100, stable: 0, canaryBad: 9, stableBad: 0 }, 0)
    window.endBlock()
    window.addCounts(en, { canary: 0, stable: 900, canaryBad: 0, stableBad: 41 }, 0)
    window.endBlock()
    expect(window.estimate(units.units[en.unit]!, 1).difference).toBeNull()
    window.addCounts(en, { canary: 100, stable: 900, canaryBad: 9, stableBad: 41 }, 0)
    window.endBlock()
    const { difference } = window.estimate(units.units[en.unit]!, 1)
    expect(difference!.excess).toBeCloseTo(9 / 100 - 41 / 900, 15)
  })
})

describe('a paired window of rates', () => {
  it('has the null-restricted variance at the margin, not the plug-in one', () => {
    const { units, en } = twoCells()
    const window = createPairedWindow('rate', { requests: 0, bad: 0, blocks: 0 })
    const margin = 0.002
    window.addCounts(en, { canary: 100, stable: 900, canaryBad: 1, stableBad: 6 }, margin)
    window.endBlock()
    const pooled = (7 - 100 * margin) / 1000
    const expected = (pooled + margin) / 100 + pooled / 900
    const { difference } = window.estimate(units.units[en.unit]!, 1)
    expect(difference!.variance).toBeCloseTo(expected, 15)
    expect(difference!.excess).toBeCloseTo(1 / 100 - 6 / 900 - margin, 15)
  })

  it('keeps a variance when the canary has no bad event at all', () => {
    const { units, en } = twoCells()
    const window = createPairedWindow('rate', { requests: 0, bad: 0, blocks: 0 })
    window.addCounts(en, { canary: 100, stable: 900, canaryBad: 0, stableBad: 0 }, 0.002)
    window.endBlock()
    expect(window.estimate(units.units[en.unit]!, 1).difference!.variance).toBeCloseTo(0.00002, 15)
  })

  it('meets its gate by requests, bad events and effective blocks, and says what lacks', () => {
    const { units, en } = twoCells()
    const window = createPairedWindow('rate', RULES)
    const unit = units.units[en.unit]!
    for (let k = 0; k < 15; k++) {
      window.addCounts(en, { canary: 20, stable: 180, canaryBad: 0, stableBad: 2 }, 0)
      window.endBlock()
    }
    expect(window.estimate(unit, 1).gate).toEqual({ met: false, growth: 2 })
    for (let k = 0; k < 15; k++) {
      window.addCounts(en, { canary: 20, stable: 180, canaryBad: 0, stableBad: 2 }, 0)
      window.endBlock()
    }
    expect(window.estimate(unit, 1).gate.met).toBe(true)
    window.reset()
    expect(window.estimate(unit, 1)).toMatchObject({ difference: null, nCanary: 0 })
    expect(window.estimate(unit, 1).gate).toEqual({ met: false, growth: null })
  })

  it('counts the blocks of several cells by their joint weight', () => {
    const { en, de, overall } = twoCells()
    const window = createPairedWindow('rate', RULES)
    for (let k = 0; k < 30; k++) {
      window.addCounts(en, { canary: 10, stable: 90, canaryBad: 1, stableBad: 1 }, 0)
      window.addCounts(de, { canary: 10, stable: 90, canaryBad: 0, stableBad: 1 }, 0)
      window.endBlock()
    }
    // 60 strata, but only 30 blocks.
    const { gate } = window.estimate(overall, 1)
    expect(gate.met).toBe(true)
    const fewer = createPairedWindow('rate', { ...RULES, blocks: 31 })
    for (let k = 0; k < 30; k++) {
      fewer.addCounts(en, { canary: 10, stable: 90, canaryBad: 1, stableBad: 1 }, 0)
      fewer.addCounts(de, { canary: 10, stable: 90, canaryBad: 0, stableBad: 1 }, 0)
      fewer.endBlock()
    }
    expect(fewer.estimate(overall, 1).gate.met).toBe(false)
  })
})

describe('a paired window of means', () => {
  const scores = (n: number, mean: number) => ({ n, sum: n * mean, sumSquares: n * mean * mean })

  it('standardises to the baseline mix, whatever the mix of the canary is', () => {
    const { en, de, overall } = twoCells()
    const window = createPairedWindow('mean', { requests: 100, bad: 0, blocks: 30 })
    for (let k = 0; k < 40; k++) {
      // The canary gets mostly de-DE, where everything scores lower; both cells drop by 0.02.
      window.addMeans(en, scores(10, 0.88), scores(90, 0.9), -1, 0.01)
      window.addMeans(de, scores(90, 0.58), scores(10, 0.6), -1, 0.01)
      window.endBlock()
    }
    const { difference } = window.estimate(overall, 1)
    expect(difference!.excess).toBeCloseTo(0.01, 12)
    expect(difference!.stable).toBeCloseTo(0.87, 12)
    expect(difference!.canary).toBeCloseTo(0.85, 12)
  })

  it('takes the variance that the blocks show when shocks make them differ', () => {
    const { en, overall } = twoCells()
    const calm = createPairedWindow('mean', { requests: 100, bad: 0, blocks: 30 })
    const shaken = createPairedWindow('mean', { requests: 100, bad: 0, blocks: 30 })
    for (let k = 0; k < 120; k++) {
      const shock = k % 2 === 0 ? 0.05 : -0.05
      calm.addMeans(en, scores(50, 0.9), scores(450, 0.9), -1, 0)
      calm.endBlock()
      shaken.addMeans(en, scores(50, 0.9 + shock), scores(450, 0.9), -1, 0)
      shaken.endBlock()
    }
    const quiet = calm.estimate(overall, 1).difference!
    const loud = shaken.estimate(overall, 1).difference!
    expect(loud.variance).toBeGreaterThan(10 * quiet.variance)
    // Shocks of ±0.05 over 120 blocks: 0.05²/120.
    expect(loud.variance).toBeGreaterThanOrEqual(0.05 ** 2 / 120)
  })

  it('does not average out shocks that hit all cohorts of a block together', () => {
    const { units, en, de, overall } = twoCells()
    units.fixShares(() => 1)
    const window = createPairedWindow('mean', { requests: 100, bad: 0, blocks: 30 })
    for (let k = 0; k < 120; k++) {
      const shock = k % 2 === 0 ? 0.05 : -0.05
      for (const cell of [en, de]) {
        window.addMeans(cell, scores(500, 0.9 + shock), scores(4500, 0.9), -1, 0)
      }
      window.endBlock()
    }
    expect(window.estimate(overall, 1).difference!.variance).toBeGreaterThanOrEqual(0.05 ** 2 / 120)
  })

  it('asks for 100 blocks when they differ far more than the model explains', () => {
    const { en, overall } = twoCells()
    const window = createPairedWindow('mean', { requests: 100, bad: 0, blocks: 30 })
    for (let k = 0; k < 50; k++) {
      window.addMeans(en, scores(500, k % 2 === 0 ? 0.95 : 0.85), scores(4500, 0.9), -1, 0)
      window.endBlock()
    }
    expect(window.estimate(overall, 1).gate).toEqual({ met: false, growth: 2 })
  })

  it('knows nothing from an arm that is empty, and nothing breaks', () => {
    const { en, overall } = twoCells()
    const window = createPairedWindow('mean', { requests: 100, bad: 0, blocks: 30 })
    window.addMeans(en, scores(0, 0), scores(100, 0.9), -1, 0)
    window.addMeans(en, scores(100, 0.9), scores(0, 0), -1, 0)
    window.endBlock()
    const { difference, plainCanary } = window.estimate(overall, 1)
    expect(difference).toBeNull()
    expect(plainCanary).toBeCloseTo(0.9, 12)
  })
})

describe('differenceLogE', () => {
  it('is no evidence without a variance', () => {
    expect(differenceLogE(0.5, 0, 0.01)).toBe(0)
    expect(differenceLogE(0.5, Number.NaN, 0.01)).toBe(0)
    expect(differenceLogE(0.5, Number.POSITIVE_INFINITY, 0.01)).toBe(0)
  })

  it('stays far below zero for a difference far on the other side', () => {
    expect(differenceLogE(-0.5, 1e-12, 0.01)).toBeLessThan(-5)
    expect(differenceLogE(0.5, 1e-12, 0.01)).toBe(1e6)
  })
})
