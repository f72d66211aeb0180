import { describe, expect, it } from 'vitest'
import { createBaselineLimits } from '../../../src/judge/baseline-limit.ts'
import { errorMargin } from '../../../src/judge/error-margin.ts'
import type { JudgeRules } from '../../../src/judge/judge.ts'
import { createJudge, SHIPPED_RULES } from '../../../src/judge/judge.ts'
import { proportionInterval } from '../../../src/judge/proportion.ts'
import { FINE, testOf } from './guardrail-runs.ts'
import {
  blockOf,
  cellOf,
  EN,
  ERROR_PP,
  ERROR_RELATIVE,
  metricsOf,
  rowOf,
  START_MS,
  specOf,
} from './judge-builders.ts'

const ONE = { cohorts: { by: [], key: [] } } as const

const BARE: JudgeRules = { restarts: false, fewestBlocks: 2 }

function judgeOf(guardrail: typeof ERROR_PP, historyErrors: number, rules = SHIPPED_RULES) {
  const history = [{ cohort: EN, metrics: metricsOf(20_000, historyErrors) }]
  return createJudge(specOf([guardrail], ONE), history, START_MS, rules)
}

/** `blocks` blocks of 100 canary and 900 stable requests with these errors in each. */
function fold(
  judge: ReturnType<typeof judgeOf>,
  blocks: number,
  canaryErrors: number,
  stableErrors: number,
  requests = 100,
  from = 0,
): void {
  for (let k = 0; k < blocks; k++) {
    judge.fold(
      blockOf(from + k, [
        cellOf('stable', EN, metricsOf(900, stableErrors)),
        cellOf('canary', EN, metricsOf(requests, canaryErrors)),
      ]),
    )
  }
}

describe('the margin of an error rate', () => {
  it('means the odds ratio between the largest allowed and the baseline rate', () => {
    const points = errorMargin(0.002, false)
    expect(points.odds(0.005)).toBeCloseTo((0.007 * 0.995) / (0.005 * 0.993), 12)
    expect(points.difference(0.005)).toBe(0.002)
    expect(points.tau(0.005)).toBe(0.002)
    const ratio = errorMargin(0.2, true)
    expect(ratio.odds(0.005)).toBeCloseTo((1.2 * 0.995) / (1 - 1.2 * 0.005), 12)
    expect(ratio.difference(0.005)).toBeCloseTo(0.001, 15)
    expect(ratio.tau(0.005)).toBeCloseTo(0.001, 15)
  })

  it('has a scale of its own when nothing worse is allowed', () => {
    expect(errorMargin(0, false).tau(0.01)).toBe(0.002)
    expect(errorMargin(0, true).tau(0.01)).toBe(0.002)
  })

  it('allows everything where the limit is a rate of one or more', () => {
    expect(errorMargin(0.5, false).odds(0.6)).toBeNull()
    expect(errorMargin(1, true).odds(0.5)).toBeNull()
  })
})

describe('limits from the baseline', () => {
  it('are the ends of its 99 % confidence sequence plus the margin, on the slow side each', () => {
    const { lower, upper } = proportionInterval(10_000, 4, 0.01)
    const limits = createBaselineLimits(errorMargin(0.002, false).allowed)
    const { breach, pass } = limits({ requests: 10_000, errors: 4 })
    expect(breach.p0).toBeCloseTo(upper + 0.002, 12)
    expect(pass.p0).toBeCloseTo(lower + 0.002, 12)
  })

  it('are computed again only when the baseline has grown by a twentieth', () => {
    const limits = createBaselineLimits((rate) => rate)
    const first = limits({ requests: 1000, errors: 5 })
    expect(limits({ requests: 1049, errors: 50 })).toBe(first)
    expect(limits({ requests: 1050, errors: 50 })).not.toBe(first)
  })
})

describe('error_rate max_increase', () => {
  it('compares within blocks where the baseline has errors, T2 alone for a relative limit', () => {
    for (const [guardrail, method] of [
      [ERROR_PP, 'T2+T3'],
      [ERROR_RELATIVE, 'T2'],
    ] as const) {
      const judge = judgeOf(guardrail, 100)
      fold(judge, 40, 4, 5)
      const assessment = judge.assess()
      expect(rowOf(assessment, 'error_rate').method).toBe(method)
      expect(assessment.rollback).toBe(true)
    }
  })

  it('adds T3 to T2 only from blocks in which the canary has about a tenth of the requests', () => {
    const few = judgeOf(ERROR_PP, 100, BARE)
    fold(few, 200, 0, 5, 10)
    const enough = judgeOf(ERROR_PP, 100, BARE)
    fold(enough, 200, 0, 5, 100)
    // E = ½T2 + ½T3 and T3 = 1 until it is fed, so without T3 it cannot fall below ½.
    expect(rowOf(few.assess(), 'error_rate').logEBreach).toBeGreaterThan(-Math.LN2)
    expect(rowOf(enough.assess(), 'error_rate').logEBreach).toBeLessThan(-Math.LN2)
  })

  it('judges a spotless baseline by T1 against its upper limit plus the margin', () => {
    const fine = judgeOf(ERROR_PP, 0)
    fold(fine, 60, 0, 0)
    const row = rowOf(fine.assess(), 'error_rate')
    expect(row.method).toBe('T1')
    expect(row.verdict).toBe('within_limit')
    const broken = judgeOf(ERROR_PP, 0)
    fold(broken, 60, 2, 0)
    expect(broken.assess().rollback).toBe(true)
    const single = judgeOf(ERROR_PP, 0)
    fold(single, 59, 0, 0)
    fold(single, 1, 1, 0, 100, 59)
    expect(single.assess().rollback).toBe(false)
  })

  it('counts blocks from before the step for a rollback and not for a pass', () => {
    const read = (stepFromMs: number) => {
      const judge = judgeOf(ERROR_PP, 0)
      judge.startStep(0, stepFromMs)
      fold(judge, 60, 0, 0)
      return rowOf(judge.assess(), 'error_rate')
    }
    const [within, before] = [read(START_MS), read(START_MS + 3_600_000)]
    expect(before).toMatchObject({ method: 'T1', logEBreach: within.logEBreach, logEPass: 0 })
    expect(within.logEPass).toBeGreaterThan(Math.log(20))
  })

  it('cannot pass a relative limit on a spotless baseline, and says that nothing would help', () => {
    const judge = judgeOf(ERROR_RELATIVE, 0)
    fold(judge, 200, 0, 0)
    const row = rowOf(judge.assess(), 'error_rate')
    expect(row.method).toBe('T1')
    expect(row.verdict).toBe('collecting')
    expect(row.needs).toBeNull()
  })

  it('lets T3 carry half of the pass evidence of a relative limit on a spotless baseline', () => {
    const judge = judgeOf(ERROR_RELATIVE, 0)
    fold(judge, 5, 1, 0)
    // T1 against a limit of zero falls with every error; T3 stays at 1 before its gate.
    const { logEPass } = rowOf(judge.assess(), 'error_rate')
    expect(logEPass).toBeLessThan(0)
    expect(logEPass).toBeGreaterThan(-Math.LN2)
  })

  it('needs what the sooner of T1 and T3 needs, where both can pass a wide relative limit', () => {
    const wide = { ...ERROR_RELATIVE, limit: { ...ERROR_RELATIVE.limit, value: 20 } }
    const readAfter = (blocks: number) => {
      const seen = testOf(wide)
      seen.run(blocks, FINE)
      return seen.read()
    }
    const level = 300
    expect(readAfter(1).method).toBe('T1')
    const growth = readAfter(1).growthToPass(level)!
    expect(readAfter(Math.ceil(growth)).logEPass).toBeGreaterThanOrEqual(level)
    expect(readAfter(Math.floor(0.7 * growth)).logEPass).toBeLessThan(level)
  })

  it('keeps the way a unit is judged for the whole release', () => {
    const judge = judgeOf(ERROR_PP, 0)
    fold(judge, 30, 0, 9)
    expect(rowOf(judge.assess(), 'error_rate').method).toBe('T1')
  })

  it('shows the relative difference for a relative limit, with its interval around it', () => {
    const judge = judgeOf(ERROR_RELATIVE, 100)
    fold(judge, 60, 1, 6)
    const row = rowOf(judge.assess(), 'error_rate')
    expect(row.stable.value).toBeCloseTo(6 / 900, 12)
    expect(row.canary.value).toBeCloseTo(0.01, 12)
    expect(row.difference).toBeCloseTo(0.5, 10)
    expect(row.ciLow).toBeLessThan(0.5)
    expect(row.ciHigh).toBeGreaterThan(0.5)
  })
})
