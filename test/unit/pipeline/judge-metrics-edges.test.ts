import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { decodeDecision, encodeDecision } from '../../../src/contract/decision.ts'
import { anyFile, sampleFile } from '../contract/metrics-samples.ts'
import {
  ALL_KINDS,
  ERROR_MAX,
  ERROR_PP,
  ERROR_RELATIVE,
  guardrail,
  KPI_DROP,
  numbersOf,
  P95_INCREASE,
  P95_MAX,
  QUALITY_DROP,
  QUALITY_MIN,
  specOf,
} from '../judge/judge-builders.ts'
import { codesOf, judged, NO_COHORTS, rowIn, rowsOf } from './judged-metrics.ts'

describe('values without counts', () => {
  const spec = specOf([P95_MAX, ERROR_MAX, ERROR_PP], NO_COHORTS)
  const points = (p95: number, rate: number) =>
    rowsOf(
      { latency_ms: { p95: 100 }, error_rate: 0.005 },
      { latency_ms: { p95 }, error_rate: rate },
    )

  it.each([
    ['well within the limits', 110, 0.006],
    ['far beyond them', 500, 0.5],
  ])('only hold, also %s', (_, p95, rate) => {
    const decision = judged(spec, points(p95, rate))
    expect([decision.action, codesOf(decision)]).toEqual(['hold', ['undecided']])
    expect(decision.reasons[0]?.message).toContain('whose uncertainty is not known')
    expect(new Set(decision.evidence.map(({ method }) => method))).toEqual(new Set(['point']))
  })

  it('decide by plain comparison when they are trusted', () => {
    expect(judged(spec, points(120, 0.007), true).action).toBe('increase')
    const worse = judged(spec, points(120, 0.0071), true)
    expect(worse).toMatchObject({
      action: 'rollback',
      reasons: [{ code: 'error_rate_breached' }],
    })
    expect(worse.reasons[0]?.message).toContain('0.71 % against 0.5 %')
    expect(worse.evidence.map(({ verdict }) => verdict)).toEqual([
      'within_limit',
      'within_limit',
      'breached',
    ])
  })

  it('are compared with what counts give where only one version has them', () => {
    const decision = judged(
      specOf([ERROR_PP], NO_COHORTS),
      rowsOf({ requests: 9000, errors: 45 }, { requests: 1000, error_rate: 0.009 }),
      true,
    )
    expect(rowIn(decision, 'error_rate')).toMatchObject({
      method: 'point',
      stable: { value: 0.005, n: 9000 },
      canary: { value: 0.009, n: 0 },
      verdict: 'breached',
    })
  })

  it('of several cohorts must all say the same', () => {
    const cohorts = specOf([P95_MAX])
    const file = (other: number) => ({
      ...sampleFile(),
      rows: ['1.0.0', '1.1.0'].flatMap((version) => [
        { version, locale: 'en-US', latency_ms: { p95: 110 } },
        { version, locale: 'de-DE', latency_ms: { p95: other } },
      ]),
    })
    const verdictOf = (other: number) =>
      rowIn(judged(cohorts, file(other), true), 'latency_p95').verdict
    expect([verdictOf(115), verdictOf(125)]).toEqual(['within_limit', 'undecided'])
    // A single cohort may break the limit alone.
    expect(judged(cohorts, file(125), true).action).toBe('rollback')
  })

  it('hold a release whose steps or key cohorts ask for requests', () => {
    const counting = specOf([P95_MAX], {
      ...NO_COHORTS,
      plan: [{ weight: 10, minDurationMs: 0, minRequests: 1 }],
    })
    const file = rowsOf({ latency_ms: { p95: 100 } }, { latency_ms: { p95: 100 } })
    expect(codesOf(judged(counting, file, true))).toEqual(['min_requests'])
  })
})

describe('whatever a metrics file says', () => {
  const P99_INCREASE = guardrail(
    { kind: 'latency', name: 'latency_p99', quantile: 0.99 },
    { kind: 'max_increase', relative: true, value: 0 },
  )
  const spec = specOf([...ALL_KINDS, P99_INCREASE], {
    cohorts: { by: ['locale', 'device'], key: [{ locale: 'en-US' }] },
  })

  it('the decision holds finite numbers only, and nothing without data is within its limit', () => {
    fc.assert(
      fc.property(anyFile, fc.boolean(), (content, trustPoints) => {
        const decision = judged(spec, content, trustPoints)
        for (const [path, value] of numbersOf(decision)) {
          expect(Number.isFinite(value), `${path} is ${value}`).toBe(true)
        }
        const wire = encodeDecision(decision)
        expect(encodeDecision(decodeDecision(wire))).toBe(wire)
        for (const row of decision.evidence) {
          if (row.method === 'point' || row.verdict !== 'within_limit') continue
          expect(row.canary.n, row.metric).toBeGreaterThan(0)
          if (row.limit.startsWith('max_')) expect(row.stable.n, row.metric).toBeGreaterThan(0)
        }
        const sum = decision.traffic.reduce((total, { weight }) => total + weight, 0)
        expect(sum).toBe(100)
        if (!trustPoints && decision.action === 'increase') {
          expect(decision.evidence.every(({ method }) => method !== 'point')).toBe(true)
        }
      }),
      { numRuns: 400 },
    )
  }, 60_000)

  it.each([
    ['no errors anywhere', 0, 0, [ERROR_MAX], 'increase'],
    ['no errors anywhere, against the other version', 0, 0, [ERROR_PP], 'increase'],
    ['nothing but errors', 20_000, 20_000, [ERROR_MAX], 'rollback'],
    ['nothing but errors in both versions', 20_000, 20_000, [ERROR_RELATIVE], 'hold'],
  ] as const)('%s leads to what it should', (_, stable, canary, guardrails, action) => {
    const decision = judged(
      specOf(guardrails, NO_COHORTS),
      rowsOf({ requests: 20_000, errors: stable }, { requests: 20_000, errors: canary }),
    )
    expect(decision.action).toBe(action)
  })

  it('scores that are all equal pass only when there are many of them', () => {
    const equal = (n: number) => ({ requests: n, quality: { n, sum: n, sum_sq: n } })
    const actionOf = (n: number) =>
      judged(specOf([QUALITY_DROP, QUALITY_MIN], NO_COHORTS), rowsOf(equal(n), equal(n))).action
    expect([actionOf(1), actionOf(99), actionOf(50_000)]).toEqual(['hold', 'hold', 'increase'])
  })

  it('one request never passes', () => {
    const one = { requests: 1, errors: 0, latency_ms: { le: { '100': 1, '+Inf': 1 } } }
    for (const kind of [P95_MAX, P95_INCREASE, ERROR_MAX, ERROR_PP, KPI_DROP]) {
      const kpi = { kpi: { sales: { n: 1, sum: 1, sum_sq: 1 } } }
      const file = rowsOf({ ...one, ...kpi, requests: 50_000 }, { ...one, ...kpi })
      expect(judged(specOf([kind], NO_COHORTS), file).action).toBe('hold')
    }
  })
})
