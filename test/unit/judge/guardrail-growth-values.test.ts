import { describe, expect, it } from 'vitest'
import type { Limit, Metric } from '../../../src/domain/release.ts'
import type { BaselineFacts } from '../../../src/judge/baseline-facts.ts'
import { combineFacts, latencyQuantile } from '../../../src/judge/baseline-facts.ts'
import { meanLogs } from '../../../src/judge/bounded-mean.ts'
import { conditionalGrowth, differenceGrowth, oneArmGrowth } from '../../../src/judge/growth.ts'
import { growthOfGuardrail } from '../../../src/judge/guardrail-growth.ts'
import {
  ERROR_MAX,
  ERROR_PP,
  ERROR_RELATIVE,
  guardrail,
  KPI_DROP,
  P95_INCREASE,
  P95_MAX,
  QUALITY_DROP,
  QUALITY_MIN,
} from './judge-builders.ts'

const SHARE = 0.1

/** Exponential latencies with a mean of 30 ms. */
const above = (ms: number) => Math.exp(-ms / 30)
const P95_MS = 30 * Math.log(20)

function factsOf(overrides: Partial<BaselineFacts> = {}): BaselineFacts {
  return {
    ...{ cohort: {}, requests: 1000, errorRate: 0.005, latencyAbove: above },
    quality: { mean: 0.9, variance: 0.01 },
    kpi: (key) => (key === 'sales' ? { mean: 0.1, variance: 0.09 } : null),
    ...overrides,
  }
}

const growthOf = (of: typeof P95_MAX, facts = factsOf()) => growthOfGuardrail(of, facts)!

describe('growth in a latency limit', () => {
  it('is that of the share above it, moved by how much slower the canary is', () => {
    const growth = growthOf(P95_MAX)
    expect(growth).toMatchObject({ effect: 'latency', largest: 9, paired: false })
    expect(growth.fewest(SHARE)).toBe(0)
    const expected = oneArmGrowth(SHARE, above(60), 1 - 0.95)
    expect(growth.breach(SHARE, 1)).toBeCloseTo(expected, 15)
    expect(growth.pass(SHARE)).toBeCloseTo(oneArmGrowth(SHARE, above(120), 1 - 0.95), 15)
  })

  it('is none exactly at the limit', () => {
    const half = guardrail({ kind: 'latency', name: 'latency_p50', quantile: 0.5 }, P95_MAX.limit)
    const growth = growthOf(half, factsOf({ latencyAbove: () => 0.5 }))
    expect([growth.pass(SHARE), growth.breach(SHARE, 1)]).toEqual([0, 0])
  })

  it('is none for a breach on the right side of it', () => {
    expect(growthOf(P95_MAX).breach(SHARE, 0)).toBe(0)
    expect(growthOf(ERROR_MAX).breach(SHARE, 0.004)).toBe(0)
    const rare = factsOf({ errorRate: 0 })
    expect(growthOf(ERROR_PP, rare).breach(SHARE, 0.001)).toBe(0)
    expect(growthOf(QUALITY_MIN).breach(SHARE, 0)).toBe(0)
  })

  it('relative to the baseline is conditional for a breach, and a difference for a pass', () => {
    const growth = growthOf(P95_INCREASE)
    expect(growth).toMatchObject({ effect: 'latency', largest: 9, paired: true })
    const inside = above(1.1 * P95_MS)
    const slower = above((1.1 * P95_MS) / 1.5)
    expect(growth.breach(SHARE, 0.5)).toBeCloseTo(conditionalGrowth(SHARE, slower, 0.05, 1), 12)
    const pooled = 0.1 * inside + 0.9 * 0.05
    const variance = pooled * (1 - pooled)
    const expected = differenceGrowth(SHARE, 0.05 - inside, variance, variance)
    expect(growth.pass(SHARE)).toBeCloseTo(expected, 12)
  })

  it('waits for 100 latencies of each arm and 30 above the quantile', () => {
    expect(growthOf(P95_INCREASE).fewest(0.1)).toBeCloseTo(1000, 6)
    expect(growthOf(P95_INCREASE).fewest(0.5)).toBeCloseTo(600, 6)
    expect(growthOf(P95_INCREASE).fewest(0.98)).toBeCloseTo(5000, 6)
  })
})

describe('growth in a limit on errors', () => {
  it('is that of the canary’s own rate', () => {
    const growth = growthOf(ERROR_MAX)
    expect(growth).toMatchObject({ effect: 'rate', largest: 1, paired: false })
    expect(growth.fewest(SHARE)).toBe(0)
    expect(growth.breach(SHARE, 0.02)).toBe(oneArmGrowth(SHARE, 0.02, 0.008))
    expect(growth.pass(SHARE)).toBe(oneArmGrowth(SHARE, 0.005, 0.008))
    expect(growthOf(ERROR_MAX, factsOf({ errorRate: 0.008 })).pass(SHARE)).toBe(0)
  })

  it.each([
    ['pp', ERROR_PP, 0.002],
    ['%', ERROR_RELATIVE, 0.001],
  ])('relative to the baseline (in %s) is that of odds and of a difference', (_, of, shift) => {
    const growth = growthOf(of)
    expect(growth).toMatchObject({ effect: 'rate', largest: 1, paired: true })
    const to = 0.005 + shift
    const odds = (to * 0.995) / (0.005 * (1 - to))
    expect(growth.breach(SHARE, 0.02)).toBeCloseTo(conditionalGrowth(SHARE, 0.02, 0.005, odds), 12)
    expect(growth.breach(SHARE, to)).toBe(0)
    expect(growth.pass(SHARE)).toBeCloseTo(differenceGrowth(SHARE, shift, to, 0.005), 12)
    // 30 errors at 0.5 % are more than 100 requests of an arm.
    expect(growth.fewest(SHARE)).toBe(6000)
    expect(growth.fewest(0.01)).toBe(10_000)
  })
})

describe('growth in a limit on means', () => {
  const kpi = (bounds: [number, number], limit: Limit) =>
    guardrail({ kind: 'kpi', name: 'kpi.sales', key: 'sales', bounds } as Metric, limit)

  it('of a drop is that of the difference beyond the margin', () => {
    const growth = growthOf(QUALITY_DROP)
    expect(growth).toMatchObject({ effect: 'mean', largest: 1, paired: true })
    expect(growth.breach(SHARE, 0.03)).toBe(differenceGrowth(SHARE, 0.03 - 0.01, 0.01, 0.01))
    expect(growth.breach(SHARE, 0.005)).toBe(0)
    expect(growth.pass(SHARE)).toBe(differenceGrowth(SHARE, 0.01, 0.01, 0.01))
    expect(growth.fewest(SHARE)).toBe(1000)
  })

  it('of a KPI is within its bounds and waits for more values, whose distribution is not known', () => {
    const growth = growthOf(kpi([-5, 15], KPI_DROP.limit))
    expect(growth.largest).toBe(20)
    expect(growth.fewest(SHARE)).toBe(4000)
    expect(growth.pass(SHARE)).toBe(differenceGrowth(SHARE, 0.01, 0.09, 0.09))
  })

  /** Nats per value of the best component of T4 on one value that is as all are. */
  function best(mean: number, variance: number, limit: number, sign: 1 | -1): number {
    const moments = { n: 1, sum: mean, sumSquares: variance + mean ** 2 }
    return Math.max(...meanLogs(moments, limit, sign))
  }

  it('of a least mean is that of the best bet on it, in the bounds of the metric', () => {
    const quality = growthOf(QUALITY_MIN)
    expect(quality).toMatchObject({ effect: 'mean', largest: 1, paired: false })
    expect(quality.fewest(SHARE)).toBe(0)
    expect(quality.pass(SHARE)).toBeCloseTo(SHARE * best(0.9, 0.01, 0.84, 1), 12)
    expect(quality.pass(SHARE)).toBeGreaterThan(0)
    expect(quality.breach(SHARE, 0.2)).toBeCloseTo(SHARE * best(0.7, 0.01, 0.84, -1), 12)
    expect(quality.breach(SHARE, 0.2)).toBeGreaterThan(0)
    const scaled = growthOf(kpi([-1, 3], { kind: 'min', value: 0 }))
    expect(scaled.pass(SHARE)).toBeCloseTo(SHARE * best(1.1 / 4, 0.09 / 16, 0.25, 1), 12)
    expect(scaled.breach(SHARE, 0.3)).toBeCloseTo(SHARE * best(0.8 / 4, 0.09 / 16, 0.25, -1), 12)
    expect(scaled.breach(SHARE, 0.3)).toBeGreaterThan(0)
    expect(scaled.breach(SHARE, 0.1)).toBe(0)
  })

  it('is not known of a KPI the baseline does not measure', () => {
    const clicks: Metric = { kind: 'kpi', name: 'kpi.clicks', key: 'clicks', bounds: [0, 1] }
    expect(growthOfGuardrail(guardrail(clicks, KPI_DROP.limit), factsOf())).toBeNull()
  })
})

describe('facts of several cohorts', () => {
  it('are means by requests over those that know them', () => {
    const facts = combineFacts([
      factsOf({ requests: 300, errorRate: 0.01, kpi: () => null }),
      factsOf({ requests: 100, errorRate: 0.03, quality: { mean: 0.5, variance: 0.03 } }),
      factsOf({ requests: 600, errorRate: null, quality: null, latencyAbove: () => null }),
    ])
    expect(facts.requests).toBe(1000)
    expect(facts.errorRate).toBeCloseTo(0.015, 12)
    expect(facts.quality?.mean).toBeCloseTo(0.8, 12)
    expect(facts.quality?.variance).toBeCloseTo(0.015, 12)
    expect(facts.latencyAbove(30)).toBeCloseTo(Math.exp(-1), 12)
    expect(facts.kpi('sales')).toEqual({
      mean: expect.closeTo(0.1),
      variance: expect.closeTo(0.09),
    })
    expect(facts.kpi('clicks')).toBeNull()
  })

  it('are unknown where none knows them or has requests', () => {
    const none = combineFacts([factsOf({ errorRate: null, latencyAbove: () => null })])
    expect([none.errorRate, none.latencyAbove(1)]).toEqual([null, null])
    expect(combineFacts([factsOf({ requests: 0 })]).errorRate).toBeNull()
    expect(combineFacts([]).quality).toBeNull()
  })

  it('have the quantile that the wanted share of latencies exceeds, across many scales', () => {
    for (const scale of [1e-2, 1, 1e4]) {
      const facts = { latencyAbove: (ms: number) => above(ms / scale) }
      expect(latencyQuantile(facts, 0.95)! / scale).toBeCloseTo(P95_MS, 6)
    }
  })
})
