import { describe, expect, it } from 'vitest'
import type { Guardrail, ReleaseSpec } from '../../../src/domain/release.ts'
import type { BaselineFacts } from '../../../src/judge/baseline-facts.ts'
import { requestsUntil } from '../../../src/judge/growth.ts'
import { growthOfGuardrail } from '../../../src/judge/guardrail-growth.ts'
import { planRelease } from '../../../src/judge/planning.ts'
import { DE, EN, ERROR_MAX, QUALITY_DROP, specOf } from './judge-builders.ts'

/** A watermark delay of 30 s and half a block of 10 s, until a decision is known. */
const DELAY = 35
/** Thirty blocks of 10 s. */
const BLOCKS = 300
const SHARE = 0.1

function factsOf(overrides: Partial<BaselineFacts> = {}): BaselineFacts {
  return {
    ...{ cohort: EN, requests: 1000, errorRate: 0.005, latencyAbove: () => null },
    quality: { mean: 0.9, variance: 0.0151 },
    kpi: () => null,
    ...overrides,
  }
}

/** One step of a tenth of the traffic, without cohorts unless told otherwise. */
function planOf(
  guardrails: readonly Guardrail[],
  rps: number,
  { facts = [factsOf()], ...spec }: Partial<ReleaseSpec> & { facts?: BaselineFacts[] } = {},
) {
  return planRelease(specOf(guardrails, { cohorts: { by: [], key: [] }, ...spec }), facts, rps)
}

const wide: Guardrail = { ...QUALITY_DROP, limit: { kind: 'max_drop', value: 0.5 } }

describe('the time a pass takes', () => {
  it('is that of the evidence, at the requests there are, and of the decision', () => {
    const [row] = planOf([ERROR_MAX], 20).rows
    const growth = growthOfGuardrail(ERROR_MAX, factsOf())!.pass(SHARE)
    const hitting = requestsUntil(Math.log(20), growth)!
    expect(row?.passSeconds?.mean).toBeCloseTo(hitting.mean / 20 + DELAY, 6)
    expect(row?.passSeconds?.p90).toBeCloseTo(hitting.p90 / 20 + DELAY, 6)
    expect(planOf([ERROR_MAX], 1e9).rows[0]?.passSeconds?.mean).toBeCloseTo(DELAY, 2)
  })

  it('of a difference is at least thirty blocks, and the requests of its gate', () => {
    const passed = (rps: number) => planOf([wide], rps).rows[0]?.passSeconds
    expect(passed(1e6)).toEqual({ mean: BLOCKS + DELAY, p90: BLOCKS + DELAY })
    // 100 values of the canary are 1,000 requests.
    expect(passed(2)).toEqual({ mean: 500 + DELAY, p90: 500 + DELAY })
  })

  it('is unknown without requests', () => {
    expect(planOf([ERROR_MAX, wide], 0).rows.map(({ passSeconds }) => passSeconds)).toEqual([
      null,
      null,
    ])
  })
})

describe('a planned step', () => {
  it('waits for the slowest of the comparisons that must pass', () => {
    const { steps, rows } = planOf([ERROR_MAX, wide], 1e6)
    expect(rows.map(({ passSeconds }) => Math.round(passSeconds?.mean ?? 0))).toEqual([35, 335])
    expect(steps).toEqual([
      {
        index: 0,
        weight: 10,
        seconds: { mean: BLOCKS + DELAY, p90: BLOCKS + DELAY },
        slowest: { metric: 'quality', limit: wide.written, cohort: 'overall' },
      },
    ])
    expect(planOf([wide, ERROR_MAX], 1e6).steps[0]?.slowest?.metric).toBe('quality')
  })

  it('ends when nine of ten of all its comparisons have, which need not be those of the slowest', () => {
    const { steps, rows } = planOf([ERROR_MAX, wide], 2)
    const known = rows.map(({ passSeconds }) => passSeconds!)
    expect(steps[0]?.seconds).toEqual({
      mean: Math.max(...known.map(({ mean }) => mean)),
      p90: Math.max(...known.map(({ p90 }) => p90)),
    })
  })

  it('does not wait for a dry run, nor for cohorts that are not key', () => {
    const dry = { ...wide, dryRun: true }
    const facts = [factsOf(), factsOf({ cohort: DE, requests: 10 })]
    const cohorts = { by: ['locale', 'device'] as const, key: [] }
    const { steps, rows } = planOf([ERROR_MAX, dry], 1e6, { facts, cohorts })
    expect(rows.filter(({ required }) => required)).toMatchObject([
      { metric: 'error_rate', cohort: 'overall' },
    ])
    expect(steps[0]?.slowest).toMatchObject({ metric: 'error_rate', cohort: 'overall' })
    const keyed = planOf([ERROR_MAX], 1e6, { facts, cohorts: { ...cohorts, key: [DE] } })
    expect(keyed.rows.filter(({ required }) => required).map(({ cohort }) => cohort)).toEqual([
      'overall',
      DE,
    ])
  })

  it('waits for nothing when its own minimum is as long', () => {
    const minDurationMs = (BLOCKS + DELAY) * 1000
    const plan = [{ weight: 10, minDurationMs, minRequests: 0 }]
    expect(planOf([wide], 1e6, { plan }).steps[0]?.slowest).toBeNull()
  })

  it('counts the requests of its minimum at the canary’s share', () => {
    const plan = [{ weight: 10, minDurationMs: 1000, minRequests: 50_000 }]
    expect(planOf([ERROR_MAX], 100, { plan }).steps[0]?.seconds?.mean).toBe(5000)
  })
})

describe('what a plan sees', () => {
  /** Seconds until nine of ten releases find a regression of one guardrail without cohorts. */
  function foundAfter(guardrail: Guardrail, regression: number, rps: number, share = SHARE) {
    const growth = growthOfGuardrail(guardrail, factsOf())!.breach(share, regression)
    // Half of the evidence belongs to restarts.
    return (requestsUntil(Math.log(20) + Math.LN2, growth)?.p90 ?? Number.NaN) / rps
  }

  it('is the regression that is found just while the step lasts', () => {
    const { rows, steps } = planOf([ERROR_MAX], 20)
    const sees = rows[0]?.sees
    expect(sees?.effect).toBe('rate')
    expect(foundAfter(ERROR_MAX, sees!.value, 20) / steps[0]!.seconds!.mean).toBeCloseTo(1, 6)
  })

  it('is what is found in the longest duration when the step never ends or lasts longer', () => {
    const facts = [factsOf({ errorRate: 0.5 })]
    const maxDurationMs = 10_000_000
    const never = planOf([ERROR_MAX], 20, { facts, maxDurationMs })
    expect(never.steps[0]).toMatchObject({ seconds: null, slowest: { metric: 'error_rate' } })
    expect(foundAfter(ERROR_MAX, never.rows[0]!.sees!.value, 20)).toBeCloseTo(10_000, 1)
    const plan = [{ weight: 10, minDurationMs: 2 * maxDurationMs, minRequests: 0 }]
    const long = planOf([ERROR_MAX], 20, { plan, maxDurationMs })
    expect(foundAfter(ERROR_MAX, long.rows[0]!.sees!.value, 20)).toBeCloseTo(10_000, 1)
  })

  it('is nothing where not even the largest regression is found, and blind if in no step', () => {
    const steps = [1, 50].map((weight) => ({ weight, minDurationMs: 0, minRequests: 0 }))
    const maxDurationMs = 1000 * foundAfter(ERROR_MAX, 1, 1, 0.1)
    const plan = planOf([ERROR_MAX], 1, { plan: steps, maxDurationMs })
    expect(plan.rows.map(({ step, weight, sees }) => [step, weight, sees !== null])).toEqual([
      [0, 1, false],
      [1, 50, true],
    ])
    expect(plan.blind).toEqual([])
    const small = planOf([ERROR_MAX], 1, { plan: steps.slice(0, 1), maxDurationMs })
    expect(small.blind).toEqual([
      { metric: 'error_rate', limit: ERROR_MAX.written, cohort: 'overall' },
    ])
  })
})

describe('the weight of a comparison', () => {
  it('is part of what it takes to see a regression', () => {
    const cohorts = { by: ['locale', 'device'] as const, key: [] }
    const [overall] = planOf([ERROR_MAX], 1000, { cohorts }).rows
    const seen = growthOfGuardrail(ERROR_MAX, factsOf())!.breach(SHARE, overall!.sees!.value)
    // Half of the weight belongs to cohorts, and half of the evidence to restarts.
    const hitting = requestsUntil(Math.log(20) + 2 * Math.LN2, seen)!
    const lasts = planOf([ERROR_MAX], 1000, { cohorts }).steps[0]!.seconds!.mean
    expect(hitting.p90 / 1000 / lasts).toBeCloseTo(1, 6)
  })
})

describe('the baseline of a plan', () => {
  const cohorts = { by: ['locale', 'device'] as const, key: [{ locale: 'en-US' }] }

  it('adds up what is known of one cohort, and splits requests by its share', () => {
    const facts = [
      factsOf({ requests: 300, errorRate: 0 }),
      factsOf({ requests: 100, errorRate: 0.004 }),
      factsOf({ requests: 100, cohort: DE, errorRate: 0.007 }),
    ]
    const { rows } = planOf([ERROR_MAX], 50, { facts, cohorts })
    expect(rows.map(({ cohort, requestsPerSecond }) => [cohort, requestsPerSecond])).toEqual([
      ['overall', 50],
      [{ locale: 'en-US' }, 40],
      [EN, 40],
      [DE, 10],
    ])
    const growth = growthOfGuardrail(ERROR_MAX, factsOf({ errorRate: 0.001 }))!.pass(SHARE)
    const hitting = requestsUntil(Math.log(20), growth)!
    expect(rows[2]?.passSeconds?.mean).toBeCloseTo(hitting.mean / 40 + DELAY, 6)
  })

  it('leaves out cohorts without traffic, and says so of key cohorts only', () => {
    const key = [{ locale: 'ja-JP' }, DE]
    const other = { locale: 'fr-FR', device: 'tv' }
    const facts = [factsOf(), ...[DE, other].map((cohort) => factsOf({ cohort, requests: 0 }))]
    const plan = planOf([ERROR_MAX], 50, { facts, cohorts: { ...cohorts, key } })
    expect(plan.rows.map(({ cohort }) => cohort)).toEqual(['overall', EN])
    expect(plan.unseen).toEqual([{ locale: 'ja-JP' }, DE])
    expect(plan.unknown).toEqual([])
  })

  it('names a guardrail once of which nothing is known anywhere, not one unknown in a cohort', () => {
    const facts = [factsOf(), factsOf({ cohort: DE, quality: null })]
    const plan = planOf([QUALITY_DROP], 50, { facts, cohorts })
    expect(plan.unknown).toEqual([])
    expect(plan.rows.map(({ cohort }) => cohort)).toEqual(['overall', { locale: 'en-US' }, EN])
  })
})
