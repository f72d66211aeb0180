import { describe, expect, it } from 'vitest'
import { createJudge, JUDGE_VERSION, SHIPPED_RULES } from '../../../src/judge/judge.ts'
import { BY_BLOCKS } from '../../../src/judge/judge-mode.ts'
import {
  BLOCK_MS,
  blockOf,
  cellOf,
  DE,
  EN,
  ERROR_MAX,
  guardrail,
  KPI,
  KPI_DROP,
  metricsOf,
  P95,
  P95_INCREASE,
  P95_MAX,
  QUALITY,
  QUALITY_DROP,
  QUALITY_MIN,
  rowOf,
  START_MS,
  specOf,
} from './judge-builders.ts'

const HISTORY = [
  { cohort: EN, metrics: metricsOf(8000, 40) },
  { cohort: DE, metrics: metricsOf(2000, 10) },
]

/** Both arms in both cohorts. */
function pair(index: number, canaryErrors = 0, requests = 100) {
  return blockOf(index, [
    cellOf('stable', EN, metricsOf(720, 4)),
    cellOf('stable', DE, metricsOf(180, 1)),
    cellOf('canary', EN, metricsOf(0.8 * requests, 0.8 * canaryErrors)),
    cellOf('canary', DE, metricsOf(0.2 * requests, 0.2 * canaryErrors)),
  ])
}

describe('the start of a release', () => {
  it('judges at once with 1,000 baseline requests of history', () => {
    const judge = createJudge(specOf([ERROR_MAX]), HISTORY, START_MS)
    expect(judge.assess().started).toBe(true)
    judge.fold(pair(0))
    expect(judge.assess().canaryRequests).toBe(100)
  })

  it('never judges the blocks that complete the history, however bad they are', () => {
    const judge = createJudge(specOf([ERROR_MAX]), [], START_MS)
    judge.fold(pair(0, 100))
    judge.fold(pair(1, 100))
    const assessment = judge.assess()
    expect(assessment.started).toBe(true)
    expect(assessment).toMatchObject({ canaryRequests: 0, rollback: false })
    expect(rowOf(assessment, 'error_rate')).toMatchObject({ verdict: 'no_data', logEBreach: 0 })
    judge.fold(pair(2, 100))
    expect(judge.assess().canaryRequests).toBe(100)
  })

  it('says what the weights rest on when the history did not suffice', () => {
    const from = (history: typeof HISTORY, startMs: number, blocks: number) => {
      const judge = createJudge(specOf([ERROR_MAX]), history, startMs)
      for (let k = 0; k < blocks; k++) judge.fold(pair(k))
      return judge.assess().weightsFrom
    }
    const few = [{ cohort: EN, metrics: metricsOf(300) }]
    expect(from(HISTORY, START_MS, 3)).toBeNull()
    expect([0, 1, 2].map((blocks) => from([], START_MS, blocks))).toEqual([null, null, 1800])
    expect(from(few, START_MS, 3)).toBe(1200)
    // The second block is the first of the release; or the third, which comes too late for that.
    expect(from([], START_MS + BLOCK_MS, 3)).toBe(1800)
    expect(from([], START_MS + 2 * BLOCK_MS, 3)).toBeNull()
  })

  it('has not started, and no weights, before that', () => {
    const judge = createJudge(specOf([ERROR_MAX]), [], START_MS)
    judge.fold(pair(0))
    const assessment = judge.assess()
    expect(assessment.started).toBe(false)
    expect(assessment.passed).toBe(false)
    expect(assessment.rows.every(({ weight }) => weight === 0)).toBe(true)
    expect(assessment.leading).toBe(-1)
    expect(assessment.newestCanaryEndMs).toBe(START_MS + BLOCK_MS)
  })

  it('fixes the bins above which users are slow together with the weights, and keeps them', () => {
    const spec = specOf([
      P95_INCREASE,
      guardrail({ kind: 'latency', name: 'latency_p50', quantile: 0.5 }, P95_INCREASE.limit),
    ])
    const at = (bin: number, requests = 600) =>
      blockOf(0, [
        cellOf('stable', EN, metricsOf(requests, 0, { bins: [bin], counts: [requests] })),
      ])
    const judge = createJudge(spec, [], START_MS)
    expect([judge.slowBins, judge.missingBaseline]).toEqual([[], 1000])
    judge.fold(at(100))
    expect([judge.slowBins, judge.missingBaseline]).toEqual([[], 400])
    judge.fold({ ...at(200), startMs: START_MS + BLOCK_MS, endMs: START_MS + 2 * BLOCK_MS })
    expect([judge.slowBins, judge.missingBaseline]).toEqual([[200, 100], 0])
    judge.fold({ ...at(300), startMs: START_MS + 2 * BLOCK_MS, endMs: START_MS + 3 * BLOCK_MS })
    expect(judge.slowBins).toEqual([200, 100])
  })

  it('takes those bins from the history when it is enough, and has none where nothing relative is asked', () => {
    const known = createJudge(specOf([P95_INCREASE]), HISTORY, START_MS)
    expect([known.slowBins, known.missingBaseline]).toEqual([[232], 0])
    expect(createJudge(specOf([ERROR_MAX]), HISTORY, START_MS).slowBins).toEqual([])
    const failed = [{ cohort: EN, metrics: metricsOf(2000, 2000) }]
    expect(createJudge(specOf([P95_INCREASE]), failed, START_MS).slowBins).toEqual([])
  })

  it('takes blocks before the release for the baseline only', () => {
    const judge = createJudge(specOf([ERROR_MAX]), [], START_MS + 2 * BLOCK_MS)
    judge.fold(pair(0))
    judge.fold(pair(1))
    expect(judge.assess()).toMatchObject({ started: true, newestCanaryEndMs: null, lateShare: 0 })
  })

  it('refuses a block that is not after the last one', () => {
    const judge = createJudge(specOf([ERROR_MAX]), HISTORY, START_MS)
    judge.fold(pair(1))
    expect(() => judge.fold(pair(1))).toThrow(/folded after/)
  })

  it('refuses a limit it has no test for', () => {
    const limits = [
      guardrail(P95, { kind: 'min', value: 1 }),
      guardrail(P95, { kind: 'max_increase', relative: false, value: 1 }),
      guardrail(QUALITY, { kind: 'max_increase', relative: false, value: 0.1 }),
      guardrail(KPI, { kind: 'max_increase', relative: true, value: 0.1 }),
      guardrail(KPI, { kind: 'max', value: 1 }),
      guardrail(ERROR_MAX.metric, { kind: 'min', value: 0.1 }),
    ]
    for (const limit of limits) {
      expect(() => createJudge(specOf([limit]), HISTORY, START_MS)).toThrow(/no test for/)
    }
  })

  it('names its version', () => {
    expect(JUDGE_VERSION).toBe('5')
  })
})

describe('warm-up', () => {
  it('ignores the canary from its first block on, while blocks start before its end', () => {
    const judge = createJudge(specOf([ERROR_MAX], { warmupMs: 20_000 }), HISTORY, START_MS)
    judge.fold(blockOf(0, [cellOf('stable', EN, metricsOf(900, 5))]))
    judge.fold(pair(1, 100))
    judge.fold(pair(2, 100))
    const warm = judge.assess()
    expect(warm).toMatchObject({ canaryRequests: 0, rollback: false, coverage: 0 })
    expect(warm.newestCanaryEndMs).toBe(START_MS + 3 * BLOCK_MS)
    judge.fold(pair(3))
    expect(judge.assess().canaryRequests).toBe(100)
    expect(rowOf(judge.assess(), 'error_rate').canary).toEqual({ value: 0, n: 100 })
  })

  it('of 0 judges the first block', () => {
    const judge = createJudge(specOf([ERROR_MAX]), HISTORY, START_MS)
    judge.fold(pair(0, 5))
    expect(rowOf(judge.assess(), 'error_rate').canary.value).toBe(0.05)
  })
})

describe('rollback', () => {
  it('takes evidence from two judged blocks', () => {
    const judge = createJudge(specOf([ERROR_MAX]), HISTORY, START_MS)
    judge.fold(pair(0, 100))
    const one = judge.assess()
    expect(rowOf(one, 'error_rate').logEBreach).toBeGreaterThan(100)
    expect(one).toMatchObject({ rollback: false, leading: -1 })
    expect(rowOf(one, 'error_rate').verdict).not.toBe('breached')
    judge.fold(pair(1))
    const two = judge.assess()
    expect(two.rollback).toBe(true)
    expect(two.rows[two.leading]).toMatchObject({ verdict: 'breached', cohort: 'overall' })
    expect(two.passed).toBe(false)
  })

  it('names the cohort that breaks although overall does not', () => {
    const judge = createJudge(specOf([ERROR_MAX]), HISTORY, START_MS)
    for (let k = 0; k < 40; k++) {
      judge.fold(
        blockOf(k, [
          cellOf('stable', EN, metricsOf(720, 4)),
          cellOf('stable', DE, metricsOf(180, 1)),
          cellOf('canary', EN, metricsOf(900, 0)),
          cellOf('canary', DE, metricsOf(20, 2)),
        ]),
      )
    }
    const assessment = judge.assess()
    expect(assessment.rollback).toBe(true)
    expect(assessment.rows[assessment.leading]!.cohort).toEqual(DE)
    expect(rowOf(assessment, 'error_rate').verdict).toBe('within_limit')
    expect(assessment.passed).toBe(false)
  })

  it('lists what else is found, with a false-discovery rate, by evidence and not by weight', () => {
    const signal = { ...ERROR_MAX, severity: 'signal' } as const
    const guardrails = [ERROR_MAX, signal, { ...ERROR_MAX, dryRun: true }]
    const judge = createJudge(specOf(guardrails), HISTORY, START_MS)
    let last = judge.assess()
    for (let k = 0; k < 100 && !last.rollback; k++) {
      expect(last.discovered).toEqual([])
      judge.fold(pair(k, 5))
      last = judge.assess()
    }
    const { rows, discovered, leading } = last
    const counts = ({ severity, dryRun }: (typeof rows)[number]) =>
      severity === 'critical' && !dryRun
    const critical = rows.filter(counts).length
    const found = discovered.map((index) => rows[index]!)
    expect(found.every(counts)).toBe(true)
    expect(found.length).toBeGreaterThan(1)
    for (const [position, { logEBreach }] of found.entries()) {
      expect(logEBreach).toBeLessThanOrEqual(found[position - 1]?.logEBreach ?? Infinity)
    }
    expect(found.at(-1)!.logEBreach).toBeGreaterThanOrEqual(
      Math.log((critical * 20) / found.length),
    )
    for (const index of discovered) {
      const { weight, logEBreach, verdict } = rows[index]!
      const certain = Math.log(weight) + logEBreach >= Math.log(20)
      expect(verdict === 'breached').toBe(certain || index === leading)
    }
  })

  it('comes exactly when the weighted average of the evidence reaches 1/α', () => {
    const judge = createJudge(specOf([ERROR_MAX]), HISTORY, START_MS)
    const seen: [boolean, number][] = []
    for (let k = 0; k < 30; k++) {
      judge.fold(pair(k, 5, 250))
      const { rollback, logEvidence, rows } = judge.assess()
      if (k > 0) {
        const sum = rows.reduce((e, row) => e + row.weight * Math.exp(row.logEBreach), 0)
        expect(logEvidence).toBeCloseTo(Math.log(sum), 9)
      }
      seen.push([rollback, logEvidence])
    }
    const first = seen.findIndex(([rollback]) => rollback)
    expect(seen[first]![1]).toBeGreaterThanOrEqual(Math.log(20))
    expect(seen[first - 1]![1]).toBeLessThan(Math.log(20))
    expect(seen[first - 1]![1]).toBeGreaterThan(0)
  })

  it('is not asked for by signal or dry-run guardrails, whose rows say what they see', () => {
    const judge = createJudge(
      specOf([{ ...ERROR_MAX, severity: 'signal' }, { ...ERROR_MAX, dryRun: true }, P95_MAX]),
      HISTORY,
      START_MS,
    )
    for (let k = 0; k < 60; k++) judge.fold(pair(k, 20))
    const assessment = judge.assess()
    expect(assessment.rollback).toBe(false)
    const [signal, dryRun] = assessment.rows.filter(
      ({ metric, cohort }) => metric === 'error_rate' && cohort === 'overall',
    )
    expect(signal).toMatchObject({ verdict: 'breached', required: true, weight: 0.5 })
    expect(dryRun).toMatchObject({ verdict: 'breached', required: false, weight: 0 })
    expect(assessment.passed).toBe(false)
  })
})

describe('steps', () => {
  it('start pass evidence afresh and keep breach evidence', () => {
    const judge = createJudge(specOf([ERROR_MAX]), HISTORY, START_MS)
    for (let k = 0; k < 10; k++) judge.fold(pair(k))
    const before = rowOf(judge.assess(), 'error_rate')
    expect(judge.assess().passed).toBe(true)
    judge.startStep(1, START_MS + 12 * BLOCK_MS)
    const after = judge.assess()
    expect(rowOf(after, 'error_rate').logEPass).toBe(0)
    expect(rowOf(after, 'error_rate').logEBreach).toBe(before.logEBreach)
    expect(after).toMatchObject({
      passed: false,
      canaryRequests: 0,
      coverage: 0,
      newestCanaryEndMs: START_MS + 10 * BLOCK_MS,
      newestCanaryEndInStepMs: null,
    })
  })

  it('count blocks from the first that starts at or after their start', () => {
    const judge = createJudge(specOf([ERROR_MAX]), HISTORY, START_MS)
    judge.fold(pair(0))
    judge.startStep(1, START_MS + 2 * BLOCK_MS)
    judge.fold(pair(1))
    expect(judge.assess()).toMatchObject({ canaryRequests: 0, newestCanaryEndInStepMs: null })
    judge.fold(pair(2))
    const assessment = judge.assess()
    expect(assessment.canaryRequests).toBe(100)
    expect(assessment.newestCanaryEndInStepMs).toBe(START_MS + 3 * BLOCK_MS)
    expect(rowOf(assessment, 'error_rate').canary.n).toBe(300)
  })
})

describe('rows', () => {
  it('come by guardrail, then overall, key cohorts in their order, the others by name', () => {
    const fr = { locale: 'fr-FR', device: 'desktop' }
    const judge = createJudge(
      specOf([ERROR_MAX, QUALITY_DROP], {
        cohorts: { by: ['locale', 'device'], key: [{ locale: 'en-US' }, EN] },
      }),
      [...HISTORY, { cohort: fr, metrics: metricsOf(10) }],
      START_MS,
    )
    const { rows } = judge.assess()
    const cohorts = ['overall', { locale: 'en-US' }, EN, DE, fr]
    expect(rows.map(({ cohort }) => cohort)).toEqual([...cohorts, ...cohorts])
    expect(rows.map(({ metric }) => metric).slice(4, 6)).toEqual(['error_rate', 'quality'])
    expect(rows.slice(0, 5).map(({ required }) => required)).toEqual([
      true,
      true,
      true,
      false,
      false,
    ])
  })

  it('exist only where the guardrail’s scope has hypotheses', () => {
    const cohorts = { by: ['locale', 'device'], key: [DE] } as const
    const judge = createJudge(
      specOf(
        [
          { ...ERROR_MAX, cohorts: 'overall' },
          { ...ERROR_MAX, cohorts: 'key' },
        ],
        { cohorts },
      ),
      HISTORY,
      START_MS,
    )
    expect(judge.assess().rows.map(({ cohort }) => cohort)).toEqual(['overall', DE])
  })

  it('are listed as the release file lists key cohorts, then by locale and device', () => {
    const tv = { locale: 'da-DK', device: 'tv' }
    const enDesktop = { locale: 'en-US', device: 'desktop' }
    const key = [tv, { device: 'mobile' }]
    const cohorts = { by: ['locale', 'device'] as const, key }
    const judge = createJudge(specOf([ERROR_MAX], { cohorts }), [], START_MS)
    for (const [block, cohort] of [EN, tv, enDesktop, DE].entries()) {
      judge.fold(blockOf(block, [cellOf('stable', cohort, metricsOf(2000))]))
    }
    const others = [DE, enDesktop, EN]
    expect(judge.assess().rows.map(({ cohort }) => cohort)).toEqual(['overall', ...key, ...others])
  })

  it('say no_data for a key cohort that was never seen, and nothing passes without it', () => {
    const missing = { locale: 'fr-FR', device: 'tv' }
    const judge = createJudge(
      specOf([ERROR_MAX], { cohorts: { by: ['locale', 'device'], key: [missing] } }),
      HISTORY,
      START_MS,
    )
    for (let k = 0; k < 40; k++) judge.fold(pair(k))
    const assessment = judge.assess()
    expect(rowOf(assessment, 'error_rate', missing)).toMatchObject({
      verdict: 'no_data',
      weight: 0,
      needs: null,
      required: true,
    })
    expect(assessment.passed).toBe(false)
    expect(assessment.uncovered).toEqual([missing])
  })

  it('say nothing of what is still needed when nobody asks, and all the rest alike', () => {
    const read = (needs: boolean) => {
      const mode = { ...BY_BLOCKS, needs }
      const judge = createJudge(specOf([ERROR_MAX]), HISTORY, START_MS, SHIPPED_RULES, mode)
      for (let k = 0; k < 5; k++) judge.fold(pair(k))
      return judge.assess()
    }
    const [asked, unasked] = [read(true), read(false)]
    expect(asked.rows.some((row) => row.needs !== null)).toBe(true)
    expect(unasked).toEqual({
      ...asked,
      rows: asked.rows.map((row) => ({ ...row, needs: null })),
    })
  })

  it('say no_data for a cohort whose canary requests stopped a delay and three blocks ago', () => {
    const judge = createJudge(specOf([ERROR_MAX]), HISTORY, START_MS)
    for (let k = 0; k < 40; k++) judge.fold(pair(k))
    const verdict = () => rowOf(judge.assess(), 'error_rate', DE).verdict
    const enOnly = (k: number) =>
      blockOf(k, [
        cellOf('stable', EN, metricsOf(720)),
        cellOf('stable', DE, metricsOf(180)),
        cellOf('canary', EN, metricsOf(80)),
      ])
    for (let k = 40; k < 46; k++) judge.fold(enOnly(k))
    expect(verdict()).toBe('within_limit')
    judge.fold(enOnly(46))
    expect(verdict()).toBe('no_data')
    expect(rowOf(judge.assess(), 'error_rate').verdict).toBe('within_limit')
  })

  it('stay breached when the broken cohort falls silent', () => {
    const judge = createJudge(specOf([ERROR_MAX]), HISTORY, START_MS)
    for (let k = 0; k < 5; k++) judge.fold(pair(k, 100))
    for (let k = 5; k < 15; k++) judge.fold(blockOf(k, [cellOf('stable', EN, metricsOf(720))]))
    expect(rowOf(judge.assess(), 'error_rate', DE).verdict).toBe('breached')
  })

  it('give later cohorts a hypothesis, a weight from the reserve and no part in overall’s mix', () => {
    const fr = { locale: 'fr-FR', device: 'tv' }
    const judge = createJudge(specOf([QUALITY_DROP]), HISTORY, START_MS)
    const withFr = (k: number) =>
      blockOf(k, [
        ...pair(k).cells,
        cellOf('stable', fr, metricsOf(90)),
        cellOf('canary', fr, metricsOf(10, 10, { quality: { n: 10, sum: 1, sumSquares: 0.1 } })),
      ])
    judge.fold(pair(0))
    for (let k = 1; k < 60; k++) judge.fold(withFr(k))
    const assessment = judge.assess()
    const row = rowOf(assessment, 'quality', fr)
    expect(row.weight).toBeCloseTo(0.05 * 0.5, 12)
    expect(row.verdict).toBe('breached')
    expect(row.contribution).toBe(0)
    expect(rowOf(assessment, 'quality').difference).toBeCloseTo(0, 10)
  })

  it('report a mean with its bounds’ own unit, for both kinds of limit', () => {
    const revenue = { ...KPI, bounds: [0, 50] } as const
    const limits = [
      guardrail(revenue, { kind: 'max_drop', value: 0.5 }),
      guardrail(revenue, { kind: 'min', value: 9 }),
    ]
    const sold = (n: number, mean: number) =>
      metricsOf(n, 0, { kpis: [{ n, sum: n * mean, sumSquares: n * (mean * mean + 25) }] })
    const judge = createJudge(specOf(limits), HISTORY, START_MS)
    for (let k = 0; k < 60; k++) {
      judge.fold(
        blockOf(k, [cellOf('stable', EN, sold(900, 10)), cellOf('canary', EN, sold(100, 8))]),
      )
    }
    const [drop, least] = judge.assess().rows.filter(({ cohort }) => cohort === 'overall')
    for (const row of [drop!, least!]) {
      expect(row.stable.value).toBeCloseTo(10, 9)
      expect(row.canary.value).toBeCloseTo(8, 9)
      expect(row.difference).toBeCloseTo(-2, 9)
      expect(row.ciLow).toBeLessThan(-2)
      expect(row.ciHigh).toBeGreaterThan(-2)
      expect(row.verdict).toBe('breached')
    }
    expect([drop!.method, least!.method]).toEqual(['T3', 'T4'])
    expect([drop!.threshold, least!.threshold]).toEqual([0.5, 9])
  })

  it('ask for 400 values of a KPI where quality is content with 100', () => {
    const judge = createJudge(specOf([QUALITY_DROP, KPI_DROP]), HISTORY, START_MS)
    for (let k = 0; k < 35; k++) judge.fold(pair(k, 0, 10))
    expect(rowOf(judge.assess(), 'kpi.sales').verdict).toBe('collecting')
    expect(rowOf(judge.assess(), 'kpi.sales').needs!.requests).toBeGreaterThanOrEqual(50)
    expect(rowOf(judge.assess(), 'quality').verdict).not.toBe('collecting')
  })

  it('say how many more canary requests and seconds a pass takes', () => {
    const judge = createJudge(specOf([ERROR_MAX]), HISTORY, START_MS)
    for (let k = 0; k < 3; k++) judge.fold(pair(k))
    const { needs, verdict } = rowOf(judge.assess(), 'error_rate')
    expect(verdict).toBe('undecided')
    expect(needs!.requests).toBeGreaterThan(300)
    expect(needs!.seconds / needs!.requests).toBeCloseTo(0.1, 2)
    for (let k = 3; k < 3 + Math.ceil(needs!.requests / 100); k++) judge.fold(pair(k))
    expect(rowOf(judge.assess(), 'error_rate')).toMatchObject({
      verdict: 'within_limit',
      needs: { requests: 0, seconds: 0 },
    })
  })

  it('reckon the time a pass takes by the cohort’s traffic since it came, not since the step began', () => {
    const judge = createJudge(specOf([ERROR_MAX]), HISTORY, START_MS)
    const enOnly = (k: number) =>
      blockOf(k, [cellOf('stable', EN, metricsOf(720, 4)), cellOf('canary', EN, metricsOf(80))])
    for (let k = 0; k < 50; k++) judge.fold(enOnly(k))
    judge.fold(pair(50, 0, 1000))
    judge.fold(pair(51, 0, 1000))
    const { needs } = rowOf(judge.assess(), 'error_rate', DE)
    // 200 requests in each block of 10 s.
    expect(needs!.requests).toBeGreaterThan(100)
    expect(needs!.seconds / needs!.requests).toBeCloseTo(0.05, 2)
  })

  it('give each cohort’s part of the standardised difference', () => {
    const judge = createJudge(specOf([QUALITY_MIN, QUALITY_DROP]), HISTORY, START_MS)
    for (let k = 0; k < 40; k++) {
      judge.fold(
        blockOf(k, [
          cellOf('stable', EN, metricsOf(720)),
          cellOf('stable', DE, metricsOf(180)),
          cellOf('canary', EN, metricsOf(50)),
          cellOf('canary', DE, metricsOf(50, 0, { quality: { n: 50, sum: 40, sumSquares: 33 } })),
        ]),
      )
    }
    const [, en, , overall, enDrop, deDrop] = [
      ...judge.assess().rows.filter(({ limit }) => limit === 'min: 0.84'),
      ...judge.assess().rows.filter(({ limit }) => limit === 'max_drop: 0.01'),
    ]
    expect(overall!.contribution).toBeNull()
    expect([enDrop!.contribution, deDrop!.contribution].sort()[0]).toBeCloseTo(-0.1 * 0.2, 9)
    expect(overall!.difference).toBeCloseTo(-0.02, 9)
    expect(en!.contribution).not.toBeNull()
  })
})

describe('what surrounds the rows', () => {
  it('coverage is the baseline share of the cells with canary requests in the step', () => {
    const judge = createJudge(specOf([ERROR_MAX]), HISTORY, START_MS)
    judge.fold(
      blockOf(0, [cellOf('stable', DE, metricsOf(100)), cellOf('canary', EN, metricsOf(1))]),
    )
    expect(judge.assess().coverage).toBeCloseTo(0.8, 12)
  })

  it('key cohorts are uncovered below the number of canary requests asked for in the step', () => {
    const spec = specOf([ERROR_MAX], {
      cohorts: { by: ['locale', 'device'], key: [{ device: 'mobile' }, DE] },
      coverage: { minRequestsPerKeyCohort: 50 },
    })
    const judge = createJudge(spec, HISTORY, START_MS)
    judge.fold(pair(0))
    judge.fold(pair(1))
    expect(judge.assess().uncovered).toEqual([DE])
    judge.fold(pair(2))
    expect(judge.assess().uncovered).toEqual([])
    judge.startStep(1, START_MS + 3 * BLOCK_MS)
    expect(judge.assess().uncovered).toEqual([{ device: 'mobile' }, DE])
  })

  it('the late share counts every block of the release', () => {
    const judge = createJudge(specOf([ERROR_MAX]), HISTORY, START_MS)
    judge.fold({ ...pair(0), events: 990, late: 5 })
    judge.fold({ ...pair(1), events: 1010, late: 15 })
    expect(judge.assess().lateShare).toBeCloseTo(0.01, 12)
  })

  it('nothing passes without a canary request in the step, even with nothing required', () => {
    const judge = createJudge(specOf([{ ...ERROR_MAX, dryRun: true }]), HISTORY, START_MS)
    expect(judge.assess().passed).toBe(false)
    judge.fold(pair(0))
    expect(judge.assess().passed).toBe(true)
  })
})
