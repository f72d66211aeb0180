import { HaldaneError } from '../../domain/errors.ts'
import type { Store } from '../../ports.ts'
import { openEmbeddedStore } from './embedded-store.ts'
import type { ServerOptions } from './server-engine.ts'
import { openServerStore } from './server-store.ts'
import type { StoreOptions } from './store.ts'

export interface StoreChoice extends StoreOptions {
  /** Null: the embedded engine. */
  readonly clickhouse: ServerOptions | null
  /** Of the embedded engine. */
  readonly dataDir: string
}

/** Opens the store that is configured, as it is; throws what the two kinds of store throw. */
export async function openStore(choice: StoreChoice): Promise<Store> {
  const { clickhouse } = choice
  return clickhouse === null
    ? openEmbeddedStore(choice)
    : openServerStore({ ...choice, server: clickhouse })
}

/**
 * Opens it for a worker. The embedded one belongs to this process, which brings its tables up to
 * date; tables others use too are only looked at: rejects with `store_unavailable`, not to be tried
 * again, when they are missing or old.
 */
export async function openWorkerStore(choice: StoreChoice): Promise<Store> {
  const store = await openStore(choice)
  try {
    if (choice.clickhouse === null) await store.migrate()
    else assertCurrent(await store.pendingMigrations(), choice.clickhouse)
    return store
  } catch (thrown) {
    await store.close()
    throw thrown
  }
}

function assertCurrent(pending: readonly string[], { url, database }: ServerOptions): void {
  const [first] = pending
  if (first === undefined) return
  const more = pending.length === 1 ? '' : ` and ${pending.length - 1} more`
  throw new HaldaneError(
    'store_unavailable',
    `the tables in ${database} at ${url} are missing or old: ${first}${more} to be applied`,
    { remedy: 'run `haldane migrate` with the same environment, then start again' },
  )
}
