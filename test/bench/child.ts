import { fork } from 'node:child_process'
import { fileURLToPath } from 'node:url'

/** What a measured process needed between its own start and end marks. */
export interface Usage {
  readonly seconds: number
  /** User and system time of all its threads. */
  readonly cpuSeconds: number
  /** Largest resident memory of the process so far. */
  readonly rssMb: number
}

/** Runs `test/bench/<script>` in a process of its own and resolves with the one thing it reports. */
export function runChild<Task, Result>(script: string, task: Task): Promise<Result> {
  const path = fileURLToPath(new URL(script, import.meta.url))
  const child = fork(path, [JSON.stringify(task)], {
    execArgv: ['--import', 'tsx', ...profilerOptions()],
    stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
  })
  return new Promise((resolve, reject) => {
    let result: Result | undefined
    child.once('message', (message) => {
      result = message as Result
    })
    child.once('error', reject)
    child.once('exit', (code, signal) => {
      if (result !== undefined && code === 0) resolve(result)
      else reject(new Error(`${script} ended with ${signal ?? code} and without a result`))
    })
  })
}

/** `BENCH_PROFILE=directory` keeps a CPU profile of every measured process there. */
function profilerOptions(): string[] {
  const directory = process.env['BENCH_PROFILE']
  return directory ? ['--cpu-prof', `--cpu-prof-dir=${directory}`] : []
}

/** The other side of `runChild`: does the task and reports what came of it. */
export async function runTask<Task, Result>(run: (task: Task) => Promise<Result>): Promise<void> {
  const result = await run(JSON.parse(process.argv[2] ?? 'null') as Task)
  await new Promise<void>((resolve, reject) => {
    process.send?.(result, undefined, undefined, (error) => (error ? reject(error) : resolve()))
  })
  // A forgotten handle of a library must not keep the next measurement waiting.
  process.exit(0)
}

export function startMeter(): () => Usage {
  const startedAt = performance.now()
  const before = process.cpuUsage()
  return () => {
    const { user, system } = process.cpuUsage(before)
    return {
      seconds: (performance.now() - startedAt) / 1000,
      cpuSeconds: (user + system) / 1e6,
      rssMb: process.resourceUsage().maxRSS / 1024,
    }
  }
}
