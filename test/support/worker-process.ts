import { type ChildProcess, spawn } from 'node:child_process'
import { createServer } from 'node:net'
import { setTimeout as delay } from 'node:timers/promises'
import { PROGRAM } from './program.ts'

export interface WorkerProcess {
  readonly url: string
  readonly pid: number
  /** What it wrote to stderr. */
  stderr(): string
  /** Resolves when `/readyz` says so; rejects when the process ends before. */
  ready(timeoutMs?: number): Promise<void>
  /** SIGKILL, at once. */
  kill(): Promise<void>
  /** SIGTERM; resolves with the exit code. */
  stop(): Promise<number | null>
}

/** A worker in a process of its own. */
export async function startWorkerProcess(
  env: Record<string, string>,
  args: readonly string[] = [],
  program = PROGRAM,
): Promise<WorkerProcess> {
  const port = env['HALDANE_HTTP_PORT'] ?? (await freePort())
  const child = spawn(process.execPath, [program, 'worker', ...args], {
    env: { ...process.env, HALDANE_HTTP_PORT: String(port), ...env },
    stdio: ['ignore', 'ignore', 'pipe'],
  })
  let text = ''
  child.stderr?.setEncoding('utf8').on('data', (chunk: string) => {
    text = (text + chunk).slice(-200_000)
  })
  const url = `http://127.0.0.1:${port}`
  return {
    url,
    pid: child.pid ?? 0,
    stderr: () => text,
    ready: (timeoutMs = 60_000) => untilReady(child, url, timeoutMs, () => text),
    async kill() {
      child.kill('SIGKILL')
      await exit(child)
    },
    async stop() {
      child.kill('SIGTERM')
      return exit(child)
    },
  }
}

async function untilReady(
  child: ChildProcess,
  url: string,
  timeoutMs: number,
  stderr: () => string,
): Promise<void> {
  const untilMs = Date.now() + timeoutMs
  while (Date.now() < untilMs) {
    if (child.exitCode !== null) throw new Error(`the worker ended: ${stderr()}`)
    const answer = await fetch(`${url}/readyz`).catch(() => null)
    if (answer?.status === 200) return
    await delay(50)
  }
  throw new Error(`not ready within ${timeoutMs} ms: ${stderr()}`)
}

function exit(child: ChildProcess): Promise<number | null> {
  if (child.exitCode !== null || child.signalCode !== null) return Promise.resolve(child.exitCode)
  return new Promise((resolve) => child.once('exit', (code) => resolve(code)))
}

export function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer()
    server.once('error', reject)
    server.listen(0, '127.0.0.1', () => {
      const address = server.address()
      const port = typeof address === 'object' && address !== null ? address.port : 0
      server.close(() => resolve(port))
    })
  })
}
