import { describe, expect, it } from 'vitest'
import type { PairedSums } from '../../../src/judge/paired.ts'
import { addDifference, emptySums } from '../../../src/judge/paired.ts'
import { combineGroups, mergeShort } from '../../../src/judge/standardise.ts'

const RULES = { requests: 100, bad: 0, blocks: 30 }
const MOBILE = ['de|mobile', '*|mobile', '*|*']

/** `blocks` blocks of `canary` and 9 × `canary` requests, with a difference of `shift`. */
function sumsOf(canary: number, blocks: number, shift: number): PairedSums {
  const sums = emptySums()
  for (let k = 0; k < blocks; k++) addDifference(sums, 0.9 * canary, shift)
  sums.nCanary = canary * blocks
  sums.nStable = 9 * canary * blocks
  sums.base = 0.01 * sums.h
  return sums
}

describe('mergeShort', () => {
  it('keeps cells that meet the gate by themselves', () => {
    const cells = [
      { share: 0.6, parents: MOBILE, sums: sumsOf(10, 40, 0) },
      { share: 0.4, parents: MOBILE, sums: sumsOf(20, 40, 0) },
    ]
    expect(mergeShort(cells, RULES).map(({ share }) => share)).toEqual([0.6, 0.4])
  })

  it('merges short cells within language and device first', () => {
    const cells = [
      { share: 0.5, parents: ['en|mobile', '*|mobile', '*|*'], sums: sumsOf(10, 40, 0) },
      { share: 0.2, parents: MOBILE, sums: sumsOf(2, 40, 0.1) },
      { share: 0.2, parents: MOBILE, sums: sumsOf(2, 40, 0.3) },
      { share: 0.1, parents: ['de|desktop', '*|desktop', '*|*'], sums: sumsOf(5, 40, 0) },
    ]
    const groups = mergeShort(cells, RULES)
    expect(groups.map(({ share }) => share).sort()).toEqual([0.1, 0.4, 0.5])
    const merged = groups.find(({ share }) => share === 0.4)!
    expect(merged.sums.nCanary).toBe(160)
    expect(merged.sums.excess / merged.sums.h).toBeCloseTo(0.2, 12)
  })

  it('merges across languages, and then across devices, only what is still short', () => {
    const cells = [
      { share: 0.4, parents: ['de|mobile', '*|mobile', '*|*'], sums: sumsOf(1, 40, 0) },
      { share: 0.3, parents: ['fr|mobile', '*|mobile', '*|*'], sums: sumsOf(1, 40, 0) },
      { share: 0.3, parents: ['fr|tv', '*|tv', '*|*'], sums: sumsOf(1, 40, 0) },
    ]
    const groups = mergeShort(cells, RULES)
    expect(groups).toHaveLength(1)
    expect(groups[0]!.share).toBeCloseTo(1, 12)
    expect(groups[0]!.sums.nCanary).toBe(120)
  })

  it('leaves out a rest with next to no data when the others stand by themselves', () => {
    const cells = [
      { share: 0.9, parents: MOBILE, sums: sumsOf(10, 40, 0) },
      { share: 0.1, parents: ['fr|tv', '*|tv', '*|*'], sums: sumsOf(1, 20, 0.5) },
    ]
    expect(mergeShort(cells, RULES).map(({ share }) => share)).toEqual([0.9])
  })

  it('keeps the only group there is, however small', () => {
    const cells = [{ share: 1, parents: MOBILE, sums: sumsOf(1, 3, 0) }]
    expect(mergeShort(cells, RULES)).toHaveLength(1)
  })
})

describe('combineGroups', () => {
  it('weighs by the shares of the baseline, renormalised over groups with pairs', () => {
    const combined = combineGroups(
      [
        { share: 0.3, sums: sumsOf(10, 40, 0.02) },
        { share: 0.1, sums: sumsOf(90, 40, 0.06) },
        { share: 0.6, sums: emptySums() },
      ],
      'mean',
      1,
    )
    expect(combined!.excess).toBeCloseTo(0.03, 12)
  })

  it('is nothing without any pair', () => {
    expect(combineGroups([{ share: 1, sums: emptySums() }], 'mean', 1)).toBeNull()
  })
})
