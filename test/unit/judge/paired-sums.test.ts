import { describe, expect, it } from 'vitest'
import {
  addSums,
  blockVariance,
  emptySums,
  modelVariance,
  type PairedSums,
} from '../../../src/judge/paired.ts'
import { copySums, fillSums, setSums } from '../../../src/judge/paired-sums.ts'

const FIELDS = Object.keys(emptySums()) as (keyof PairedSums)[]

/** Sums with another number in every field. */
function numbered(times: number): PairedSums {
  return Object.fromEntries(FIELDS.map((field, i) => [field, times * (i + 1)])) as never
}

describe('sums of cells', () => {
  it('of what came after a copy are the difference in every number', () => {
    const copy = copySums([numbered(1), numbered(10)])
    const now = [numbered(2), numbered(30), numbered(500)]
    const since = (cell: number, of: Float64Array | null) => {
      const into = numbered(-7)
      fillSums(into, now, cell, of)
      return into
    }
    expect(since(0, copy)).toEqual(numbered(1))
    expect(since(1, copy)).toEqual(numbered(20))
    expect(since(2, copy)).toEqual(numbered(500))
    expect(since(3, copy)).toEqual(emptySums())
    expect(since(1, null)).toEqual(numbered(30))
  })

  it('are added and taken over number by number', () => {
    const into = numbered(1)
    addSums(into, numbered(2))
    expect(into).toEqual(numbered(3))
    setSums(into, numbered(5))
    expect(into).toEqual(numbered(5))
  })
})

describe('the variance of a paired difference', () => {
  const sums: PairedSums = {
    ...emptySums(),
    ...{ h: 50, hStable: 5, hCanary: 10, nStable: 900, nCanary: 100, sumStable: 30, sumCanary: 20 },
    ...{ loadStable: 6, loadCanary: 40 },
    ...{ base: 4, slope: 3, slopeAtMargin: 2, floor: 5, floorAtMargin: 7 },
  }

  it('is that at the margin under the null, and never below its floor', () => {
    expect(modelVariance(sums, 'rate', 'margin')).toBeCloseTo(7 / 2500, 15)
    const above = { ...sums, slopeAtMargin: 5 }
    expect(modelVariance(above, 'rate', 'margin')).toBeCloseTo(9 / 2500, 15)
  })

  it('is that of a canary worse by so much, for intervals', () => {
    expect(modelVariance(sums, 'rate', 0.5)).toBeCloseTo((4 + 0.5 * 3) / 2500, 15)
    expect(modelVariance(sums, 'rate', 3)).toBeCloseTo((3 * 5) / 2500, 15)
    expect(modelVariance({ ...sums, base: -9, floor: 0 }, 'rate', 1)).toBe(0)
  })

  it('is a binomial’s where bad events are no longer rare, of rates only', () => {
    const often = { ...sums, sumStable: 150, sumCanary: 50 }
    expect(modelVariance(often, 'rate', 'margin')).toBeCloseTo((0.8 * 7) / 2500, 15)
    expect(modelVariance(often, 'exceedance', 'margin')).toBeCloseTo(7 / 2500, 15)
    const tenth = { ...sums, sumStable: 90, sumCanary: 10 }
    expect(modelVariance(tenth, 'rate', 'margin')).toBeCloseTo(7 / 2500, 15)
  })

  it('that blocks should show is that of the shares seen in each arm', () => {
    const [stable, canary] = [0.1, 0.2]
    const numerator = stable * (1 - stable) * 6 + canary * (1 - canary) * 40
    expect(blockVariance(sums, 'rate')).toBeCloseTo(numerator / 2500, 15)
    expect(blockVariance(sums, 'exceedance')).toBeCloseTo(numerator / 2500, 15)
    expect(blockVariance(sums, 'mean')).toBeCloseTo(7 / 2500, 15)
  })
})
