import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import type { FrontFault } from './clickhouse-faults.ts'

const SCRIPT = fileURLToPath(new URL('clickhouse-front-process.ts', import.meta.url))

export interface FrontProcess {
  readonly url: string
  addFault(fault: FrontFault): Promise<void>
  /** Statements that wait at this moment because of `delay_before`. */
  delayed(): Promise<number>
  stop(): Promise<void>
}

/** The front in a process of its own, for workers that are processes too; it ends with this one. */
export async function launchClickHouseFront(
  dataDir: string,
  password: string,
): Promise<FrontProcess> {
  const child = spawn(process.execPath, ['--import', 'tsx', SCRIPT, dataDir, password], {
    // Every statement holds a thread of the pool as long as it runs.
    env: { ...process.env, UV_THREADPOOL_SIZE: '16' },
    stdio: ['pipe', 'pipe', 'inherit'],
  })
  const ended = once(child, 'exit')
  const lines = createInterface({ input: child.stdout })
  const url = await Promise.race([
    once(lines, 'line').then(([line]) => String(line)),
    ended.then(() => {
      throw new Error('the front ended before it listened')
    }),
  ])
  return {
    url,
    async addFault(fault) {
      await fetch(`${url}/faults`, { method: 'POST', body: JSON.stringify(fault) })
    },
    delayed: async () => Number(await (await fetch(`${url}/faults`)).json()),
    async stop() {
      child.stdin.end()
      await ended
    },
  }
}
