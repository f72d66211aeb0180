import { beforeAll, describe, expect, it } from 'vitest'
import { createMemoryBus } from '../../../src/adapters/memory/bus.ts'
import { systemClock } from '../../../src/adapters/ops/clock.ts'
import { silentLog } from '../../../src/adapters/ops/logger.ts'
import { noMetrics } from '../../../src/adapters/ops/metrics.ts'
import { REQUEST_EVENTS } from '../../../src/contract/event-format.ts'
import { HaldaneError } from '../../../src/domain/errors.ts'
import { createIngest } from '../../../src/pipeline/ingest.ts'
import type { Bus, EventStore, OutgoingRecord, Store } from '../../../src/ports.ts'
import { generateEvents } from '../../support/event-generator.ts'
import { useTempStore } from '../../support/temp-store.ts'

const PARTITIONS = 2
const DAY_MS = 86_400_000
const encoder = new TextEncoder()
const temp = useTempStore()
let store: Store

beforeAll(() => {
  store = temp().store
})

/**
 * A topic with `good` valid and some invalid records. The events of a partition are of two days in
 * turn, so that any two of them go to two parts of the table, at whatever hour the test runs.
 */
async function openTopic(
  topic: string,
  good: number,
  partitions = PARTITIONS,
): Promise<{ bus: Bus; bad: number }> {
  const bus = createMemoryBus({ clock: systemClock })
  await bus.ensureTopics(
    [topic, `${topic}.dlq`].map((name) => ({ name, partitions, compacted: false })),
  )
  const span = { startMs: Math.floor(Date.now() / DAY_MS - 1) * DAY_MS, durationMs: DAY_MS / 2 }
  const events = [...generateEvents({ seed: 7, events: good, ...span, canaryShare: 0.2 })]
  const records: OutgoingRecord[] = []
  for (const [index, event] of events.entries()) {
    const partition = index % partitions
    const daysBefore = Math.floor(index / partitions) % 2
    const occurredAtMs = Date.parse(String(event['occurred_at'])) - daysBefore * DAY_MS
    const placed = { ...event, occurred_at: new Date(occurredAtMs).toISOString() }
    records.push({ key: null, value: encoder.encode(JSON.stringify(placed)), partition })
    if (index % 50 === 0) records.push({ key: null, value: encoder.encode('{'), partition })
  }
  await bus.produce(topic, records)
  return { bus, bad: Math.ceil(good / 50) }
}

/** Offsets up to which everything is done, by topic and partition, over all runs. */
const doneTo = new Map<string, Map<number, number>>()

/** The bus, noting what is committed as done: a run may end right after it. */
function notingCommits(bus: Bus, topic: string): Bus {
  const done = doneTo.get(topic) ?? new Map<number, number>()
  doneTo.set(topic, done)
  return {
    ...bus,
    async consume(options) {
      const consumer = await bus.consume(options)
      return {
        ...consumer,
        async commit(partition, nextOffset, metadata) {
          await consumer.commit(partition, nextOffset, metadata)
          if (!metadata.includes('"to":')) done.set(partition, nextOffset)
        },
      }
    },
  }
}

/** Runs ingest until everything is committed or it fails; never stops it gracefully after a failure. */
async function ingest(given: Bus, target: EventStore, topic: string, records: number) {
  const bus = notingCommits(given, topic)
  const doneRecords = () => {
    const offsets = [...(doneTo.get(topic)?.values() ?? [])]
    return offsets.reduce((sum, offset) => sum + offset, 0)
  }
  return new Promise<string>((resolve) => {
    const running = createIngest({
      ...{ bus, store: target, clock: systemClock, log: silentLog, metrics: noMetrics, topic },
      format: REQUEST_EVENTS,
      blockTopics: { requests: topic, feedback: 'feedback' },
      groupId: 'ingest',
      policy: { rowsMax: 200, bytesMax: 1e9, pendingBytesMax: 1e9, ageMaxMs: 50 },
      idleTimeoutMs: 30_000,
      deadLetters: { runMax: 1e9 },
      onStored: () => {
        if (doneRecords() !== records) return
        running.stop().then(
          () => resolve('done'),
          (error: Error) => resolve(error.message),
        )
      },
      onFailure: (error) => void running.stop().then(() => resolve(error.message)),
    })
    void running.start()
  })
}

async function rowsOf(topic: string): Promise<{ rows: number; places: number }> {
  const { rows } = await store.query(
    `SELECT count(), uniqExact(kafka_partition, kafka_offset) FROM request_events WHERE kafka_topic = '${topic}'`,
  )
  return { rows: Number(rows[0]?.[0]), places: Number(rows[0]?.[1]) }
}

/** The store, dying once at the given moment of the `at`-th call. */
function dyingStore(moment: Moment, at: number): EventStore {
  let calls = 0
  const die = (): never => {
    throw new HaldaneError('internal', 'killed')
  }
  const hits = (call: 'insert' | 'progress') => moment.call === call && ++calls === at
  return {
    newBatch: () => store.newBatch(),
    presentOffsets: (...args) => store.presentOffsets(...args),
    progress: (topic) => store.progress(topic),
    async insertEvents(batch, range) {
      const hit = hits('insert')
      if (hit && moment.when === 'before') die()
      await store.insertEvents(batch, range)
      if (hit) die()
    },
    async saveProgress(progress) {
      const hit = hits('progress')
      if (hit && moment.when === 'before') die()
      await store.saveProgress(progress)
      if (hit) die()
    },
  }
}

interface Moment {
  readonly call: 'insert' | 'progress'
  readonly when: 'before' | 'after'
}

const MOMENTS: readonly Moment[] = [
  { call: 'insert', when: 'before' },
  { call: 'insert', when: 'after' },
  { call: 'progress', when: 'before' },
  { call: 'progress', when: 'after' },
]

describe('ingest', () => {
  it.each(MOMENTS)(
    'stores every record once when it dies $when $call and starts again',
    async (moment) => {
      const topic = `${moment.call}-${moment.when}`
      const good = 3000
      const { bus, bad } = await openTopic(topic, good)
      // Two calls of saveProgress settle the partitions; the deaths come in the middle of the stream.
      for (const at of [1, 2, 4]) {
        const call = moment.call === 'progress' ? at + PARTITIONS : at
        expect(await ingest(bus, dyingStore(moment, call), topic, good + bad)).toBe('killed')
      }
      expect(await ingest(bus, store, topic, good + bad)).toBe('done')
      expect(await rowsOf(topic)).toEqual({ rows: good, places: good })
      await bus.close()
    },
  )

  it('inserts only what is missing of a batch that landed by half', async () => {
    const topic = 'half'
    // With one partition no other batch is on its way while this one dies.
    const { bus, bad } = await openTopic(topic, 1000, 1)
    let sent = 0
    const half: EventStore = {
      ...dyingStore({ call: 'insert', when: 'before' }, 1),
      async insertEvents(batch, range) {
        sent += batch.rows
        await store.insertEvents(batch, range)
        await forget(topic)
        throw new HaldaneError('internal', 'killed')
      },
    }
    expect(await ingest(bus, half, topic, 1000 + bad)).toBe('killed')
    const landed = (await rowsOf(topic)).rows
    expect(landed).toBeGreaterThan(0)
    expect(landed).toBeLessThan(sent)
    expect(await ingest(bus, store, topic, 1000 + bad)).toBe('done')
    expect(await rowsOf(topic)).toEqual({ rows: 1000, places: 1000 })
    await bus.close()
  })

  it('sends every rejected record to the dead letters with its bytes, place and reason', async () => {
    const topic = 'letters'
    const { bus, bad } = await openTopic(topic, 500)
    expect(await ingest(bus, store, topic, 500 + bad)).toBe('done')
    const letters = [
      ...(await bus.readToEnd(`${topic}.dlq`, 0)),
      ...(await bus.readToEnd(`${topic}.dlq`, 1)),
    ]
    expect(letters).toHaveLength(bad)
    const text = new TextDecoder()
    for (const { value, headers } of letters) {
      expect(text.decode(value ?? undefined)).toBe('{')
      expect(text.decode(headers['x-error-code'])).toBe('not_json')
      expect(text.decode(headers['x-src-topic'])).toBe(topic)
    }
    await bus.close()
  })

  it('gives a record the same row however often it is delivered: its place and arrival watermark', async () => {
    const topic = 'again'
    const { bus, bad } = await openTopic(topic, 1000)
    const first = await ingest(
      bus,
      dyingStore({ call: 'insert', when: 'after' }, 2),
      topic,
      1000 + bad,
    )
    expect(first).toBe('killed')
    expect(await ingest(bus, store, topic, 1000 + bad)).toBe('done')
    const { rows } = await store.query(
      `SELECT countIf(arrival_watermark > lead) FROM (
        SELECT arrival_watermark, any(arrival_watermark) OVER (
          PARTITION BY kafka_partition ORDER BY kafka_offset ROWS BETWEEN 1 FOLLOWING AND 1 FOLLOWING
        ) AS lead, row_number() OVER (PARTITION BY kafka_partition ORDER BY kafka_offset DESC) AS last
        FROM request_events WHERE kafka_topic = '${topic}'
      ) WHERE last > 1`,
    )
    expect(Number(rows[0]?.[0])).toBe(0)
    await bus.close()
  })
})

/** Removes the rows of the later day, as a crash between two table partitions would. */
async function forget(topic: string): Promise<void> {
  const first = `SELECT min(toDate(occurred_at)) FROM request_events WHERE kafka_topic = '${topic}'`
  await temp().engine.analysis.define(
    'forget',
    `DELETE FROM request_events WHERE kafka_topic = '${topic}' AND toDate(occurred_at) > (${first})`,
  )
}
