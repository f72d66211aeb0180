import { existsSync } from 'node:fs'
import type { WorkerClient } from '../adapters/http/client.ts'
import { encodeReleaseView } from '../adapters/http/release-view.ts'
import type { WorkerEnvironment } from '../app.ts'
import { loadConfig } from '../config.ts'
import type { WireReleaseView } from '../contract/release-view-schema.ts'
import { toHaldaneError } from '../domain/errors.ts'
import type { ReleaseRecord, Store } from '../ports.ts'
import { openExistingStore } from './sql.ts'
import type { Terminal } from './terminal.ts'

export type ReleaseReader = Pick<WorkerClient, 'releases' | 'release'>

/**
 * Asks the worker; when none answers, reads the server, or the data directory if there is one. What only a worker
 * knows, the evidence of this moment, is then that of the newest decision.
 */
export function readerOf(
  client: WorkerClient,
  terminal: Terminal,
  environment: () => WorkerEnvironment,
): ReleaseReader {
  const either = async <T>(
    ask: () => Promise<T>,
    read: (store: Store) => Promise<T>,
  ): Promise<T> => {
    try {
      return await ask()
    } catch (thrown) {
      const { clickhouse, dataDir } = loadConfig(process.env)
      const isThere = clickhouse !== null || existsSync(dataDir)
      if (toHaldaneError(thrown).code !== 'bus_unavailable' || !isThere) throw thrown
      terminal.note(`no worker answers; this is what ${clickhouse?.url ?? dataDir} holds`)
      const store = await openExistingStore(environment())
      try {
        return await read(store)
      } finally {
        await store.close()
      }
    }
  }

  return {
    releases: () =>
      either(
        () => client.releases(),
        async (store) => {
          const views: WireReleaseView[] = []
          for (const release of (await store.releases({})).reverse()) {
            views.push(await viewOf(store, release))
          }
          return views
        },
      ),
    release: (releaseId) =>
      either(
        () => client.release(releaseId),
        async (store) => {
          const release = (await store.releases({ releaseId }))[0]
          return release === undefined ? null : viewOf(store, release)
        },
      ),
  }
}

async function viewOf(store: Store, release: ReleaseRecord): Promise<WireReleaseView> {
  const { releaseId, spec } = release
  return encodeReleaseView({
    release,
    decision: (await store.decisions({ releaseId })).at(-1) ?? null,
    assessment: null,
    windowEndMs: null,
    acks: await store.acks(spec.route),
  })
}
