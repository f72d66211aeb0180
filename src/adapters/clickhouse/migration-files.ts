import { createHash } from 'node:crypto'
import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { HaldaneError } from '../../domain/errors.ts'
import { maskedSql } from './sql-text.ts'

/** One file `NNNN_name.sql`: one statement that may be repeated. */
export interface Migration {
  readonly version: number
  /** File name without extension, `0001_request_events`. */
  readonly name: string
  /** SHA-256 of the text, hex; line ends do not matter. */
  readonly checksum: string
  /** An older program must not use a store that has it. */
  readonly breaking: boolean
  readonly sql: string
}

/** `migrations/` of the package: three levels up from `src/adapters/clickhouse` and from `dist/…` alike. */
export const MIGRATIONS_DIR = fileURLToPath(new URL('../../../migrations/', import.meta.url))

/** Every migration of the directory, ascending. Throws `internal` naming the file that is wrong. */
export async function readMigrations(directory: string): Promise<Migration[]> {
  const names = await readdir(directory).catch((cause: unknown) => {
    throw new HaldaneError('internal', `cannot read the migrations directory ${directory}`, {
      remedy: 'reinstall Haldane; the directory is part of the package',
      cause,
    })
  })
  const migrations = []
  for (const name of names.sort()) {
    migrations.push(parseMigration(name, await readFile(join(directory, name), 'utf8')))
  }
  migrations.forEach((migration, index) => {
    if (migration.version === index + 1) return
    const expected = String(index + 1).padStart(4, '0')
    throw faulty(migration.name, `the next number is ${expected}: no gaps, no number twice`)
  })
  return migrations
}

/** Throws `internal` when the name, the header or the number of statements is wrong. */
export function parseMigration(fileName: string, text: string): Migration {
  const matched = /^(\d{4})_[a-z][a-z0-9_]*\.sql$/.exec(fileName)
  if (matched === null) throw faulty(fileName, 'the name is not NNNN_words_in_lower_case.sql')
  const sql = text.replaceAll('\r\n', '\n')
  const breaking = /^-- breaking: (yes|no)$/m.exec(sql)?.[1]
  if (breaking === undefined) throw faulty(fileName, 'a line `-- breaking: yes|no` is missing')
  if (!/^-- undo: \S/m.test(sql)) throw faulty(fileName, 'a line `-- undo: …` is missing')
  const statements = maskedSql(sql)
    .split(';')
    .filter((statement) => statement.trim() !== '')
  if (statements.length !== 1) {
    throw faulty(fileName, `it holds ${statements.length} statements instead of one`)
  }
  return {
    version: Number(matched[1]),
    name: fileName.slice(0, -'.sql'.length),
    checksum: createHash('sha256').update(sql).digest('hex'),
    breaking: breaking === 'yes',
    sql,
  }
}

function faulty(name: string, problem: string): HaldaneError {
  return new HaldaneError('internal', `migration ${name}: ${problem}`)
}
