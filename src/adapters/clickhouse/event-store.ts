import { z } from 'zod'
import { HaldaneError } from '../../domain/errors.ts'
import type { Clock, EventStore, Log, PartitionProgress } from '../../ports.ts'
import { createBatchInserts } from './batch-inserts.ts'
import type { ChunkPool } from './chunk-pool.ts'
import { ChunkedRows, type RowFormat } from './chunked-rows.ts'
import type { Engine } from './engine.ts'
import type { NamedQuery } from './sql-connection.ts'
import { sqlTime } from './sql-text.ts'

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
  readonly clock: Clock
  readonly log: Log
  recordTime(): string
}

/** Raw events of one kind and how far they are stored, on the connection for ingest. */
export function createEventStore<Event>(options: EventStoreOptions<Event>): EventStore<Event> {
  const { engine, rows: format, recordTime } = options
  const sql = engine.ingest
  const inserts = createBatchInserts(options)
  return {
    newBatch: () => new ChunkedRows(options.pool, format),

    async insertEvents(batch, range) {
      if (!(batch instanceof ChunkedRows) || batch.format !== format) {
        throw new HaldaneError('internal', 'the batch was made by another store')
      }
      await inserts.insert(batch, range)
    },

    presentOffsets: inserts.presentOffsets,

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
