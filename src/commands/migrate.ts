import { openStore } from '../adapters/clickhouse/open-store.ts'
import type { WorkerEnvironment } from '../app.ts'
import { loadConfig } from '../config.ts'
import { EXIT_DONE } from './failure.ts'
import type { Terminal } from './terminal.ts'

/** Brings the tables of the server or of the data directory to the newest version. */
export async function runMigrate(
  options: { readonly json?: boolean },
  terminal: Terminal,
  { log, clock }: WorkerEnvironment,
): Promise<number> {
  const config = loadConfig(process.env)
  const { clickhouse, dataDir } = config
  const store = await openStore({ ...config, clock, log })
  try {
    const applied = await store.migrate()
    if (options.json === true) {
      const place =
        clickhouse === null
          ? { data_dir: dataDir }
          : { url: clickhouse.url, database: clickhouse.database }
      terminal.out(JSON.stringify({ ...place, applied }))
    } else if (applied.length === 0) {
      const place = clickhouse === null ? dataDir : `${clickhouse.database} at ${clickhouse.url}`
      terminal.out(`${place} is up to date`)
    } else for (const name of applied) terminal.out(`applied ${name}`)
  } finally {
    await store.close()
  }
  return EXIT_DONE
}
