import { describe, expect, it } from 'vitest'
import type { WireDecision } from '../../../src/contract/decision.ts'
import { CANARY_VERSION } from '../../support/event-generator.ts'
import { DAY_START_MS, dayOfEvents, dayRelease, LATE_COHORT, timeAt } from './day-stream.ts'
import { type Replayed, useReplay } from './replay-run.ts'

const MINUTE_MS = 60_000
/** A watermark delay of two and three blocks of one minute. */
const STALE_MS = 5 * MINUTE_MS
const ROUTE = 'intent-classifier/production'
const START = ['--start', new Date(DAY_START_MS).toISOString()]

const endMs = ({ window }: WireDecision) => Date.parse(window.end)
const codes = ({ reasons }: WireDecision) => reasons.map(({ code }) => code)
const between = (decisions: readonly WireDecision[], from: number, to: number) =>
  decisions.filter((decision) => endMs(decision) > from && endMs(decision) <= to)
const codesOf = (decisions: readonly WireDecision[]) =>
  [...new Set(decisions.flatMap(codes))].sort()
const increases = (decisions: readonly WireDecision[]) =>
  decisions.filter(({ action }) => action === 'increase').map(endMs)
const messagesOf = (decisions: readonly WireDecision[], code: string) =>
  [...new Set(decisions.flatMap(({ reasons }) => reasons.filter((one) => one.code === code)))].map(
    ({ message }) => message,
  )

describe('24 hours with a night without data', { timeout: 120_000 }, () => {
  const { replay } = useReplay()
  let sound: Promise<Replayed> | undefined
  const soundDay = () => {
    sound ??= replay({ events: dayOfEvents(1), release: dayRelease(), args: START })
    return sound
  }

  it('of two versions that do the same: promoted, and every hold has its reason', async () => {
    const { decisions, summary } = await soundDay()
    expect(summary).toMatchObject({ rejected: 0, duplicates: 0, late: 0 })
    expect(decisions.map(({ action }) => action)).not.toContain('rollback')

    const evening = between(decisions, timeAt('18:00'), timeAt('01:00'))
    expect(codesOf(evening)).toEqual([
      ...['all_guardrails_passed', 'collecting', 'coverage_missing', 'min_duration', 'undecided'],
    ])
    for (const decision of evening.filter((one) => codes(one).includes('coverage_missing'))) {
      const sinceMs = endMs(decision) - Date.parse(decision.step.started_at)
      expect(sinceMs).toBeLessThanOrEqual(MINUTE_MS)
    }
    const night = between(decisions, timeAt('01:00') + STALE_MS, timeAt('06:00'))
    expect(night.length).toBeGreaterThan(25)
    for (const decision of night) {
      expect(decision.action).toBe('hold')
      expect(codes(decision)[0]).toBe('stale_data')
    }
    for (const message of messagesOf(night, 'stale_data')) {
      expect(message).toMatch(/^no request to 1\.5\.0 for (\d+h)?(\d+m)?, nor to 1\.4\.2$/)
    }
    // From 03:02 on the second step is long enough and all limits are kept: only data are missing.
    const only = between(night, timeAt('03:01'), timeAt('06:00'))
    expect(only.length).toBeGreaterThan(10)
    expect(codesOf(only)).toEqual(['stale_data'])
    const [first, second, last, ...more] = increases(decisions)
    expect(more).toEqual([])
    expect(first).toBe(timeAt('20:00'))
    expect(second).toBe(timeAt('06:00') + MINUTE_MS)
    // Eleven hours from the watermark delay after the decision on.
    expect(last).toBe(timeAt('17:03'))
    expect(decisions.at(-1)?.phase).toBe('promoted')
    // The cohort that comes at 09:00 changes nothing.
    expect(codesOf(between(decisions, timeAt('09:00'), timeAt('17:02')))).toEqual(['min_duration'])
  })

  it('of a canary that is worse for the cohort of 09:00 alone: back, and that cohort is named', async () => {
    const worse = await replay({
      events: dayOfEvents(1, { worseLate: true }),
      release: dayRelease(),
      args: START,
    })
    const until = (decisions: readonly WireDecision[]) =>
      between(decisions, DAY_START_MS, timeAt('09:00'))
    expect(until(worse.decisions)).toEqual(until((await soundDay()).decisions))
    const last = worse.decisions.at(-1)
    expect(last).toMatchObject({ action: 'rollback', phase: 'rolled_back' })
    expect(last?.reasons[0]).toMatchObject({ code: 'error_rate_breached', cohort: LATE_COHORT })
    expect(last?.reasons[0]?.message).toContain('for pt-BR/mobile')
    const atMs = last === undefined ? 0 : endMs(last)
    expect(atMs).toBeGreaterThan(timeAt('09:00'))
    expect(atMs).toBeLessThan(timeAt('11:00'))
  })

  it('with a key cohort that comes at 09:00: nothing grows before, also not after a pause at night', async () => {
    const command = (kind: string, time: string) => ({
      ...{ command_id: kind, kind, route: ROUTE, release_id: `${ROUTE}/${CANARY_VERSION}` },
      ...{ at: new Date(timeAt(time)).toISOString(), by: 'ann', reason: 'a look' },
    })
    const { decisions } = await replay({
      events: dayOfEvents(1),
      release: dayRelease(', key: [{ locale: pt-BR, device: mobile }]'),
      commands: [command('pause', '00:30'), command('resume', '02:00')],
      args: START,
    })
    const early = between(decisions, timeAt('18:00'), timeAt('09:00'))
    const ramping = early.filter(
      ({ phase, decided_by }) => phase === 'ramping' && decided_by === 'analyzer',
    )
    expect(ramping.length).toBeGreaterThan(50)
    for (const decision of ramping) {
      expect(decision.action).toBe('hold')
      expect(codes(decision)).toContain('coverage_missing')
    }
    for (const message of messagesOf(ramping, 'coverage_missing')) {
      expect(message).toMatch(
        /key cohorts without enough canary requests in this step: pt-BR\/mobile$/,
      )
    }
    // The step that was resumed in the night has not seen a request yet.
    const resumed = between(decisions, timeAt('02:03'), timeAt('06:00'))
    expect(resumed.length).toBeGreaterThan(20)
    for (const decision of resumed) expect(codes(decision)[0]).toBe('no_traffic')
    const waiting = between(decisions, timeAt('09:00'), timeAt('09:30'))
    expect(waiting.length).toBeGreaterThan(2)
    expect(codesOf(waiting)).toEqual(['collecting', 'undecided'])
    expect(increases(decisions)[0]).toBeGreaterThan(timeAt('09:30'))
    expect(decisions.map(({ action }) => action)).not.toContain('rollback')
  })
})
