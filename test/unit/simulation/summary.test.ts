import { describe, expect, it } from 'vitest'
import type { Outcome, Question } from '../../simulation/case.ts'
import { ALL_CASES } from '../../simulation/cases/all.ts'
import { errors, reference, stationary, stationaryCase } from '../../simulation/cases/shapes.ts'
import { FAMILIES } from '../../simulation/families.ts'
import { pageOf } from '../../simulation/page.ts'
import { failuresOf, rowsOf } from '../../simulation/report.ts'
import { figureOf, judge } from '../../simulation/summary.ts'

function caseOf(question: Question) {
  return stationaryCase({
    name: 'null, test',
    family: 'Nothing is worse',
    what: 'a test',
    scenario: stationary(errors(0.005), errors(0.005), 0.1),
    guardrails: ['metric: error_rate, max: 1%'],
    until: 'breach',
    questions: [question],
    repetitions: { full: 4, quick: 0 },
  })
}

const breaches = (...times: (number | null)[]): Outcome[] =>
  times.map((time) => ({ 'bare.breach': time, 'shipped.breach': time, 'naive.breach': 10_000 }))

describe('figures', () => {
  it('a rate has its standard error and a bar of 5 % + 3 s.e.', () => {
    const question: Question = { asks: 'rolled_back', bar: 'alpha' }
    const outcomes = breaches(1000, ...new Array<null>(99).fill(null))
    const figure = figureOf(caseOf(question), question, 'bare', outcomes)!
    expect(figure).toMatchObject({ value: 1, count: 100 })
    expect(figure.se).toBeCloseTo(0.995, 3)
    const { bar, held } = judge(question, 'bare', figure)
    expect(bar).toBeCloseTo(5 + 3 * 2.179, 2)
    expect(held).toBe(true)
  })

  it('times count what never happened with the horizon, and the bar knows both errors', () => {
    const question: Question = {
      asks: 'events_to_rollback',
      bar: 'reference',
      reference: reference(3, 0.1),
    }
    const figure = figureOf(caseOf(question), question, 'bare', breaches(2000, 4000, null, 2000))!
    expect(figure).toMatchObject({ value: 252, reached: 75, median: 2, p90: 1000 })
    expect(judge(question, 'bare', figure).bar).toBeCloseTo(3 + 3 * Math.hypot(0.1, figure.se), 9)
    expect(judge(question, 'shipped', figure).bar).toBeCloseTo(
      1.35 * 3 + 3 * Math.hypot(0.135, figure.se),
      9,
    )
    expect(judge(question, 'naive', figure).bar).toBeNull()
  })

  it('counts from the first look after a gate, never below one look', () => {
    const question: Question = { asks: 'events_to_rollback', bar: 'none', gateBlocks: 30 }
    const of = (column: 'bare' | 'shipped' | 'naive', ...times: number[]) =>
      figureOf(caseOf(question), question, column, breaches(...times))!.value
    expect(of('bare', 3000, 5000)).toBe(2)
    // Six blocks of warm-up, and a look at every block.
    expect(of('shipped', 3600, 5600)).toBe(2)
    expect(of('shipped', 1000)).toBe(1)
    expect(of('naive', 3000)).toBe(10)
  })

  it('a rollback before the regression is no detection of it', () => {
    const question: Question = { asks: 'events_to_rollback', bar: 'none', after: 300_000 }
    const plain = caseOf(question)
    const test = {
      ...plain,
      scenario: { ...plain.scenario, change: { fromBlock: 3000, canary: [errors(0.02)] } },
    }
    const figure = figureOf(test, question, 'bare', breaches(310_000, 200_000))!
    expect(figure).toMatchObject({ value: 355, reached: 50 })
  })

  it('a missed bar is listed, and the page says so without a date', () => {
    const question: Question = { asks: 'rolled_back', bar: 'alpha' }
    const test = caseOf(question)
    const outcomes = new Map([[test.name, breaches(1000, 1000, 1000, null)]])
    const rows = rowsOf([{ test, repetitions: 4 }], outcomes)
    expect(failuresOf(rows)).toHaveLength(1)
    const page = pageOf(rows, { command: 'npm run sim', seed: 1, faster: 'Nothing.\n' })
    expect(page).toContain(
      '**0 of 2 bars held**, over 4 simulated releases. `npm run sim`, seed 1.',
    )
    expect(page).toContain('* null, test: rolled back, %')
    expect(page).toContain('**no**')
    expect(page).toContain('## Nothing is worse\n\nBoth versions behave alike')
    expect(page.endsWith('## What was tried to be faster\n\nNothing.\n')).toBe(true)
  })

  it('a row says how many of its releases a run that was ended has, and is left out without any', () => {
    const question: Question = { asks: 'rolled_back', bar: 'alpha' }
    const some = caseOf(question)
    const none = { ...some, name: 'null, none', what: 'not begun' }
    const plan = [some, none].map((test) => ({ test, repetitions: 2000 }))
    const rows = rowsOf(plan, new Map([[some.name, breaches(null, null)]]))
    const page = pageOf(rows, { command: 'npm run sim', seed: 1, faster: '' })
    expect(page).toContain('2 of 2 rows have fewer releases than planned')
    expect(page).toContain('| 2 of 2000 |')
    expect(page).not.toContain('not begun')
  })

  it('every case is in a table that is explained', () => {
    const known = FAMILIES.map(({ name }) => name)
    for (const { name, family } of ALL_CASES) expect(known, name).toContain(family)
    for (const { text } of FAMILIES) expect(text).toMatch(/^[A-Z0-9].*[.]$/)
  })
})
