import { cp, mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { beforeEach, describe, expect, it } from 'vitest'
import { z } from 'zod'
import { MIGRATIONS_DIR } from '../../../src/adapters/clickhouse/migration-files.ts'
import { applyMigrations } from '../../../src/adapters/clickhouse/migrations.ts'
import type { Log } from '../../../src/ports.ts'
import { buildSpec } from '../../support/builders.ts'
import { silentLog, useTempStore, wallClock } from '../../support/temp-store.ts'

describe('migrations', () => {
  const temp = useTempStore({ migrated: false })
  let directory = ''
  let names: string[] = []

  beforeEach(async () => {
    const { dataDir, engine } = temp()
    await engine.analysis.define('drop', 'DROP DATABASE haldane SYNC')
    for (const connection of [engine.analysis, engine.ingest]) {
      await connection.define('create', 'CREATE DATABASE IF NOT EXISTS haldane ENGINE = Atomic')
      await connection.define('use', 'USE haldane')
    }
    directory = join(dataDir, 'migrations')
    await rm(directory, { recursive: true, force: true })
    await cp(MIGRATIONS_DIR, directory, { recursive: true })
    const files = await readdir(directory)
    names = files.sort().map((file) => file.slice(0, -'.sql'.length))
  })

  const migrate = (log: Log = silentLog) =>
    applyMigrations(temp().engine.analysis, directory, { clock: wallClock, log })

  const columns = async () => {
    const sql = `SELECT table, name, type, comment FROM system.columns
      WHERE database = 'haldane' ORDER BY table, position`
    const row = z.record(z.string(), z.string())
    return temp().engine.analysis.select({ name: 'columns', sql, row })
  }

  const addNewer = async (breaking: 'yes' | 'no') => {
    const name = `${String(names.length + 1).padStart(4, '0')}_newer`
    const sql = `-- breaking: ${breaking}\n-- undo: DROP TABLE newer\nCREATE TABLE IF NOT EXISTS newer (a UInt8) ENGINE = Memory\n`
    await writeFile(join(directory, `${name}.sql`), sql)
    await migrate()
    await rm(join(directory, `${name}.sql`))
    return name
  }

  it('bring an empty store to the newest tables, and applying them again does nothing', async () => {
    expect(await migrate()).toEqual(names)
    expect(await migrate()).toEqual([])
  })

  it('end at the same tables from any earlier migration', async () => {
    await migrate()
    const complete = await columns()
    for (const kept of [1, 5, names.length - 1]) {
      const { engine, dataDir } = temp()
      await engine.analysis.define('drop', 'DROP DATABASE haldane SYNC')
      await engine.analysis.define('create', 'CREATE DATABASE haldane ENGINE = Atomic')
      await engine.analysis.define('use', 'USE haldane')
      const earlier = join(dataDir, 'earlier')
      await rm(earlier, { recursive: true, force: true })
      await mkdir(earlier)
      for (const name of names.slice(0, kept)) {
        await cp(join(directory, `${name}.sql`), join(earlier, `${name}.sql`))
      }
      await applyMigrations(engine.analysis, earlier, { clock: wallClock, log: silentLog })
      expect(await migrate()).toEqual(names.slice(kept))
      expect(await columns()).toEqual(complete)
    }
  })

  it('leave blocks from before as they were: no users, and a sample rate nobody knows', async () => {
    const { engine, dataDir, store } = temp()
    const earlier = join(dataDir, 'without-users')
    await mkdir(earlier)
    for (const name of names.filter((name) => name < '0019')) {
      await cp(join(directory, `${name}.sql`), join(earlier, `${name}.sql`))
    }
    await applyMigrations(engine.analysis, earlier, { clock: wallClock, log: silentLog })
    const closed = new Date().toISOString().slice(0, 19)
    const cell = { release_id: 'r', block_start: 0, block_length_ms: 10_000, closed_at: closed }
    const rows = [
      { ...cell, arm: '', model_version: '', requests: 0, events: 3 },
      { ...cell, arm: 'stable', model_version: '1.0.0', requests: 3, events: 0 },
    ]
    await engine.analysis.insertRows({ name: 'before', table: 'block_metrics', rows })
    await migrate()
    const range = { releaseId: 'r', spec: buildSpec(), fromMs: 0, toMs: 10_000 }
    const [block] = await store.readBlocks(range)
    expect(block?.events).toBe(3)
    expect(block?.cells.map(({ metrics }) => metrics)).toEqual([
      {
        ...{ requests: 3, errors: 0, latencies: 0, overLimit: [], bins: [], counts: [] },
        ...{ quality: { n: 0, sum: 0, sumSquares: 0 }, kpis: [] },
      },
    ])
  })

  it('may be applied by two at once', async () => {
    const { engine } = temp()
    const options = { clock: wallClock, log: silentLog }
    const both = await Promise.all([
      applyMigrations(engine.analysis, directory, options),
      applyMigrations(engine.ingest, directory, options),
    ])
    expect(new Set(both.flat())).toEqual(new Set(names))
    expect(await migrate()).toEqual([])
  })

  it('refuse a file that has changed since, and name it', async () => {
    await migrate()
    const path = join(directory, `${names[2]}.sql`)
    await writeFile(path, `${await readFile(path, 'utf8')}-- one more remark\n`)
    await expect(migrate()).rejects.toMatchObject({
      code: 'conflict',
      message: expect.stringContaining(`${names[2]}.sql`),
    })
  })

  it('take a file with other line ends for the same', async () => {
    await migrate()
    const path = join(directory, `${names[2]}.sql`)
    await writeFile(path, (await readFile(path, 'utf8')).replaceAll('\n', '\r\n'))
    expect(await migrate()).toEqual([])
  })

  it('refuse a store that a newer program changed for good', async () => {
    await migrate()
    const name = await addNewer('yes')
    await expect(migrate()).rejects.toMatchObject({
      code: 'conflict',
      message: expect.stringContaining(name),
    })
  })

  it('warn of a store that a newer program only added to', async () => {
    await migrate()
    const name = await addNewer('no')
    const warnings: unknown[] = []
    const log = { ...silentLog, warn: (fields: object) => warnings.push(fields) }
    expect(await migrate(log)).toEqual([])
    expect(warnings).toEqual([{ migrations: [name] }])
  })

  it('are all repeated, to the same tables, after a first run that died before it recorded any', async () => {
    await migrate()
    const complete = await columns()
    await temp().engine.analysis.define('forget', 'TRUNCATE TABLE schema_migrations')
    expect(await migrate()).toEqual(names)
    expect(await columns()).toEqual(complete)
  })

  it('go on where a failed one stopped', async () => {
    const broken = join(directory, `${String(names.length + 1).padStart(4, '0')}_broken.sql`)
    await writeFile(broken, '-- breaking: no\n-- undo: nothing\nCREATE NONSENSE\n')
    await expect(migrate()).rejects.toMatchObject({ code: 'internal' })
    await rm(broken)
    expect(await migrate()).toEqual([])
  })
})
