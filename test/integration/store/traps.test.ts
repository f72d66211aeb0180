import { existsSync, readdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { z } from 'zod'
import { openEmbeddedStore } from '../../../src/adapters/clickhouse/embedded-store.ts'
import type { SqlValue } from '../../../src/adapters/clickhouse/sql-connection.ts'
import { silentLog, useTempStore, wallClock } from '../../support/temp-store.ts'
import { MIDNIGHT, plainEvent } from './random-events.ts'

describe('the embedded engine', () => {
  const temp = useTempStore()
  const count = async (table: string) => {
    const row = z.object({ rows: z.int() })
    const sql = `SELECT count() AS rows FROM ${table}`
    return (await temp().engine.analysis.select({ name: 'count', sql, row }))[0]?.rows
  }
  const oneEvent = async () => {
    const { store } = temp()
    const batch = store.newBatch()
    const place = { topic: 't', partition: 0, offset: 0, timestampMs: 0, arrivalWatermarkMs: 0 }
    batch.add(plainEvent({ occurredAtMs: MIDNIGHT }), place)
    await store.insertEvents(batch)
  }

  it('keeps no setting of a statement for the next one, on either connection', async () => {
    const { engine, store } = temp()
    const sql = 'SELECT name, value FROM system.settings WHERE changed'
    const row = z.object({ name: z.string(), value: z.string() })
    const changed = async () => {
      const seen = []
      for (const connection of [engine.ingest, engine.analysis]) {
        seen.push(await connection.select({ name: 'settings', sql, row }))
      }
      return seen
    }
    const own = ['max_execution_time', 'output_format_json_quote_64bit_integers']
    const before = (await changed()).map((rows) => rows.filter(({ name }) => !own.includes(name)))
    await oneEvent()
    await store.saveProgress([
      {
        topic: 't',
        partition: 0,
        nextOffset: 1,
        maxEventTimeMs: 0,
        caughtUp: true,
        updatedAtMs: 0,
      },
    ])
    await store.recordAcks([{ route: 'r', routerId: 'a', appliedGeneration: 1, appliedAtMs: 0 }])
    const after = (await changed()).map((rows) => rows.filter(({ name }) => !own.includes(name)))
    expect(after).toEqual(before)
    const names = after.flat().map(({ name }) => name)
    for (const name of ['async_insert', 'max_block_size', 'max_threads', 'max_insert_threads']) {
      expect(names).not.toContain(name)
    }
  })

  it('does not insert half of a row: unknown fields and nulls are errors', async () => {
    const { engine } = temp()
    const ack = {
      route: 'r',
      router_id: 'x',
      applied_generation: 1,
      applied_at: '2026-01-01 00:00:00',
    }
    const before = await count('router_acks')
    const insert = (rows: Record<string, SqlValue>[]) =>
      engine.analysis.insertRows({ name: 'acks', table: 'router_acks', rows })
    await expect(insert([{ ...ack, nonsense: 1 }])).rejects.toMatchObject({ code: 'internal' })
    await expect(insert([{ ...ack, applied_generation: null }])).rejects.toMatchObject({
      code: 'internal',
    })
    expect(await count('router_acks')).toBe(before)
  })

  it('takes text as it is, whatever it holds', async () => {
    const { store } = temp()
    const message = `it's "x"\n\t\\; -- {a:String} \u0001 é😀 FORMAT JSONEachRow`
    const outcome = { commandId: message, outcome: 'accepted', releaseId: '', message } as const
    await store.recordOutcome(outcome)
    expect(await store.outcome(message)).toEqual(outcome)
  })

  it('leaves nothing in the spool, and removes at the start what a killed process left', async () => {
    const { dataDir, store } = temp()
    const spool = join(dataDir, 'spool')
    await oneEvent()
    expect(readdirSync(spool)).toEqual([])
    const stale = join(spool, '1-0.rowbinary')
    writeFileSync(stale, 'half a batch')
    const second = await openEmbeddedStore({ dataDir, clock: wallClock, log: silentLog })
    expect(existsSync(stale)).toBe(false)
    await second.close()
    await expect(store.ping()).resolves.toBeUndefined()
  })

  it('leaves nothing in the spool after an insert that failed', async () => {
    const { dataDir, engine } = temp()
    const insert = {
      name: 'x',
      table: 'router_acks',
      columns: [['nonsense', 'String']],
      rows: 1,
      token: null,
    } as const
    const failing = engine.insertRowBinary({ ...insert, chunks: [new Uint8Array([1, 65])] })
    await expect(failing).rejects.toMatchObject({ code: 'internal' })
    expect(readdirSync(join(dataDir, 'spool'))).toEqual([])
  })

  it('refuses a second directory in one process', async () => {
    const { dataDir } = temp()
    const opening = openEmbeddedStore({
      dataDir: join(dataDir, 'second'),
      clock: wallClock,
      log: silentLog,
    })
    await expect(opening).rejects.toMatchObject({ code: 'data_dir_locked' })
  })

  it('refuses a directory whose path it would read as a pattern', async () => {
    const { dataDir } = temp()
    const opening = openEmbeddedStore({
      dataDir: join(dataDir, 'a{b}'),
      clock: wallClock,
      log: silentLog,
    })
    await expect(opening).rejects.toMatchObject({ code: 'usage' })
  })

  it('says where it cannot write', async () => {
    const { dataDir } = temp()
    const file = join(dataDir, 'file')
    writeFileSync(file, '')
    const opening = openEmbeddedStore({ dataDir: file, clock: wallClock, log: silentLog })
    await expect(opening).rejects.toMatchObject({
      code: 'store_unavailable',
      message: expect.stringContaining(file),
    })
  })
})
