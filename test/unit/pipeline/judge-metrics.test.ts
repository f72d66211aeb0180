import { describe, expect, it } from 'vitest'
import { decodeDecision, encodeDecision } from '../../../src/contract/decision.ts'
import type { Decision } from '../../../src/domain/decision.ts'
import { sampleFile } from '../contract/metrics-samples.ts'
import {
  ERROR_MAX,
  ERROR_PP,
  ERROR_RELATIVE,
  P95_INCREASE,
  P95_MAX,
  QUALITY_DROP,
  specOf,
} from '../judge/judge-builders.ts'
import { codesOf, judged, NO_COHORTS, rowIn, rowsOf } from './judged-metrics.ts'

describe('the numbers of one window', () => {
  // ln E of the one-arm mixture, from statistics-values.json: bern.5000.60.0.008 and bern.1000.30.0.05.
  it('are tested as the reference says: the error rate', () => {
    const file = rowsOf({ requests: 45_000, errors: 200 }, { requests: 5000, errors: 60 })
    const row = rowIn(judged(specOf([ERROR_MAX], NO_COHORTS), file), 'error_rate')
    expect(row.logEBreach).toBeCloseTo(3.123539221, 8)
    expect(row.logEPass).toBeCloseTo(-2.647265854, 8)
    expect(row).toMatchObject({ method: 'T1', weight: 1, verdict: 'breached' })
  })

  it('are tested as the reference says: a quantile at an edge', () => {
    const latency = { latency_ms: { le: { '100': 900, '120': 970, '+Inf': 1000 } } }
    const file = rowsOf({ requests: 9000, errors: 0 }, { requests: 1000, ...latency })
    const row = rowIn(judged(specOf([P95_MAX], NO_COHORTS), file), 'latency_p95')
    expect(row.logEPass).toBeCloseTo(3.703927112, 8)
    expect(row.logEBreach).toBeCloseTo(-2.666006863, 8)
    expect(row.verdict).toBe('within_limit')
  })

  it('count from the edge that makes each test slower when the limit lies between two', () => {
    const spec = specOf([P95_MAX], NO_COHORTS)
    const counts = (le: object) =>
      rowIn(
        judged(spec, rowsOf({ requests: 9000 }, { requests: 1000, latency_ms: { le } })),
        'latency_p95',
      )
    const coarse = counts({ '100': 930, '150': 970, '+Inf': 1000 })
    // 30 are above 150 for sure, 70 above 100 at most.
    expect(coarse.logEBreach).toBeCloseTo(-2.666006863, 8)
    expect(coarse.logEPass).toBeCloseTo(-2.660802993, 8)
    expect(coarse.verdict).toBe('undecided')
    expect(counts({ '100': 930, '120': 970, '150': 990, '+Inf': 1000 }).verdict).toBe(
      'within_limit',
    )
    // Nothing is known to be above a limit beyond the last edge, nothing to be below the first.
    expect(counts({ '100': 0, '+Inf': 1000 }).logEBreach).toBeLessThan(0)
    expect(counts({ '150': 1000, '+Inf': 1000 }).logEPass).toBeLessThan(0)
  })

  it('show a quantile as Prometheus does: within its bucket, or the last edge', () => {
    const spec = specOf([P95_MAX], NO_COHORTS)
    const shownFor = (le: object) =>
      rowIn(
        judged(spec, rowsOf({ requests: 9000 }, { requests: 1000, latency_ms: { le } })),
        'latency_p95',
      ).canary.value
    expect(shownFor({ '100': 900, '120': 1000, '+Inf': 1000 })).toBeCloseTo(110, 9)
    expect(shownFor({ '100': 1000, '+Inf': 1000 })).toBeCloseTo(95, 9)
    expect(shownFor({ '100': 100, '120': 200, '+Inf': 1000 })).toBe(120)
    expect(shownFor({ '+Inf': 1000 })).toBeNull()
  })

  it('are compared at the edges that every row has', () => {
    const spec = specOf([P95_INCREASE], NO_COHORTS)
    const stable = {
      requests: 20_000,
      latency_ms: { le: { '100': 19_000, '110': 19_600, '+Inf': 20_000 } },
    }
    const same = (canary: object) => rowIn(judged(spec, rowsOf(stable, canary)), 'latency_p95')
    const fine = same({
      requests: 20_000,
      latency_ms: { le: { '100': 18_800, '110': 19_500, '+Inf': 20_000 } },
    })
    expect(fine).toMatchObject({ method: 'single_window', verdict: 'within_limit' })
    const other = same({ requests: 20_000, latency_ms: { le: { '99': 18_800, '+Inf': 20_000 } } })
    expect(other.verdict).toBe('collecting')
  })

  it('pass and break limits against the other version without waiting for blocks', () => {
    const spec = specOf([P95_INCREASE, ERROR_PP, QUALITY_DROP])
    const well = judged(spec, sampleFile())
    expect(well.evidence.map(({ method }) => method)).toEqual(Array(6).fill('single_window'))
    expect(rowIn(well, 'quality').verdict).toBe('within_limit')
    expect(rowIn(well, 'error_rate').verdict).toBe('within_limit')
    const worse = judged(
      spec,
      sampleFile({}, { quality: { n: 27_000, sum: 22_410, sum_sq: 19_000 } }),
    )
    expect(worse).toMatchObject({ action: 'rollback', phase: 'rolled_back', expiresAtMs: null })
    expect(worse.reasons[0]).toMatchObject({ code: 'quality_breached', cohort: 'overall' })
  })

  it('wait for enough requests and bad events where a test needs them', () => {
    const few = (n: number) => ({
      requests: n,
      errors: 0,
      quality: { n, sum: 0.9 * n, sum_sq: 0.82 * n },
    })
    const decision = judged(
      specOf([QUALITY_DROP, ERROR_RELATIVE], NO_COHORTS),
      rowsOf(few(90), few(90)),
    )
    expect(decision.action).toBe('hold')
    expect(rowIn(decision, 'quality').verdict).toBe('collecting')
    expect(rowIn(decision, 'quality').needs?.requests).toBeGreaterThan(9)
    expect(rowIn(decision, 'error_rate').verdict).toBe('collecting')
  })

  it('roll back on few requests when they leave no doubt', () => {
    const spec = specOf([ERROR_MAX], NO_COHORTS)
    const file = rowsOf({ requests: 80, errors: 0 }, { requests: 20, errors: 20 })
    expect(judged(spec, file).action).toBe('rollback')
  })

  it('say nothing where whether requests failed is not known', () => {
    const spec = specOf([ERROR_MAX, ERROR_PP], NO_COHORTS)
    const unknown = judged(spec, rowsOf({ requests: 9000, errors: 50 }, { requests: 1000 }))
    for (const { verdict, canary } of unknown.evidence) {
      expect([verdict, canary.n]).toEqual(['no_data', 0])
    }
    // Not an error rate of zero of the stable version, which anything would be worse than.
    const other = judged(spec, rowsOf({ requests: 9000 }, { requests: 9000, errors: 60 }))
    expect(other.action).toBe('hold')
    expect(other.evidence[1]).toMatchObject({ method: 'single_window', verdict: 'no_data' })
  })
})

describe('the decision on a window', () => {
  const spec = specOf([ERROR_MAX], {
    ...NO_COHORTS,
    plan: [
      { weight: 5, minDurationMs: 0, minRequests: 0 },
      { weight: 10, minDurationMs: 3_600_000, minRequests: 2000 },
      { weight: 50, minDurationMs: 0, minRequests: 0 },
    ],
  })
  const split = (stable: number, canary: number, errors = 0) =>
    rowsOf({ requests: stable, errors: 0 }, { requests: canary, errors })
  const weightsOf = ({ previousTraffic, traffic }: Decision) =>
    [previousTraffic, traffic].map((shares) => shares[1]?.weight)

  it.each([
    ['exactly', 90_000, 10_000, [10, 50]],
    ['a little below by chance', 90_200, 9_800, [10, 50]],
    ['well below', 91_000, 9_000, [5, 10]],
    ['above all', 10_000, 90_000, [50, 100]],
    ['below the first', 99_000, 1000, [5, 10]],
  ])('is taken at the step of the observed share: %s', (_, stable, canary, weights) => {
    expect(weightsOf(judged(spec, split(stable, canary)))).toEqual(weights)
  })

  it('does not take a few requests for a larger step', () => {
    const decision = judged(spec, split(95, 5))
    expect([decision.action, ...weightsOf(decision)]).toEqual(['hold', 5, 5])
  })

  it('promotes after the last step', () => {
    const decision = judged(spec, split(50_000, 50_000))
    expect(decision).toMatchObject({ action: 'increase', phase: 'promoted', expiresAtMs: null })
    expect(weightsOf(decision)).toEqual([50, 100])
  })

  it('holds while the window or its requests are fewer than the step asks for', () => {
    const short = {
      ...split(90_000, 10_000),
      window: { start: '2026-11-23T10:30:00Z', end: '2026-11-23T11:00:00Z' },
    }
    const decision = judged(spec, short)
    expect([decision.action, codesOf(decision)]).toEqual(['hold', ['min_duration']])
    expect(decision.reasons[0]?.message).toContain('30m left')
    expect(codesOf(judged(spec, split(9000, 1000)))).toEqual(['min_requests'])
  })

  it('does not mind how long the window is', () => {
    const long = {
      ...split(90_000, 10_000),
      window: { start: '2026-11-01T00:00:00Z', end: '2026-11-23T00:00:00Z' },
    }
    expect(judged(spec, long).action).toBe('increase')
  })

  it('holds without a request to the canary', () => {
    const decision = judged(spec, split(90_000, 0))
    expect(decision.action).toBe('hold')
    expect(codesOf(decision)).toContain('no_traffic')
  })

  it('holds for a key cohort without canary requests', () => {
    const keyed = specOf([ERROR_MAX], { cohorts: { by: ['locale'], key: [{ locale: 'de-DE' }] } })
    const decision = judged(keyed, sampleFile())
    expect([decision.action, codesOf(decision)]).toEqual([
      'hold',
      ['coverage_missing', 'collecting'],
    ])
  })

  it('only holds when a signal is broken, and not at all when a dry run is', () => {
    const broken = split(90_000, 10_000, 300)
    const signal = judged({ ...spec, guardrails: [{ ...ERROR_MAX, severity: 'signal' }] }, broken)
    expect(signal).toMatchObject({
      action: 'hold',
      reasons: [{ code: 'error_rate_breached', severity: 'signal' }],
    })
    const dry = judged({ ...spec, guardrails: [{ ...ERROR_MAX, dryRun: true }] }, broken)
    expect(dry.action).toBe('increase')
  })

  it('is one of generation 1, in event time, that any reader of decisions takes', () => {
    const decision = judged(spec, split(90_000, 10_000))
    expect(decision).toMatchObject({
      decisionId: 'm/production/1.1.0#1',
      releaseId: 'm/production/1.1.0',
      generation: 1,
      decidedBy: 'judge',
      decidedAtMs: Date.UTC(2026, 10, 23, 11) + 30_000,
      window: {
        startMs: Date.UTC(2026, 10, 23, 10),
        endMs: Date.UTC(2026, 10, 23, 11),
        watermarkMs: Date.UTC(2026, 10, 23, 11) + 30_000,
      },
      counts: { events: 100_000, duplicates: 0, late: 0 },
    })
    const text = encodeDecision(decision)
    expect(encodeDecision(decodeDecision(text))).toBe(text)
    expect(encodeDecision(judged(spec, split(90_000, 10_000)))).toBe(text)
  })
})
