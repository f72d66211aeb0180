import { describe, expect, it } from 'vitest'
import type { Arm } from '../../../src/domain/block.ts'
import type { Cohort } from '../../../src/domain/cohort.ts'
import type { Guardrail, ReleaseSpec } from '../../../src/domain/release.ts'
import type { Assessment, EvidenceRow } from '../../../src/domain/verdict.ts'
import type { PointCell, Points } from '../../../src/judge/points.ts'
import { withPoints } from '../../../src/judge/points.ts'
import { buildAssessment, buildRow } from '../../support/builders.ts'
import {
  DE,
  EN,
  ERROR_MAX,
  ERROR_PP,
  P95_INCREASE,
  P95_MAX,
  QUALITY_DROP,
  specOf,
} from './judge-builders.ts'

function point(arm: Arm, cohort: Cohort, values: Record<string, number>, n = 0): PointCell {
  const entries = Object.entries(values).map(([name, value]) => [name, { value, n }] as const)
  return { arm, cohort, values: new Map(entries) }
}

/** A row that counts cannot say anything about. */
function bare(of: Guardrail, overrides: Partial<EvidenceRow> = {}): EvidenceRow {
  return buildRow({
    ...{ metric: of.metric.name, limit: of.written, verdict: 'no_data', weight: 0.5 },
    ...{ severity: of.severity, dryRun: of.dryRun, needs: { requests: 1, seconds: 1 } },
    ...{ stable: { value: null, n: 0 }, canary: { value: null, n: 0 }, contribution: 0.5 },
    ...overrides,
  })
}

interface Case extends Partial<Points> {
  readonly rows?: readonly EvidenceRow[]
  readonly assessment?: Partial<Assessment>
  readonly spec?: Partial<ReleaseSpec>
}

/** The assessment of one guardrail with a row of overall, decided by points unless told otherwise. */
function assessed(
  of: Guardrail | readonly Guardrail[],
  points: readonly PointCell[],
  it: Case = {},
) {
  const guardrails = [of].flat()
  const rows = it.rows ?? guardrails.map((guardrail) => bare(guardrail))
  const { sizesKnown = true, trustPoints = true } = it
  return withPoints(specOf(guardrails, it.spec), buildAssessment({ rows, ...it.assessment }), {
    ...{ points, sizesKnown, trustPoints },
  })
}

const both = (name: string, stable: number, canary: number, cohort: Cohort = {}) => [
  point('stable', cohort, { [name]: stable }),
  point('canary', cohort, { [name]: canary }),
]

describe('a comparison of plain values', () => {
  it('is a row without evidence, weight or interval that carries both values', () => {
    const [row] = assessed(P95_MAX, [
      point('stable', {}, { latency_p95: 100 }),
      point('canary', {}, { latency_p95: 110 }, 70),
    ]).rows
    expect(row).toEqual({
      ...bare(P95_MAX),
      ...{ stable: { value: 100, n: 0 }, canary: { value: 110, n: 70 }, difference: 10 },
      ...{ ciLow: null, ciHigh: null, logEBreach: 0, logEPass: 0, weight: 0, needs: null },
      ...{ contribution: null, method: 'point', verdict: 'within_limit' },
    })
  })

  it.each<[string, Guardrail, number, number]>([
    ['max in ms', P95_MAX, 120, 20],
    ['max_increase in %', P95_INCREASE, 1.1 * 100, 0.1],
    ['max of errors', ERROR_MAX, 0.008, 0.008 - 100],
    ['max_increase in pp', ERROR_PP, 100 + 0.002, 0.002],
  ])('with %s holds up to the limit and breaks above it', (_, of, limit, difference) => {
    const row = (canary: number) => assessed(of, both(of.metric.name, 100, canary)).rows[0]
    expect(row(limit)?.verdict).toBe('within_limit')
    expect(row(limit)?.difference).toBeCloseTo(difference, 10)
    expect(row(limit + 1e-6)?.verdict).toBe('breached')
  })

  it('of growth from nothing has no difference to show', () => {
    expect(assessed(P95_INCREASE, both('latency_p95', 0, 5)).rows[0]).toMatchObject({
      difference: null,
      verdict: 'breached',
    })
  })

  it('with an absolute limit needs no value of the stable version, a relative one does', () => {
    const canary = [point('canary', {}, { latency_p95: 110 })]
    expect(assessed(P95_MAX, canary).rows[0]).toMatchObject({
      ...{ verdict: 'within_limit', difference: null, stable: { value: null, n: 0 } },
    })
    expect(assessed(P95_INCREASE, canary).rows[0]).toEqual(bare(P95_INCREASE))
  })

  it('is not made where the canary, or every cohort of it, has no value', () => {
    const stable = point('stable', {}, { latency_p95: 100 })
    const other = point('canary', {}, { error_rate: 0 })
    expect(assessed(P95_MAX, [stable, other]).rows).toEqual([bare(P95_MAX)])
    expect(assessed(P95_MAX, [stable]).rows).toEqual([bare(P95_MAX)])
  })

  it('is not made of means, nor where counts tell more', () => {
    expect(assessed(QUALITY_DROP, both('quality', 1, 0)).rows[0]?.method).toBe('T1')
    const methodOf = (of: Guardrail, canary: number, stable: number) => {
      const [own, others] = [canary, stable].map((n) => ({ value: 0.005, n }))
      const row = bare(of, { canary: own!, stable: others! })
      return assessed(of, both(of.metric.name, 1, 1), { rows: [row] }).rows[0]?.method
    }
    expect(methodOf(ERROR_MAX, 1, 0)).toBe('T1')
    expect(methodOf(ERROR_MAX, 0, 1)).toBe('point')
    expect(methodOf(ERROR_PP, 1, 0)).toBe('point')
    expect(methodOf(ERROR_PP, 1, 1)).toBe('T1')
  })

  it('is made by the guardrail the row is of, limit for limit', () => {
    const strict = { ...P95_MAX, limit: { kind: 'max', value: 100 }, written: 'max: 100' } as const
    const rows = assessed([P95_MAX, strict], both('latency_p95', 90, 110)).rows
    expect(rows.map(({ verdict }) => verdict)).toEqual(['within_limit', 'breached'])
    const unknown = bare(P95_MAX, { limit: 'max: 7' })
    const kept = assessed(P95_MAX, both('latency_p95', 90, 110), { rows: [unknown] }).rows
    expect(kept).toEqual([unknown])
    const same = [P95_MAX, { ...ERROR_MAX, written: P95_MAX.written }] as const
    const values = [point('canary', {}, { latency_p95: 90, error_rate: 0.1 })]
    const verdicts = assessed(same, values).rows.map(({ verdict }) => verdict)
    expect(verdicts).toEqual(['within_limit', 'breached'])
  })

  it('only says "undecided" where points are not trusted', () => {
    const points = both('latency_p95', 100, 110)
    const row = assessed(P95_MAX, points, { trustPoints: false }).rows[0]
    expect(row).toMatchObject({ verdict: 'undecided', method: 'point', canary: { value: 110 } })
  })
})

describe('plain values of several cohorts', () => {
  const of = (en: number, de: number) => [
    ...both('latency_p95', 100, en, EN),
    ...both('latency_p95', 100, de, DE),
  ]
  const verdictOf = (points: readonly PointCell[]) =>
    assessed(P95_INCREASE, points).rows[0]?.verdict

  it('must all say the same, for they have no common quantile', () => {
    expect(verdictOf(of(105, 108))).toBe('within_limit')
    expect(verdictOf(of(120, 130))).toBe('breached')
    expect(verdictOf(of(105, 130))).toBe('undecided')
    expect(verdictOf(of(120, 108))).toBe('undecided')
    // A cohort that cannot be compared agrees with nothing.
    expect(verdictOf([...of(105, 108), point('canary', { locale: 'x' }, {})])).toBe('undecided')
    expect(verdictOf([...of(120, 130), point('canary', { locale: 'x' }, {})])).toBe('undecided')
  })

  it('are shown by none of them', () => {
    const none = { value: null, n: 0 }
    expect(assessed(P95_INCREASE, of(105, 108)).rows[0]).toMatchObject({
      ...{ stable: none, canary: none, difference: null },
    })
  })

  it('are compared cohort by cohort, each row with those it covers', () => {
    const points = [
      ...both('latency_p95', 100, 105, EN),
      ...both('latency_p95', 200, 215, { locale: 'en-US', device: 'tv' }),
      ...both('latency_p95', 100, 130, DE),
    ]
    const rows = [EN, DE, { locale: 'en-US' }].map((cohort) => bare(P95_INCREASE, { cohort }))
    const seen = assessed(P95_INCREASE, points, { rows }).rows
    expect(seen.map(({ verdict }) => verdict)).toEqual(['within_limit', 'breached', 'within_limit'])
    expect(seen.map(({ canary }) => canary.value)).toEqual([105, 130, null])
  })
})

describe('what plain values decide', () => {
  const broken = both('latency_p95', 100, 130)
  const fine = both('latency_p95', 100, 105)

  it('is a rollback led by the first critical one that is broken', () => {
    const signal = { ...P95_MAX, severity: 'signal', written: 'signal' } as const
    const dry = { ...P95_MAX, dryRun: true, written: 'dry' }
    const { rollback, leading, passed } = assessed([signal, dry, P95_MAX], broken)
    expect([rollback, leading, passed]).toEqual([true, 2, false])
    const first = assessed(P95_MAX, broken, { assessment: { leading: -1 } })
    expect(first).toMatchObject({ rollback: true, leading: 0 })
    expect(assessed([signal, dry], broken)).toMatchObject({ rollback: false, leading: 0 })
    expect(assessed(P95_MAX, broken, { trustPoints: false }).rollback).toBe(false)
  })

  it('does not take the lead from counts that roll back', () => {
    const counted = { rollback: true, leading: 7 }
    expect(assessed(P95_MAX, broken, { assessment: counted })).toMatchObject(counted)
    expect(assessed(P95_MAX, fine, { assessment: counted })).toMatchObject(counted)
    // A breach by counts is not one of a point.
    const row = buildRow({ metric: 'quality', limit: QUALITY_DROP.written, verdict: 'breached' })
    const kept = assessed(QUALITY_DROP, [], { rows: [row], assessment: { leading: 3 } })
    expect(kept).toMatchObject({ rollback: false, leading: 3, passed: false })
  })

  it('is a pass when every required comparison is within its limit, and nothing is broken', () => {
    expect(assessed(P95_MAX, fine, { assessment: { passed: false } }).passed).toBe(true)
    const signal = { ...P95_MAX, limit: { kind: 'max', value: 9 }, written: 'low' } as const
    const passed = (overrides: Partial<EvidenceRow>, of: Partial<Guardrail> = {}) => {
      const rows = [bare(P95_MAX), bare(signal, { severity: 'signal', ...overrides })]
      return assessed([P95_MAX, { ...signal, ...of }], fine, { rows }).passed
    }
    expect(passed({ required: false })).toBe(false)
    expect(passed({ required: false, dryRun: true })).toBe(true)
    const open = bare(QUALITY_DROP, { verdict: 'undecided' })
    const held = (required: boolean) =>
      assessed([P95_MAX, QUALITY_DROP], fine, {
        rows: [bare(P95_MAX), { ...open, required }],
      }).passed
    expect([held(true), held(false)]).toEqual([false, true])
  })

  it('is never a pass without any request to the canary', () => {
    const assessment = { newestCanaryEndInStepMs: null }
    expect(assessed(P95_MAX, fine, { assessment }).passed).toBe(false)
  })
})

describe('a window without sizes', () => {
  const points = [
    ...both('latency_p95', 100, 105, EN),
    point('stable', DE, { latency_p95: 100 }),
    point('stable', { locale: 'fr-FR', device: 'tv' }, {}),
    point('canary', { locale: 'it-IT', device: 'tv' }, { latency_p95: 100 }),
  ]
  const key = [{ locale: 'en-US' }, DE]
  const cohorts = { by: ['locale', 'device'] as const, key }
  const seen = (given: readonly PointCell[], minRequestsPerKeyCohort = 0) =>
    assessed(P95_MAX, given, {
      ...{ sizesKnown: false, assessment: { coverage: 0.7, uncovered: [] } },
      spec: { cohorts, coverage: { minRequestsPerKeyCohort } },
    })

  it('covers the cohorts of the stable version that the canary has a row of', () => {
    const { coverage, uncovered } = seen(points)
    expect(coverage).toBeCloseTo(1 / 3, 12)
    expect(uncovered).toEqual([DE])
    expect(seen([]).coverage).toBe(0)
  })

  it('cannot tell whether a key cohort has the requests it must have', () => {
    expect(seen(points, 1).uncovered).toEqual(key)
  })

  it('keeps the coverage by requests where sizes are known', () => {
    const known = assessed(P95_MAX, points, { spec: { cohorts }, assessment: { coverage: 0.7 } })
    expect([known.coverage, known.uncovered]).toEqual([0.7, []])
  })
})
