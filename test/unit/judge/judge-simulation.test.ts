// Small Monte-Carlo checks with fixed seeds; the long ones are in test/simulation.
import { describe, expect, it } from 'vitest'
import type { Guardrail } from '../../../src/domain/release.ts'
import type { Assessment } from '../../../src/domain/verdict.ts'
import { createJudge } from '../../../src/judge/judge.ts'
import type { StreamOptions } from '../../support/block-generator.ts'
import { generateBlocks } from '../../support/block-generator.ts'
import {
  ERROR_MAX,
  ERROR_PP,
  P95_INCREASE,
  P95_MAX,
  QUALITY_DROP,
  START_MS,
  specOf,
} from './judge-builders.ts'

const ALL = [P95_MAX, P95_INCREASE, ERROR_MAX, ERROR_PP, QUALITY_DROP]
const ONE_COHORT = [{ cohort: {}, share: 1 }]
const TWO_COHORTS = [
  { cohort: { device: 'mobile' }, share: 0.7 },
  { cohort: { device: 'desktop' }, share: 0.3 },
]
const TIMEOUT_MS = 60_000

interface Outcome {
  rollbacks: number
  passes: number
}

/** Releases that ever roll back and releases that ever pass, looked at after every block. */
function simulate(
  runs: number,
  blocks: number,
  guardrails: readonly Guardrail[],
  options: Partial<StreamOptions>,
): Outcome {
  const spec = specOf(guardrails, {
    cohorts: { by: options.cohorts === ONE_COHORT ? [] : ['device'], key: [] },
  })
  const outcome = { rollbacks: 0, passes: 0 }
  for (let run = 0; run < runs; run++) {
    const stream = generateBlocks({
      seed: 7919 * run + 17,
      requestsPerBlock: 400,
      canaryShare: 0.25,
      latencyLimitsMs: [120],
      cohorts: TWO_COHORTS,
      ...options,
    })
    const judge = createJudge(spec, stream.history(3000), START_MS)
    let latest: Assessment | null = null
    let passed = false
    for (let k = 0; k < blocks && latest?.rollback !== true; k++) {
      judge.fold(stream.next())
      latest = judge.assess()
      passed ||= latest.passed
    }
    if (latest?.rollback === true) outcome.rollbacks++
    if (passed) outcome.passes++
  }
  return outcome
}

describe('in simulated releases', { timeout: TIMEOUT_MS }, () => {
  it('equal versions are rolled back in at most 5 % of 200 (+ 3 standard errors)', () => {
    const { rollbacks } = simulate(200, 20, ALL, {})
    expect(rollbacks).toBeLessThanOrEqual(Math.floor(200 * (0.05 + 3 * 0.0154)))
  })

  it.each([
    ['a p95 half as long again', { p50Ms: 52.5, p95Ms: 165 }, 20],
    ['errors from 0.5 to 2 %', { errorRate: 0.02 }, 60],
    ['quality lower by 0.03', { quality: 0.83 }, 60],
  ])('%s is found every time', (_, canary, blocks) => {
    expect(simulate(10, blocks, ALL, { canary })).toEqual({ rollbacks: 10, passes: 0 })
  })

  it('a canary that is better by a lot never rolls back, and passes', () => {
    const canary = { p50Ms: 20, p95Ms: 60, errorRate: 0.0005, quality: 0.95 }
    expect(simulate(10, 100, ALL, { canary })).toEqual({ rollbacks: 0, passes: 10 })
  })

  it.each([
    ['errors', ERROR_PP, { errorRate: 0.007 }],
    ['quality', QUALITY_DROP, { quality: 0.85 }],
    ['p95', P95_INCREASE, { p50Ms: 38.5, p95Ms: 121 }],
  ])('%s exactly at the margin pass in few of 40 releases', (_, guardrail, canary) => {
    const options = { canary, cohorts: ONE_COHORT }
    const { passes, rollbacks } = simulate(40, 60, [guardrail], options)
    // 5 % + 3 standard errors of 40 runs.
    expect(passes).toBeLessThanOrEqual(6)
    expect(rollbacks).toBeLessThanOrEqual(6)
  })

  it('a canary that gets mostly the slow cohorts is not taken for slow', () => {
    const cohorts = [
      { cohort: { locale: 'en-US', device: 'mobile' }, share: 0.8, canaryShare: 0.2 },
      {
        cohort: { locale: 'de-DE', device: 'mobile' },
        share: 0.2,
        canaryShare: 0.8,
        both: { p50Ms: 90, p95Ms: 280, errorRate: 0.02, quality: 0.7 },
      },
    ]
    const spec = specOf([P95_INCREASE, ERROR_PP, QUALITY_DROP])
    let rollbacks = 0
    let passes = 0
    for (let run = 0; run < 10; run++) {
      const stream = generateBlocks({
        seed: run,
        requestsPerBlock: 400,
        canaryShare: 0.5,
        cohorts,
      })
      const judge = createJudge(spec, stream.history(8000), START_MS)
      for (let k = 0; k < 150; k++) judge.fold(stream.next())
      const assessment = judge.assess()
      if (assessment.rollback) rollbacks++
      if (
        assessment.rows.some(
          ({ cohort, verdict }) => cohort === 'overall' && verdict === 'within_limit',
        )
      ) {
        passes++
      }
    }
    expect(rollbacks).toBeLessThanOrEqual(2)
    expect(passes).toBe(10)
  })
})
