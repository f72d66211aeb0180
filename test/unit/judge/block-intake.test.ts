import { describe, expect, it } from 'vitest'
import { intake } from '../../../src/judge/block-intake.ts'
import { createCohortUnits } from '../../../src/judge/cohort-units.ts'
import { meanScaleOf } from '../../../src/judge/mean-scale.ts'
import { blockOf, cellOf, DE, EN, KPI, metricsOf } from './judge-builders.ts'

describe('intake of a block', () => {
  it('registers new cells by name, whatever the order of the block is', () => {
    const cells = [cellOf('stable', EN, metricsOf(10)), cellOf('canary', DE, metricsOf(5))]
    for (const order of [cells, [...cells].reverse()]) {
      const units = createCohortUnits({ by: ['locale', 'device'], key: [] })
      intake(blockOf(0, order), units)
      expect(units.cells.map(({ cohort }) => cohort)).toEqual([DE, EN])
    }
  })

  it('adds up cohorts that differ only in a dimension the release does not use', () => {
    const units = createCohortUnits({ by: ['device'], key: [] })
    const a = metricsOf(10, 2, { bins: [3, 5], counts: [4, 4], overLimit: [1, 2] })
    const b = metricsOf(6, 1, { bins: [4, 5], counts: [2, 3], overLimit: [3, 4] })
    const block = blockOf(0, [cellOf('stable', EN, a), cellOf('stable', DE, b)])
    const { stable, canary } = intake(block, units)
    expect(canary.size).toBe(0)
    const sum = stable.get(units.cells[0]!)!
    expect(sum).toMatchObject({
      requests: 16,
      errors: 3,
      latencies: 13,
      overLimit: [4, 6],
      bins: [3, 4, 5],
      counts: [4, 2, 7],
    })
    expect(sum.quality.n).toBe(16)
    expect(sum.kpis[0]!.sum).toBeCloseTo(1.6, 12)
  })
})

describe('the scale of a bounded metric', () => {
  it('turns sums of a KPI into sums of values in [0, 1] and back', () => {
    const scale = meanScaleOf({ ...KPI, bounds: [-10, 30] } as never, 0)
    const values = [-10, 0, 30]
    const moments = scale.momentsOf(
      metricsOf(3, 0, {
        kpis: [{ n: 3, sum: 20, sumSquares: 1000 }],
      }),
    )
    const scaled = values.map((value) => (value + 10) / 40)
    expect(moments.sum).toBeCloseTo(
      scaled.reduce((sum, x) => sum + x, 0),
      12,
    )
    expect(moments.sumSquares).toBeCloseTo(
      scaled.reduce((sum, x) => sum + x * x, 0),
      12,
    )
    expect(scale.fromUnit(scale.toUnit(12))).toBeCloseTo(12, 12)
  })
})
