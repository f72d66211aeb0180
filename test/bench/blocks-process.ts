import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { openEmbeddedStore } from '../../src/adapters/clickhouse/embedded-store.ts'
import { createMemoryBus } from '../../src/adapters/memory/bus.ts'
import { systemClock } from '../../src/adapters/ops/clock.ts'
import { silentLog } from '../../src/adapters/ops/logger.ts'
import { createMetrics } from '../../src/adapters/ops/metrics.ts'
import { decodeRequestEvent } from '../../src/contract/request-event-decoder.ts'
import type { RequestEvent } from '../../src/domain/request-event.ts'
import { TOPICS } from '../../src/domain/topics.ts'
import { createAnalyzer } from '../../src/pipeline/analyze.ts'
import { createPublisher } from '../../src/pipeline/publisher.ts'
import type { Store } from '../../src/ports.ts'
import { CANARY_VERSION, mulberry32, STABLE_VERSION } from '../support/event-generator.ts'
import { runTask } from './child.ts'
import { BLOCK_MS, eventLines, startOf } from './events.ts'
import { releaseSpec } from './release.ts'

export interface BlocksTask {
  readonly storedEvents: number
  readonly eventsPerBlock: number
  readonly measuredBlocks: number
}

export interface BlocksResult {
  /** Per measured block, ms: the whole tick of the analyzer, and its two largest parts. */
  readonly tickMs: number[]
  readonly closeMs: number[]
  readonly readMs: number[]
  readonly decisions: number
  readonly storedEvents: number
}

/** Different events before they repeat, under other names and with their versions drawn again. */
const POOL_BLOCKS = 20
const INSERT_BLOCKS = 10
const TOPIC = TOPICS.requests.name

/**
 * The analyzer of a worker over an embedded store, with a release that has judged everything stored
 * so far. Each measured block: its events are stored, progress is saved, and one tick closes the
 * block behind the watermark, folds it, assesses every guardrail in every cohort, decides, and records and
 * publishes the decision if there is one.
 */
await runTask(async (task: BlocksTask): Promise<BlocksResult> => {
  const dataDir = await mkdtemp(join(tmpdir(), 'haldane-bench-'))
  const store = await openEmbeddedStore({ dataDir, clock: systemClock, log: silentLog })
  try {
    await store.migrate()
    return await measure(store, task)
  } finally {
    await store.close()
    await rm(dataDir, { recursive: true, force: true })
  }
})

async function measure(store: Store, task: BlocksTask): Promise<BlocksResult> {
  const { eventsPerBlock, measuredBlocks } = task
  const spec = releaseSpec()
  const storedBlocks = task.storedEvents / eventsPerBlock
  const startMs = startOf(task.storedEvents, eventsPerBlock)
  const feed = createFeed(store, startMs, eventsPerBlock)
  const timed = timeStore(store)
  const bus = createMemoryBus({ clock: systemClock })
  await bus.ensureTopics([{ ...TOPICS.decisions, partitions: 1 }])
  let decisions = 0
  const analyzer = createAnalyzer({
    store: {
      ...timed.store,
      recordDecision(decision) {
        decisions++
        return store.recordDecision(decision)
      },
    },
    clock: systemClock,
    log: silentLog,
    metrics: createMetrics('bench'),
    topics: { requests: TOPIC, feedback: TOPICS.feedback.name },
    idleTimeoutMs: 3_600_000,
    tickMs: 500,
    publisherFor: () =>
      createPublisher({
        ...{ bus, store, clock: systemClock, log: silentLog, metrics: createMetrics('bench') },
        topic: TOPICS.decisions.name,
        producerId: 'bench',
      }),
    onFailure: (error) => {
      throw error
    },
  })
  for (let block = 0; block < storedBlocks; block += INSERT_BLOCKS) {
    await feed(block, Math.min(INSERT_BLOCKS, storedBlocks - block))
  }
  const releaseId = `${spec.route}/${spec.canary}`
  const release = { releaseId, spec, source: '', startedBy: 'bench', commandId: 'bench' }
  await store.recordRelease({ ...release, startedAtMs: startMs, controlPartition: 0 })
  await analyzer.adopt({ ...release, startedAtMs: startMs, controlPartition: 0 })
  await analyzer.tick()

  timed.reset()
  decisions = 0
  const tickMs: number[] = []
  for (let block = storedBlocks; block < storedBlocks + measuredBlocks; block++) {
    await feed(block, 1)
    const startedAt = performance.now()
    await analyzer.tick()
    tickMs.push(performance.now() - startedAt)
  }
  const { closeMs, readMs } = timed
  if (closeMs.length !== measuredBlocks) throw new Error(`${closeMs.length} blocks were closed`)
  const { rows } = await store.query('SELECT count() FROM request_events')
  await bus.close()
  return { tickMs, closeMs, readMs, decisions, storedEvents: Number(rows[0]?.[0]) }
}

/** Stores the events of some blocks and says how far they go. */
function createFeed(store: Store, startMs: number, eventsPerBlock: number) {
  const pool = Array.from(
    eventLines({ events: POOL_BLOCKS * eventsPerBlock, eventsPerBlock, startMs: 0 }),
    (line) => decodeRequestEvent(Buffer.from(line), null) as RequestEvent,
  )
  const random = mulberry32(1)
  let offset = 0
  return async (firstBlock: number, blocks: number): Promise<void> => {
    const batch = store.newBatch()
    let timeMs = startMs + firstBlock * BLOCK_MS
    for (let block = firstBlock; block < firstBlock + blocks; block++) {
      const shiftMs = startMs + (block - (block % POOL_BLOCKS)) * BLOCK_MS
      const from = (block % POOL_BLOCKS) * eventsPerBlock
      for (const event of pool.slice(from, from + eventsPerBlock)) {
        const arrivalWatermarkMs = timeMs
        timeMs = event.occurredAtMs + shiftMs
        const requestId = `${event.requestId}-${block}`
        const place = { topic: TOPIC, partition: 0, offset: offset++, timestampMs: timeMs }
        const modelVersion = random() < 0.1 ? CANARY_VERSION : STABLE_VERSION
        const again = { ...event, requestId, modelVersion, occurredAtMs: timeMs }
        batch.add(again, { ...place, arrivalWatermarkMs })
      }
    }
    await store.insertEvents(batch)
    await store.saveProgress([
      {
        topic: TOPIC,
        partition: 0,
        nextOffset: offset,
        maxEventTimeMs: startMs + (firstBlock + blocks) * BLOCK_MS,
        caughtUp: true,
        updatedAtMs: Date.now(),
      },
    ])
  }
}

function timeStore(store: Store) {
  const closeMs: number[] = []
  const readMs: number[] = []
  const timed =
    <A, R>(into: number[], operation: (argument: A) => Promise<R>) =>
    async (argument: A): Promise<R> => {
      const startedAt = performance.now()
      const result = await operation(argument)
      into.push(performance.now() - startedAt)
      return result
    }
  return {
    closeMs,
    readMs,
    reset() {
      closeMs.length = 0
      readMs.length = 0
    },
    store: {
      ...store,
      closeBlocks: timed(closeMs, (range: Parameters<Store['closeBlocks']>[0]) =>
        store.closeBlocks(range),
      ),
      readBlocks: timed(readMs, (range: Parameters<Store['readBlocks']>[0]) =>
        store.readBlocks(range),
      ),
    },
  }
}
