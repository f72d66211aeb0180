import { z } from 'zod'
import { HaldaneError, toHaldaneError } from '../../domain/errors.ts'
import type { Clock, Log } from '../../ports.ts'
import { isMissingTable } from './engine-failure.ts'
import { type Migration, readMigrations } from './migration-files.ts'
import type { NamedQuery, SqlConnection, SqlValue } from './sql-connection.ts'
import { sqlTime } from './sql-text.ts'

const TABLE = `CREATE TABLE IF NOT EXISTS schema_migrations
(
    version UInt32 COMMENT 'Number of the migration file',
    name String COMMENT 'Name of the migration file without extension',
    checksum String COMMENT 'SHA-256 of the file',
    breaking Bool COMMENT 'An older program must not use the store',
    applied_at DateTime64(3, 'UTC') COMMENT 'When it was applied'
)
ENGINE = ReplacingMergeTree(applied_at)
ORDER BY version
COMMENT 'Migrations that were applied'`

const APPLIED: NamedQuery<Applied> = {
  name: 'applied_migrations',
  sql: `SELECT version, argMin(schema_migrations.name, applied_at) AS name,
  argMin(schema_migrations.checksum, applied_at) AS checksum, max(schema_migrations.breaking) AS breaking
FROM schema_migrations GROUP BY version ORDER BY version`,
  row: z.object({
    version: z.int(),
    name: z.string(),
    checksum: z.string(),
    breaking: z.boolean(),
  }),
}

type Applied = Pick<Migration, 'version' | 'name' | 'checksum' | 'breaking'>

/**
 * Brings the tables to the newest migration and returns the names applied. Every statement may be
 * repeated, so two runners at once do the same work twice and end at the same tables. Throws
 * `conflict` when a file that was applied has changed, or when the store is newer and says that this
 * program must not use it.
 */
export async function applyMigrations(
  sql: SqlConnection,
  directory: string,
  { clock, log }: { clock: Clock; log: Log },
): Promise<string[]> {
  const migrations = await readMigrations(directory)
  await sql.define('create_schema_migrations', TABLE)
  const applied = await sql.select(APPLIED)
  const missing = missingOf(migrations, applied, log)
  // On an empty store statements take no time: to repeat them all costs less than a record of each.
  const groups = applied.length === 0 ? [missing] : missing.map((migration) => [migration])
  for (const group of groups) await applyGroup(sql, group, clock)
  const names = missing.map(({ name }) => name)
  if (names.length > 0) log.info({ applied: names }, 'store migrated')
  return names
}

/** Applies them in order, and records at the end what was applied, also when one fails. */
async function applyGroup(sql: SqlConnection, group: readonly Migration[], clock: Clock) {
  const rows: Record<string, SqlValue>[] = []
  const record = () =>
    sql.insertRows({ name: 'record_migrations', table: 'schema_migrations', rows })
  try {
    for (const { version, name, checksum, breaking, sql: statement } of group) {
      await sql.define(name, statement)
      rows.push({ version, name, checksum, breaking, applied_at: sqlTime(clock.now()) })
    }
  } catch (thrown) {
    await record().catch(() => undefined)
    throw thrown
  }
  await record()
}

/** Names of the migrations that are still to be applied; throws as `applyMigrations` does. */
export async function pendingMigrations(
  sql: SqlConnection,
  directory: string,
  log: Log,
): Promise<string[]> {
  const migrations = await readMigrations(directory)
  const applied = await sql.select(APPLIED).catch((thrown: unknown) => {
    if (isMissingTable(toHaldaneError(thrown).cause)) return []
    throw thrown
  })
  return missingOf(migrations, applied, log).map(({ name }) => name)
}

function missingOf(
  migrations: readonly Migration[],
  applied: readonly Applied[],
  log: Log,
): Migration[] {
  const known = new Map(applied.map((row) => [row.version, row]))
  for (const migration of migrations) assertUnchanged(migration, known.get(migration.version))
  assertUsable(
    applied.filter((row) => row.version > migrations.length),
    log,
  )
  return migrations.filter(({ version }) => !known.has(version))
}

function assertUnchanged(migration: Migration, applied: Applied | undefined): void {
  if (applied === undefined) return
  if (applied.name === migration.name && applied.checksum === migration.checksum) return
  const was = applied.name === migration.name ? '' : ` under the name ${applied.name}`
  throw new HaldaneError(
    'conflict',
    `migration ${migration.name}.sql differs from the one this store has applied${was}`,
    { remedy: 'restore the file; a change of the tables is a new migration with the next number' },
  )
}

function assertUsable(newer: readonly Applied[], log: Log): void {
  const breaking = newer.find((row) => row.breaking)
  if (breaking !== undefined) {
    throw new HaldaneError(
      'conflict',
      `the store was upgraded by a newer Haldane (migration ${breaking.name}) that this one cannot work with`,
      { remedy: 'run the newer version of Haldane on this store' },
    )
  }
  if (newer.length > 0) {
    log.warn(
      { migrations: newer.map((row) => row.name) },
      'the store was upgraded by a newer Haldane; this version can still work with it',
    )
  }
}
