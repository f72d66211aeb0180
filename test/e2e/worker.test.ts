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
import { generateEvents, releaseFileAt } from '../support/event-generator.ts'
import { PROGRAM } from '../support/program.ts'
import { startWorkerProcess, type WorkerProcess } from '../support/worker-process.ts'

/** Two models in one topic, 150,000 events each: one release is truly worse, the other is not. */
const EVENTS_EACH = 150_000
const INVALID = 300
const KILLS = 3
const SPAN_MS = 25 * 60_000

const dir = mkdtempSync(join(tmpdir(), 'haldane-e2e-'))
const dataDir = join(dir, 'data')
const eventsFile = join(dir, 'events.ndjson')
const startMs = Math.floor((Date.now() - SPAN_MS - 60_000) / 5000) * 5000
const start = new Date(startMs).toISOString()

const worse = { name: 'worse', route: 'worse/production' }
const better = { name: 'better', route: 'better/production' }

let broker: TestBroker
let bus: Bus
let worker: WorkerProcess | null = null

beforeAll(async () => {
  // Of its own: events of other files in the same topics would move the watermark on.
  broker = await startBroker()
  bus = createKafkaBus({
    brokers: broker.brokers,
    clientId: 'e2e',
    log: silentLog,
    clock: systemClock,
  })
})

afterAll(async () => {
  await worker?.kill()
  await bus?.close()
  await broker?.stop()
  rmSync(dir, { recursive: true, force: true })
})

describe('from a request event to a decision, through a real broker', () => {
  it('stores every event once and decides as a replay does, killed three times on the way', async () => {
    for (const { name, route } of [worse, better]) {
      const file = releaseFileAt(0.2).replace('intent-classifier/production', route)
      writeFileSync(join(dir, `${name}.yaml`), file)
    }
    worker = await launch()
    for (const { name } of [worse, better]) {
      const file = join(dir, `${name}.yaml`)
      haldane(['release', 'start', file, '--url', worker.url, '--start', start])
    }

    const lines = makeLines()
    writeFileSync(eventsFile, `${lines.join('\n')}\n`)
    const producing = produce(lines)
    for (let kill = 1; kill <= KILLS; kill++) {
      const before = await consumed(worker)
      await until(async () => (await consumed(worker)) > before + 20_000, 'some progress', 90_000)
      await worker.kill()
      worker = await launch()
    }
    await producing
    const total = lines.length
    await until(async () => (await caughtUp()) >= total, 'everything stored', 120_000)
    const finals = await lastDecisions(worker)
    expect(finals.get(worse.route)).toBe('rolled_back')
    expect(finals.get(better.route)).toBe('promoted')
    expect(await worker.stop()).toBe(0)
    worker = null

    const [counts] = sql<Counts>(
      'SELECT count() AS rows, uniqExact(kafka_partition, kafka_offset) AS places FROM request_events',
    )
    const deadLetters = await countRecords(TOPICS.requestsDeadLetters.name)
    expect(counts).toEqual({ rows: total - INVALID, places: total - INVALID })
    expect(deadLetters.size).toBe(INVALID)

    for (const { name, route } of [worse, better]) {
      const recorded = recordedDecisions(route)
      expect(recorded.map((decision) => decision.generation)).toEqual(recorded.map((_, i) => i + 1))
      const replayed = haldane([
        ...['replay', '--release', join(dir, `${name}.yaml`), '--events', eventsFile],
        ...['--start', start, '--json'],
      ])
      expect(recorded.map(comparable)).toEqual(parseLines(replayed).map(comparable))
      expect(await publishedGenerations(route)).toEqual(recorded.map((one) => one.generation))
    }
  })
})

interface Counts {
  readonly rows: number
  readonly places: number
}

async function launch(): Promise<WorkerProcess> {
  const started = await startWorkerProcess({
    HALDANE_KAFKA_BROKERS: broker.brokers.join(','),
    HALDANE_DATA_DIR: dataDir,
    HALDANE_KAFKA_SESSION_TIMEOUT_MS: '3000',
    HALDANE_BATCH_ROWS: '5000',
    HALDANE_BATCH_AGE_MS: '200',
  })
  await started.ready()
  return started
}

/** Both models' events in time order, with an invalid line now and then. */
function makeLines(): string[] {
  const common = { events: EVENTS_EACH, startMs, durationMs: SPAN_MS, canaryShare: 0.2 }
  const bad = generateEvents({
    ...{ ...common, seed: 1, modelName: worse.name },
    effect: (arm) => (arm === 'canary' ? { errorRate: 0.02 } : {}),
  })
  const good = generateEvents({
    ...{ ...common, seed: 2, modelName: better.name },
    effect: (arm) => (arm === 'canary' ? { latencyScale: 0.9 } : {}),
  })
  const lines: string[] = []
  for (let index = 0; index < EVENTS_EACH; index++) {
    lines.push(JSON.stringify(bad.next().value), JSON.stringify(good.next().value))
    if (index % (EVENTS_EACH / INVALID) === 0) lines.push(`{"request_id":"broken-${index}"}`)
  }
  return lines
}

/** In order, spread over the partitions by request id, slowly enough to be killed on the way. */
async function produce(lines: readonly string[]): Promise<void> {
  const encoder = new TextEncoder()
  for (let from = 0; from < lines.length; from += 3000) {
    const records = lines.slice(from, from + 3000).map((line) => ({
      key: (JSON.parse(line) as { request_id: string }).request_id,
      value: encoder.encode(line),
    }))
    await bus.produce(TOPICS.requests.name, records)
    await delay(150)
  }
}

async function consumed(process: WorkerProcess | null): Promise<number> {
  const text = await (await fetch(`${process?.url}/metrics`)).text()
  const values = [...text.matchAll(/^haldane_events_consumed_total\{.*\} (\d+)$/gm)]
  return values.reduce((sum, match) => sum + Number(match[1]), 0)
}

/** Records of the topic that the group has committed. */
async function caughtUp(): Promise<number> {
  const text = await (await fetch(`${worker?.url}/metrics`)).text()
  const lags = [...text.matchAll(/^haldane_consumer_lag_messages\{.*\} (\d+)$/gm)]
  const lag = lags.reduce((sum, match) => sum + Number(match[1]), 0)
  if (lags.length < TOPICS.requests.partitions || lag > 0) return 0
  return Number.POSITIVE_INFINITY
}

async function lastDecisions(process: WorkerProcess): Promise<Map<string, string>> {
  const phases = new Map<string, string>()
  await until(
    async () => {
      const decisions = await (await fetch(`${process.url}/v1/decisions`)).json()
      for (const decision of decisions as WireDecision[]) phases.set(decision.route, decision.phase)
      return [...phases.values()].every((phase) => phase !== 'ramping') && phases.size === 2
    },
    'both releases to end',
    60_000,
  )
  return phases
}

async function until(done: () => Promise<boolean>, what: string, timeoutMs: number): Promise<void> {
  const untilMs = Date.now() + timeoutMs
  while (!(await done())) {
    if (Date.now() > untilMs) throw new Error(`waited in vain for ${what}: ${worker?.stderr()}`)
    await delay(100)
  }
}

function haldane(args: readonly string[]): string {
  return execFileSync(process.execPath, [PROGRAM, ...args], {
    env: { ...process.env, HALDANE_DATA_DIR: dataDir },
    encoding: 'utf8',
    maxBuffer: 256 * 1024 * 1024,
    stdio: ['ignore', 'pipe', 'pipe'],
  })
}

function sql<Row>(statement: string): Row[] {
  return haldane(['sql', statement, '--json'])
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as Row)
}

function recordedDecisions(route: string): WireDecision[] {
  const rows = sql<{ decision: string }>(
    `SELECT decision FROM decisions WHERE route = '${route}' ORDER BY generation`,
  )
  return rows.map((row) => JSON.parse(row.decision) as WireDecision)
}

function parseLines(text: string): WireDecision[] {
  return text
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as WireDecision)
}

/** Everything but what a clock on the wall decides. */
function comparable(decision: WireDecision) {
  const { decided_at, expires_at, decided_by, ...rest } = decision
  return { ...rest, ended: expires_at === null }
}

/** Places of the records a dead letter came from. */
async function countRecords(topic: string): Promise<Set<string>> {
  const places = new Set<string>()
  const decoder = new TextDecoder()
  for (let partition = 0; partition < (await bus.partitionCount(topic)); partition++) {
    for (const { headers } of await bus.readToEnd(topic, partition)) {
      const place = ['x-src-partition', 'x-src-offset'].map((name) => decoder.decode(headers[name]))
      places.add(place.join('/'))
    }
  }
  return places
}

/** Generations of a route in the order of the topic, before compaction touches them. */
async function publishedGenerations(route: string): Promise<number[]> {
  const { name, partitions } = TOPICS.decisions
  const records = await bus.readToEnd(name, bus.partitionFor(route, partitions))
  const decoder = new TextDecoder()
  return records
    .map((record) => JSON.parse(decoder.decode(record.value ?? undefined)) as WireDecision)
    .filter((decision) => decision.route === route)
    .map((decision) => decision.generation)
}
