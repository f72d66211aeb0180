import { describe, expect, it } from 'vitest'
import type { ClosedBlock } from '../../../src/domain/block.ts'
import { EMPTY_MOMENTS } from '../../../src/domain/block.ts'
import { createNaiveRules } from '../../simulation/naive-rules.ts'
import { releaseSpec } from '../../simulation/release-spec.ts'

function block(errors: number): ClosedBlock {
  const metrics = (requests: number, bad: number) => ({
    requests,
    errors: bad,
    latencies: 0,
    overLimit: [],
    bins: [],
    counts: [],
    quality: EMPTY_MOMENTS,
    kpis: [],
  })
  return {
    startMs: 0,
    endMs: 10_000,
    cells: [
      { arm: 'stable', cohort: {}, metrics: metrics(900, 0) },
      { arm: 'canary', cohort: {}, metrics: metrics(100, errors) },
    ],
    events: 1000,
    duplicates: 0,
    late: 0,
    lateCanary: 0,
  }
}

function run(errorsPerBlock: readonly number[]) {
  const [guardrail] = releaseSpec(['metric: error_rate, max_increase: 0%']).guardrails
  const rules = createNaiveRules(guardrail!)
  for (const [i, errors] of errorsPerBlock.entries()) {
    rules.fold(block(errors))
    rules.look(1000 * (i + 1))
  }
  return { window: rules.window, three: rules.three }
}

const repeat = (count: number, errors: number) => new Array<number>(count).fill(errors)

describe('plain thresholds', () => {
  it('fire on the last 10,000 events, not before there are so many', () => {
    expect(run(repeat(9, 50))).toEqual({ window: null, three: null })
    expect(run(repeat(30, 1))).toEqual({ window: 10_000, three: 30_000 })
    // 9 errors in the newest ten blocks are more than 0.8 % of 1,000 canary requests.
    expect(run([...repeat(20, 0), ...repeat(9, 1)])).toEqual({ window: 29_000, three: null })
  })

  it('have the newest 10,000 in view also when looks become rarer', () => {
    const [guardrail] = releaseSpec(['metric: error_rate, max_increase: 0%']).guardrails
    const rules = createNaiveRules(guardrail!)
    for (let look = 1; look <= 10; look++) {
      rules.fold(block(look <= 9 ? 0 : 1))
      rules.look(1000 * look)
    }
    // Two looks of 5,000 later all that was before is gone: 8 errors of 1,000 are not above 0.8 %.
    for (const [events, errors] of [
      [15_000, 4],
      [20_000, 4],
    ] as const) {
      for (let i = 0; i < 5; i++) rules.fold(block(i === 0 ? errors : 0))
      rules.look(events)
    }
    expect(rules.window).toBeNull()
    for (let i = 0; i < 5; i++) rules.fold(block(i === 0 ? 5 : 0))
    rules.look(25_000)
    expect(rules.window).toBe(25_000)
  })

  it('three in a row do not overlap and must not be broken', () => {
    expect(run([...repeat(20, 1), ...repeat(10, 0), ...repeat(30, 1)]).three).toBe(60_000)
  })
})
