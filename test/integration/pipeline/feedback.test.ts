import { beforeAll, describe, expect, it } from 'vitest'
import { createMemoryBus } from '../../../src/adapters/memory/bus.ts'
import { systemClock } from '../../../src/adapters/ops/clock.ts'
import { silentLog } from '../../../src/adapters/ops/logger.ts'
import { noMetrics } from '../../../src/adapters/ops/metrics.ts'
import { FEEDBACK_EVENTS } from '../../../src/contract/event-format.ts'
import type { FeedbackEvent } from '../../../src/domain/feedback-event.ts'
import { createIngest } from '../../../src/pipeline/ingest.ts'
import { readBlockWatermark } from '../../../src/pipeline/watermark.ts'
import type { Bus, EventStore, OutgoingRecord, Store } from '../../../src/ports.ts'
import { scoredLater } from '../../support/feedback-stream.ts'
import { useTempStore } from '../../support/temp-store.ts'

const PARTITIONS = 2
const GOOD = 2400
const encoder = new TextEncoder()
const temp = useTempStore()
let store: Store

beforeAll(() => {
  store = temp().store
})

async function openTopic(topic: string): Promise<{ bus: Bus; records: number; bad: number }> {
  const bus = createMemoryBus({ clock: systemClock, log: silentLog })
  await bus.ensureTopics(
    [topic, `${topic}.dlq`].map((name) => ({ name, partitions: PARTITIONS, compacted: false })),
  )
  const startMs = Date.now() - 3_600_000
  const { feedback } = scoredLater(
    { seed: 31, events: GOOD, startMs, durationMs: 1_800_000, canaryShare: 0.2 },
    5000,
  )
  const records: OutgoingRecord[] = []
  for (const [index, { line }] of feedback.entries()) {
    const partition = index % PARTITIONS
    records.push({ key: null, value: encoder.encode(line), partition })
    if (index % 100 === 0) {
      const value = encoder.encode(line.replace(/"quality_score":[\d.]+/, '"quality_score":7'))
      records.push({ key: null, value, partition })
    }
  }
  await bus.produce(topic, records)
  return { bus, records: records.length, bad: GOOD / 100 }
}

async function ingest(bus: Bus, target: EventStore<FeedbackEvent>, topic: string, records: number) {
  // A partition that was finished before it died brings nothing more.
  const before = await store.progress(topic)
  const next = new Map(before.map((row) => [row.partition, row.nextOffset]))
  const isDone = () => [...next.values()].reduce((sum, offset) => sum + offset, 0) === records
  if (isDone()) return 'done'
  return new Promise<string>((resolve) => {
    const running = createIngest({
      ...{ bus, store: target, clock: systemClock, log: silentLog, metrics: noMetrics, topic },
      format: FEEDBACK_EVENTS,
      blockTopics: { requests: `${topic}-requests`, feedback: topic },
      groupId: 'feedback',
      policy: { rowsMax: 400, bytesMax: 1e9, pendingBytesMax: 1e9, ageMaxMs: 50 },
      idleTimeoutMs: 30_000,
      deadLetters: { runMax: 1e9 },
      onStored: (partition, nextOffset) => {
        next.set(partition, nextOffset)
        if (isDone()) void running.stop().then(() => resolve('done'))
      },
      onFailure: (error) => void running.stop().then(() => resolve(error.message)),
    })
    void running.start()
  })
}

async function rowsOf(topic: string): Promise<{ rows: number; places: number }> {
  const { rows } = await store.query(
    `SELECT count(), uniqExact(kafka_partition, kafka_offset) FROM feedback_events WHERE kafka_topic = '${topic}'`,
  )
  return { rows: Number(rows[0]?.[0]), places: Number(rows[0]?.[1]) }
}

/** The store of feedback, dying once at the given moment of the `at`-th call. */
function dyingStore(call: 'insertEvents' | 'saveProgress', when: 'before' | 'after', at: number) {
  let calls = 0
  const { feedback } = store
  const die = async <T>(operation: () => Promise<T>): Promise<T> => {
    const hit = ++calls === at
    if (hit && when === 'before') throw new Error('killed')
    const result = await operation()
    if (hit) throw new Error('killed')
    return result
  }
  const dying: EventStore<FeedbackEvent> = {
    ...feedback,
    ...(call === 'insertEvents'
      ? { insertEvents: (batch, range) => die(() => feedback.insertEvents(batch, range)) }
      : { saveProgress: (rows) => die(() => feedback.saveProgress(rows)) }),
  }
  return dying
}

describe('ingest of feedback', () => {
  it.each([
    ['insertEvents', 'before'],
    ['insertEvents', 'after'],
    ['saveProgress', 'before'],
    ['saveProgress', 'after'],
  ] as const)(
    'stores every record once when it dies at %s, %s it, and starts again',
    async (call, when) => {
      const topic = `feedback-${call}-${when}`
      const { bus, records, bad } = await openTopic(topic)
      const settled = call === 'saveProgress' ? PARTITIONS : 0
      for (const at of [1, 3]) {
        const target = dyingStore(call, when, at + settled)
        expect(await ingest(bus, target, topic, records)).toBe('killed')
      }
      expect(await ingest(bus, store.feedback, topic, records)).toBe('done')
      expect(await rowsOf(topic)).toEqual({ rows: GOOD, places: GOOD })
      const letters = new Set<string>()
      const text = new TextDecoder()
      for (let partition = 0; partition < PARTITIONS; partition++) {
        for (const { headers } of await bus.readToEnd(`${topic}.dlq`, partition)) {
          expect(text.decode(headers['x-error-field'])).toBe('quality_score')
          letters.add(
            `${text.decode(headers['x-src-partition'])}/${text.decode(headers['x-src-offset'])}`,
          )
        }
      }
      expect(letters.size).toBe(bad)
      await bus.close()
    },
  )

  it('holds blocks back from the moment its partitions are read, and nothing where there is none', async () => {
    const topic = 'held'
    const now = Date.now()
    const topics = { requests: `${topic}-requests`, feedback: topic }
    const watermark = async () =>
      (await readBlockWatermark(store, topics, Date.now(), 30_000)).timeMs
    await store.saveProgress([
      {
        ...{ topic: topics.requests, partition: 0, nextOffset: 1, maxEventTimeMs: now },
        ...{ caughtUp: true, updatedAtMs: now },
      },
    ])
    expect(await watermark()).toBe(now)
    const { bus, records } = await openTopic(topic)
    expect(await ingest(bus, dyingStore('insertEvents', 'before', 1), topic, records)).toBe(
      'killed',
    )
    expect(await watermark()).toBeNull()
    expect(await ingest(bus, store.feedback, topic, records)).toBe('done')
    expect(await watermark()).toBeLessThan(now - 1_700_000)
    await bus.close()

    const empty = createMemoryBus({ clock: systemClock, log: silentLog })
    await empty.ensureTopics([{ name: 'none', partitions: 1, compacted: false }])
    const quiet = createIngest({
      ...{ bus: empty, store: store.feedback, clock: systemClock, log: silentLog },
      ...{ metrics: noMetrics, topic: 'none', format: FEEDBACK_EVENTS, groupId: 'none' },
      blockTopics: { requests: topics.requests, feedback: 'none' },
      policy: { rowsMax: 400, bytesMax: 1e9, pendingBytesMax: 1e9, ageMaxMs: 50 },
      ...{ idleTimeoutMs: 30_000, deadLetters: null, onFailure: () => undefined },
    })
    await quiet.start()
    await quiet.stop()
    expect(await store.progress('none')).toEqual([])
    await empty.close()
  })
})
