import { describe, expect, it } from 'vitest'
import { createMemoryBus } from '../../../src/adapters/memory/bus.ts'
import { systemClock } from '../../../src/adapters/ops/clock.ts'
import { silentLog } from '../../../src/adapters/ops/logger.ts'
import { noMetrics } from '../../../src/adapters/ops/metrics.ts'
import { decisionToWire } from '../../../src/contract/decision.ts'
import { REQUEST_EVENTS } from '../../../src/contract/event-format.ts'
import type { ClosedBlock } from '../../../src/domain/block.ts'
import type { Decision } from '../../../src/domain/decision.ts'
import type { ReleaseSpec } from '../../../src/domain/release.ts'
import { createAnalyzer } from '../../../src/pipeline/analyze.ts'
import { storeFile } from '../../../src/pipeline/file-intake.ts'
import { createPublisher } from '../../../src/pipeline/publisher.ts'
import { replay } from '../../../src/pipeline/replay.ts'
import { generateEvents, releaseFileAt } from '../../support/event-generator.ts'
import { useTempStore } from '../../support/temp-store.ts'
import { specOf } from '../replay/replay-run.ts'

const START_MS = Date.UTC(2026, 10, 23, 10)
const BLOCK_MS = 5000
const BLOCKS = 40
const WATERMARK_MS = 10_000
const LAST_EVENT_MS = START_MS + BLOCKS * BLOCK_MS - BLOCK_MS / 100
/** The last event lies in the last block, so that one cannot be closed, nor the two before. */
const CLOSED = BLOCKS - 1 - WATERMARK_MS / BLOCK_MS
const DECISIONS = { name: 'decisions', partitions: 1, compacted: true }

/** 100 requests a block, 80 of them on the baseline, with few users: it starts with the 13th block. */
function linesOf(model: string): Uint8Array {
  const events = generateEvents({
    ...{ seed: 7, events: 100 * BLOCKS, startMs: START_MS, durationMs: BLOCKS * BLOCK_MS },
    ...{ canaryShare: 0.2, modelName: model },
  })
  const few = Array.from(events, (event, index) => ({ ...event, session_id: `user-${index % 97}` }))
  return new TextEncoder().encode(few.map((event) => JSON.stringify(event)).join('\n'))
}

async function* once(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  yield await Promise.resolve(bytes)
}

describe('users of a release that has no history', () => {
  const temp = useTempStore()
  const releaseOf = (model: string): { spec: ReleaseSpec; releaseId: string } => {
    const spec = specOf(releaseFileAt(0.2, 'heartbeat: 15s').replace('intent-classifier', model))
    return { spec, releaseId: `${spec.route}/${spec.canary}` }
  }
  const blocksOf = (model: string): Promise<ClosedBlock[]> => {
    const closed = { fromMs: START_MS, toMs: START_MS + BLOCKS * BLOCK_MS }
    return temp().store.readBlocks({ ...releaseOf(model), ...closed })
  }
  const comparable = (decisions: readonly Decision[], model: string) =>
    decisions.map((decision) => {
      const { decided_at, expires_at, ...rest } = decisionToWire(decision)
      return JSON.stringify(rest).replaceAll(model, 'model').replaceAll('user:ada', 'analyzer')
    })

  /** An analyzer that sees the watermark move by `stepBlocks` at a time, started anew `restarts` times. */
  async function live(model: string, stepBlocks: number, restarts = 0) {
    const { store } = temp()
    const { spec, releaseId } = releaseOf(model)
    await storeFile({
      ...{ store, format: REQUEST_EVENTS, topic: 'file', chunks: once(linesOf(model)) },
      ...{ onRejected: () => undefined, onProgress: () => undefined },
    })
    const bus = createMemoryBus({ clock: systemClock })
    await bus.ensureTopics([DECISIONS])
    const release = {
      ...{ releaseId, spec, source: '', startedAtMs: START_MS, startedBy: 'ada' },
      ...{ controlPartition: 0, commandId: model },
    }
    await store.recordRelease(release)
    const start = async () => {
      const analyzer = createAnalyzer({
        ...{ store, clock: systemClock, log: silentLog, metrics: noMetrics, tickMs: 10 },
        topics: { requests: model, feedback: `${model}-feedback` },
        idleTimeoutMs: 600_000,
        publisherFor: () =>
          createPublisher({
            ...{ bus, store, clock: systemClock, log: silentLog, metrics: noMetrics },
            ...{ topic: DECISIONS.name, producerId: 'p0' },
          }),
        onFailure: (error) => {
          throw error
        },
      })
      await analyzer.adopt(release)
      return analyzer
    }
    let analyzer = await start()
    for (let block = stepBlocks; block < BLOCKS + stepBlocks; block += stepBlocks) {
      const maxEventTimeMs = Math.min(START_MS + block * BLOCK_MS, LAST_EVENT_MS)
      await store.saveProgress([
        {
          ...{ topic: model, partition: 0, nextOffset: 1, maxEventTimeMs, caughtUp: true },
          updatedAtMs: Date.now(),
        },
      ])
      await analyzer.tick()
      if (restarts > 0 && block > 10 && block <= 10 + restarts) analyzer = await start()
    }
    return comparable(await store.decisions({ releaseId }), model)
  }

  it('are compared by the same bins live, block by block or at once, after restarts, and in a replay', {
    timeout: 180_000,
  }, async () => {
    const made: Decision[] = []
    await replay({
      ...{ store: temp().store, chunks: once(linesOf('replayed')), feedback: null },
      ...{ spec: releaseOf('replayed').spec, startMs: START_MS, commands: [], split: 'assigned' },
      onRejected: () => undefined,
      onFeedbackRejected: () => undefined,
      onProgress: () => undefined,
      onDecision: (decision) => made.push(decision),
    })
    const blocks = await blocksOf('replayed')
    expect(blocks).toHaveLength(CLOSED)
    const slow = blocks.map(
      ({ cells }) => new Set(cells.map(({ metrics }) => metrics.users?.overSlowBin.length)),
    )
    const startsAt = slow.findIndex((counts) => counts.has(1))
    expect(startsAt).toBeGreaterThan(10)
    expect(startsAt).toBeLessThan(15)
    expect(slow.slice(0, startsAt).every((counts) => counts.has(0) && counts.size === 1)).toBe(true)
    expect(slow.slice(startsAt).every((counts) => counts.has(1) && counts.size === 1)).toBe(true)

    const decisions = comparable(made, 'replayed')
    expect(decisions.length).toBeGreaterThan(5)
    expect(await live('stepwise', 1)).toEqual(decisions)
    expect(await blocksOf('stepwise')).toEqual(blocks)
    expect(await live('catching-up', BLOCKS)).toEqual(decisions)
    expect(await blocksOf('catching-up')).toEqual(blocks)
    expect(await live('restarted', 1, 5)).toEqual(decisions)
    expect(await blocksOf('restarted')).toEqual(blocks)
  })
})
