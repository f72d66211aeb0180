import { existsSync } from 'node:fs'
import { openStore } from '../adapters/clickhouse/open-store.ts'
import type { WorkerEnvironment } from '../app.ts'
import { loadConfig } from '../config.ts'
import { HaldaneError, toHaldaneError } from '../domain/errors.ts'
import type { Store } from '../ports.ts'
import { EXIT_DONE } from './failure.ts'
import { renderTable, type Terminal } from './terminal.ts'

/** Answers one reading statement: from the server, or from a data directory that no worker holds. */
export async function runSql(
  statement: string,
  options: { readonly json?: boolean },
  terminal: Terminal,
  environment: WorkerEnvironment,
): Promise<number> {
  const store = await openExistingStore(environment).catch(explainLock)
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

/** The configured store; a data directory must be there already. */
export async function openExistingStore({ log, clock }: WorkerEnvironment): Promise<Store> {
  const config = loadConfig(process.env)
  const { clickhouse, dataDir } = config
  if (clickhouse === null && !existsSync(dataDir)) {
    throw new HaldaneError('not_found', `there is no data directory ${dataDir}`, {
      remedy: 'name one with HALDANE_DATA_DIR, or start a worker: haldane worker',
    })
  }
  return openStore({ ...config, clock, log })
}

function explainLock(thrown: unknown): never {
  const error = toHaldaneError(thrown)
  if (error.code !== 'data_dir_locked') throw error
  throw new HaldaneError('data_dir_locked', error.message, {
    remedy:
      'stop that worker for as long as you ask; what it knows of releases and decisions it tells while it runs: haldane release list. On a ClickHouse server (HALDANE_CLICKHOUSE_URL) both go together',
    cause: thrown,
  })
}

function formatCell(value: unknown): string {
  if (value === null || value === undefined) return '–'
  if (typeof value === 'number') return String(Number(value.toPrecision(6)))
  return typeof value === 'string' ? value : JSON.stringify(value)
}
