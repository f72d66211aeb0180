import { afterAll, beforeAll } from 'vitest'
import { openEmbeddedEngine } from '../../../src/adapters/clickhouse/embedded-engine.ts'
import { createStore } from '../../../src/adapters/clickhouse/store.ts'
import { systemClock } from '../../../src/adapters/ops/clock.ts'
import { startWorker, type Worker } from '../../../src/app.ts'
import { loadConfig } from '../../../src/config.ts'
import { TOPICS } from '../../../src/domain/topics.ts'
import type { Log } from '../../../src/ports.ts'
import { silentLog, wallClock, withTempDir } from '../../support/temp-store.ts'

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

/** A worker of its own for the calling test file, over HTTP, with a log that keeps what went wrong. */
export function useWorker() {
  let dataDir = ''
  let worker: Worker | undefined
  const failures: string[] = []
  const note = (fields: object, message: string) => {
    failures.push(`${message} ${JSON.stringify(fields)}`)
  }
  const log: Log = { ...silentLog, warn: note, error: note, child: () => log }
  const onUnhandled = (reason: unknown) => failures.push(`unhandled rejection: ${String(reason)}`)

  withTempDir((directory) => {
    dataDir = directory
  })
  beforeAll(async () => {
    process.on('unhandledRejection', onUnhandled)
    const environment = {
      HALDANE_DATA_DIR: dataDir,
      HALDANE_HTTP_PORT: '0',
      HALDANE_BATCH_AGE_MS: '10',
    }
    worker = await startWorker(loadConfig(environment), {
      log,
      clock: systemClock,
      version: 'test',
    })
    void worker.failure.then((error) => failures.push(`the worker failed: ${error.message}`))
    await worker.ready
  })
  afterAll(async () => {
    await worker?.stop()
    process.off('unhandledRejection', onUnhandled)
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
    failures,
    /** Stops the worker and reads what its store holds. */
    async stopAndRead(): Promise<StoredEvents> {
      await worker?.stop()
      worker = undefined
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
