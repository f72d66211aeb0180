import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'

/** Path of a file below `examples/`. */
export const examplePath = (file: string): string =>
  fileURLToPath(new URL(`../../examples/${file}`, import.meta.url))

/** True when the command can be run here and succeeds. */
export function canRun(command: string, ...args: readonly string[]): boolean {
  return spawnSync(command, args, { stdio: 'ignore' }).status === 0
}

export interface ExampleRun {
  readonly exitCode: number | null
  readonly stdout: string
  readonly stderr: string
}

/** Runs an example to its end. */
export async function runExample(
  command: string,
  args: readonly string[],
  env: Readonly<Record<string, string>>,
): Promise<ExampleRun> {
  const child = spawn(command, args, {
    env: { ...process.env, ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  const output = collect(child)
  await once(child, 'close')
  return { exitCode: child.exitCode, ...output() }
}

/** What the example answers to `GET /pick`. */
interface Pick {
  readonly version: string
  readonly role: 'stable' | 'canary'
}

export interface RouterExample {
  readonly url: string
  /** Generations in the order of its log: what this process applied. */
  applied(): number[]
  stdout(): string
  state(): Promise<Record<string, unknown>>
  /** The version of each user. */
  pick(users: readonly string[]): Promise<string[]>
  /** SIGKILL, at once. */
  kill(): Promise<void>
}

/** `examples/router/router.mjs` in a process of its own, on a free port. */
export async function startRouterExample(
  env: Readonly<Record<string, string>>,
): Promise<RouterExample> {
  const child = spawn(process.execPath, [examplePath('router/router.mjs')], {
    env: { ...process.env, PORT: '0', ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  const output = collect(child)
  const url = await listening(child, output)
  // A connection each: one that is kept may be closed by the router while this process is busy.
  const headers = { connection: 'close' }
  const read = async (path: string) => (await fetch(url + path, { headers })).json()
  return {
    url,
    applied: () =>
      [...output().stdout.matchAll(/ applied generation (\d+):/g)].map((match) => Number(match[1])),
    stdout: () => output().stdout + output().stderr,
    state: async () => (await read('/state')) as Record<string, unknown>,
    pick: (users) =>
      Promise.all(
        users.map(async (user) => {
          const answer = (await read(`/pick?user=${encodeURIComponent(user)}`)) as Pick
          return answer.version
        }),
      ),
    async kill() {
      if (child.exitCode !== null || child.signalCode !== null) return
      const exited = once(child, 'exit')
      child.kill('SIGKILL')
      await exited
    },
  }
}

function collect(child: ChildProcess): () => { stdout: string; stderr: string } {
  let stdout = ''
  let stderr = ''
  child.stdout?.setEncoding('utf8').on('data', (chunk: string) => {
    stdout += chunk
  })
  child.stderr?.setEncoding('utf8').on('data', (chunk: string) => {
    stderr += chunk
  })
  return () => ({ stdout, stderr })
}

async function listening(
  child: ChildProcess,
  output: () => { stdout: string; stderr: string },
): Promise<string> {
  for (;;) {
    const match = / on (http:\/\/127\.0\.0\.1:\d+)\n/.exec(output().stdout)
    if (match !== null) return match[1] as string
    const ended = once(child, 'exit').then(() => {
      throw new Error(`the router ended: ${output().stdout}${output().stderr}`)
    })
    await Promise.race([once(child.stdout as NodeJS.ReadableStream, 'data'), ended])
  }
}
