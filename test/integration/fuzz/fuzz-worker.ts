import { execFileSync } from 'node:child_process'
import { afterAll, beforeAll, expect } from 'vitest'
import { openEmbeddedEngine } from '../../../src/adapters/clickhouse/embedded-engine.ts'
import { createStore } from '../../../src/adapters/clickhouse/store.ts'
import { TOPICS } from '../../../src/domain/topics.ts'
import { silentLog, wallClock, withTempDir } from '../../support/temp-store.ts'
import { startWorkerProcess, type WorkerProcess } from '../../support/worker-process.ts'

/** What the worker says happened to the events of one request. */
export interface Answer {
  readonly status: number
  readonly type: string | null
  readonly accepted: number
  readonly rejected: number
  readonly errors: readonly {
    readonly index: number
    readonly field: string
    readonly code: string
    readonly message: string
  }[]
  readonly detail: string
}

export interface StoredEvents {
  /** Offsets of all rows, ascending; a row that is there twice is there twice. */
  readonly offsets: readonly number[]
  readonly requestIds: ReadonlyMap<number, string>
}

/** Where resident memory is looked at, as shares of the work. */
const RSS_AT = [0.1, 0.5, 1] as const

/**
 * A worker in a process of its own for the calling test file, so that its memory is its own; an
 * unhandled rejection ends such a process. `FUZZ_REPORT` prints duration and memory.
 */
export function useWorker() {
  let dataDir = ''
  let worker: WorkerProcess | undefined
  const startedAt = performance.now()
  const figures: string[] = []

  withTempDir((directory) => {
    dataDir = directory
  })
  beforeAll(async () => {
    worker = await startWorkerProcess({
      HALDANE_DATA_DIR: dataDir,
      HALDANE_BATCH_AGE_MS: '10',
      HALDANE_LOG_LEVEL: 'warn',
    })
    await worker.ready()
  })
  afterAll(async () => {
    await worker?.kill()
    if (process.env['FUZZ_REPORT'] !== undefined) console.log(figures.join('\n'))
  })

  const url = () => worker?.url ?? ''
  const send = async (body: Uint8Array | string, contentType: string): Promise<Answer> => {
    const response = await fetch(`${url()}/v1/events`, {
      method: 'POST',
      headers: { 'content-type': contentType },
      body: body as string,
    })
    return readAnswer(response)
  }

  return {
    url,
    send,
    /** What the worker warned of, and whether it lives: nothing and yes, when all is well. */
    failures(): string[] {
      const lines = worker?.stderr().split('\n') ?? []
      return lines.filter((line) => line !== '' && !line.startsWith('haldane worker on '))
    },
    /** Notes the resident memory of the worker at a tenth, the half and the whole of the work. */
    watchMemory(what: string, done: number, total: number): void {
      const share = RSS_AT[figures.length]
      if (worker === undefined || share === undefined || done < share * total) return
      const rss = Number(execFileSync('ps', ['-o', 'rss=', '-p', String(worker.pid)]))
      const seconds = Math.round((performance.now() - startedAt) / 1000)
      figures.push(`${what} ${done}: RSS ${Math.round(rss / 1024)} MiB after ${seconds} s`)
    },
    /** Stops the worker and reads what its store holds. */
    async stopAndRead(): Promise<StoredEvents> {
      expect(await worker?.stop()).toBe(0)
      const engine = await openEmbeddedEngine(dataDir)
      const store = createStore(engine, { clock: wallClock, log: silentLog })
      try {
        const offsets = [...(await store.presentOffsets(TOPICS.requests.name, 0, 0))]
        const rows = await engine.analysis.selectTuples(
          'rows',
          'SELECT kafka_offset, request_id FROM request_events ORDER BY kafka_offset',
        )
        if (rows.length !== offsets.length)
          throw new Error(`${rows.length} rows, ${offsets.length} offsets`)
        return { offsets, requestIds: new Map(rows as [number, string][]) }
      } finally {
        await store.close()
      }
    },
  }
}

export async function readAnswer(response: Response): Promise<Answer> {
  const body = (await response.json()) as Partial<Answer>
  return {
    accepted: 0,
    rejected: 0,
    errors: [],
    detail: '',
    ...body,
    status: response.status,
    type: response.headers.get('content-type'),
  }
}
