import { HaldaneError } from '../../domain/errors.ts'
import type { BatchRange, Clock, Log } from '../../ports.ts'
import type { Engine, RowBinaryInsert } from './engine.ts'

const OFFSETS_AT_ONCE = 1_000_000
/**
 * Pauses before rows that a server has promised and does not show are sent under another word. Another
 * process may be storing them at this moment, and a word is remembered just before its rows are seen.
 */
const RECOUNT_DELAYS_MS = [200, 500, 1000, 2000, 4000, 8000]
const REPAIRS_MAX = 5

/** Rows in RowBinary, each with the offset of its record. */
export interface RowBatch {
  readonly rows: number
  /** The rows, one after the other. */
  contents(): Uint8Array[]
  /** The rows whose offset is not among those present. */
  missing(present: ReadonlySet<number>): { rows: number; chunks: Uint8Array[] }
  /** Nobody reads the rows any more. */
  release(): void
}

export interface BatchInserts {
  /** As `EventStore.insertEvents` says. */
  insert(batch: RowBatch, range: BatchRange | undefined): Promise<void>
  presentOffsets(topic: string, partition: number, from: number): Promise<Float64Array>
}

/**
 * Batches of one table that has `kafka_topic`, `kafka_partition` and `kafka_offset`, each row stored
 * once. On a shared engine the table needs a deduplication window.
 */
export function createBatchInserts(options: {
  readonly engine: Engine
  readonly rows: Pick<RowBinaryInsert, 'table' | 'columns'>
  readonly clock: Clock
  readonly log: Log
}): BatchInserts {
  const { engine, clock, log } = options
  const { table, columns } = options.rows
  const sql = `SELECT arraySort(groupArray(kafka_offset)) FROM (
    SELECT kafka_offset FROM ${table}
    WHERE kafka_topic = {topic:String} AND kafka_partition = {partition:UInt32}
        AND kafka_offset >= {from:UInt64} AND kafka_offset <= {to:UInt64}
    ORDER BY kafka_offset LIMIT {limit:UInt64}
)`

  const offsetsOf = async (place: Omit<BatchRange, 'sentBefore'>): Promise<number[]> => {
    const { topic, partition, to } = place
    const pages: number[][] = []
    let next = place.from
    for (;;) {
      const params = { topic, partition, from: next, to, limit: OFFSETS_AT_ONCE }
      const [row] = await engine.ingest.selectTuples('present_offsets', sql, params)
      const page = (row?.[0] ?? []) as number[]
      pages.push(page)
      const last = page.at(-1)
      if (page.length < OFFSETS_AT_ONCE || last === undefined) return pages.flat()
      next = last + 1
    }
  }

  const send = (rows: number, chunks: readonly Uint8Array[], token: string | null) =>
    engine.insertRowBinary({ name: `insert_${table}`, table, columns, rows, chunks, token })

  const missingOf = async (batch: RowBatch, range: BatchRange) =>
    batch.missing(new Set(await offsetsOf(range)))

  /**
   * A server can forget the rows of an insert and remember its word, when it dies between the two. So
   * what was sent before is counted, and what stays away is sent under a word of its own.
   */
  const repair = async (batch: RowBatch, range: BatchRange, token: string) => {
    let missing = await missingOf(batch, range)
    for (let repairs = 1; missing.rows > 0; repairs++) {
      for (const delayMs of RECOUNT_DELAYS_MS) {
        await clock.sleep(delayMs)
        missing = await missingOf(batch, range)
        if (missing.rows === 0) return
      }
      const { topic, partition, from, to } = range
      log.warn({ topic, partition, from, to, rows: missing.rows }, 'rows are missing, sent again')
      if (repairs > REPAIRS_MAX) {
        throw new HaldaneError('internal', `the store does not keep ${token}, sent again and again`)
      }
      await send(missing.rows, missing.chunks, `${token}#${repairs}`)
      missing = await missingOf(batch, range)
    }
  }

  const insertRange = async (batch: RowBatch, range: BatchRange) => {
    const { topic, partition, from, to, sentBefore } = range
    const token = `${topic}:${partition}:${from}-${to}`
    if (engine.isShared) {
      await send(batch.rows, batch.contents(), token)
      if (sentBefore) await repair(batch, range, token)
      return
    }
    // Nobody else writes, so what is there now is all there will be.
    const { rows, chunks } = sentBefore
      ? await missingOf(batch, range)
      : { rows: batch.rows, chunks: batch.contents() }
    if (rows > 0) await send(rows, chunks, null)
  }

  return {
    async insert(batch, range) {
      if (batch.rows === 0) return
      if (range === undefined) await send(batch.rows, batch.contents(), null)
      else await insertRange(batch, range)
      batch.release()
    },
    async presentOffsets(topic, partition, from) {
      const to = Number.MAX_SAFE_INTEGER
      return Float64Array.from(await offsetsOf({ topic, partition, from, to }))
    },
  }
}
