import { beforeAll, describe, expect, it } from 'vitest'
import { createStore } from '../../../src/adapters/clickhouse/store.ts'
import { createMemoryBus, type MemoryBus } from '../../../src/adapters/memory/bus.ts'
import { systemClock } from '../../../src/adapters/ops/clock.ts'
import { silentLog } from '../../../src/adapters/ops/logger.ts'
import { noMetrics } from '../../../src/adapters/ops/metrics.ts'
import { REQUEST_EVENTS } from '../../../src/contract/event-format.ts'
import { HaldaneError } from '../../../src/domain/errors.ts'
import { createIngest, type Ingest } from '../../../src/pipeline/ingest.ts'
import type { BatchRange, EventStore, Store } from '../../../src/ports.ts'
import { createGate } from '../../support/bus-probe.ts'
import { generateEvents } from '../../support/event-generator.ts'
import { useTempStore, wallClock } from '../../support/temp-store.ts'

const EVENTS = 3000
const ROWS_MAX = 400
const temp = useTempStore()
/** The engine as if other processes wrote into it too: the store then relies on its words alone. */
let store: Store

beforeAll(() => {
  store = createStore({ ...temp().engine, isShared: true }, { clock: wallClock, log: silentLog })
})

async function openTopic(topic: string): Promise<MemoryBus> {
  const bus = createMemoryBus({ clock: systemClock, rebalanceTimeoutMs: 50 })
  await bus.ensureTopics(
    [topic, `${topic}.dlq`].map((name) => ({ name, partitions: 1, compacted: false })),
  )
  const hour = 3_600_000
  const span = { startMs: Date.now() - 30 * hour, durationMs: 29 * hour }
  const events = generateEvents({ seed: 11, events: EVENTS, canaryShare: 0.2, ...span })
  const encoder = new TextEncoder()
  const values = [...events].map((event) => encoder.encode(JSON.stringify(event)))
  await bus.produce(
    topic,
    values.map((value) => ({ key: null, value })),
  )
  return bus
}

/** A worker's ingest; `done` resolves when it has committed the last record, or with its failure. */
function open(bus: MemoryBus, target: EventStore, topic: string, rowsMax = ROWS_MAX) {
  let ended: (how: string) => void = () => undefined
  const done = new Promise<string>((resolve) => {
    ended = resolve
  })
  const ingest: Ingest = createIngest({
    ...{ bus, store: target, clock: systemClock, log: silentLog, metrics: noMetrics, topic },
    format: REQUEST_EVENTS,
    blockTopics: { requests: topic, feedback: 'feedback' },
    groupId: 'ingest',
    policy: { rowsMax, bytesMax: 1e9, pendingBytesMax: 1e9, ageMaxMs: 50 },
    idleTimeoutMs: 30_000,
    deadLetters: { runMax: 1e9 },
    onStored: (_, nextOffset) => {
      if (nextOffset === EVENTS) ended('done')
    },
    onFailure: (error) => ended(error.message),
  })
  return { ingest, done }
}

async function rowsOf(topic: string): Promise<{ rows: number; places: number }> {
  const { rows } = await store.query(
    `SELECT count(), uniqExact(kafka_partition, kafka_offset) FROM request_events WHERE kafka_topic = '${topic}'`,
  )
  return { rows: Number(rows[0]?.[0]), places: Number(rows[0]?.[1]) }
}

/** The store with another way to insert. */
function inserting(insertEvents: EventStore['insertEvents']): EventStore {
  return {
    newBatch: () => store.newBatch(),
    insertEvents,
    presentOffsets: (...args) => store.presentOffsets(...args),
    progress: (topic) => store.progress(topic),
    saveProgress: (progress) => store.saveProgress(progress),
  }
}

const unavailable = () => new HaldaneError('store_unavailable', 'no answer', { retryable: true })

describe('a partition that changes hands', () => {
  it.each([
    ['with the batch sizes of the one before', ROWS_MAX],
    ['with other batch sizes', 70],
  ])('while an insert is on its way is stored once, %s', async (_, rowsMax) => {
    const topic = `on-its-way-${rowsMax}`
    const bus = await openTopic(topic)
    const [sent, land] = [createGate(), createGate()]
    const landed: Promise<void>[] = []
    const slow = inserting((batch, range) => {
      sent.open()
      const landing = land.passed.then(() => store.insertEvents(batch, range))
      landed.push(landing)
      return landing
    })
    const zombie = open(bus, slow, topic)
    await zombie.ingest.start()
    await sent.passed
    const ranges: (BatchRange | undefined)[] = []
    const noting = inserting((batch, range) => {
      ranges.push(range)
      return store.insertEvents(batch, range)
    })
    const heir = open(bus, noting, topic, rowsMax)
    await heir.ingest.start()
    expect(await heir.done).toBe('done')
    expect(ranges[0]).toMatchObject({ from: 0, to: ROWS_MAX - 1, sentBefore: true })
    expect(ranges[1]).toMatchObject({ from: ROWS_MAX, sentBefore: false })
    land.open()
    await Promise.all(landed)
    expect(landed).toHaveLength(1)
    await zombie.ingest.stop()
    await heir.ingest.stop()
    expect(await rowsOf(topic)).toEqual({ rows: EVENTS, places: EVENTS })
    await bus.close()
  })

  it('gets nothing more from the one that lost it, not even the batch it has ready', async () => {
    const topic = 'refused'
    const bus = await openTopic(topic)
    const first = createGate()
    let inserts = 0
    let asleep = true
    const sleeping = inserting(async (batch, range) => {
      inserts++
      if (asleep) await first.passed
      await store.insertEvents(batch, range)
    })
    const zombie = open(bus, sleeping, topic)
    await zombie.ingest.start()
    while (inserts === 0) await systemClock.sleep(5)
    const heir = open(bus, store, topic)
    await heir.ingest.start()
    expect(await heir.done).toBe('done')
    asleep = false
    first.open()
    await zombie.ingest.stop()
    expect(inserts).toBe(1)
    await heir.ingest.stop()
    expect(await rowsOf(topic)).toEqual({ rows: EVENTS, places: EVENTS })
    await bus.close()
  })
})

describe('an insert without an answer', () => {
  it('is sent again and stored once, whether or not it had been carried out', async () => {
    const topic = 'lost-answer'
    const bus = await openTopic(topic)
    let calls = 0
    const losing = inserting(async (batch, range) => {
      const call = ++calls
      if (call === 2) throw unavailable()
      if (call !== 4) return store.insertEvents(batch, range)
      const again = batch as { release?: () => void }
      const release = again.release
      again.release = () => undefined
      await store.insertEvents(batch, range)
      Object.assign(again, { release })
      throw unavailable()
    })
    const { ingest, done } = open(bus, losing, topic)
    await ingest.start()
    expect(await done).toBe('done')
    await ingest.stop()
    expect(calls).toBe(Math.ceil(EVENTS / ROWS_MAX) + 2)
    expect(await rowsOf(topic)).toEqual({ rows: EVENTS, places: EVENTS })
    await bus.close()
  })

  it('is repaired when the server remembers the batch and lost its rows', async () => {
    const topic = 'forgotten'
    const bus = await openTopic(topic)
    let calls = 0
    const forgetting = inserting(async (batch, range) => {
      if (++calls !== 3) return store.insertEvents(batch, range)
      const again = batch as { release?: () => void }
      const release = again.release
      again.release = () => undefined
      await store.insertEvents(batch, range)
      Object.assign(again, { release })
      await temp().engine.analysis.define(
        'forget',
        `DELETE FROM request_events WHERE kafka_topic = '${topic}' AND kafka_offset >= ${range?.from} AND kafka_offset % 3 = 0`,
      )
      throw unavailable()
    })
    const { ingest, done } = open(bus, forgetting, topic)
    await ingest.start()
    expect(await done).toBe('done')
    await ingest.stop()
    expect(await rowsOf(topic)).toEqual({ rows: EVENTS, places: EVENTS })
    await bus.close()
  })
})
