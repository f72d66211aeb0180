import { readFileSync, writeFileSync } from 'node:fs'
import { availableParallelism } from 'node:os'
import { parseArgs } from 'node:util'
import type { SimulationCase } from './case.ts'
import { ALL_CASES } from './cases/all.ts'
import { pageOf } from './page.ts'
import { createProgress } from './progress.ts'
import { failuresOf, lineOf, rowsOf } from './report.ts'
import type { Planned } from './schedule.ts'
import { runAll } from './schedule.ts'
import { createStateStore } from './state.ts'

const PAGE = 'docs/decision-quality.md'
const FASTER = new URL('faster.md', import.meta.url)
const USAGE = `npm run sim -- [--quick] [--only PATTERN] [--repetitions N] [--seed N] [--processes N] [--hours N] [--state DIR] [--write] [--list]
  Simulates releases with the shipped judge and compares with the bars of the reference.
  --quick        a selection with few repetitions, about a minute on two cores
  --only         cases whose name matches the regular expression
  --repetitions  of every case, instead of its own number
  --seed         default 1
  --processes    default: one a core
  --hours        no more is begun after so long; cases with a bar come first, each row says how many
                 releases it has, and the same command goes on from there
  --state        directory with what was computed before (default .haldane-sim); a run that was
                 stopped goes on from there, as long as seed and code are the same
  --write        write ${PAGE}; a full run of all cases always does
  --list         print the names of the cases
Exits 1 when a bar is not held.`

const options = readArguments()
const say = (line: string) => process.stderr.write(`${line}\n`)

if (options.list) {
  for (const { name, what } of ALL_CASES) process.stdout.write(`${name}: ${what}\n`)
  process.exit(0)
}
const plan = planOf(options)
if (plan.length === 0) fail('no case matches')
const outcomes = await runAll(plan, {
  seed: options.seed,
  processes: options.processes,
  ...(options.hours === null ? {} : { seconds: 3600 * options.hours }),
  store: createStateStore(options.state, options.seed),
  progress: createProgress(options.processes, say),
})
const rows = rowsOf(plan, outcomes)
for (const row of rows) process.stdout.write(`${lineOf(row)}\n`)
const failures = failuresOf(rows)
say(failures.length === 0 ? 'all bars held' : `${failures.length} rows with a bar not held`)
if (options.write) {
  const { command, seed } = options
  writeFileSync(PAGE, pageOf(rows, { command, seed, faster: readFileSync(FASTER, 'utf8') }))
  say(`${PAGE} written`)
}
process.exit(failures.length === 0 ? 0 : 1)

function planOf({ quick, only, repetitions }: typeof options): Planned[] {
  const wanted = (test: SimulationCase): number =>
    repetitions ?? (quick ? test.repetitions.quick : test.repetitions.full)
  return ALL_CASES.filter(({ name }) => only === null || only.test(name))
    .filter((test) => !quick || test.repetitions.quick > 0)
    .map((test) => ({ test, repetitions: wanted(test) }))
}

function readArguments() {
  try {
    const { values } = parseArgs({
      options: {
        quick: { type: 'boolean', default: false },
        only: { type: 'string' },
        repetitions: { type: 'string' },
        seed: { type: 'string', default: '1' },
        processes: { type: 'string', default: String(availableParallelism()) },
        hours: { type: 'string' },
        state: { type: 'string', default: '.haldane-sim' },
        write: { type: 'boolean', default: false },
        list: { type: 'boolean', default: false },
      },
    })
    const full = !values.quick && values.only === undefined && values.repetitions === undefined
    return {
      quick: values.quick,
      only: values.only === undefined ? null : new RegExp(values.only),
      repetitions:
        values.repetitions === undefined ? null : whole('--repetitions', values.repetitions),
      seed: whole('--seed', values.seed),
      processes: whole('--processes', values.processes),
      hours: values.hours === undefined ? null : positive('--hours', values.hours),
      state: values.state,
      write: values.write || full,
      list: values.list,
      command: ['npm run sim', ...describe(values)].join(' '),
    }
  } catch (error) {
    return fail(error instanceof Error ? error.message : String(error))
  }
}

/** What decides the figures, as one would type it. */
function describe(values: {
  quick: boolean
  only?: string
  repetitions?: string
  seed: string
}): string[] {
  const parts = [
    ...(values.quick ? ['--quick'] : []),
    ...(values.only === undefined ? [] : [`--only '${values.only}'`]),
    ...(values.repetitions === undefined ? [] : [`--repetitions ${values.repetitions}`]),
    ...(values.seed === '1' ? [] : [`--seed ${values.seed}`]),
  ]
  return parts.length === 0 ? [] : ['--', ...parts]
}

function whole(name: string, text: string): number {
  const value = Number(text)
  if (!Number.isInteger(value) || value < 1) throw new Error(`${name}: a whole number from 1 on`)
  return value
}

function positive(name: string, text: string): number {
  const value = Number(text)
  if (!(value > 0 && Number.isFinite(value))) throw new Error(`${name}: a number above 0`)
  return value
}

function fail(message: string): never {
  process.stderr.write(`${message}\n\n${USAGE}\n`)
  process.exit(2)
}
