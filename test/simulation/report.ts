import type { Outcome, Question, SimulationCase } from './case.ts'
import type { Planned } from './schedule.ts'
import type { Column, Figure, Judged } from './summary.ts'
import { figureOf, isTime, judge } from './summary.ts'

/** One question of one case with all that is known about it. */
export interface ReportRow {
  readonly test: SimulationCase
  readonly question: Question
  readonly bare: Judged | null
  readonly shipped: Judged | null
  readonly naive: Figure | null
  readonly three: Figure | null
  /** Releases that were to be simulated, and those that were. */
  readonly planned: number
  readonly simulated: number
}

export function rowsOf(
  plan: readonly Planned[],
  outcomes: ReadonlyMap<string, readonly Outcome[]>,
): ReportRow[] {
  return plan.flatMap(({ test, repetitions }) => {
    const seen = outcomes.get(test.name) ?? []
    return test.questions.map((question): ReportRow => {
      const judged = (column: Column): Judged | null => {
        const figure = figureOf(test, question, column, seen)
        return figure === null ? null : judge(question, column, figure)
      }
      const thresholds = question.asks === 'rolled_back' || question.asks === 'events_to_rollback'
      const plain = (column: Column) => (thresholds ? figureOf(test, question, column, seen) : null)
      // Once the judges are done the traffic ends, too early for the slow rule unless nothing is wrong.
      const three = question.bar === 'alpha' && test.until !== 'pass' ? plain('three') : null
      const [bare, shipped] = [judged('bare'), judged('shipped')]
      const counts = { planned: repetitions, simulated: seen.length }
      return { test, question, bare, shipped, naive: plain('naive'), three, ...counts }
    })
  })
}

/** Bars that are not held. */
export function failuresOf(rows: readonly ReportRow[]): ReportRow[] {
  return rows.filter(({ bare, shipped }) => bare?.held === false || shipped?.held === false)
}

/** One line a row, for the terminal. */
export function lineOf({ test, question, bare, shipped, naive }: ReportRow): string {
  const part = (name: string, judged: Judged | null): string => {
    if (judged === null) return ''
    const { figure, bar, held } = judged
    const limit = bar === null ? '' : `, bar ${number(bar)}`
    return `  ${name} ${figureText(question, figure)}${limit}${held === null ? '' : held ? ' held' : ' NOT HELD'}`
  }
  const { reference } = question
  const known = reference === undefined ? '' : `  reference ${number(reference.value)}`
  const plain = naive === null ? '' : `  threshold ${figureText(question, naive)}`
  return `${test.name}: ${ASKED[question.asks]}${known}${part('alone', bare)}${part('shipped', shipped)}${plain}`
}

export const ASKED: Readonly<Record<Question['asks'], string>> = {
  rolled_back: 'rolled back, %',
  passed: 'passed, %',
  split_alarm: 'alarm about the split, %',
  split_evidence: 'evidence of a wrong split, %',
  named: 'right cohort named, %',
  events_to_rollback: 'thousand events to rollback',
  events_to_split_alarm: 'thousand events to the alarm',
  events_to_split_evidence: 'thousand events to the evidence',
  events_to_pass: 'thousand events to pass',
}

export function figureText(
  question: Question,
  { value, se, reached, median, p90 }: Figure,
): string {
  const mean = `${number(value)} ± ${number(se)}`
  if (!isTime(question.asks) || median === null || p90 === null) return mean
  const part = reached !== null && reached < 100 ? `[${reached.toFixed(0)} %] ` : ''
  return `${part}${mean} (${number(median)}/${number(p90)})`
}

export function number(value: number): string {
  return Math.abs(value) >= 100 ? value.toFixed(0) : value.toFixed(value < 1 ? 2 : 1)
}
