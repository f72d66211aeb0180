import { execFileSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { createKafkaBus } from '../../src/adapters/kafka/bus.ts'
import { systemClock } from '../../src/adapters/ops/clock.ts'
import { silentLog } from '../../src/adapters/ops/logger.ts'
import type { WireDecision } from '../../src/contract/decision.ts'
import { TOPICS } from '../../src/domain/topics.ts'
import type { Bus } from '../../src/ports.ts'
import { startBroker } from '../support/broker.ts'
import type { TestBroker } from '../support/broker-process.ts'
import { releaseFileAt } from '../support/event-generator.ts'
import { type PlacedLine, scoredLater } from '../support/feedback-stream.ts'
import { PROGRAM } from '../support/program.ts'
import { startWorkerProcess, type WorkerProcess } from '../support/worker-process.ts'

const EVENTS = 48_000
const SPAN_MS = 8 * 60_000
const INVALID = 100
const CHUNK = 2000
const KILL_AFTER_CHUNKS = [6, 12]

const dir = mkdtempSync(join(tmpdir(), 'haldane-e2e-feedback-'))
const dataDir = join(dir, 'data')

let broker: TestBroker
let bus: Bus
let worker: WorkerProcess | null = null

beforeAll(async () => {
  // Of its own, so that the topics hold nothing but what this file writes.
  broker = await startBroker()
  const { brokers } = broker
  bus = createKafkaBus({ brokers, clientId: 'e2e', log: silentLog, clock: systemClock })
  await bus.ensureTopics(Object.values(TOPICS))
})

afterAll(async () => {
  await worker?.kill()
  await bus?.close()
  await broker?.stop()
  rmSync(dir, { recursive: true, force: true })
})

describe('feedback through a real broker', () => {
  it('is stored once and judged as in a replay, though the worker is killed twice on the way', async () => {
    const startMs = Math.floor((Date.now() - SPAN_MS - 60_000) / 5000) * 5000
    const start = new Date(startMs).toISOString()
    const { requests, feedback } = scoredLater(
      {
        ...{ seed: 41, events: EVENTS, startMs, durationMs: SPAN_MS, canaryShare: 0.3 },
        effect: (arm, _, progress) =>
          arm === 'canary' && progress > 0.5 ? { qualityMean: 0.8 } : {},
      },
      3000,
    )
    const release = join(dir, 'release.yaml')
    writeFileSync(release, releaseFileAt(0.3))
    const file = (name: string, lines: readonly PlacedLine[]) => {
      writeFileSync(join(dir, name), lines.map(({ line }) => line).join('\n'))
      return join(dir, name)
    }

    // Feedback waits in every partition before the first request is read.
    await produce(TOPICS.feedback.name, feedback.slice(0, CHUNK))
    worker = await launch()
    haldane(['release', 'start', release, '--url', worker.url, '--start', start])
    for (let from = 0; from < EVENTS; from += CHUNK) {
      await produce(TOPICS.requests.name, requests.slice(from, from + CHUNK))
      if (KILL_AFTER_CHUNKS.includes(from / CHUNK)) {
        await worker.kill()
        worker = await launch()
      }
      // Long enough that blocks would be closed without the feedback that is still to come.
      await delay(400)
      if (from > 0) await produce(TOPICS.feedback.name, feedback.slice(from, from + CHUNK))
    }
    await produce(
      TOPICS.feedback.name,
      Array.from({ length: INVALID }, (_, index) => ({
        line: `{"request_id":"broken-${index}"}`,
        ...{ atMs: 0, requestId: `broken-${index}` },
      })),
    )
    const last = await lastDecision(worker)
    expect(last).toMatchObject({ phase: 'rolled_back' })
    expect(last.reasons.map(({ code }) => code)).toContain('quality_breached')
    await until(async () => (await deadLetters()).size >= INVALID, 'all dead letters')
    await until(async () => (await lag()) === 0, 'everything stored')
    expect(await worker.stop()).toBe(0)
    worker = null

    // A producer that saw no answer in time sends again: the topic may hold more than was meant.
    for (const [table, sent] of [
      ['request_events', await recordsIn(TOPICS.requests)],
      ['feedback_events', (await recordsIn(TOPICS.feedback)) - (await deadLetters()).size],
    ] as const) {
      const [counts] = sql(
        `SELECT count() AS rows, uniqExact(kafka_partition, kafka_offset) AS places FROM ${table}`,
      )
      expect([table, counts]).toEqual([table, { rows: sent, places: sent }])
      expect(sent).toBeGreaterThanOrEqual(EVENTS)
    }
    const recorded = sql('SELECT decision FROM decisions ORDER BY generation').map(
      (row) => JSON.parse(String(row['decision'])) as WireDecision,
    )
    const replayed = haldane([
      ...['replay', '--release', release, '--start', start, '--json'],
      ...['--events', file('events.ndjson', requests)],
      ...['--feedback', file('feedback.ndjson', feedback)],
    ])
    const expected = linesOf(replayed).map((line) => JSON.parse(line) as WireDecision)
    expect(recorded.map(comparable)).toEqual(expected.map(comparable))
    // What a producer repeats comes after newer records of its partition, and so may be late.
    const repeated = (await recordsIn(TOPICS.feedback)) - feedback.length - INVALID
    const [share] = sql('SELECT late, in_time FROM v_release_feedback')
    expect(Number(share?.['late'])).toBeLessThanOrEqual(repeated)
    expect(Number(share?.['in_time'])).toBeGreaterThan(30_000)
  })
})

async function launch(): Promise<WorkerProcess> {
  const started = await startWorkerProcess({
    HALDANE_KAFKA_BROKERS: broker.brokers.join(','),
    HALDANE_DATA_DIR: dataDir,
    HALDANE_KAFKA_SESSION_TIMEOUT_MS: '3000',
    HALDANE_BATCH_ROWS: '2000',
    HALDANE_BATCH_AGE_MS: '200',
    // A machine that is slow must not make a partition look idle.
    HALDANE_IDLE_TIMEOUT_MS: '300000',
  })
  await started.ready()
  return started
}

/** In order, spread over the partitions by request id. */
async function produce(topic: string, lines: readonly PlacedLine[]): Promise<void> {
  const encoder = new TextEncoder()
  await bus.produce(
    topic,
    lines.map(({ line, requestId }) => ({ key: requestId, value: encoder.encode(line) })),
  )
}

async function lastDecision(process: WorkerProcess): Promise<WireDecision> {
  let last: WireDecision | undefined
  await until(async () => {
    const decisions = await (await fetch(`${process.url}/v1/decisions`)).json()
    last = (decisions as WireDecision[])[0]
    return last?.expires_at === null
  }, 'the release to end')
  return last as WireDecision
}

async function until(done: () => Promise<boolean>, what: string): Promise<void> {
  const untilMs = Date.now() + 120_000
  while (!(await done())) {
    if (Date.now() > untilMs) throw new Error(`waited in vain for ${what}: ${worker?.stderr()}`)
    await delay(100)
  }
}

async function recordsIn(topic: { name: string; partitions: number }): Promise<number> {
  const partitions = Array.from({ length: topic.partitions }, (_, partition) => partition)
  const kept = await bus.offsetsKept(topic.name, partitions)
  return [...kept.values()].reduce((sum, { first, end }) => sum + end - first, 0)
}

/** Records of all partitions that are not stored yet; infinite until each has been read. */
async function lag(): Promise<number> {
  const text = await (await fetch(`${worker?.url}/metrics`)).text()
  const lags = [...text.matchAll(/^haldane_consumer_lag_messages\{.*\} (\d+)$/gm)]
  const partitions = TOPICS.requests.partitions + TOPICS.feedback.partitions
  if (lags.length < partitions) return Number.POSITIVE_INFINITY
  return lags.reduce((sum, match) => sum + Number(match[1]), 0)
}

/** Places of the records the dead letters came from. */
async function deadLetters(): Promise<Set<string>> {
  const places = new Set<string>()
  const decoder = new TextDecoder()
  for (const { headers } of await bus.readToEnd(TOPICS.feedbackDeadLetters.name, 0)) {
    expect(decoder.decode(headers['x-src-topic'])).toBe(TOPICS.feedback.name)
    const place = ['x-src-partition', 'x-src-offset'].map((name) => decoder.decode(headers[name]))
    places.add(place.join('/'))
  }
  return places
}

function haldane(args: readonly string[]): string {
  return execFileSync(process.execPath, [PROGRAM, ...args], {
    env: { ...process.env, HALDANE_DATA_DIR: dataDir },
    encoding: 'utf8',
    maxBuffer: 256 * 1024 * 1024,
    stdio: ['ignore', 'pipe', 'pipe'],
  })
}

function sql(statement: string): Record<string, unknown>[] {
  return linesOf(haldane(['sql', statement, '--json'])).map(
    (line) => JSON.parse(line) as Record<string, unknown>,
  )
}

function linesOf(text: string): string[] {
  return text.split('\n').filter((line) => line !== '')
}

/** Everything but what a clock on the wall decides, and how many requests were sent twice. */
function comparable({ decided_at, expires_at, decided_by, counts, ...rest }: WireDecision) {
  return { ...rest, ended: expires_at === null }
}
