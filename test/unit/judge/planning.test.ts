import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { Guardrail } from '../../../src/domain/release.ts'
import type { BaselineFacts } from '../../../src/judge/baseline-facts.ts'
import { latencyQuantile } from '../../../src/judge/baseline-facts.ts'
import { divergence } from '../../../src/judge/growth.ts'
import { growthOfGuardrail } from '../../../src/judge/guardrail-growth.ts'
import { createJudge } from '../../../src/judge/judge.ts'
import { logScaledNormalCdf } from '../../../src/judge/log-space.ts'
import { planRelease } from '../../../src/judge/planning.ts'
import { generateBlocks } from '../../support/block-generator.ts'
import {
  ALL_KINDS,
  DE,
  EN,
  ERROR_MAX,
  ERROR_PP,
  KPI_DROP,
  P95_INCREASE,
  P95_MAX,
  QUALITY_DROP,
  QUALITY_MIN,
  START_MS,
  specOf,
} from './judge-builders.ts'

const SIGMA = Math.log(110 / 35) / 1.6448536269514722
const SCORE = 0.86 / 0.14

/** What the block generator draws from, as a baseline that is known exactly. */
function factsOf(cohort = {}, overrides: Partial<BaselineFacts> = {}): BaselineFacts {
  const z = (ms: number) => Math.log(ms / 35) / SIGMA
  return {
    cohort,
    requests: 1000,
    errorRate: 0.005,
    latencyAbove: (ms) => (ms <= 0 ? 1 : Math.exp(logScaledNormalCdf(-z(ms)) - 0.5 * z(ms) ** 2)),
    quality: { mean: 0.86, variance: SCORE / ((SCORE + 1) ** 2 * (SCORE + 2)) },
    kpi: () => ({ mean: 0.03, variance: 0.03 * 0.97 }),
    ...overrides,
  }
}

const PLAN = [{ weight: 25, minDurationMs: 0, minRequests: 0 }]

describe('growth of evidence', () => {
  it('is the divergence of the distributions, 0 between equal ones', () => {
    expect(divergence(0.3, 0.3)).toBe(0)
    expect(divergence(0, 0.1)).toBeCloseTo(-Math.log(0.9), 12)
    expect(divergence(1, 0.25)).toBeCloseTo(Math.log(4), 12)
  })

  it('never falls when the regression or (up to half) the share of the canary grows', () => {
    fc.assert(
      fc.property(
        fc.constantFrom(...ALL_KINDS),
        fc.double({ min: 0.01, max: 0.25, noNaN: true }),
        fc.double({ min: 0, max: 1, noNaN: true }),
        fc.double({ min: 0, max: 1, noNaN: true }),
        (guardrail, share, a, b) => {
          const growth = growthOfGuardrail(guardrail, factsOf())
          if (growth === null) throw new Error('unknown')
          const [low, high] = [Math.min(a, b) * growth.largest, Math.max(a, b) * growth.largest]
          const slack = 1e-12
          expect(growth.breach(share, high)).toBeGreaterThanOrEqual(
            growth.breach(share, low) - slack,
          )
          expect(growth.breach(2 * share, high)).toBeGreaterThanOrEqual(
            growth.breach(share, high) - slack,
          )
        },
      ),
    )
  })

  it('is 0 for a breach inside the limit and for a pass outside', () => {
    const slow = factsOf({}, { latencyAbove: (ms) => (ms < 130 ? 0.06 : 0.01), errorRate: 0.02 })
    expect(growthOfGuardrail(P95_MAX, slow)?.pass(0.1)).toBe(0)
    expect(growthOfGuardrail(ERROR_MAX, slow)?.pass(0.1)).toBe(0)
    expect(growthOfGuardrail(ERROR_MAX, factsOf())?.breach(0.1, 0.008)).toBe(0)
    expect(growthOfGuardrail(P95_INCREASE, factsOf())?.breach(0.1, 0.0999)).toBe(0)
    expect(growthOfGuardrail(QUALITY_DROP, factsOf())?.breach(0.1, 0.01)).toBe(0)
    expect(growthOfGuardrail(QUALITY_MIN, factsOf())?.breach(0.1, 0.019)).toBe(0)
  })

  it('finds the quantile of a baseline', () => {
    expect(latencyQuantile(factsOf(), 0.95)).toBeCloseTo(110, 6)
    expect(latencyQuantile({ latencyAbove: () => null }, 0.95)).toBe(null)
  })
})

describe('a plan', () => {
  it.each<readonly [string, Guardrail, number]>([
    ['latency_p95 max', P95_MAX, 200],
    ['latency_p95 max_increase', P95_INCREASE, 200],
    ['error_rate max', ERROR_MAX, 200],
    ['error_rate max_increase', ERROR_PP, 200],
    ['quality max_drop', QUALITY_DROP, 200],
    ['quality min', QUALITY_MIN, 20],
    ['kpi max_drop', KPI_DROP, 200],
  ])(
    'of %s says when the judge will pass it, within a third (at ten looks or more)',
    { timeout: 60_000 },
    (_, guardrail, rps) => {
      const spec = specOf([guardrail], { cohorts: { by: [], key: [] }, plan: PLAN })
      const planned = planRelease(spec, [factsOf()], rps).rows[0]?.passSeconds?.mean ?? 0
      const delay = (spec.blocks.watermarkMs + 0.5 * spec.blocks.lengthMs) / 1000
      const runs = 12
      let seconds = 0
      for (let run = 0; run < runs; run++) {
        const stream = generateBlocks({
          seed: 100 + run,
          requestsPerBlock: (rps * spec.blocks.lengthMs) / 1000,
          canaryShare: 0.25,
          latencyLimitsMs: [120],
          kpis: 1,
          cohorts: [{ cohort: {}, share: 1 }],
        })
        const judge = createJudge(spec, stream.history(20_000), START_MS)
        let blocks = 0
        do {
          judge.fold(stream.next())
          blocks++
        } while (!judge.assess().passed && blocks < 2000)
        seconds += (blocks * spec.blocks.lengthMs) / 1000 / runs
      }
      expect(planned - delay).toBeGreaterThan((2 / 3) * seconds)
      expect(planned - delay).toBeLessThan((4 / 3) * seconds + spec.blocks.lengthMs / 1000)
    },
  )

  it('takes a small cohort longer, and says so for a key cohort that has no traffic', () => {
    const spec = specOf([ERROR_MAX], {
      cohorts: { by: ['locale', 'device'], key: [DE, { locale: 'ja-JP', device: 'tablet' }] },
    })
    const facts = [factsOf(EN), factsOf(DE, { requests: 100 })]
    const plan = planRelease(spec, facts, 50)
    const seconds = (cohort: unknown) =>
      plan.rows.find((row) => JSON.stringify(row.cohort) === JSON.stringify(cohort))?.passSeconds
        ?.mean ?? Number.NaN
    expect(seconds(DE)).toBeGreaterThan(10 * seconds('overall'))
    expect(plan.steps[0]?.slowest).toMatchObject({ metric: 'error_rate', cohort: DE })
    expect(plan.unseen).toEqual([{ locale: 'ja-JP', device: 'tablet' }])
  })

  it('never ends a step whose baseline is outside a limit', () => {
    const plan = planRelease(specOf([ERROR_MAX]), [factsOf(EN, { errorRate: 0.02 })], 50)
    expect(plan.steps[0]?.seconds).toBe(null)
    expect(plan.rows[0]?.passSeconds).toBe(null)
  })

  it('lasts as long as the minimum of the step when everything is known sooner', () => {
    const plan = [{ weight: 50, minDurationMs: 36_000_000, minRequests: 0 }]
    const step = planRelease(specOf([P95_MAX], { plan }), [factsOf(EN)], 500).steps[0]
    expect(step).toEqual({
      index: 0,
      weight: 50,
      seconds: { mean: 36_000, p90: 36_000 },
      slowest: null,
    })
    const many = [{ weight: 50, minDurationMs: 0, minRequests: 900_000 }]
    const waits = planRelease(specOf([P95_MAX], { plan: many }), [factsOf(EN)], 500).steps[0]
    expect(waits?.seconds?.mean).toBe(3600)
  })

  it('names guardrails the baseline says nothing about, and comparisons that can never speak', () => {
    const facts = factsOf(EN, { quality: null })
    const tiny = factsOf(DE, { requests: 0.001, quality: null })
    const plan = planRelease(specOf([QUALITY_DROP, ERROR_MAX]), [facts, tiny], 1)
    expect(plan.unknown).toEqual([{ metric: 'quality', limit: QUALITY_DROP.written }])
    expect(plan.blind).toContainEqual({
      metric: 'error_rate',
      limit: ERROR_MAX.written,
      cohort: DE,
    })
  })
})
