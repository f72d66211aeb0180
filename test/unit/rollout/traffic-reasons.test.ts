import { describe, expect, it } from 'vitest'
import type { Assessment, SplitReading } from '../../../src/domain/verdict.ts'
import { decideAtBlockEnd, startRollout, stateAtStep } from '../../../src/rollout/rollout.ts'
import { type Laggards, trafficReasons } from '../../../src/rollout/traffic-reasons.ts'
import { BALANCED_TRAFFIC, buildAssessment, buildSpec } from '../../support/builders.ts'

const spec = buildSpec()
const START = 1_000_000_000
const END = START + 120_000
const DE = { locale: 'de-DE', device: 'mobile' }

function splitOf(split: Partial<SplitReading>): Partial<Assessment> {
  return { split: { ...BALANCED_TRAFFIC.split, ...split } }
}

/** Reasons at the second step: weight 25 after 5 of 100. */
function reasons(overrides: Partial<Assessment>, laggards: Laggards | null = null, endMs = END) {
  const state = stateAtStep(spec, 1, START)
  return trafficReasons(spec, state, buildAssessment(overrides), { endMs, laggards })
}

function said(overrides: Partial<Assessment>, laggards: Laggards | null = null, endMs = END) {
  return reasons(overrides, laggards, endMs).map(({ code, message }) => `${code}: ${message}`)
}

describe('what makes comparisons doubtful', () => {
  it('is nothing as long as traffic is as planned', () => {
    expect(said({})).toEqual([])
  })

  it('is a share of the canary that is not the planned one, with what that often means', () => {
    const broken = { planned: 0.25, requests: 4000, sampleRatioBroken: true }
    expect(said(splitOf({ ...broken, observed: 0.2 }))).toEqual([
      'sample_ratio_mismatch: 1.1.0 got 20 % of 4000 requests in this step, where 25 % are planned: instances that crash send no events, or the router does not follow the weights',
    ])
    expect(said(splitOf({ ...broken, observed: 0.301 }))[0]).toContain(
      'sample_ratio_mismatch: 1.1.0 got 30.1 %',
    )
    expect(said(splitOf({ ...broken, observed: 0.301 }))[0]).toContain('events of the stable')
  })

  it('is a router that stays with the weights of the step before', () => {
    const old = { planned: 0.25, observed: 0.052, requests: 4000, sampleRatioBroken: true }
    expect(said(splitOf(old))).toEqual([
      'router_not_applied: 1.1.0 got 5.2 % of 4000 requests in this step, where 25 % are planned: nearer to the 5 % before it',
    ])
    expect(said(splitOf({ ...old, sampleRatioBroken: false }))).toEqual([])
    expect(said(splitOf({ ...old, planned: null }))).toEqual([])
  })

  it('is a router that has not said it applies the step, once it had time to', () => {
    const laggards = { routers: ['e', 'a', 'b', 'c'], generation: 12 }
    // Watermark delay 30 s and three blocks of 10 s.
    expect(said({}, laggards, START + 60_000)).toEqual([])
    expect(said({}, laggards, START + 70_000)).toEqual([
      'router_not_applied: no ack of generation 12 or later from e, a, b and 1 more, 1m10s into the step',
    ])
    expect(said({}, { routers: [], generation: 12 })).toEqual([])
  })

  it('is another mix of cohorts, named by the one that differs most', () => {
    const parity = {
      ...{ parityBroken: true, distance: 0.123, observed: 0.25 },
      cohort: { cohort: DE, share: 0.4 },
    }
    const [reason] = reasons(splitOf({ ...parity, planned: null }))
    expect(reason?.cohort).toEqual(DE)
    expect(reason?.message).toBe(
      '1.1.0 gets another mix of cohorts than 1.0.0 (12.3 % of the requests differ), most of all in de-DE/mobile: 40 % of it instead of 25 %',
    )
    expect(said(splitOf({ ...parity, planned: 0.05 }))[0]).toContain('instead of 5 %')
    expect(said(splitOf({ ...parity, parityBroken: false }))).toEqual([])
  })

  it('is a score that one version carries more often', () => {
    const labels = [
      { metric: 'quality', stable: 0.9, canary: 0.6, logE: 9, differs: true },
      { metric: 'kpi.sales', stable: 0.9, canary: 0.9, logE: 0, differs: false },
    ]
    expect(reasons({ labels })).toMatchObject([{ code: 'label_rate_differs', metric: 'quality' }])
    expect(said({ labels })[0]).toContain('60 % of the answers of 1.1.0 carry quality')
  })

  it('is a log that holds another part of one version’s requests', () => {
    expect(reasons({ sampledApart: [DE, { locale: 'en-US' }] })).toMatchObject([
      {
        code: 'sample_rate_differs',
        cohort: DE,
        message:
          'the two versions are logged at different sample rates in de-DE/mobile and 1 more; give both the same',
      },
    ])
  })

  it('is one cohort’s log alone, or those of several', () => {
    expect(said({ sampledApart: [DE] })).toEqual([
      'sample_rate_differs: the two versions are logged at different sample rates in de-DE/mobile; give both the same',
    ])
  })

  it('is late events, many of them or those of one version', () => {
    const late = { stable: 0.0001, canary: 0.004, logE: 9, differs: true }
    expect(said({ late })).toEqual([
      'late_events: 0.4 % of the events of 1.1.0 came late, of all others 0.01 %',
    ])
    expect(said({ late, lateShare: 0.02 })).toEqual([
      'late_events: 2 % of the events came after their block was closed and are not judged; 0.4 % of the events of 1.1.0 came late, of all others 0.01 %',
    ])
  })
})

describe('a decision on doubtful traffic', () => {
  const broken = splitOf({ planned: 0.05, observed: 0.03, sampleRatioBroken: true })
  const at = { endMs: END, releaseStartMs: START, counts: { events: 0, duplicates: 0, late: 0 } }
  const fresh = { newestCanaryEndMs: END, newestCanaryEndInStepMs: END }
  const first = startRollout(spec, START)

  it('is hold where all guardrails passed', () => {
    const decide = (overrides: Partial<Assessment>) =>
      decideAtBlockEnd(spec, first, buildAssessment({ ...fresh, ...overrides }), at)
    expect(decide({})?.action).toBe('increase')
    expect(decide(broken)).toMatchObject({
      action: 'hold',
      reasons: [{ code: 'sample_ratio_mismatch' }],
    })
  })

  it('is still rollback where a limit is broken', () => {
    const assessment = buildAssessment({ ...fresh, ...broken, rollback: true })
    expect(decideAtBlockEnd(spec, first, assessment, at)?.action).toBe('rollback')
  })
})
