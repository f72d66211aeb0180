import type { Outcome, Question, SimulationCase } from './case.ts'
import type { Column, Figure, Judged } from './summary.ts'
import { ALPHA_PERCENT, figureOf, isTime, judge, SHIPPED_FACTOR } from './summary.ts'

/** One question of one case with all that is known about it. */
export interface ReportRow {
  readonly test: SimulationCase
  readonly question: Question
  readonly bare: Judged | null
  readonly shipped: Judged | null
  readonly naive: Figure | null
  readonly three: Figure | null
}

export interface RunFacts {
  readonly command: string
  readonly seed: number
}

export function rowsOf(
  tests: readonly SimulationCase[],
  outcomes: ReadonlyMap<string, readonly Outcome[]>,
): ReportRow[] {
  return tests.flatMap((test) => {
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
      return { test, question, bare, shipped, naive: plain('naive'), three }
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

const ASKED: Readonly<Record<Question['asks'], string>> = {
  rolled_back: 'rolled back, %',
  passed: 'passed, %',
  named: 'right cohort named, %',
  events_to_rollback: 'thousand events to rollback',
  events_to_pass: 'thousand events to pass',
}

const HEADER = [
  'case',
  'asked',
  'R',
  'reference',
  'test alone',
  'bar',
  'held',
  'as shipped',
  'bar',
  'held',
  'last 10,000 over a threshold',
  'three windows in a row',
]

/** The page about decision quality, in Markdown; without dates, so equal runs give equal pages. */
export function pageOf(rows: readonly ReportRow[], facts: RunFacts): string {
  const judged = rows.flatMap(({ bare, shipped }) => [bare, shipped])
  const barred = judged.filter((each) => each !== null && each.held !== null)
  const held = barred.filter((each) => each?.held === true)
  const families = [...new Set(rows.map(({ test }) => test.family))]
  const tables = families.map((family) => {
    const own = rows.filter(({ test }) => test.family === family)
    return `## ${family}\n\n${tableOf(own)}`
  })
  return `${introduction(facts, held.length, barred.length)}\n\n${tables.join('\n\n')}\n`
}

function introduction({ command, seed }: RunFacts, held: number, barred: number): string {
  return `# Decision quality

How often the judge is wrong, and how soon it is right: measured by running the shipped code, not a copy of its formulas, on simulated traffic whose truth is known.

\`${command}\`, seed ${seed}: ${held} of ${barred} bars held.

* **test alone**: one guardrail, "overall" only, weight 1, no warm-up, no restarts; a look every 1,000 events up to a million. So the reference was measured, and its figures are the bar: mean ≤ reference + 3 standard errors.
* **as shipped**: the same traffic with the defaults of a release file, and a look at every block for the first hundred; bar ${SHIPPED_FACTOR} × reference + 3 standard errors.
* **last 10,000 over a threshold**, **three windows in a row**: what a dashboard does. Error rate above 0.8 %, canary p95 above 1.1 × the stable one (or the absolute limit), quality more than 0.01 lower, in the last 10,000 events of both versions, or in three such windows running. They are fast because they fire on noise: read them together with the tables in which nothing is wrong.
* Rates are percent of simulated releases ± standard error. A false rollback or false pass may happen in ${ALPHA_PERCENT} % of releases; the bar adds 3 standard errors of R releases.
* Times are thousands of events of both versions: mean ± standard error (median / 90th percentile), \`[x %]\` the share that got there before the end, the others counted with the end.
* R: simulated releases.`
}

function tableOf(rows: readonly ReportRow[]): string {
  const used = (pick: (row: ReportRow) => unknown) => rows.some((row) => pick(row) !== null)
  const show = HEADER.map((_, i) => {
    if (i >= 4 && i <= 6) return used(({ bare }) => bare)
    if (i >= 7 && i <= 9) return used(({ shipped }) => shipped)
    if (i === 10) return used(({ naive }) => naive)
    return i === 11 ? used(({ three }) => three) : true
  })
  const line = (cells: readonly string[]) => `| ${cells.filter((_, i) => show[i]).join(' | ')} |`
  return [
    line(HEADER),
    line(HEADER.map(() => '---')),
    ...rows.map((row) => line(cellsOf(row))),
  ].join('\n')
}

function cellsOf({ test, question, bare, shipped, naive, three }: ReportRow): string[] {
  const judged = (each: Judged | null): string[] =>
    each === null
      ? ['', '', '']
      : [
          figureText(question, each.figure),
          each.bar === null ? '' : `${question.bar === 'most' ? '≥' : '≤'} ${number(each.bar)}`,
          each.held === null ? '' : each.held ? 'yes' : '**no**',
        ]
  const { reference } = question
  return [
    `${test.name.replace(/^[^,]*, /, '')}<br>${test.what}`,
    ASKED[question.asks],
    String((bare ?? shipped)?.figure.count ?? 0),
    reference === undefined ? '' : `${number(reference.value)} ± ${number(reference.se)}`,
    ...judged(bare),
    ...judged(shipped),
    naive === null ? '' : figureText(question, naive),
    three === null ? '' : figureText(question, three),
  ]
}

function figureText(question: Question, { value, se, reached, median, p90 }: Figure): string {
  const mean = `${number(value)} ± ${number(se)}`
  if (!isTime(question.asks) || median === null || p90 === null) return mean
  const part = reached !== null && reached < 100 ? `[${reached.toFixed(0)} %] ` : ''
  return `${part}${mean} (${number(median)}/${number(p90)})`
}

function number(value: number): string {
  return Math.abs(value) >= 100 ? value.toFixed(0) : value.toFixed(value < 1 ? 2 : 1)
}
