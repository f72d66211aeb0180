import type { Clock, Log, Store } from '../../ports.ts'
import { openEmbeddedEngine } from './embedded-engine.ts'
import { createStore } from './store.ts'

export interface EmbeddedStoreOptions {
  /** Belongs to one process at a time; created when missing. */
  readonly dataDir: string
  readonly clock: Clock
  readonly log: Log
  readonly migrationsDir?: string
}

/**
 * The store inside this process. Throws `missing_dependency` without the package chdb,
 * `data_dir_locked` when another process has the directory, `usage` for a path the engine cannot
 * read, `store_unavailable` when it cannot be opened.
 */
export async function openEmbeddedStore(options: EmbeddedStoreOptions): Promise<Store> {
  const engine = await openEmbeddedEngine(options.dataDir)
  return createStore(engine, options)
}
