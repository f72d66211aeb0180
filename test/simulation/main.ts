import { writeFileSync } from 'node:fs'
import { availableParallelism } from 'node:os'
import { parseArgs } from 'node:util'
import type { SimulationCase } from './case.ts'
import { ALL_CASES } from './cases/all.ts'
import { createProgress } from './progress.ts'
import { failuresOf, lineOf, pageOf, rowsOf } from './report.ts'
import type { Planned } from './schedule.ts'
import { runAll } from './schedule.ts'
import { createStateStore } from './state.ts'

const PAGE = 'docs/decision-quality.md'
const USAGE = `npm run sim -- [--quick] [--only PATTERN] [--repetitions N] [--seed N] [--processes N] [--state DIR] [--write] [--list]
  Simulates releases with the shipped judge and compares with the bars of the reference.
  --quick        a selection with few repetitions, about a minute on two cores
  --only         cases whose name matches the regular expression
  --repetitions  of every case, instead of its own number
  --seed         default 1
  --processes    default: one a core
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
  store: createStateStore(options.state, options.seed),
  progress: createProgress(options.processes, say),
})
const rows = rowsOf(
  plan.map(({ test }) => test),
  outcomes,
)
for (const row of rows) process.stdout.write(`${lineOf(row)}\n`)
const failures = failuresOf(rows)
say(failures.length === 0 ? 'all bars held' : `${failures.length} rows with a bar not held`)
if (options.write) {
  const { command, seed } = options
  writeFileSync(PAGE, pageOf(rows, { command, seed }))
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

function fail(message: string): never {
  process.stderr.write(`${message}\n\n${USAGE}\n`)
  process.exit(2)
}
