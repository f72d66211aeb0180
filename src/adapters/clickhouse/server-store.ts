import type { Store } from '../../ports.ts'
import { openServerEngine, type ServerLimits, type ServerOptions } from './server-engine.ts'
import { createStore, type StoreOptions } from './store.ts'

export interface ServerStoreOptions extends StoreOptions {
  readonly server: ServerOptions
  readonly limits?: ServerLimits
}

/**
 * The store on a server that others use too. Throws `usage` for a URL that is none; nothing is sent
 * before the first call. `migrate` also creates the database.
 */
export function openServerStore(options: ServerStoreOptions): Store {
  const engine = openServerEngine(options.server, options)
  const store = createStore(engine, options)
  return {
    ...store,
    async migrate() {
      await engine.createDatabase()
      return store.migrate()
    },
  }
}
