import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import {
  MIGRATIONS_DIR,
  parseMigration,
  readMigrations,
} from '../../../../src/adapters/clickhouse/migration-files.ts'

const HEAD = '-- breaking: no\n-- undo: DROP TABLE t\n'
const GOOD = `${HEAD}CREATE TABLE IF NOT EXISTS t (a UInt8 COMMENT 'x; -- y') ENGINE = Memory\n`

describe('a migration file', () => {
  it('is one statement with its number, name and header', () => {
    const migration = parseMigration('0007_t.sql', GOOD)
    expect(migration).toMatchObject({ version: 7, name: '0007_t', breaking: false, sql: GOOD })
    expect(migration.checksum).toMatch(/^[0-9a-f]{64}$/)
  })

  it('has one checksum for both kinds of line ends, and another for another text', () => {
    const { checksum } = parseMigration('0001_t.sql', GOOD)
    expect(parseMigration('0001_t.sql', GOOD.replaceAll('\n', '\r\n')).checksum).toBe(checksum)
    expect(parseMigration('0001_t.sql', `${GOOD} `).checksum).not.toBe(checksum)
  })

  it.each([
    ['1_t.sql', GOOD, 'NNNN'],
    ['0001_T.sql', GOOD, 'NNNN'],
    ['0001-t.sql', GOOD, 'NNNN'],
    ['0001_t.sql.orig', GOOD, 'NNNN'],
    ['0001_t.sql', GOOD.replace('-- breaking: no\n', ''), 'breaking'],
    ['0001_t.sql', GOOD.replace('breaking: no', 'breaking: maybe'), 'breaking'],
    ['0001_t.sql', GOOD.replace('undo: DROP TABLE t', 'undo:'), 'undo'],
    ['0001_t.sql', `${GOOD};\nDROP TABLE t`, '2 statements'],
    ['0001_t.sql', HEAD, '0 statements'],
  ])('%s is refused when something is wrong, by name', (name, text, problem) => {
    expect(() => parseMigration(name, text)).toThrow(problem)
    expect(() => parseMigration(name, text)).toThrow(name)
  })
})

describe('a directory of migrations', () => {
  let directory = ''
  beforeEach(async () => {
    directory = await mkdtemp(join(tmpdir(), 'haldane-migrations-'))
  })
  afterEach(() => rm(directory, { recursive: true }))

  const write = async (...names: string[]) => {
    for (const name of names) await writeFile(join(directory, name), GOOD)
  }

  it('is read in the order of its numbers', async () => {
    await write('0002_b.sql', '0001_z.sql', '0003_a.sql')
    const names = (await readMigrations(directory)).map(({ name }) => name)
    expect(names).toEqual(['0001_z', '0002_b', '0003_a'])
  })

  it('is refused with a gap or a number twice', async () => {
    await write('0001_a.sql', '0003_c.sql')
    await expect(readMigrations(directory)).rejects.toThrow('0003_c: the next number is 0002')
    await write('0002_b.sql', '0002_c.sql')
    await expect(readMigrations(directory)).rejects.toThrow('0002_c: the next number is 0003')
  })

  it('is missed with a remedy', async () => {
    await expect(readMigrations(join(directory, 'none'))).rejects.toMatchObject({
      message: expect.stringContaining('none'),
      remedy: expect.stringContaining('reinstall'),
    })
  })
})

describe('the migrations of the package', () => {
  it('may all be applied again, and are named after what they make', async () => {
    const migrations = await readMigrations(MIGRATIONS_DIR)
    expect(migrations.length).toBeGreaterThan(0)
    for (const { name, sql } of migrations) {
      // Setting a value is as repeatable as a guarded statement.
      expect(sql, name).toMatch(/\bIF (NOT )?EXISTS\b|\bMODIFY SETTING\b/)
      expect(sql, name).toMatch(
        new RegExp(`^(CREATE (TABLE|VIEW) IF NOT EXISTS|ALTER TABLE) ${name.slice(5)}\\b`, 'm'),
      )
    }
  })
})
