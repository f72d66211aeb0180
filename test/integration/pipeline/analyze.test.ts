import { beforeAll, describe, expect, it } from 'vitest'
import { createMemoryBus } from '../../../src/adapters/memory/bus.ts'
import { systemClock } from '../../../src/adapters/ops/clock.ts'
import { silentLog } from '../../../src/adapters/ops/logger.ts'
import { noMetrics } from '../../../src/adapters/ops/metrics.ts'
import { decisionToWire, decodeDecision } from '../../../src/contract/decision.ts'
import { REQUEST_EVENTS } from '../../../src/contract/event-format.ts'
import { parseReleaseFile } from '../../../src/contract/release-file.ts'
import type { Decision } from '../../../src/domain/decision.ts'
import { HaldaneError } from '../../../src/domain/errors.ts'
import { createAnalyzer, unfinished } from '../../../src/pipeline/analyze.ts'
import { storeFile } from '../../../src/pipeline/file-intake.ts'
import { createPublisher } from '../../../src/pipeline/publisher.ts'
import type { Bus, Clock, ReleaseRecord, Store } from '../../../src/ports.ts'
import { generateEvents, releaseFileAt } from '../../support/event-generator.ts'
import { useTempStore } from '../../support/temp-store.ts'

const START_MS = Date.UTC(2026, 10, 23, 10)
const EVENTS = 20_000
const DECISIONS = { name: 'decisions', partitions: 1, compacted: true }
const temp = useTempStore()
let store: Store

beforeAll(() => {
  store = temp().store
})

function releaseOf(model: string): ReleaseRecord {
  const source = releaseFileAt(0.2, 'heartbeat: 15s').replace('intent-classifier', model)
  const parsed = parseReleaseFile(source, { fileName: 'release.yaml' })
  if ('problems' in parsed) throw new Error(JSON.stringify(parsed.problems))
  return {
    releaseId: `${parsed.spec.route}/${parsed.spec.canary}`,
    spec: parsed.spec,
    source,
    startedAtMs: START_MS,
    startedBy: 'ada',
    controlPartition: 0,
    commandId: `start-${model}`,
  }
}

/** What ingest says of the topic: so many events are stored, up to this time. */
function progress(model: string, nextOffset: number, maxEventTimeMs: number): Promise<void> {
  const stored = { topic: model, partition: 0, nextOffset, maxEventTimeMs, caughtUp: true }
  return store.saveProgress([{ ...stored, updatedAtMs: Date.now() }])
}

/** Five minutes of events of the model, stored, with the watermark at their end. */
async function prepare(model: string): Promise<{ bus: Bus; release: ReleaseRecord }> {
  const options = { seed: 3, events: EVENTS, startMs: START_MS, durationMs: 300_000 }
  const effect = (arm: string) => (arm === 'canary' ? { errorRate: 0.03 } : {})
  const lines = [...generateEvents({ ...options, canaryShare: 0.2, modelName: model, effect })]
  const bytes = new TextEncoder().encode(lines.map((event) => JSON.stringify(event)).join('\n'))
  const { maxEventTimeMs } = await storeFile({
    ...{ store, format: REQUEST_EVENTS, topic: 'file' },
    chunks: (async function* () {
      yield bytes
    })(),
    onRejected: () => undefined,
    onProgress: () => undefined,
  })
  await progress(model, EVENTS, maxEventTimeMs)
  const bus = createMemoryBus({ clock: systemClock })
  await bus.ensureTopics([DECISIONS])
  const release = releaseOf(model)
  await store.recordRelease(release)
  return { bus, release }
}

/** A worker's analysis side until its release has ended or it dies. */
async function analyze(
  bus: Bus,
  target: Store,
  model: string,
  clock: Clock = systemClock,
): Promise<string> {
  let failure = ''
  const open = new Set<{ close(): Promise<void> }>()
  const analyzer = createAnalyzer({
    ...{ store: target, clock, log: silentLog, metrics: noMetrics },
    topics: { requests: model, feedback: `${model}-feedback` },
    idleTimeoutMs: 600_000,
    tickMs: 10,
    publisherFor: () => {
      const publisher = createPublisher({
        ...{ bus, store: target, clock: systemClock, log: silentLog, metrics: noMetrics },
        topic: DECISIONS.name,
        producerId: 'p0',
      })
      open.add(publisher)
      return publisher
    },
    onFailure: (error) => {
      failure = error.message
    },
  })
  try {
    const mine = (await unfinished(store)).filter((release) => release.spec.modelName === model)
    for (const release of mine) await analyzer.adopt(release)
    for (let round = 0; round < 3; round++) await analyzer.tick()
  } catch (error) {
    failure = (error as Error).message
  }
  for (const publisher of open) await publisher.close()
  await analyzer.stop()
  return failure
}

function comparable(decision: Decision, model: string) {
  const { decided_at, expires_at, ...rest } = decisionToWire(decision)
  const text = JSON.stringify({ ...rest, ended: expires_at === null })
  return JSON.parse(text.replaceAll(model, 'model')) as unknown
}

async function published(bus: Bus): Promise<number[]> {
  const records = await bus.readToEnd(DECISIONS.name, 0)
  const text = new TextDecoder()
  return records.map(({ value }) => decodeDecision(text.decode(value ?? undefined)).generation)
}

/** The store dying at the `at`-th call of a method, before or after it has done its work. */
function dyingStore(
  method: 'recordDecision' | 'closeBlocks' | 'closeHistory',
  when: string,
  at: number,
): Store {
  let calls = 0
  const call = store[method] as (argument: unknown) => Promise<void>
  return {
    ...store,
    [method]: async (argument: unknown) => {
      const hit = ++calls === at
      if (hit && when === 'before') throw new HaldaneError('internal', 'killed')
      await call(argument)
      if (hit) throw new HaldaneError('internal', 'killed')
    },
  }
}

/** The bus dying at the `at`-th publication. */
function dyingBus(bus: Bus, when: string, at: number): Bus {
  let calls = 0
  return {
    ...bus,
    async fencedProducer(id) {
      const producer = await bus.fencedProducer(id)
      return {
        ...producer,
        async produce(topic, records) {
          const hit = ++calls === at
          if (hit && when === 'before') throw new HaldaneError('internal', 'killed')
          await producer.produce(topic, records)
          if (hit) throw new HaldaneError('internal', 'killed')
        },
      }
    },
  }
}

describe('analysis', () => {
  const expected: unknown[] = []

  it('decides from stored events alone, up to the rollback, and publishes what it recorded', async () => {
    const { bus, release } = await prepare('plain')
    expect(await analyze(bus, store, 'plain')).toBe('')
    const decisions = await store.decisions({ releaseId: release.releaseId })
    expected.push(...decisions.map((decision) => comparable(decision, 'plain')))
    expect(decisions.at(-1)?.phase).toBe('rolled_back')
    expect(decisions.length).toBeGreaterThan(5)
    expect(await published(bus)).toEqual(decisions.map((decision) => decision.generation))
  })

  const deaths = (['recordDecision', 'publish', 'closeBlocks', 'closeHistory'] as const).flatMap(
    (what) => (['before', 'after'] as const).map((when) => ({ what, when })),
  )

  it.each(deaths)(
    'makes the same decisions when it dies $when $what and starts again',
    async ({ what, when }) => {
      const model = `${what}-${when}`.toLowerCase()
      const { bus, release } = await prepare(model)
      for (const at of what === 'closeHistory' ? [1] : [1, 2, 3]) {
        const failure =
          what === 'publish'
            ? await analyze(dyingBus(bus, when, at), store, model)
            : await analyze(bus, dyingStore(what, when, at), model)
        // Later calls may not come any more: then the release has ended already.
        expect(['killed', '']).toContain(failure)
      }
      expect(await analyze(bus, store, model)).toBe('')
      const decisions = await store.decisions({ releaseId: release.releaseId })
      expect(decisions.map((decision) => decision.generation)).toEqual(
        decisions.map((_, i) => i + 1),
      )
      expect(decisions.map((decision) => comparable(decision, model))).toEqual(expected)
      expect(await published(bus)).toEqual(decisions.map((decision) => decision.generation))
    },
  )

  it('makes the same decisions however blocks fall into ticks, each by a worker that has just started', async () => {
    const model = 'ticks'
    const { bus, release } = await prepare(model)
    // Ingest comes along by one to thirteen blocks of 5 s.
    const blocks = [1, 2, 1, 5, 3, 13, 1, 1, 8, 2, 13, 13]
    let untilMs = START_MS
    const seen = new Set<number>()
    for (const [k, count] of blocks.entries()) {
      untilMs += count * 5000
      await progress(model, k + 1, untilMs)
      expect(await analyze(bus, store, model)).toBe('')
      seen.add((await store.decisions({ releaseId: release.releaseId })).length)
    }
    expect(seen.size).toBeGreaterThan(3)
    const decisions = await store.decisions({ releaseId: release.releaseId })
    expect(decisions.map((decision) => comparable(decision, model))).toEqual(expected)
    expect(await published(bus)).toEqual(decisions.map((decision) => decision.generation))
  })

  it('reports silence by the clock on the wall, moves no traffic and closes nothing', async () => {
    const { bus, release } = await prepare('silent')
    const { releaseId, spec } = release
    const late = { ...systemClock, now: () => Date.now() + 3_600_000 }
    const at = Date.now()
    await store.saveProgress([
      {
        ...{ topic: 'silent', partition: 0, nextOffset: 0, maxEventTimeMs: START_MS },
        ...{ caughtUp: true, updatedAtMs: at },
      },
    ])
    expect(await analyze(bus, store, 'silent')).toBe('')
    expect(await analyze(bus, store, 'silent', late)).toBe('')
    const decisions = await store.decisions({ releaseId })
    expect(decisions.map((decision) => decision.reasons.map((reason) => reason.code))).toEqual([
      ['release_started'],
      ['no_traffic'],
    ])
    expect(decisions[1]?.traffic).toEqual(decisions[0]?.traffic)
    expect(await store.newestBlockEndMs(releaseId, spec)).toBeNull()
  })

  it('gives a release that was only recorded its first decision', async () => {
    const { bus, release } = await prepare('pending')
    expect((await unfinished(store)).map((one) => one.releaseId)).toContain(release.releaseId)
    await analyze(bus, store, 'pending')
    const [first] = await store.decisions({ releaseId: release.releaseId })
    expect(first?.reasons[0]?.code).toBe('release_started')
    expect((await unfinished(store)).map((one) => one.releaseId)).not.toContain(release.releaseId)
  })
})
