import { describe, expect, it } from 'vitest'
import type { DecisionDraft } from '../../../src/domain/decision.ts'
import type { Assessment } from '../../../src/domain/verdict.ts'
import {
  canaryWeightOf,
  decideAtBlockEnd,
  decideByCommand,
  reportIdle,
  startRollout,
  stateAtStep,
} from '../../../src/rollout/rollout.ts'
import { buildAssessment, buildRow, buildSpec } from '../../support/builders.ts'

const spec = buildSpec()
const START = 1_000_000_000
const FULL_STEP = START + 60_000
const counts = { events: 0, duplicates: 0, late: 0 }
const first = startRollout(spec, START)

const at = (endMs: number) => ({ endMs, releaseStartMs: START, counts })

/** What is decided at `endMs` on canary data that are fresh then. */
function decide(state: DecisionDraft, endMs: number, overrides: Partial<Assessment> = {}) {
  const assessment = buildAssessment({ newestCanaryEndInStepMs: endMs, ...overrides })
  return decideAtBlockEnd(spec, state, assessment, at(endMs))
}

describe('a release that begins', () => {
  it('has seen and judged nothing, and says what it does', () => {
    const endMs = START - spec.blocks.watermarkMs
    expect(startRollout(spec, START)).toMatchObject({
      action: 'hold',
      phase: 'ramping',
      window: { startMs: endMs, endMs, watermarkMs: START },
      evidence: [],
      counts,
      reasons: [
        {
          code: 'release_started',
          severity: 'info',
          message: '1.1.0 starts at weight 5 of 100 beside 1.0.0',
        },
      ],
    })
  })

  it('fails as a fault of its own at a step that no plan has', () => {
    expect(() => stateAtStep(spec, 3, START)).toThrow(expect.objectContaining({ code: 'internal' }))
  })
})

describe('an increase', () => {
  it('says how many comparisons passed, and on how many requests if there are counts', () => {
    const rows = [buildRow(), buildRow({ metric: 'quality' }), buildRow({ required: false })]
    const uncounted = { ...first, step: { ...first.step, minRequests: 0 } }
    const message = (canaryRequests: number) =>
      decide(uncounted, FULL_STEP, { rows, canaryRequests })?.reasons[0]?.message
    expect(message(500)).toBe(
      'all 2 required comparisons are within their limits on 500 canary requests of this step',
    )
    expect(message(0)).toBe('all 2 required comparisons are within their limits')
  })

  it('names of cohorts with equal evidence those that come first', () => {
    const cohorts = ['a', 'b', 'c', 'd', 'e', 'f', 'g']
    const rows = [buildRow(), ...cohorts.map((locale) => buildRow({ cohort: { locale } }))]
    const listed = decide(first, FULL_STEP, { rows })?.evidence.map(({ cohort }) => cohort)
    expect(listed).toEqual(['overall', ...cohorts.slice(0, 5).map((locale) => ({ locale }))])
  })
})

describe('a hold', () => {
  it('is not repeated for the same reasons in another order, but comes after an increase', () => {
    const endMs = START + 10_000
    const short = { canaryRequests: 10 }
    const held = decide(first, endMs, short) as DecisionDraft
    const turned = { ...held, reasons: held.reasons.toReversed() }
    expect(decide(turned, endMs + 10_000, short)).toBeNull()
    const increased = { ...held, action: 'increase' as const }
    expect(decide(increased, endMs + 10_000, short)?.action).toBe('hold')
  })

  it('because nothing comes carries that reason', () => {
    const reason = { code: 'stale_data', severity: 'info', message: 'x' } as const
    expect(reportIdle(first, reason)?.reasons).toEqual([reason])
  })
})

describe('a command', () => {
  it.each([
    ['promote', 'increase', 'promoted', 100],
    ['abort', 'rollback', 'aborted', 0],
    ['rollback', 'rollback', 'rolled_back', 0],
    ['pause', 'hold', 'paused', 5],
  ] as const)('%s is an %s that leaves the release %s with weight %i', (command, ...expected) => {
    const draft = decideByCommand(spec, first, command, 'ada', '', at(FULL_STEP))
    const weight = canaryWeightOf(draft?.traffic ?? [])
    expect([draft?.action, draft?.phase, weight]).toEqual(expected)
    expect(draft?.previousTraffic).toEqual(first.traffic)
    expect(draft?.reasons[0]?.message).toBe(`${command} by ada`)
  })

  it('never moves the window back', () => {
    const window = { startMs: START, endMs: FULL_STEP, watermarkMs: 7 }
    const paused = { ...first, phase: 'paused' as const, window }
    const resumed = (endMs: number) =>
      decideByCommand(spec, paused, 'resume', 'ada', '', at(endMs)) as DecisionDraft
    expect(resumed(FULL_STEP - 1).window).toBe(window)
    expect(resumed(FULL_STEP).window).toBe(window)
    expect(resumed(FULL_STEP + 10_000).window.endMs).toBe(FULL_STEP + 10_000)
    expect(resumed(FULL_STEP)).toMatchObject({ action: 'hold', traffic: first.traffic })
  })
})
