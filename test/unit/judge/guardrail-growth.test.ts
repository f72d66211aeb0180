import { describe, expect, it } from 'vitest'
import type { BaselineFacts } from '../../../src/judge/baseline-facts.ts'
import { differenceGrowth, oneArmGrowth } from '../../../src/judge/growth.ts'
import { growthOfGuardrail } from '../../../src/judge/guardrail-growth.ts'
import {
  ALL_KINDS,
  ERROR_MAX,
  ERROR_PP,
  ERROR_RELATIVE,
  P95_INCREASE,
  P95_MAX,
  QUALITY_DROP,
} from './judge-builders.ts'

const SHARE = 0.1

function factsOf(overrides: Partial<BaselineFacts> = {}): BaselineFacts {
  return {
    ...{ cohort: {}, requests: 1000, errorRate: 0.005 },
    latencyAbove: (ms) => Math.exp(-ms / 30),
    quality: { mean: 0.9, variance: 0.01 },
    kpi: () => ({ mean: 0.1, variance: 0.09 }),
    ...overrides,
  }
}

describe('growth of evidence in a guardrail', () => {
  it('is not known where the baseline has nothing of the metric', () => {
    const nothing = factsOf({
      ...{ errorRate: null, latencyAbove: () => null, quality: null, kpi: () => null },
    })
    for (const guardrail of ALL_KINDS) expect(growthOfGuardrail(guardrail, nothing)).toBeNull()
  })

  it('never reaches a pass where all latencies are one and the same', () => {
    const step = factsOf({ latencyAbove: (ms) => (ms < 50 ? 1 : 0) })
    const relative = growthOfGuardrail(P95_INCREASE, step)!
    expect(relative.pass(SHARE)).toBe(0)
    expect(relative.fewest(SHARE)).toBe(Number.POSITIVE_INFINITY)
    expect(growthOfGuardrail(P95_MAX, step)!.pass(SHARE)).toBeGreaterThan(0)
  })

  it('never reaches a pass of a limit that the baseline itself breaks', () => {
    const bad = factsOf({ errorRate: 0.02, latencyAbove: () => 0.2 })
    expect(growthOfGuardrail(ERROR_MAX, bad)!.pass(SHARE)).toBe(0)
    expect(growthOfGuardrail(P95_MAX, bad)!.pass(SHARE)).toBe(0)
  })

  it('is that of the canary alone where the baseline has almost no errors', () => {
    const rare = factsOf({ errorRate: 0 })
    const pp = growthOfGuardrail(ERROR_PP, rare)!
    expect(pp).toMatchObject({ paired: false })
    expect(pp.fewest(SHARE)).toBe(0)
    expect(pp.breach(SHARE, 0.0021)).toBe(0)
    expect(pp.breach(SHARE, 0.02)).toBeCloseTo(oneArmGrowth(SHARE, 0.02, 0.0021), 15)
    expect(pp.pass(SHARE)).toBeCloseTo(oneArmGrowth(SHARE, 1e-4, 0.0021), 15)
    // A ratio to almost nothing passes by the difference alone, after 30 errors.
    const wide = { ...ERROR_RELATIVE, limit: { ...ERROR_RELATIVE.limit, value: 4 } }
    const ratio = growthOfGuardrail(wide, rare)!
    expect(ratio.paired).toBe(true)
    expect(ratio.fewest(SHARE)).toBe(300_000)
    expect(ratio.pass(SHARE)).toBeCloseTo(differenceGrowth(SHARE, 4e-4, 5e-4, 1e-4), 15)
    expect(ratio.breach(SHARE, 0.01)).toBeCloseTo(oneArmGrowth(SHARE, 0.01, 5e-4), 15)
  })

  it('is none for scores that never vary', () => {
    const constant = factsOf({ quality: { mean: 1, variance: 0 } })
    expect(growthOfGuardrail(QUALITY_DROP, constant)!.pass(SHARE)).toBe(0)
  })
})
