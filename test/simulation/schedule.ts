import type { ChildProcess } from 'node:child_process'
import { fork } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import type { Outcome, SimulationCase } from './case.ts'
import { compiled } from './compile.ts'
import type { Chunk, StateStore } from './state.ts'

/** Repetitions `from` to `from + count − 1` of a case. */
export interface Job {
  readonly name: string
  readonly seed: number
  readonly from: number
  readonly count: number
}

export interface JobResult extends Job {
  readonly outcomes: readonly Outcome[]
  /** Processor time. */
  readonly seconds: number
}

export interface Planned {
  readonly test: SimulationCase
  readonly repetitions: number
}

export interface Progress {
  started(jobs: readonly Job[], done: ReadonlyMap<string, readonly Chunk[]>): void
  finished(result: JobResult): void
}

/** Cases that a bar must be held in come before those that are only shown. */
function isBarred({ questions }: SimulationCase): boolean {
  return questions.some(({ bar }) => bar === 'alpha' || bar === 'rare' || bar === 'reference')
}

/** The unit work is shared out in, and so what is lost of a case when a run is stopped. */
const CHUNK = 25
/** Cases with more cohorts take seconds a repetition. */
const FEW_COHORTS = 2
const SMALL_CHUNK = 4

/**
 * Outcomes of every planned repetition, in order, by case. What the store has is not computed
 * again. The outcomes do not depend on the number of processes.
 */
export async function runAll(
  plan: readonly Planned[],
  options: {
    seed: number
    processes: number
    /** No chunk is begun after so many seconds; what is missing then is computed by the next run. */
    seconds?: number
    store: StateStore
    progress: Progress
  },
): Promise<Map<string, Outcome[]>> {
  const { seed, processes, store, progress } = options
  const done = new Map<string, Chunk[]>()
  for (const { test } of plan) done.set(test.name, store.read(test))
  const jobs = jobsOf(plan, seed, done)
  progress.started(jobs, done)
  const tests = new Map(plan.map(({ test }) => [test.name, test]))
  const queue = [...jobs]
  const untilMs = performance.now() + 1000 * (options.seconds ?? Number.POSITIVE_INFINITY)
  const take = () => (performance.now() < untilMs ? queue.shift() : undefined)
  const script = queue.length === 0 ? '' : compiled(SCRIPT)
  const workers = Array.from({ length: Math.min(processes, queue.length) }, () =>
    serve(script, take, (result) => {
      const { name, from, outcomes, seconds } = result
      const chunk = { from, outcomes, seconds }
      store.write(tests.get(name)!, chunk)
      done.get(name)!.push(chunk)
      progress.finished(result)
    }),
  )
  await Promise.all(workers)
  return new Map(
    plan.map(({ test, repetitions }) => [test.name, inOrder(done.get(test.name)!, repetitions)]),
  )
}

/**
 * The missing chunks, the first ones of all cases first: so the time left is soon known, and a run
 * that is stopped early has the same part of every case. Cases with a bar come before the others.
 */
function jobsOf(
  plan: readonly Planned[],
  seed: number,
  done: ReadonlyMap<string, readonly Chunk[]>,
): Job[] {
  const jobs: { job: Job; tier: number; part: number }[] = []
  for (const { test, repetitions } of plan) {
    const tier = isBarred(test) ? 0 : 1
    const known = inOrder(done.get(test.name)!, Number.POSITIVE_INFINITY).length
    const size = test.scenario.cohorts.length > FEW_COHORTS ? SMALL_CHUNK : CHUNK
    for (let from = known; from < repetitions; ) {
      const end = Math.min(repetitions, size * (Math.floor(from / size) + 1))
      const job = { name: test.name, seed, from, count: end - from }
      jobs.push({ job, tier, part: from / repetitions })
      from = end
    }
  }
  return jobs.sort((a, b) => a.tier - b.tier || a.part - b.part).map(({ job }) => job)
}

/** Outcomes from repetition 0 up to the first gap. */
function inOrder(chunks: readonly Chunk[], most: number): Outcome[] {
  const outcomes: Outcome[] = []
  for (const { from, outcomes: part } of [...chunks].sort((a, b) => a.from - b.from)) {
    if (from > outcomes.length) break
    outcomes.push(...part.slice(outcomes.length - from))
  }
  return outcomes.slice(0, most)
}

const SCRIPT = fileURLToPath(new URL('./simulate-process.ts', import.meta.url))

/** One process that takes jobs until there are none. */
function serve(
  script: string,
  take: () => Job | undefined,
  finished: (result: JobResult) => void,
): Promise<void> {
  const child: ChildProcess = fork(script, [], {
    // What a repetition allocates is short-lived; a larger nursery is emptied less often.
    execArgv: ['--max-semi-space-size=32'],
    stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
  })
  return new Promise((resolve, reject) => {
    const next = (): void => {
      const job = take()
      if (job === undefined) child.disconnect()
      else child.send(job)
    }
    child.on('message', (result: JobResult) => {
      finished(result)
      next()
    })
    child.once('error', reject)
    child.once('exit', (code, signal) => {
      if (code === 0) resolve()
      else reject(new Error(`a simulation process ended with ${signal ?? code}`))
    })
    next()
  })
}
