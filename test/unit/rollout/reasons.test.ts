import { describe, expect, it } from 'vitest'
import type { Reason } from '../../../src/domain/decision.ts'
import type { Assessment, EvidenceRow } from '../../../src/domain/verdict.ts'
import { breachReasons, holdReasons, manualReason } from '../../../src/rollout/reasons.ts'
import { startRollout } from '../../../src/rollout/rollout.ts'
import { buildAssessment, buildRow, buildSpec } from '../../support/builders.ts'

const spec = buildSpec()
const START = 1_000_000_000
const FULL_STEP = START + 60_000
const state = startRollout(spec, START)

/** Reasons to hold at `endMs`, with canary data up to then unless told otherwise. */
function holdsAt(endMs: number, overrides: Partial<Assessment> = {}): Reason[] {
  const assessment = buildAssessment({ newestCanaryEndInStepMs: endMs, ...overrides })
  return holdReasons(spec, state, assessment, { endMs, releaseStartMs: START })
}

const holds = (overrides: Partial<Assessment> = {}) => holdsAt(FULL_STEP, overrides)
const codesOf = (reasons: readonly Reason[]) => reasons.map(({ code }) => code)
const messagesOf = (reasons: readonly Reason[]) => reasons.map(({ message }) => message)

/** What is said about breached rows of which the first leads. */
function breachOf(...rows: EvidenceRow[]): Reason[] {
  return breachReasons(spec, buildAssessment({ rollback: true, rows, leading: 0 }))
}

describe('the reason of a breach', () => {
  it('says what broke which limit where, both values and how many requests they are of', () => {
    const row = buildRow({ verdict: 'breached', canary: { value: 0.03127, n: 500 } })
    expect(breachOf(row)).toEqual([
      {
        code: 'error_rate_breached',
        severity: 'critical',
        metric: 'error_rate',
        cohort: 'overall',
        message:
          'error_rate of 1.1.0 breaks max: 2% for overall: 3.13 % (n 500) against 0.5 % (n 10000) of 1.0.0',
      },
    ])
  })

  it('gives latencies in ms, other values plainly, and says when there is none', () => {
    const arms = { stable: { value: null, n: 0 }, canary: { value: 123.456, n: 7 } }
    const message = (metric: string, values: Partial<EvidenceRow>) =>
      breachOf(buildRow({ metric, cohort: { locale: 'de-DE' }, ...arms, ...values }))[0]?.message
    expect(message('latency_p95', {})).toContain('de-DE: 123 ms (n 7) against no value (n 0) of')
    expect(message('kpi.sales', {})).toContain(': 123.5 (n 7) against no value (n 0) of')
    // Plain numbers from a metrics file come without counts.
    const counted = { stable: { value: 0.5, n: 0 } }
    expect(message('quality', counted)).toContain(': 123.5 (n 7) against 0.5 of 1.0.0')
  })

  it('comes once for every critical comparison that is breached and counts, the leading one first', () => {
    const other = (overrides: Partial<EvidenceRow>) =>
      buildRow({ metric: 'quality', verdict: 'breached', ...overrides })
    const rows = [
      buildRow({ verdict: 'breached' }),
      other({}),
      other({ metric: 'signal', severity: 'signal' }),
      other({ metric: 'dry', dryRun: true }),
      other({ metric: 'open', verdict: 'undecided' }),
    ]
    expect(codesOf(breachOf(...rows))).toEqual(['error_rate_breached', 'quality_breached'])
  })
})

describe('the origins of an overall breach', () => {
  const cell = (locale: string, contribution: number | null, overrides = {}) =>
    buildRow({ cohort: { locale, device: 'tv' }, contribution, ...overrides })
  const originsOf = (overall: EvidenceRow, ...others: EvidenceRow[]) =>
    breachOf(overall, ...others)[0]?.message.split('; ')[1]

  it('are the four finest cohorts that add most to it, with their values', () => {
    const cells = [0.01, 0.05, 0.03, 0.04, 0.02].map((part, i) => cell(`x-${i}`, part))
    expect(originsOf(buildRow(), ...cells)).toBe(
      'most of it comes from ' +
        ['x-1', 'x-3', 'x-2', 'x-4'].map((it) => `${it}/tv (0.5 % against 0.5 %)`).join(', '),
    )
    const values = { canary: { value: 0.04, n: 1 }, stable: { value: 0.01, n: 1 } }
    expect(originsOf(buildRow(), cell('a', 1, values))).toContain('a/tv (4 % against 1 %)')
  })

  it.each([
    ['max: 2%', 1],
    ['max_increase: 10%', 1],
    ['min: 0.84', -1],
    ['max_drop: 0.02', -1],
  ])('of %s are those that move it the wrong way', (limit, worse) => {
    const rows = [cell('better', -worse, { limit }), cell('worse', worse, { limit })]
    expect(originsOf(buildRow({ limit }), ...rows)).toBe(
      'most of it comes from worse/tv (0.5 % against 0.5 %)',
    )
  })

  it('are not looked for in other comparisons, in groups of cohorts, or where nothing is known', () => {
    const others = [
      cell('other-metric', 1, { metric: 'quality' }),
      cell('other-limit', 1, { limit: 'max: 3%' }),
      buildRow({ cohort: { locale: 'part' }, contribution: 1 }),
      cell('unknown', null),
      cell('even', 0),
      buildRow({ contribution: 1 }),
    ]
    expect(originsOf(buildRow(), ...others)).toBeUndefined()
  })

  it('are not given for one cohort', () => {
    const row = buildRow({ cohort: { locale: 'de-DE' }, verdict: 'breached' })
    expect(breachOf(row, cell('de-DE', 1))[0]?.message).toMatch(/ of 1\.0\.0$/)
  })
})

describe('reasons to hold', () => {
  it('are none when all is well, and come in a fixed order otherwise', () => {
    expect(holds()).toEqual([])
    const late = START + spec.maxDurationMs
    const all = holdsAt(late, {
      rows: [
        buildRow({ verdict: 'breached', severity: 'signal' }),
        buildRow({ metric: 'quality', verdict: 'undecided' }),
        buildRow({ metric: 'latency_p95', verdict: 'no_data' }),
      ],
      newestCanaryEndInStepMs: START,
      lateShare: 0.5,
      canaryRequests: 99,
      coverage: 0.1,
    })
    expect(codesOf(all)).toEqual([
      ...['error_rate_breached', 'stale_data', 'late_events', 'min_requests'],
      ...['coverage_missing', 'collecting', 'undecided', 'max_duration'],
    ])
    expect(new Set(all.slice(1).map(({ severity }) => severity))).toEqual(new Set(['info']))
  })

  it('do not include breaches in dry run', () => {
    expect(holds({ rows: [buildRow({ verdict: 'breached', dryRun: true })] })).toEqual([])
  })

  it('name the version without requests once the step has begun, not before', () => {
    const none = { newestCanaryEndInStepMs: null }
    const [noTraffic] = holdsAt(START + 10_000, none)
    expect(noTraffic).toMatchObject({
      code: 'no_traffic',
      message: 'no request to 1.1.0 in this step yet',
    })
    expect(codesOf(holdsAt(state.step.startedAtMs, none))).not.toContain('no_traffic')
    expect(codesOf(holdsAt(state.step.startedAtMs + 1, none))).toContain('no_traffic')
  })

  it('take the stable version for alive until it is as silent as stale data', () => {
    const limit = spec.blocks.watermarkMs + 3 * spec.blocks.lengthMs
    const stale = { newestCanaryEndInStepMs: FULL_STEP - limit - 1000 }
    const message = (silentMs: number) =>
      messagesOf(holds({ ...stale, newestStableEndMs: FULL_STEP - silentMs }))
    expect(message(limit)).toEqual(['no request to 1.1.0 for 1m1s, while 1.0.0 has some'])
    expect(message(limit + 1)).toEqual(['no request to 1.1.0 for 1m1s, nor to 1.0.0'])
  })

  it('include late events only above one percent of all', () => {
    expect(holds({ lateShare: 0.01 })).toEqual([])
    expect(messagesOf(holds({ lateShare: 0.01234 }))).toEqual([
      '1.23 % of the events came after their block was closed and are not judged',
    ])
  })

  it('say how long the step still lasts, all of it before it begins', () => {
    const message = (endMs: number) =>
      holdsAt(endMs).find(({ code }) => code === 'min_duration')?.message
    expect(message(START + 20_000)).toBe('the step lasts at least 1m; 40s left')
    expect(message(START - 20_000)).toBe('the step lasts at least 1m; 1m left')
    expect(message(FULL_STEP - 1)).toBeDefined()
    expect(message(FULL_STEP)).toBeUndefined()
  })

  it('count the requests of the step until there are enough', () => {
    expect(messagesOf(holds({ canaryRequests: 99 }))).toEqual([
      '99 of 100 canary requests in this step',
    ])
    expect(holds({ canaryRequests: 100 })).toEqual([])
  })

  it('are the baseline alone as long as nothing can be judged', () => {
    const rows = [buildRow({ verdict: 'collecting' })]
    expect(holds({ started: false, coverage: 0, uncovered: [{ locale: 'x' }], rows })).toEqual([
      {
        code: 'collecting',
        severity: 'info',
        message: 'collecting 1,000 requests to the stable version before anything is judged',
      },
    ])
  })

  it('ask for canary data in nine tenths of the traffic, and in every key cohort', () => {
    expect(holds({ coverage: 0.9 })).toEqual([])
    expect(messagesOf(holds({ coverage: 0.8999, canaryRequests: 500 }))).toEqual([
      'the canary was seen in cohorts with 90 % of the traffic only',
    ])
    const uncovered = [{ locale: 'pt-BR' }, { locale: 'de-DE', device: 'tv' }]
    expect(messagesOf(holds({ coverage: 0.9, uncovered }))).toEqual([
      'key cohorts without enough canary requests in this step: pt-BR, de-DE/tv',
    ])
  })

  it('let the release grow by itself until it is as old as it may get', () => {
    const late = START + spec.maxDurationMs
    expect(holdsAt(late - 1)).toEqual([])
    expect(messagesOf(holdsAt(late))).toEqual([
      'the release is older than 1d: a person must promote it or roll it back',
    ])
  })
})

describe('what is waited for', () => {
  const waiting = (...rows: Partial<EvidenceRow>[]) => holds({ rows: rows.map(buildRow) })
  const open = { verdict: 'undecided' as const, cohort: { locale: 'de-DE' } }

  it('is named with what it still needs, as far as that is known', () => {
    expect(waiting({ ...open, needs: { requests: 1200, seconds: 90 } })).toEqual([
      {
        code: 'undecided',
        severity: 'info',
        metric: 'error_rate',
        cohort: { locale: 'de-DE' },
        message:
          'error_rate (max: 2%) for de-DE is not decided: about 1200 more canary requests, 1m30s',
      },
    ])
    expect(messagesOf(waiting({ ...open, verdict: 'collecting' }))).toEqual([
      'error_rate (max: 2%) for de-DE has too little data',
    ])
    expect(messagesOf(waiting({ ...open, method: 'point' }))).toEqual([
      'error_rate (max: 2%) for de-DE is a plain number whose uncertainty is not known',
    ])
  })

  it('is the comparison that takes longest of each kind, and how many others', () => {
    const inSeconds = (seconds: number) => ({ requests: seconds, seconds })
    const messages = messagesOf(
      waiting(
        { ...open, needs: inSeconds(10) },
        { ...open, cohort: { locale: 'slow' }, needs: inSeconds(30) },
        { ...open, cohort: { locale: 'as-slow' }, needs: inSeconds(30) },
        { verdict: 'collecting', cohort: { locale: 'known' }, needs: inSeconds(1e6) },
        { verdict: 'no_data', cohort: { locale: 'no-end' }, needs: null },
      ),
    )
    expect(messages).toEqual([
      'error_rate (max: 2%) for no-end has too little data (and 1 more)',
      'error_rate (max: 2%) for slow is not decided: about 30 more canary requests, 30s (and 2 more)',
    ])
  })

  it('is nothing that need not pass', () => {
    expect(waiting({ ...open, required: false }, { verdict: 'no_data', required: false })).toEqual(
      [],
    )
  })
})

describe('the reason of a command', () => {
  it('names who gave it, and why if they said so', () => {
    expect(manualReason('abort', 'ada', 'bad answers')).toEqual({
      code: 'manual',
      severity: 'info',
      message: 'abort by ada: bad answers',
    })
    expect(manualReason('abort', 'ada', '').message).toBe('abort by ada')
  })
})
