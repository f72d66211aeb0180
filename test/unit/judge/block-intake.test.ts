import { describe, expect, it } from 'vitest'
import type { CellMetrics, UserBuckets } from '../../../src/domain/block.ts'
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
    expect(Object.keys(sum)).not.toContain('users')
    expect(Object.keys(sum)).not.toContain('sampleRates')
    expect(Object.keys(sum)).not.toContain('cancelled')
  })

  const byDevice = (a: Partial<CellMetrics>, b: Partial<CellMetrics>) => {
    const units = createCohortUnits({ by: ['device'], key: [] })
    const cells = [
      cellOf('stable', EN, metricsOf(10, 2, a)),
      cellOf('stable', DE, metricsOf(6, 1, b)),
    ]
    const { stable } = intake(blockOf(0, cells), units)
    return stable.get(units.cells[0]!)!
  }

  it('takes what one of them lacks for nothing', () => {
    const long = { overLimit: [1, 2], bins: [3, 5], counts: [4] }
    const short = { overLimit: [], kpis: [] }
    for (const sum of [byDevice(long, short), byDevice(short, long)]) {
      expect(sum).toMatchObject({ overLimit: [1, 2], counts: expect.arrayContaining([4, 0]) })
      expect(sum.kpis).toHaveLength(1)
    }
  })

  it('adds up what was cancelled, and spans the sample rates', () => {
    expect(byDevice({ cancelled: 2 }, { cancelled: 3 }).cancelled).toBe(5)
    expect(byDevice({ cancelled: 2 }, {}).cancelled).toBe(2)
    expect(byDevice({ sampleRates: [0.2, 0.5] }, { sampleRates: [0.1, 0.3] }).sampleRates).toEqual([
      0.1, 0.5,
    ])
    expect(byDevice({}, { sampleRates: [0.1, 0.3] }).sampleRates).toEqual([0.1, 1])
    const nobody = { requests: 0, cancelled: 1 }
    expect(byDevice(nobody, { sampleRates: [0.1, 0.3] }).sampleRates).toEqual([0.1, 0.3])
  })

  it('adds up users by bucket', () => {
    const a: UserBuckets = {
      ...{ buckets: [3, 9], requests: [4, 5], errors: [1, 0], latencies: [4, 4] },
      ...{ overLimit: [[1, 2]], overSlowBin: [[0, 1]], qualityN: [2, 2], qualitySum: [1, 2] },
      ...{ kpiN: [[1, 1]], kpiSum: [[-1, 5]] },
    }
    const b: UserBuckets = {
      ...{ buckets: [9, 40], requests: [1, 2], errors: [1, 2], latencies: [0, 1] },
      ...{ overLimit: [[0, 1]], overSlowBin: [[0, 1]], qualityN: [1, 0], qualitySum: [0.5, 0] },
      ...{ kpiN: [[1, 0]], kpiSum: [[2, 0]] },
    }
    const sum: UserBuckets = {
      ...{ buckets: [3, 9, 40], requests: [4, 6, 2], errors: [1, 1, 2], latencies: [4, 4, 1] },
      ...{ overLimit: [[1, 2, 1]], overSlowBin: [[0, 1, 1]] },
      ...{ qualityN: [2, 3, 0], qualitySum: [1, 2.5, 0] },
      ...{ kpiN: [[1, 2, 0]], kpiSum: [[-1, 7, 0]] },
    }
    expect(byDevice({ users: a }, { users: b }).users).toEqual(sum)
    expect(byDevice({ users: b }, { users: a }).users).toEqual(sum)
    expect(byDevice({}, { users: a }).users).toEqual(a)
    expect(byDevice({ users: b }, {}).users).toEqual(b)
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
