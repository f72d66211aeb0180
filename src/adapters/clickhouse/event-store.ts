import { z } from 'zod'
import { HaldaneError } from '../../domain/errors.ts'
import type { EventStore, PartitionProgress } from '../../ports.ts'
import type { ChunkPool } from './chunk-pool.ts'
import { ChunkedRows, type RowFormat } from './chunked-rows.ts'
import type { Engine } from './engine.ts'
import type { NamedQuery } from './sql-connection.ts'
import { sqlTime } from './sql-text.ts'

const OFFSETS_AT_ONCE = 1_000_000

const presentOffsetsIn = (table: string) => `SELECT arraySort(groupArray(kafka_offset)) FROM (
    SELECT kafka_offset FROM ${table}
    WHERE kafka_topic = {topic:String} AND kafka_partition = {partition:UInt32} AND kafka_offset >= {from:UInt64}
    ORDER BY kafka_offset LIMIT {limit:UInt64}
)`

const PROGRESS: NamedQuery<PartitionProgress> = {
  name: 'progress',
  sql: `SELECT kafka_topic AS topic, kafka_partition AS partition,
    argMax(next_offset, recorded_at) AS nextOffset,
    toUnixTimestamp64Milli(argMax(max_event_time, recorded_at)) AS maxEventTimeMs,
    argMax(caught_up, recorded_at) AS caughtUp,
    toUnixTimestamp64Milli(argMax(updated_at, recorded_at)) AS updatedAtMs
FROM ingest_progress WHERE kafka_topic = {topic:String}
GROUP BY kafka_topic, kafka_partition ORDER BY kafka_partition`,
  row: z.object({
    topic: z.string(),
    partition: z.int(),
    nextOffset: z.int(),
    maxEventTimeMs: z.int(),
    caughtUp: z.boolean(),
    updatedAtMs: z.int(),
  }),
}

export interface EventStoreOptions<Event> {
  readonly engine: Engine
  readonly rows: RowFormat<Event>
  readonly pool: ChunkPool
  recordTime(): string
}

/** Raw events of one kind and how far they are stored, on the connection for ingest. */
export function createEventStore<Event>(options: EventStoreOptions<Event>): EventStore<Event> {
  const { engine, rows: format, recordTime } = options
  const { table, columns } = format
  const sql = engine.ingest
  return {
    newBatch: () => new ChunkedRows(options.pool, format),

    async insertEvents(batch) {
      if (!(batch instanceof ChunkedRows) || batch.format !== format) {
        throw new HaldaneError('internal', 'the batch was made by another store')
      }
      if (batch.rows === 0) return
      await engine.insertRowBinary({
        name: `insert_${table}`,
        table,
        columns,
        rows: batch.rows,
        chunks: batch.contents(),
      })
      batch.release()
    },

    async presentOffsets(topic, partition, from) {
      const pages: number[][] = []
      let next = from
      for (;;) {
        const params = { topic, partition, from: next, limit: OFFSETS_AT_ONCE }
        const [row] = await sql.selectTuples('present_offsets', presentOffsetsIn(table), params)
        const page = (row?.[0] ?? []) as number[]
        pages.push(page)
        const last = page.at(-1)
        if (page.length < OFFSETS_AT_ONCE || last === undefined) break
        next = last + 1
      }
      return Float64Array.from(pages.flat())
    },

    progress: (topic) => sql.select(PROGRESS, { topic }),

    async saveProgress(progress) {
      const rows = progress.map((row) => ({
        kafka_topic: row.topic,
        kafka_partition: row.partition,
        next_offset: row.nextOffset,
        max_event_time: sqlTime(row.maxEventTimeMs),
        caught_up: row.caughtUp,
        updated_at: sqlTime(row.updatedAtMs),
        recorded_at: recordTime(),
      }))
      await sql.insertRows({ name: 'save_progress', table: 'ingest_progress', rows })
    },
  }
}
