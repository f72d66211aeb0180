import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { decodeDecision, encodeDecision } from '../../../src/contract/decision.ts'
import { readMetricsFile } from '../../../src/contract/metrics-file.ts'
import type { Decision } from '../../../src/domain/decision.ts'
import type { ReleaseSpec } from '../../../src/domain/release.ts'
import type { EvidenceRow } from '../../../src/domain/verdict.ts'
import { judgeMetrics } from '../../../src/pipeline/judge-metrics.ts'
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

function judged(spec: ReleaseSpec, content: unknown, trustPoints = false): Decision {
  const bytes = new TextEncoder().encode(JSON.stringify(content))
  const read = readMetricsFile(bytes, 'm.json', spec)
  if (!('file' in read)) throw new Error(JSON.stringify(read.problems))
  return judgeMetrics(spec, read.file, { trustPoints })
}

function rowIn({ evidence }: Decision, metric: string, cohort: unknown = 'overall'): EvidenceRow {
  const row = evidence.find(
    (candidate) =>
      candidate.metric === metric && JSON.stringify(candidate.cohort) === JSON.stringify(cohort),
  )
  if (row === undefined) throw new Error(`no row of ${metric}`)
  return row
}

const codesOf = ({ reasons }: Decision) => reasons.map(({ code }) => code)
/** One row a version, without cohorts. */
const rowsOf = (stable: object, canary: object) => ({
  window: { start: '2026-11-23T10:00:00Z', end: '2026-11-23T11:00:00Z' },
  rows: [
    { version: '1.0.0', ...stable },
    { version: '1.1.0', ...canary },
  ],
})
const NO_COHORTS = { cohorts: { by: [], key: [] } }

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
