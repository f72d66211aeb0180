// The pages whose tables are generated, and where the tables come from.
import { readdirSync } from 'node:fs'
import { z } from 'zod'
import type { Engine } from '../src/adapters/clickhouse/engine.ts'
import { databaseTables } from './docs-tables.ts'

const ROOT = new URL('../', import.meta.url)

/** Pages with tables of the contract. */
export function contractPages(): URL[] {
  const directory = new URL('docs/contracts/', ROOT)
  return readdirSync(directory).map((name) => new URL(name, directory))
}

/** The page with the tables of the database. */
export const SQL_PAGE = new URL('docs/sql.md', ROOT)

const tableRow = z.object({ name: z.string(), comment: z.string() })
const columnRow = z.object({
  table: z.string(),
  name: z.string(),
  type: z.string(),
  comment: z.string(),
})

/** Tables of the data dictionary, from a migrated database. */
export async function readDatabaseTables(
  engine: Engine,
): Promise<ReturnType<typeof databaseTables>> {
  const own = 'database = currentDatabase()'
  const tables = await engine.analysis.select({
    name: 'tables',
    sql: `SELECT name, comment FROM system.tables WHERE ${own} ORDER BY name LIKE 'v\\_%' DESC, name`,
    row: tableRow,
  })
  const columns = await engine.analysis.select({
    name: 'columns',
    sql: `SELECT table, name, type, comment FROM system.columns WHERE ${own} ORDER BY table, position`,
    row: columnRow,
  })
  return databaseTables(tables, columns)
}
