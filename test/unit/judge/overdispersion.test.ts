import { describe, expect, it } from 'vitest'
import { overdispersion } from '../../../src/judge/overdispersion.ts'
import type { PairedSums } from '../../../src/judge/paired.ts'
import {
  addDifference,
  blockVariance,
  emptySums,
  modelVariance,
  robustVariance,
  shiftOf,
} from '../../../src/judge/paired.ts'
import type { GateRules } from '../../../src/judge/standardise.ts'
import { combineGroups, mergeShort } from '../../../src/judge/standardise.ts'

/** `blocks` equally heavy blocks, half of them `spread` above and half below the mean. */
function blocksOf(blocks: number, spread = 0.02, h = 10): PairedSums {
  const sums = emptySums()
  for (let k = 0; k < blocks; k++) addDifference(sums, h, k % 2 === 0 ? spread : -spread)
  return sums
}

/** Sums of which only what a gate asks for is known. */
function sizedSums(nCanary: number, nStable: number, bad = 0, blocks = 0): PairedSums {
  return { ...blocksOf(blocks), nCanary, nStable, sumStable: bad / 2, sumCanary: bad / 2 }
}

describe('sums without any pair', () => {
  it('show no shift and no variance', () => {
    expect(shiftOf(emptySums())).toBe(0)
    expect(robustVariance(emptySums())).toBe(0)
    for (const kind of ['mean', 'rate', 'exceedance'] as const) {
      expect(modelVariance(emptySums(), kind, 'margin')).toBe(0)
      expect(blockVariance(emptySums(), kind)).toBe(0)
    }
  })
})

describe('overdispersion', () => {
  it('is unknown with few blocks: below 30 of means, below 8 of counts', () => {
    const wild = (kind: 'mean' | 'rate' | 'exceedance', blocks: number) =>
      overdispersion(kind, blocksOf(blocks), 1e-9, 1e9)
    expect(wild('mean', 29)).toBe(1)
    expect(wild('mean', 30)).toBeGreaterThan(1)
    for (const kind of ['rate', 'exceedance'] as const) {
      expect(wild(kind, 7)).toBe(1)
      expect(wild(kind, 8)).toBeGreaterThan(1)
    }
  })

  it('is unknown without a variance to compare with', () => {
    for (const expected of [0, -1, Number.NaN]) {
      expect(overdispersion('mean', blocksOf(40), expected, 1)).toBe(1)
    }
  })

  it('of means is the ratio of the variances, enlarged for few blocks, and at least 1', () => {
    const blocks = blocksOf(40)
    const shown = robustVariance(blocks)
    expect(overdispersion('mean', blocks, shown / 3, 1)).toBeCloseTo((3 * 43) / 39, 10)
    expect(overdispersion('mean', blocks, shown, 1)).toBeCloseTo(43 / 39, 10)
    expect(overdispersion('mean', blocks, shown * 2, 1)).toBe(1)
  })

  it('of counts is more than 1 only beyond what chance does, which is more for rare ones', () => {
    const blocks = blocksOf(50)
    const shown = robustVariance(blocks)
    const at = (ratio: number, bad: number) => overdispersion('rate', blocks, shown / ratio, bad)
    // Two standard errors of a sample variance: √((2 + n/bad)/n).
    const noticed = (bad: number) => 1 + 2 * Math.sqrt((2 + 50 / bad) / 50)
    for (const bad of [10, 1000]) {
      expect(at(noticed(bad) - 1e-6, bad)).toBe(1)
      expect(at(noticed(bad) + 1e-6, bad)).toBeCloseTo((noticed(bad) * 53) / 49, 4)
    }
    expect(noticed(10)).toBeGreaterThan(noticed(1000) + 0.1)
  })
})

describe('cells that are short of the gate', () => {
  const ENOUGH: GateRules = { requests: 100, bad: 30, blocks: 8 }
  /** Whether a cell is left to stand by itself beside another of its kind that is short. */
  function stands(sums: PairedSums, rules = ENOUGH): boolean {
    const parents = ['x']
    const short = { share: 0.25, parents, sums: sizedSums(1, 1) }
    return mergeShort([{ share: 0.75, parents, sums }, short], rules).some(
      ({ share }) => share === 0.75,
    )
  }

  it('are those with too few requests in an arm, bad events in both, or blocks', () => {
    expect(stands(sizedSums(100, 100, 30, 8))).toBe(true)
    expect(stands(sizedSums(99, 900, 30, 8))).toBe(false)
    expect(stands(sizedSums(900, 99, 30, 8))).toBe(false)
    expect(stands(sizedSums(100, 100, 29, 8))).toBe(false)
    expect(stands(sizedSums(100, 100, 30, 7))).toBe(false)
  })

  it('of means are not asked for bad events, whatever their sums are', () => {
    expect(stands(sizedSums(100, 100, -10, 8), { ...ENOUGH, bad: 0 })).toBe(true)
  })

  it('that are left at the top stay with fifty requests in each arm, beside others that stand', () => {
    const kept = (canary: number, stable: number) =>
      mergeShort(
        [
          { share: 0.75, parents: ['a'], sums: sizedSums(100, 100, 30, 8) },
          { share: 0.25, parents: ['b'], sums: sizedSums(canary, stable, 30, 8) },
        ],
        ENOUGH,
      ).map(({ share }) => share)
    expect(kept(50, 90)).toEqual([0.75, 0.25])
    expect(kept(90, 50)).toEqual([0.75, 0.25])
    expect(kept(49, 90)).toEqual([0.75])
    expect(kept(90, 49)).toEqual([0.75])
  })

  it('are added up once they stand together, and leave the sums of the cells as they were', () => {
    const cells = [0.5, 0.25, 0.25].map((share) => ({
      ...{ share, parents: ['de|tv', '*|tv'], sums: sizedSums(60, 400, 20, 8) },
    }))
    const groups = mergeShort(cells, ENOUGH)
    expect(groups).toHaveLength(1)
    expect(groups[0]).toMatchObject({ share: 1, sums: { nCanary: 180, nStable: 1200 } })
    expect(cells.map(({ sums }) => sums.nCanary)).toEqual([60, 60, 60])
    expect(cells.map(({ share }) => share)).toEqual([0.5, 0.25, 0.25])
    expect(mergeShort([], ENOUGH)).toEqual([])
  })
})

describe('a standardised difference', () => {
  /** A cell of rates with 1 % bad in the baseline and 2 % in the canary, in few blocks. */
  function ratesOf(h: number): PairedSums {
    return {
      ...blocksOf(4, 0.02, h / 4),
      ...{ nStable: 9 * h, nCanary: h, sumStable: 0.09 * h, sumCanary: 0.02 * h },
      ...{ hStable: 0.01 * h, hCanary: 0.02 * h, loadStable: 0.3 * h, loadCanary: 0.7 * h },
      ...{ excess: 0.008 * h, base: 0.02 * h, slope: 0.5 * h, slopeAtMargin: 0.001 * h },
    }
  }
  const groups = [
    { share: 0.6, sums: ratesOf(400) },
    { share: 0.2, sums: ratesOf(100) },
  ]
  const parts = [0.75, 0.25]
  const total = (of: (sums: PairedSums) => number) =>
    groups.reduce((sum, { sums }, g) => sum + parts[g]! ** 2 * of(sums), 0)

  it('has the arms’ rates and the variances of its groups, by their shares', () => {
    const combined = combineGroups(groups, 'rate', 1)!
    expect(combined.excess).toBeCloseTo(0.008, 12)
    expect(combined.stable).toBeCloseTo(0.01, 12)
    expect(combined.canary).toBeCloseTo(0.02, 12)
    expect(combined.variance).toBeCloseTo(
      total((sums) => modelVariance(sums, 'rate', 'margin')),
      12,
    )
    expect(combined.seenVariance).toBeCloseTo(
      total((sums) => modelVariance(sums, 'rate', 0.01)),
      12,
    )
    expect(combined.blockVariance).toBeCloseTo(
      total((sums) => blockVariance(sums, 'rate')),
      12,
    )
  })

  it('has all of its variances enlarged by the design effect', () => {
    const plain = combineGroups(groups, 'rate', 1)!
    const clustered = combineGroups(groups, 'rate', 3)!
    for (const name of ['variance', 'seenVariance', 'blockVariance'] as const) {
      expect(clustered[name]).toBeCloseTo(3 * plain[name], 12)
    }
    expect(clustered.excess).toBe(plain.excess)
  })

  it('has them enlarged by what blocks show, if that is more', () => {
    const blocks = { ...blocksOf(40, 0.02, 10), base: 0.1 }
    const shown = overdispersion('mean', blocks, blockVariance(blocks, 'mean'), 0)
    expect(shown).toBeGreaterThan(3)
    const of = (effect: number) => combineGroups([{ share: 1, sums: blocks }], 'mean', effect)!
    expect(of(2).variance).toBeCloseTo(shown * modelVariance(blocks, 'mean', 'margin'), 12)
    expect(of(2 * shown).variance).toBeCloseTo(2 * of(2).variance, 12)
  })

  it('leaves out groups without pairs or without a share of the baseline', () => {
    const empty = { share: 5, sums: emptySums() }
    const without = { share: 0, sums: { ...ratesOf(400), excess: 99 } }
    expect(combineGroups([...groups, empty, without], 'rate', 1)!.excess).toBeCloseTo(0.008, 12)
    expect(combineGroups([empty, without], 'rate', 1)).toBeNull()
  })
})
