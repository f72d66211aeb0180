import { describe, expect, it } from 'vitest'
import type { DecisionDraft } from '../../../src/domain/decision.ts'
import type { Assessment } from '../../../src/domain/verdict.ts'
import { idleReason } from '../../../src/rollout/reasons.ts'
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
const counts = { events: 0, duplicates: 0, late: 0 }

function at(endMs: number) {
  return { endMs, releaseStartMs: START, counts }
}

/** Fresh at `endMs`, otherwise as given. */
function fresh(endMs: number, overrides: Partial<Assessment> = {}): Assessment {
  return buildAssessment({
    newestCanaryEndMs: endMs,
    newestCanaryEndInStepMs: endMs,
    ...overrides,
  })
}

function codes(draft: DecisionDraft | null): string[] {
  return draft?.reasons.map((reason) => reason.code) ?? []
}

const first = startRollout(spec, START)
const FULL_STEP = START + 60_000

describe('startRollout', () => {
  it('begins with hold, release_started and the first weight, coming from all on stable', () => {
    expect(first.action).toBe('hold')
    expect(first.phase).toBe('ramping')
    expect(codes(first)).toEqual(['release_started'])
    expect(first.traffic.map((share) => share.weight)).toEqual([95, 5])
    expect(first.previousTraffic.map((share) => share.weight)).toEqual([100, 0])
  })

  it('ends its window one watermark delay before the start, so that decided at = window end + delay', () => {
    expect(first.window.endMs + spec.blocks.watermarkMs).toBe(START)
    expect(first.window.watermarkMs).toBe(START)
  })

  it('counts its first step from the first whole block after the start', () => {
    expect(startRollout(spec, START + 1).step.startedAtMs).toBe(START + 10_000)
  })
})

describe('decideAtBlockEnd', () => {
  it('increases when every required row passed, the step is long enough and requests suffice', () => {
    const draft = decideAtBlockEnd(spec, first, fresh(FULL_STEP), at(FULL_STEP))
    expect(draft?.action).toBe('increase')
    expect(codes(draft)).toEqual(['all_guardrails_passed'])
    expect(draft?.traffic.map((share) => share.weight)).toEqual([75, 25])
    expect(draft?.previousTraffic.map((share) => share.weight)).toEqual([95, 5])
    expect(draft?.step.index).toBe(1)
  })

  it('starts the next step one watermark delay after the deciding window', () => {
    const draft = decideAtBlockEnd(spec, first, fresh(FULL_STEP), at(FULL_STEP))
    expect(draft?.step.startedAtMs).toBe(FULL_STEP + spec.blocks.watermarkMs)
  })

  it('promotes after the last step: all traffic on the canary, both roles listed, step index = count', () => {
    const last = { ...first, step: { ...first.step, index: 2 } }
    const draft = decideAtBlockEnd(spec, last, fresh(FULL_STEP), at(FULL_STEP))
    expect(draft?.action).toBe('increase')
    expect(draft?.phase).toBe('promoted')
    expect(draft?.traffic).toEqual([
      { version: '1.0.0', role: 'stable', weight: 0 },
      { version: '1.1.0', role: 'canary', weight: 100 },
    ])
    expect(draft?.step.index).toBe(3)
  })

  it('rolls back at once, whatever the step lacks, and names the leading row first', () => {
    const rows = [
      buildRow({ verdict: 'breached' }),
      buildRow({ metric: 'quality', cohort: { locale: 'cs-CZ' }, verdict: 'breached' }),
    ]
    const assessment = fresh(START + 10_000, { rollback: true, passed: false, rows, leading: 1 })
    const draft = decideAtBlockEnd(spec, first, assessment, at(START + 10_000))
    expect(draft?.action).toBe('rollback')
    expect(draft?.phase).toBe('rolled_back')
    expect(codes(draft)).toEqual(['quality_breached', 'error_rate_breached'])
    expect(canaryWeightOf(draft?.traffic ?? [])).toBe(0)
  })

  it('names all of what was found beside the breached comparisons when it is little', () => {
    const rows = [
      buildRow({ verdict: 'breached' }),
      buildRow({ cohort: { locale: 'cs-CZ' }, verdict: 'undecided' }),
    ]
    const assessment = fresh(FULL_STEP, { rollback: true, rows, leading: 0, discovered: [0, 1] })
    const draft = decideAtBlockEnd(spec, first, assessment, at(FULL_STEP))
    expect(draft?.reasons[0]?.message).toMatch(/found: error_rate \(max: 2%\) for cs-CZ$/)
  })

  it('names and lists what was found beside the breached comparisons, as not breached', () => {
    const cohorts = Array.from({ length: 20 }, (_, k) => ({ locale: `l-${k}`, device: 'tv' }))
    const rows = [
      buildRow({ verdict: 'breached' }),
      ...cohorts.map((cohort) => buildRow({ cohort, verdict: 'undecided', weight: 1e-9 })),
    ]
    const discovered = [0, 20, ...cohorts.slice(1, 10).map((_, k) => k + 1)]
    const assessment = fresh(FULL_STEP, { rollback: true, rows, leading: 0, discovered })
    const draft = decideAtBlockEnd(spec, first, assessment, at(FULL_STEP))
    expect(codes(draft)).toEqual(['error_rate_breached'])
    const named = ['l-19', ...cohorts.slice(0, 7).map(({ locale }) => locale)]
    expect(draft?.reasons[0]?.message).toMatch(
      new RegExp(
        `; also worse, with at most 5 % false among all that are found: ${named
          .map((locale) => `error_rate \\(max: 2%\\) for ${locale}/tv`)
          .join(', ')} and 2 more$`,
      ),
    )
    expect(draft?.evidence).toEqual(rows.filter((_, index) => discovered.includes(index)))
  })

  it('says once where the weights are from when no history gave them', () => {
    const note =
      ' (the weights of the cohorts are from the first 1800 requests to 1.0.0, for too few came before the release)'
    const messages = (given: Partial<Assessment>, cohorts = spec.cohorts) => {
      const assessment = fresh(FULL_STEP, { weightsFrom: 1800, ...given })
      const draft = decideAtBlockEnd({ ...spec, cohorts }, first, assessment, at(FULL_STEP))
      return draft?.reasons.map(({ code, message }) => [code, message.includes(note)])
    }
    const rows = [buildRow({ verdict: 'undecided' }), buildRow({ verdict: 'collecting' })]
    expect(messages({})).toEqual([['all_guardrails_passed', true]])
    expect(messages({ weightsFrom: null })).toEqual([['all_guardrails_passed', false]])
    expect(messages({}, { by: [], key: [] })).toEqual([['all_guardrails_passed', false]])
    expect(messages({ rollback: true })).toEqual([['error_rate_breached', true]])
    expect(messages({ canaryRequests: 5, rows, passed: false })).toEqual([
      ['min_requests', false],
      ['collecting', true],
      ['undecided', false],
    ])
    expect(messages({ canaryRequests: 5 })).toEqual([['min_requests', true]])
  })

  it('names every breached comparison when none leads', () => {
    const rows = [buildRow({ verdict: 'breached' }), buildRow({ metric: 'quality' })]
    const assessment = fresh(START + 10_000, { rollback: true, rows, leading: -1 })
    const draft = decideAtBlockEnd(spec, first, assessment, at(START + 10_000))
    expect(codes(draft)).toEqual(['error_rate_breached'])
  })

  it('says which cohorts an overall difference comes from, worst first, better ones left out', () => {
    const quality = { metric: 'quality', limit: 'max_drop: 0.02', verdict: 'collecting' as const }
    const cell = (locale: string, contribution: number) =>
      buildRow({ ...quality, cohort: { locale, device: 'mobile' }, contribution })
    const rows = [
      buildRow({ ...quality, verdict: 'breached' }),
      cell('en-US', -0.01),
      cell('pt-BR', 0.02),
      cell('cs-CZ', -0.05),
      buildRow({ ...quality, cohort: { locale: 'cs-CZ' }, contribution: -0.06 }),
    ]
    const assessment = fresh(FULL_STEP, { rollback: true, rows, leading: 0 })
    const message = decideAtBlockEnd(spec, first, assessment, at(FULL_STEP))?.reasons[0]?.message
    expect(message).toMatch(/most of it comes from cs-CZ\/mobile \(.*\), en-US\/mobile \(.*\)$/)
    expect(message).not.toContain('pt-BR')
  })

  it('holds with min_duration and min_requests while the step is short of them', () => {
    const early = fresh(START + 10_000, { canaryRequests: 10 })
    const draft = decideAtBlockEnd(spec, first, early, at(START + 10_000))
    expect(draft?.action).toBe('hold')
    expect(codes(draft)).toEqual(['min_duration', 'min_requests'])
  })

  it('holds with undecided and collecting, and says what is still needed', () => {
    const rows = [
      buildRow({ verdict: 'undecided', needs: { requests: 1200, seconds: 90 } }),
      buildRow({ metric: 'quality', verdict: 'collecting', needs: { requests: 70, seconds: 5 } }),
    ]
    const assessment = fresh(FULL_STEP, { passed: false, rows })
    const draft = decideAtBlockEnd(spec, first, assessment, at(FULL_STEP))
    expect(codes(draft)).toEqual(['collecting', 'undecided'])
    expect(draft?.reasons[1]?.message).toContain('1200 more canary requests, 1m30s')
  })

  it('holds with no_traffic when the step has no canary request, never passing for lack of data', () => {
    const silent = fresh(FULL_STEP, {
      newestCanaryEndInStepMs: null,
      passed: false,
      rows: [buildRow({ verdict: 'no_data' })],
    })
    const draft = decideAtBlockEnd(spec, first, silent, at(FULL_STEP))
    expect(draft?.action).toBe('hold')
    expect(codes(draft)).toEqual(['no_traffic', 'collecting'])
  })

  it('holds with stale_data when the newest canary block is older than the delay plus three blocks', () => {
    const limit = spec.blocks.watermarkMs + 3 * spec.blocks.lengthMs
    const justFresh = fresh(FULL_STEP, { newestCanaryEndInStepMs: FULL_STEP - limit })
    expect(codes(decideAtBlockEnd(spec, first, justFresh, at(FULL_STEP)))).toEqual([
      'all_guardrails_passed',
    ])
    const stale = fresh(FULL_STEP, { newestCanaryEndInStepMs: FULL_STEP - limit - 1 })
    expect(codes(decideAtBlockEnd(spec, first, stale, at(FULL_STEP)))).toEqual(['stale_data'])
  })

  it('tells a canary that is down from traffic that sleeps', () => {
    const newestCanaryEndInStepMs = FULL_STEP - 3_600_000
    const message = (newestStableEndMs: number | null) => {
      const silent = fresh(FULL_STEP, { newestCanaryEndInStepMs, newestStableEndMs })
      return decideAtBlockEnd(spec, first, silent, at(FULL_STEP))?.reasons[0]?.message
    }
    expect(message(FULL_STEP)).toBe('no request to 1.1.0 for 1h, while 1.0.0 has some')
    expect(message(newestCanaryEndInStepMs)).toBe('no request to 1.1.0 for 1h, nor to 1.0.0')
    expect(message(null)).toBe('no request to 1.1.0 for 1h, nor to 1.0.0')
  })

  it('holds with coverage_missing when cohorts with a tenth of the traffic have no canary data', () => {
    const draft = decideAtBlockEnd(spec, first, fresh(FULL_STEP, { coverage: 0.89 }), at(FULL_STEP))
    expect(codes(draft)).toEqual(['coverage_missing'])
    expect(draft?.reasons[0]?.message).toBe(
      'the canary was seen in cohorts with 89 % of the traffic only',
    )
  })

  it('holds with coverage_missing for a key cohort, and says only what is missing', () => {
    const message = (overrides: Partial<Assessment>) => {
      const uncovered = [{ locale: 'pt-BR' }]
      const missing = fresh(FULL_STEP, { uncovered, ...overrides })
      return decideAtBlockEnd(spec, first, missing, at(FULL_STEP))?.reasons.find(
        ({ code }) => code === 'coverage_missing',
      )?.message
    }
    const key = 'key cohorts without enough canary requests in this step: pt-BR'
    expect(message({})).toBe(key)
    expect(message({ coverage: 0.5 })).toBe(
      `the canary was seen in cohorts with 50 % of the traffic only; ${key}`,
    )
    expect(message({ coverage: 0, canaryRequests: 0 })).toBe(
      `nothing of the canary was judged in this step yet; ${key}`,
    )
  })

  it('holds with late_events when more than one percent came late', () => {
    const draft = decideAtBlockEnd(
      spec,
      first,
      fresh(FULL_STEP, { lateShare: 0.011 }),
      at(FULL_STEP),
    )
    expect(codes(draft)).toEqual(['late_events'])
  })

  it('never passes by itself after max_duration, but still rolls back', () => {
    const late = START + spec.maxDurationMs
    expect(codes(decideAtBlockEnd(spec, first, fresh(late), at(late)))).toEqual(['max_duration'])
    const bad = fresh(late, { rollback: true })
    expect(decideAtBlockEnd(spec, first, bad, at(late))?.action).toBe('rollback')
  })

  it('only holds on a breached signal guardrail', () => {
    const rows = [
      buildRow(),
      buildRow({ severity: 'signal', verdict: 'breached', required: false }),
    ]
    const draft = decideAtBlockEnd(spec, first, fresh(FULL_STEP, { rows }), at(FULL_STEP))
    expect(draft?.action).toBe('hold')
    expect(draft?.reasons[0]).toMatchObject({ code: 'error_rate_breached', severity: 'signal' })
  })

  it('ignores a breached dry-run guardrail', () => {
    const rows = [
      buildRow(),
      buildRow({ dryRun: true, verdict: 'breached', required: false, weight: 0 }),
    ]
    const draft = decideAtBlockEnd(spec, first, fresh(FULL_STEP, { rows }), at(FULL_STEP))
    expect(draft?.action).toBe('increase')
  })

  it('is silent while nothing changes, and repeats itself when the heartbeat is due', () => {
    const early = (endMs: number) => fresh(endMs, { canaryRequests: 10 })
    const hold = decideAtBlockEnd(spec, first, early(START + 10_000), at(START + 10_000))
    expect(hold).not.toBeNull()
    const state = hold as DecisionDraft
    expect(decideAtBlockEnd(spec, state, early(START + 50_000), at(START + 50_000))).toBeNull()
    const later = { ...spec, heartbeatMs: 40_000 }
    const beat = decideAtBlockEnd(later, state, early(START + 50_000), at(START + 50_000))
    expect(codes(beat)).toEqual(['min_duration', 'min_requests'])
  })

  it('says nothing after the last decision', () => {
    for (const phase of ['promoted', 'rolled_back', 'aborted'] as const) {
      const state = { ...first, phase }
      expect(decideAtBlockEnd(spec, state, fresh(FULL_STEP), at(FULL_STEP))).toBeNull()
      expect(decideByCommand(spec, state, 'promote', 'ada', '', at(FULL_STEP))).toBeNull()
    }
  })

  it('lists overall, key and breached cohorts and the five others with the most weighted evidence', () => {
    const keyed = buildSpec({ cohorts: { by: ['locale'], key: [{ locale: 'en-US' }] } })
    const others = Array.from({ length: 9 }, (_, index) =>
      buildRow({ cohort: { locale: `x-${index}` }, logEBreach: index, required: false }),
    )
    const rows = [
      buildRow(),
      buildRow({ cohort: { locale: 'en-US' } }),
      buildRow({
        cohort: { locale: 'de-DE' },
        verdict: 'breached',
        logEBreach: -9,
        severity: 'signal',
      }),
      ...others,
    ]
    const draft = decideAtBlockEnd(
      keyed,
      startRollout(keyed, START),
      fresh(FULL_STEP, { rows }),
      at(FULL_STEP),
    )
    expect(
      draft?.evidence.map((row) => (row.cohort === 'overall' ? 'overall' : row.cohort.locale)),
    ).toEqual(['overall', 'en-US', 'de-DE', 'x-4', 'x-5', 'x-6', 'x-7', 'x-8'])
  })
})

describe('decideByCommand', () => {
  it('pauses without moving traffic; paused, it neither increases nor forgets to roll back', () => {
    const paused = decideByCommand(
      spec,
      first,
      'pause',
      'ada',
      'lunch',
      at(FULL_STEP),
    ) as DecisionDraft
    expect(paused.phase).toBe('paused')
    expect(paused.traffic).toEqual(first.traffic)
    expect(paused.reasons[0]?.message).toBe('pause by ada: lunch')
    const nextMs = FULL_STEP + 10_000
    expect(decideAtBlockEnd(spec, paused, fresh(nextMs), at(nextMs))).toBeNull()
    const bad = fresh(nextMs, { rollback: true })
    expect(decideAtBlockEnd(spec, paused, bad, at(nextMs))?.phase).toBe('rolled_back')
  })

  it('pauses only once', () => {
    const paused = { ...first, phase: 'paused' as const }
    expect(decideByCommand(spec, paused, 'pause', 'ada', '', at(FULL_STEP))).toBeNull()
  })

  it('resumes only what is paused, and begins the step anew', () => {
    expect(decideByCommand(spec, first, 'resume', 'ada', '', at(FULL_STEP))).toBeNull()
    const paused = {
      ...first,
      phase: 'paused' as const,
      window: { startMs: START, endMs: FULL_STEP, watermarkMs: 0 },
    }
    const resumed = decideByCommand(spec, paused, 'resume', 'ada', '', at(FULL_STEP))
    expect(resumed?.phase).toBe('ramping')
    expect(resumed?.step.startedAtMs).toBe(FULL_STEP + spec.blocks.watermarkMs)
  })

  it('promotes, aborts and rolls back with the weights that belong to it', () => {
    const weights = (['promote', 'abort', 'rollback'] as const).map((command) =>
      canaryWeightOf(
        decideByCommand(spec, first, command, 'ada', '', at(FULL_STEP))?.traffic ?? [],
      ),
    )
    expect(weights).toEqual([100, 0, 0])
    expect(canaryWeightOf([])).toBe(0)
  })
})

describe('stateAtStep', () => {
  it('is the release at a step of its plan, with the traffic of that step', () => {
    const state = stateAtStep(spec, 1, START + 5000)
    expect(state.step).toMatchObject({ index: 1, count: 3, weight: 25, startedAtMs: START })
    expect(state.traffic).toEqual(state.previousTraffic)
    expect(canaryWeightOf(state.traffic)).toBe(25)
  })

  it('refuses a step that the plan does not have', () => {
    expect(() => stateAtStep(spec, 3, START)).toThrow(/step 3 of a plan of 3/)
  })
})

describe('idleReason', () => {
  it('says how long nothing came, and whether the step has seen anything', () => {
    expect(idleReason('no_traffic', 90_000)).toEqual({
      code: 'no_traffic',
      severity: 'info',
      message: 'no canary request in this step, and nothing arrived for 1m30s',
    })
    expect(idleReason('stale_data', 90_000).message).toBe('nothing arrived for 1m30s')
  })
})

describe('reportIdle', () => {
  it('says nothing after the last decision', () => {
    const ended = { ...first, phase: 'promoted' as const }
    expect(reportIdle(ended, idleReason('stale_data', 1))).toBeNull()
  })

  it('repeats the state as a hold with the given reason', () => {
    const draft = reportIdle(first, { code: 'no_traffic', severity: 'info', message: 'x' })
    expect(draft).toMatchObject({
      action: 'hold',
      traffic: first.traffic,
      previousTraffic: first.traffic,
    })
  })
})
