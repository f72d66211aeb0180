import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { createJudge } from '../../../src/judge/judge.ts'
import { logEAbove, proportionLimit } from '../../../src/judge/proportion.ts'
import { createRestarts } from '../../../src/judge/restarts.ts'
import {
  ALL_KINDS,
  BLOCK_MS,
  blockOf,
  cellOf,
  EN,
  ERROR_MAX,
  metricsOf,
  rowOf,
  START_MS,
  specOf,
} from './judge-builders.ts'

const HISTORY = [{ cohort: EN, metrics: metricsOf(20_000, 100) }]
const PLAN = [
  { weight: 5, minDurationMs: 0, minRequests: 0 },
  { weight: 25, minDurationMs: 0, minRequests: 0 },
]
const BARE = { restarts: false, fewestBlocks: 2 }

function block(index: number, canaryErrors: number) {
  return blockOf(index, [
    cellOf('stable', EN, metricsOf(900, 5)),
    cellOf('canary', EN, metricsOf(100, canaryErrors)),
  ])
}

describe('the mixture of restarts', () => {
  it('is the plain evidence when none was planned', () => {
    const restarts = createRestarts(0, () => 'a snapshot')
    restarts.restart()
    expect(restarts.mix((since) => (since === null ? 3 : Number.NaN))).toBe(3)
  })

  it('is ½E⁽⁰⁾ + ½·mean of the planned ones, those still to come counted as 1', () => {
    let made = 0
    const restarts = createRestarts(4, () => [10, 2][made++] ?? 0)
    restarts.restart()
    restarts.restart()
    const expected = 0.5 * 6 + (0.5 * (10 + 2 + 1 + 1)) / 4
    expect(Math.exp(restarts.mix((since) => Math.log(since ?? 6)))).toBeCloseTo(expected, 12)
  })

  it('takes no more restarts than planned', () => {
    let made = 0
    const restarts = createRestarts(2, () => made++)
    for (let i = 0; i < 5; i++) restarts.restart()
    expect(made).toBe(2)
    expect(restarts.mix(() => 0)).toBeCloseTo(0, 14)
  })

  it('is 1 for evidence that says nothing, whatever the plan', () => {
    fc.assert(
      fc.property(fc.nat(30), fc.nat(40), (count, times) => {
        const restarts = createRestarts(count, () => ({}))
        for (let i = 0; i < times; i++) restarts.restart()
        expect(restarts.mix(() => 0)).toBeCloseTo(0, 12)
      }),
    )
  })
})

describe('a judge that restarts', () => {
  it('finds a regression that begins late sooner than one that does not', () => {
    const blocksToFind = (rules?: typeof BARE) => {
      const spec = specOf([ERROR_MAX], { plan: PLAN, maxDurationMs: 100 * BLOCK_MS })
      const judge = createJudge(spec, HISTORY, START_MS, rules)
      let index = 0
      for (; index < 50; index++) judge.fold(block(index, 0))
      while (!judge.assess().rollback) judge.fold(block(index++, 2))
      return index - 50
    }
    expect(blocksToFind()).toBeLessThan(0.8 * blocksToFind(BARE))
  })

  it('has evidence since the start, each later step and each tenth of the longest duration', () => {
    const spec = specOf([ERROR_MAX], {
      ...{ cohorts: { by: [], key: [] }, plan: [...PLAN, ...PLAN], maxDurationMs: 100 * BLOCK_MS },
    })
    const judge = createJudge(spec, HISTORY, START_MS)
    const errorsIn = (index: number) => [0, 1, 0, 2, 0, 1, 1][index % 7]!
    const limit = proportionLimit(0.008)
    const since = (from: number, to: number) => {
      let bad = 0
      for (let index = from; index < to; index++) bad += errorsIn(index)
      return Math.exp(logEAbove(limit, 100 * (to - from), bad))
    }
    const starts = [10, 20, 27, 30, 40, 50, 60, 70, 80, 90]
    const planned = 3 + 9
    for (let index = 0; index < 130; index++) {
      if (index === 27) judge.startStep(1, START_MS + 27 * BLOCK_MS)
      judge.fold(block(index, errorsIn(index)))
      const due = starts.filter((start) => start <= index)
      const later = due.reduce((sum, start) => sum + since(start, index + 1), planned - due.length)
      const expected = Math.log(0.5 * since(0, index + 1) + (0.5 * later) / planned)
      const { logEBreach } = rowOf(judge.assess(), 'error_rate')
      expect(logEBreach, `after block ${index}`).toBeCloseTo(expected, 9)
    }
  })

  it('starts once more at a tenth of the longest duration and at a later step, not at a resumed one', () => {
    const spec = specOf([ERROR_MAX], { plan: PLAN, maxDurationMs: 1000 * BLOCK_MS })
    const evidence = (steps: readonly (readonly [block: number, step: number])[]) => {
      const judge = createJudge(spec, HISTORY, START_MS)
      for (let index = 0; index < 40; index++) {
        for (const [at, step] of steps) {
          if (at === index) judge.startStep(step, START_MS + index * BLOCK_MS)
        }
        judge.fold(block(index, index < 20 ? 0 : 2))
      }
      return rowOf(judge.assess(), 'error_rate').logEBreach
    }
    const never = evidence([[0, 0]])
    const resumed = evidence([
      [0, 0],
      [20, 0],
    ])
    const later = evidence([
      [0, 0],
      [20, 1],
    ])
    const resumedLater = evidence([
      [0, 0],
      [20, 1],
      [30, 1],
    ])
    expect(resumed).toBe(never)
    expect(later).toBeGreaterThan(never + 0.5)
    expect(resumedLater).toBe(later)
  })

  it('costs at most ln 2 on a regression that was there from the start, in every kind of test', () => {
    const spec = specOf(ALL_KINDS, { maxDurationMs: 100 * BLOCK_MS })
    const judge = createJudge(spec, HISTORY, START_MS)
    const bare = createJudge(spec, HISTORY, START_MS, BARE)
    for (let index = 0; index < 60; index++) {
      judge.fold(block(index, 3))
      bare.fold(block(index, 3))
    }
    const rows = judge.assess().rows
    for (const [index, row] of bare.assess().rows.entries()) {
      const mixed = rows[index]?.logEBreach ?? Number.NaN
      expect(mixed).toBeGreaterThanOrEqual(row.logEBreach - Math.LN2 - 1e-9)
    }
  })
})
