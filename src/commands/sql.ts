import { existsSync } from 'node:fs'
import { openEmbeddedStore } from '../adapters/clickhouse/embedded-store.ts'
import { assertEmbedded, type WorkerEnvironment } from '../app.ts'
import { loadConfig } from '../config.ts'
import { HaldaneError } from '../domain/errors.ts'
import type { Store } from '../ports.ts'
import { EXIT_DONE } from './failure.ts'
import { renderTable, type Terminal } from './terminal.ts'

/** Answers one reading statement from the data directory; no worker may hold it at the time. */
export async function runSql(
  statement: string,
  options: { readonly json?: boolean },
  terminal: Terminal,
  environment: WorkerEnvironment,
): Promise<number> {
  const store = await openDataDir(environment)
  try {
    const { columns, rows } = await store.query(statement)
    if (options.json === true) {
      for (const row of rows) {
        const entries = columns.map((column, index) => [column, row[index] ?? null])
        terminal.out(JSON.stringify(Object.fromEntries(entries)))
      }
      return EXIT_DONE
    }
    const titles = columns.map((title, index) => ({
      title,
      align: rows.every((row) => typeof row[index] === 'number')
        ? ('right' as const)
        : ('left' as const),
    }))
    for (const line of renderTable(
      titles,
      rows.map((row) => row.map(formatCell)),
    )) {
      terminal.out(line)
    }
    terminal.note(rows.length === 1 ? '1 row' : `${rows.length} rows`)
  } finally {
    await store.close()
  }
  return EXIT_DONE
}

/** The store of the data directory, which must be there already. */
export async function openDataDir({ log, clock }: WorkerEnvironment): Promise<Store> {
  const config = loadConfig(process.env)
  assertEmbedded(config)
  const { dataDir } = config
  if (!existsSync(dataDir)) {
    throw new HaldaneError('not_found', `there is no data directory ${dataDir}`, {
      remedy: 'name one with HALDANE_DATA_DIR, or start a worker: haldane worker',
    })
  }
  return openEmbeddedStore({ dataDir, clock, log })
}

function formatCell(value: unknown): string {
  if (value === null || value === undefined) return '–'
  if (typeof value === 'number') return String(Number(value.toPrecision(6)))
  return typeof value === 'string' ? value : JSON.stringify(value)
}
