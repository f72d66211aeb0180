import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { createClient } from '@clickhouse/client'
import { createChdbConnection } from 'chdb/connection'
import { runTask, startMeter, type Usage } from './child.ts'
import type { IngestTask } from './ingest.ts'

const POLL_MS = 20

/** The fields of the events of the benchmark, as the engine reads them from JSON. */
const FIELDS = `
  request_id String,
  occurred_at DateTime64(3, 'UTC'),
  model_name LowCardinality(String),
  environment LowCardinality(String),
  model_version LowCardinality(String),
  outcome Enum8('ok' = 0, 'error' = 1, 'timeout' = 2, 'cancelled' = 3, 'rejected' = 4),
  latency_ms Nullable(Float64),
  locale LowCardinality(String),
  device Enum8('mobile' = 0, 'desktop' = 1, 'tablet' = 2, 'tv' = 3, 'bot' = 4, 'other' = 5, 'unknown' = 6),
  quality_score Nullable(Float64),
  session_id String`

/**
 * The same fields and the record's place, with the types, codecs, order and partitions that
 * \`request_events\` has for them: fewer columns than Haldane stores, and none computed.
 */
const TABLE = `CREATE TABLE events (
  kafka_topic LowCardinality(String),
  kafka_partition UInt32 CODEC(ZSTD(1)),
  kafka_offset UInt64 CODEC(Delta(8), ZSTD(1)),
  kafka_timestamp Nullable(DateTime64(3, 'UTC')) CODEC(ZSTD(1)),
  request_id String CODEC(ZSTD(1)),
  occurred_at DateTime64(3, 'UTC') CODEC(Delta(8), ZSTD(1)),
  model_name LowCardinality(String),
  environment LowCardinality(String),
  model_version LowCardinality(String),
  outcome Enum8('ok' = 0, 'error' = 1, 'timeout' = 2, 'cancelled' = 3, 'rejected' = 4),
  latency_ms Nullable(Float64) CODEC(ZSTD(1)),
  locale LowCardinality(String),
  device Enum8('mobile' = 0, 'desktop' = 1, 'tablet' = 2, 'tv' = 3, 'bot' = 4, 'other' = 5, 'unknown' = 6),
  quality_score Nullable(Float64) CODEC(ZSTD(1)),
  session_id String CODEC(ZSTD(1))
) ENGINE = MergeTree PARTITION BY toDate(occurred_at)
ORDER BY (toStartOfHour(occurred_at), model_name, model_version, locale, device, occurred_at)`

const VIEW = `CREATE MATERIALIZED VIEW feed TO events AS SELECT
  _topic AS kafka_topic, _partition AS kafka_partition, _offset AS kafka_offset,
  _timestamp_ms AS kafka_timestamp, * FROM source`

function sourceTable({ brokers, topic, groupId }: IngestTask): string {
  return `CREATE TABLE source (${FIELDS}) ENGINE = Kafka SETTINGS
  kafka_broker_list = '${brokers.join(',')}', kafka_topic_list = '${topic}',
  kafka_group_name = '${groupId}', kafka_format = 'JSONEachRow', kafka_num_consumers = 1,
  kafka_max_block_size = 65536, kafka_poll_max_batch_size = 65536,
  date_time_input_format = 'best_effort'`
}

const ASSIGNED = 'SELECT sum(length(assignments.partition_id)) AS value FROM system.kafka_consumers'

/**
 * ClickHouse's own Kafka table engine into a MergeTree table. Its clock starts when the broker has
 * given it the partition, those of the others when they begin to join their groups.
 */
await runTask(async (task: IngestTask): Promise<Usage & { rows: number }> => {
  const directory = await mkdtemp(join(tmpdir(), 'haldane-bench-'))
  const client = createClient({ connection: createChdbConnection({ path: directory }) as never })
  const run = (query: string) => client.command({ query })
  const ask = async (query: string) => {
    const answer = await client.query({ query, format: 'JSONEachRow' })
    return Number((await answer.json<{ value: string }>())[0]?.value)
  }
  try {
    await run(sourceTable(task))
    await run(TABLE)
    await run(VIEW)
    while ((await ask(ASSIGNED)) === 0) await sleep(POLL_MS)
    const stopMeter = startMeter()
    while ((await ask('SELECT count() AS value FROM events')) < task.events) {
      await sleep(POLL_MS)
    }
    const usage = stopMeter()
    const rows = await ask('SELECT uniqExact(kafka_partition, kafka_offset) AS value FROM events')
    await run('DROP TABLE feed')
    await run('DROP TABLE source')
    return { ...usage, rows }
  } finally {
    await client.close()
    await rm(directory, { recursive: true, force: true })
  }
})
