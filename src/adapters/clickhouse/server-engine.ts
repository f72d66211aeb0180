import { HaldaneError } from '../../domain/errors.ts'
import type { Clock } from '../../ports.ts'
import { type Engine, rowBinarySettings } from './engine.ts'
import { createServerClient, type ServerAccess } from './server-client.ts'
import { createServerFailure } from './server-failure.ts'
import { createSqlConnection } from './sql-connection.ts'

export interface ServerOptions extends ServerAccess {
  readonly database: string
}

/** Milliseconds after which a statement without an answer counts as lost. */
export interface ServerLimits {
  readonly ingestMs: number
  readonly analysisMs: number
  readonly probeMs: number
}

// The server gives up first: what was given up here could still be carried out there.
const ROWS_SECONDS = 30
const LIMITS: ServerLimits = { ingestMs: 65_000, analysisMs: 310_000, probeMs: 5000 }

/** A server, and how to make the database the tables are in. */
export interface ServerEngine extends Engine {
  createDatabase(): Promise<void>
}

/**
 * ClickHouse on a server. Nothing is sent before the first statement; each connection sends one
 * statement at a time, so that a long one never waits in front of an insert. Throws `usage` for a URL
 * that holds more than a place; statements reject with `unauthorized`, or `store_unavailable` that
 * says whether to try again.
 */
export function openServerEngine(
  options: ServerOptions,
  { clock, limits = LIMITS }: { readonly clock: Clock; readonly limits?: ServerLimits },
): ServerEngine {
  const { database, username } = options
  const url = checkedUrl(options.url)
  const explain = createServerFailure({ url, database, username })
  const connect = (timeoutMs: number, databaseName = database) =>
    createSqlConnection(
      createServerClient(options, { database: databaseName, timeoutMs, clock }),
      explain,
    )
  const ingest = connect(limits.ingestMs)
  const analysis = connect(limits.analysisMs)
  const probe = connect(limits.probeMs)

  return {
    ...{ isShared: true, ingest, analysis, probe },
    async insertRowBinary(insert) {
      const { name, table, chunks } = insert
      const columns = insert.columns.map(([column]) => column)
      const settings = { ...rowBinarySettings(insert), max_execution_time: ROWS_SECONDS }
      await ingest.insertBody({ name, table, columns, format: 'RowBinary', body: chunks, settings })
    },
    async createDatabase() {
      // The database every server has; a user without the right to create one may find it made.
      const outside = connect(limits.ingestMs, 'default')
      try {
        const sql = 'SELECT count() FROM system.databases WHERE name = {name:String}'
        const [row] = await outside.selectTuples('find_database', sql, { name: database })
        if (row?.[0] !== 0) return
        await outside.define(
          'create_database',
          `CREATE DATABASE IF NOT EXISTS ${quotedName(database)}`,
        )
      } finally {
        await outside.close()
      }
    },
    releaseMemory: async () => undefined,
    async close() {
      for (const connection of [ingest, analysis, probe]) await connection.close()
    },
  }
}

/** The URL as it may be shown. */
function checkedUrl(text: string): string {
  const url = URL.canParse(text) ? new URL(text) : null
  if (url === null || !/^https?:$/.test(url.protocol)) {
    throw new HaldaneError('usage', 'HALDANE_CLICKHOUSE_URL is no http:// or https:// address')
  }
  if (url.username !== '' || url.password !== '' || url.search !== '') {
    throw new HaldaneError('usage', 'HALDANE_CLICKHOUSE_URL holds more than an address', {
      remedy:
        'put user and password into HALDANE_CLICKHOUSE_USER and HALDANE_CLICKHOUSE_PASSWORD, and no settings into the URL',
    })
  }
  return url.pathname === '/' ? url.origin : `${url.origin}${url.pathname}`
}

function quotedName(name: string): string {
  return `\`${name.replaceAll('\\', '\\\\').replaceAll('`', '\\`')}\``
}
