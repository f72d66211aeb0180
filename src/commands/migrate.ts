import { openEmbeddedStore } from '../adapters/clickhouse/embedded-store.ts'
import { assertEmbedded, type WorkerEnvironment } from '../app.ts'
import { loadConfig } from '../config.ts'
import { EXIT_DONE } from './failure.ts'
import type { Terminal } from './terminal.ts'

/** Brings the tables of the data directory to the newest version. */
export async function runMigrate(
  options: { readonly json?: boolean },
  terminal: Terminal,
  { log, clock }: WorkerEnvironment,
): Promise<number> {
  const config = loadConfig(process.env)
  assertEmbedded(config)
  const { dataDir } = config
  const store = await openEmbeddedStore({ dataDir, clock, log })
  try {
    const applied = await store.migrate()
    if (options.json === true) terminal.out(JSON.stringify({ data_dir: dataDir, applied }))
    else if (applied.length === 0) terminal.out(`${dataDir} is up to date`)
    else for (const name of applied) terminal.out(`applied ${name}`)
  } finally {
    await store.close()
  }
  return EXIT_DONE
}
