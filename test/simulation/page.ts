import { FAMILIES } from './families.ts'
import type { ReportRow } from './report.ts'
import { ASKED, failuresOf, figureText, lineOf, number } from './report.ts'
import type { Judged } from './summary.ts'
import { ALPHA_PERCENT, RARE_PERCENT, SHIPPED_FACTOR } from './summary.ts'

export interface RunFacts {
  readonly command: string
  readonly seed: number
  /** Markdown: what was tried to be faster. */
  readonly faster: string
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
export function pageOf(all: readonly ReportRow[], facts: RunFacts): string {
  const rows = all.filter(({ bare, shipped }) => bare !== null || shipped !== null)
  const present = new Set(rows.map(({ test }) => test.family))
  const tables = FAMILIES.filter(({ name }) => present.has(name)).map(({ name, text }) => {
    const own = rows.filter(({ test }) => test.family === name)
    return `## ${name}\n\n${text}\n\n${tableOf(own)}`
  })
  const faster = `## What was tried to be faster\n\n${facts.faster.trim()}`
  return `${[introduction(all, rows, facts), ...tables, faster].join('\n\n')}\n`
}

function introduction(
  all: readonly ReportRow[],
  rows: readonly ReportRow[],
  { command, seed }: RunFacts,
): string {
  const judged = rows.flatMap(({ bare, shipped }) => [bare, shipped])
  const barred = judged.filter((each) => each !== null && each.held !== null)
  const held = barred.filter((each) => each?.held === true)
  const missed = failuresOf(rows).map((row) => `* ${lineOf(row)}`)
  const releases = new Map(rows.map((row) => [row.test.name, countOf(row)]))
  const total = [...releases.values()].reduce((sum, count) => sum + count, 0)
  const short = all.filter(({ simulated, planned }) => simulated < planned).length
  return [
    '# Decision quality',
    'How often the judge is wrong, and how soon it is right: measured by running the shipped code, not a copy of its formulas, on simulated traffic whose truth is known.',
    `**${held.length} of ${barred.length} bars held**, over ${total.toLocaleString('en-US')} simulated releases. \`${command}\`, seed ${seed}.${short === 0 ? '' : ` ${short} of ${all.length} rows have fewer releases than planned, because the run was ended before: R says how many of how many.`}`,
    ...(missed.length === 0 ? [] : [`Not held:\n\n${missed.join('\n')}`]),
    HOW_TO_READ,
  ].join('\n\n')
}

const HOW_TO_READ = `* **reference**: an independent simulation of the same procedures, made before this judge was written; its figures are what is to be reached. Empty where it has none.
* **test alone**: one guardrail, "overall" only, weight 1, no warm-up, no restarts; a look every 1,000 events up to a million unless the row says otherwise. So the reference was measured. Blocks have 100 events where times are measured. Where nothing is worse than allowed they have 100 only for the first 20,000 events, 1,000 (and a look each) up to 200,000, and 4,000 (and a look each) from there to the million. Days of drift have 500 blocks of 2,000 with a look each, days with shocks 1,000 of 1,000. Bar for times: mean ≤ reference + 3 standard errors of both.
* **as shipped**: the same traffic with the defaults of a release file, and a look at every block for the first hundred; where nothing is worse than allowed at every 10,000 events after 100,000. Bar for times to rollback: mean ≤ ${SHIPPED_FACTOR} × reference + 3 standard errors.
* Rates are percent of simulated releases ± standard error. Wherever nothing is worse than allowed, a rollback may happen in ${ALPHA_PERCENT} % of releases, and at a limit so may a pass: bar ≤ ${ALPHA_PERCENT} % + 3 standard errors of R releases. Where the answer is certain enough to be expected, it must come in ≥ 95 % − 3 standard errors. An alarm about the traffic split may be false in ${RARE_PERCENT} % + 3 standard errors. A row without a bar is shown for what it says.
* Times are thousands of events of both versions: mean ± standard error (median / 90th percentile), \`[x %]\` the share that got there before the end, the others counted with the end.
* **last 10,000 over a threshold**, **three windows in a row**: what a dashboard does. Error rate above 0.8 %, canary quantile above 1.1 × the stable one (or the absolute limit), quality more than 0.01 lower, in the last 10,000 events of both versions, or in three such windows running. They are fast because they fire on noise: read them together with the tables in which nothing is wrong.
* R: simulated releases. Each has random numbers of its own, made from seed, case and number: the same command gives the same page on any machine.`

function countOf({ bare, shipped }: ReportRow): number {
  return (bare ?? shipped)?.figure.count ?? 0
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

function cellsOf(row: ReportRow): string[] {
  const { test, question, bare, shipped, naive, three } = row
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
    countOf(row) < row.planned ? `${countOf(row)} of ${row.planned}` : String(countOf(row)),
    reference === undefined ? '' : `${number(reference.value)} ± ${number(reference.se)}`,
    ...judged(bare),
    ...judged(shipped),
    naive === null ? '' : figureText(question, naive),
    three === null ? '' : figureText(question, three),
  ]
}
