import { describe, expect, it } from 'vitest'
import type { CellMetrics, UserBuckets } from '../../../src/domain/block.ts'
import type { Guardrail, Metric } from '../../../src/domain/release.ts'
import type { ClusterSums } from '../../../src/judge/cluster-sums.ts'
import {
  addCountsOf,
  addValuesOf,
  createClusterSums,
  designEffectOf,
} from '../../../src/judge/cluster-sums.ts'
import { createCohortUnits } from '../../../src/judge/cohort-units.ts'
import { createUserClusters } from '../../../src/judge/user-clusters.ts'
import {
  EN,
  ERROR_MAX,
  guardrail,
  KPI_DROP,
  metricsOf,
  P95_INCREASE,
  P95_MAX,
  QUALITY_DROP,
  specOf,
} from './judge-builders.ts'

const CLICKS: Metric = { kind: 'kpi', name: 'kpi.clicks', key: 'clicks', bounds: [0, 1] }
const BUCKETS = [3, 7, 20, 41]
const SIZES = [100, 150, 50, 100]
const ZEROS = BUCKETS.map(() => 0)
/** Bad requests by bucket: those of one user go together in the first, hardly in the second. */
const CLUSTERED = [60, 2, 3, 5]
const EVEN = [25, 37, 13, 25]

const cell = createCohortUnits({ by: ['locale', 'device'], key: [] }).cellOf(EN)

/** An arm with 400 requests of four buckets' users, of which only what is given is not zero. */
function armOf(users: Partial<UserBuckets> | null, cellParts: Partial<CellMetrics> = {}) {
  const all: UserBuckets = {
    ...{ buckets: BUCKETS, requests: SIZES, errors: ZEROS, latencies: ZEROS },
    ...{ overLimit: [], overSlowBin: [], qualityN: ZEROS, qualitySum: ZEROS },
    ...{ kpiN: [], kpiSum: [] },
  }
  const metrics = metricsOf(400, 0, cellParts)
  return users === null ? metrics : { ...metrics, users: { ...all, ...users } }
}

const without = armOf(null)
const stratumOf = (stable: CellMetrics, canary: CellMetrics) => ({ cell, stable, canary })

function clustersOf(guardrails: readonly Guardrail[], quantiles: readonly number[] = []) {
  return createUserClusters(specOf(guardrails), quantiles)
}

function effectOf(add: (sums: ClusterSums) => void): number {
  const sums = createClusterSums()
  add(sums)
  return designEffectOf(sums) ?? Number.NaN
}

const SIZES_SENT = [100, 100, 300]
const counted = (n: readonly number[], bad: readonly number[]) =>
  effectOf((sums) => addCountsOf(sums, BUCKETS, n, bad))

describe('the design effect of a metric', () => {
  it('is 1 as long as no request names a session', () => {
    const clusters = clustersOf([ERROR_MAX])
    clusters.fold([stratumOf(without, without), stratumOf(armOf({ buckets: [] }), without)])
    expect(clusters.sessionsSeen).toBe(false)
    expect(clusters.designEffect(0)).toBe(1)
    expect(clusters.assignmentDesignEffect()).toBe(1)
  })

  it('is the mean of the arms that are known, and never less than 1', () => {
    const stable = counted(SIZES, CLUSTERED)
    const canary = counted(SIZES, [40, 20, 10, 0])
    expect(Math.min(stable, canary)).toBeGreaterThan(2)
    const both = clustersOf([ERROR_MAX])
    both.fold([stratumOf(armOf({ errors: CLUSTERED }), armOf({ errors: [40, 20, 10, 0] }))])
    expect(both.designEffect(0)).toBeCloseTo((stable + canary) / 2, 12)
    expect(both.sessionsSeen).toBe(true)
    const one = clustersOf([ERROR_MAX])
    one.fold([stratumOf(without, armOf({ errors: CLUSTERED }))])
    expect(one.designEffect(0)).toBeCloseTo(stable, 12)
    const even = clustersOf([ERROR_MAX])
    even.fold([stratumOf(armOf({ errors: EVEN }), without)])
    expect(counted(SIZES, EVEN)).toBeLessThan(0.1)
    expect(even.designEffect(0)).toBe(1)
    expect(even.designEffect(1)).toBe(1)
  })

  it('of a latency limit is that of latencies above just this limit', () => {
    const other = guardrail(P95_MAX.metric, { kind: 'max', value: 80 })
    const clusters = clustersOf([P95_MAX, other])
    const latencies = [90, 140, 40, 80]
    // Limits are counted in ascending order: 80 ms, 120 ms.
    clusters.fold([stratumOf(without, armOf({ latencies, overLimit: [EVEN, CLUSTERED] }))])
    expect(clusters.designEffect(0)).toBeCloseTo(counted(latencies, CLUSTERED), 12)
    expect(clusters.designEffect(1)).toBe(1)
  })

  it('of a relative latency limit is that above the slow bin of its quantile, once there is one', () => {
    const clusters = clustersOf([P95_INCREASE], [0.5, 0.95])
    const latencies = [90, 140, 40, 80]
    clusters.fold([stratumOf(without, armOf({ latencies, overSlowBin: [] }))])
    expect(clusters.designEffect(0)).toBe(1)
    clusters.fold([stratumOf(without, armOf({ latencies, overSlowBin: [EVEN, CLUSTERED] }))])
    expect(clusters.designEffect(0)).toBeCloseTo(counted(latencies, CLUSTERED), 12)
  })

  it('of scores compares buckets with how scores vary in the whole cohort', () => {
    const qualityN = [80, 60, 40, 20]
    const qualitySum = [80, 20, 40, 10]
    const quality = { n: 200, sum: 150, sumSquares: 130 }
    const clusters = clustersOf([ERROR_MAX, QUALITY_DROP])
    clusters.fold([stratumOf(armOf({ qualityN, qualitySum }, { quality }), without)])
    const expected = effectOf((sums) => addValuesOf(sums, BUCKETS, qualityN, qualitySum, quality))
    expect(expected).toBeGreaterThan(2)
    expect(clusters.designEffect(1)).toBeCloseTo(expected, 12)
    expect(clusters.designEffect(0)).toBe(1)
  })

  it('of a KPI is that of its own values, and 1 where it is not measured', () => {
    const clicks = guardrail(CLICKS, KPI_DROP.limit)
    const clusters = clustersOf([clicks, KPI_DROP])
    const n = [80, 60, 40, 20]
    const sum = [40, 0, 30, 5]
    const moments = { n: 200, sum: 75, sumSquares: 75 }
    const none = { n: 0, sum: 0, sumSquares: 0 }
    const canary = armOf({ kpiN: [ZEROS, n], kpiSum: [ZEROS, sum] }, { kpis: [none, moments] })
    clusters.fold([stratumOf(armOf({}, { kpis: [] }), canary)])
    const expected = effectOf((sums) => addValuesOf(sums, BUCKETS, n, sum, moments))
    expect(clusters.designEffect(1)).toBeCloseTo(expected, 12)
    expect(clusters.designEffect(0)).toBe(1)
  })
})

describe('the design effect of labels', () => {
  it('says how far requests with a value go together, and is 1 for what all requests have', () => {
    const qualityN = [90, 30, 10, 70]
    const moments = { n: 200, sum: 100, sumSquares: 80 }
    const clusters = clustersOf([ERROR_MAX, QUALITY_DROP])
    clusters.fold([
      stratumOf(armOf({ qualityN, errors: CLUSTERED }, { quality: moments }), without),
    ])
    expect(clusters.labelDesignEffect(0)).toBe(1)
    expect(clusters.labelDesignEffect(1)).toBeCloseTo(counted(SIZES, qualityN), 12)
    expect(clusters.labelDesignEffect(2)).toBe(1)
  })
})

describe('the design effect of the assignment', () => {
  /** Users of buckets 2, 7 and 50, so many of whose 500 requests went to the canary. */
  const sent = (...canary: readonly [number, number, number]) =>
    stratumOf(
      armOf({ buckets: [2, 7, 50], requests: SIZES_SENT.map((size, i) => size - canary[i]!) }),
      armOf({ buckets: [2, 7, 50], requests: canary }),
    )
  const [first, second] = [[20, 4, 26] as const, [4, 20, 26] as const]
  const both = effectOf((sums) => {
    for (const canary of [first, second]) addCountsOf(sums, [2, 7, 50], SIZES_SENT, canary)
  })

  it('is that of going to the canary, over users of both arms', () => {
    const clusters = clustersOf([])
    clusters.fold([sent(...first), sent(...second)])
    expect(both).toBeGreaterThan(1.5)
    expect(clusters.assignmentDesignEffect()).toBeCloseTo(both, 12)
  })

  it('is not known from what fewer than thirty users can be worth', () => {
    const clusters = clustersOf([])
    clusters.fold([sent(...first)])
    expect(effectOf((sums) => addCountsOf(sums, [2, 7, 50], SIZES_SENT, first))).toBeGreaterThan(3)
    expect(clusters.assignmentDesignEffect()).toBeNull()
  })

  it('is never below 1', () => {
    const clusters = clustersOf([])
    clusters.fold([sent(10, 10, 30)])
    expect(clusters.assignmentDesignEffect()).toBe(1)
  })

  it('is counted per step, while what is known of a metric stays', () => {
    const clusters = clustersOf([ERROR_MAX])
    clusters.fold([stratumOf(armOf({ errors: CLUSTERED }), armOf({}))])
    const known = clusters.designEffect(0)
    clusters.fold([sent(...first)])
    clusters.startStep()
    expect(clusters.assignmentDesignEffect()).toBeNull()
    expect(clusters.designEffect(0)).not.toBe(1)
    expect(known).not.toBe(1)
    clusters.fold([sent(...first), sent(...second)])
    expect(clusters.assignmentDesignEffect()).toBeCloseTo(both, 12)
  })
})
