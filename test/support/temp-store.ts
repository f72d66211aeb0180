import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll } from 'vitest'
import { openEmbeddedEngine } from '../../src/adapters/clickhouse/embedded-engine.ts'
import type { Engine } from '../../src/adapters/clickhouse/engine.ts'
import { createStore } from '../../src/adapters/clickhouse/store.ts'
import type { Clock, Log, Store } from '../../src/ports.ts'

export interface TempStore {
  /** Of this test file alone; removed when all its tests passed, else printed and kept. */
  readonly dataDir: string
  readonly engine: Engine
  readonly store: Store
}

export const silentLog: Log = {
  debug: () => undefined,
  info: () => undefined,
  warn: () => undefined,
  error: () => undefined,
  child: () => silentLog,
}

export const wallClock: Clock = { now: () => Date.now(), sleep: () => Promise.resolve() }

/**
 * A directory for the tests of the calling file, given to `use` before them. The engine has one
 * directory per process, so a test file that uses an embedded store uses just one.
 */
export function withTempDir(use: (directory: string) => Promise<void> | void): void {
  let directory = ''
  let failed = false
  beforeAll(async () => {
    directory = await mkdtemp(join(tmpdir(), 'haldane-test-'))
    await use(directory)
  })
  afterEach(({ task }) => {
    if (task.result?.state === 'fail') failed = true
  })
  afterAll(async () => {
    if (failed) console.error(`kept for a look: ${directory}`)
    else await rm(directory, { recursive: true, force: true })
  })
}

/** An embedded store for the tests of the calling file, migrated unless `migrated` is false. */
export function useTempStore({ migrated = true }: { migrated?: boolean } = {}): () => TempStore {
  let temp: TempStore | undefined
  withTempDir(async (dataDir) => {
    const engine = await openEmbeddedEngine(dataDir)
    const store = createStore(engine, { clock: wallClock, log: silentLog })
    temp = { dataDir, engine, store }
    if (migrated) await store.migrate()
  })
  afterAll(() => temp?.store.close())
  return () => {
    if (temp === undefined) throw new Error('the store is open inside tests only')
    return temp
  }
}
