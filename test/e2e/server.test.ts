import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { openServerStore } from '../../src/adapters/clickhouse/server-store.ts'
import { createKafkaBus } from '../../src/adapters/kafka/bus.ts'
import { systemClock } from '../../src/adapters/ops/clock.ts'
import { silentLog } from '../../src/adapters/ops/logger.ts'
import type { WireDecision } from '../../src/contract/decision.ts'
import { TOPICS } from '../../src/domain/topics.ts'
import type { Bus, Store } from '../../src/ports.ts'
import { startBroker } from '../support/broker.ts'
import type { TestBroker } from '../support/broker-process.ts'
import { type FrontProcess, launchClickHouseFront } from '../support/clickhouse-front-launcher.ts'
import { generateEvents, releaseFileAt } from '../support/event-generator.ts'
import { runHaldane } from '../support/run-haldane.ts'
import { startWorkerProcess, type WorkerProcess } from '../support/worker-process.ts'

const EVENTS = 300_000
const MORE_EVENTS = 60_000
const INVALID_EVERY = 1000
const SPAN_MS = 25 * 60_000
const PASSWORD = 'of the test'
const ROUTE = 'shared/production'

const dir = mkdtempSync(join(tmpdir(), 'haldane-e2e-server-'))
let broker: TestBroker
let bus: Bus
let front: FrontProcess
let store: Store
let env: Record<string, string>
let workers: WorkerProcess[] = []
/** Records written so far, and the invalid ones among them. */
const sent = { records: 0, invalid: 0 }

beforeAll(async () => {
  // Of its own: what the topics hold is counted.
  broker = await startBroker()
  front = await launchClickHouseFront(join(dir, 'clickhouse'), PASSWORD)
  store = openServerStore({
    server: {
      ...{ url: front.url, database: 'haldane', username: 'default' },
      ...{ password: PASSWORD, ca: null },
    },
    clock: systemClock,
    log: silentLog,
  })
  const { brokers } = broker
  bus = createKafkaBus({ brokers, clientId: 'e2e', log: silentLog, clock: systemClock })
  const passwordFile = join(dir, 'password')
  writeFileSync(passwordFile, `${PASSWORD}\n`)
  env = {
    HALDANE_KAFKA_BROKERS: brokers.join(','),
    HALDANE_CLICKHOUSE_URL: front.url,
    HALDANE_CLICKHOUSE_PASSWORD_FILE: passwordFile,
    HALDANE_KAFKA_SESSION_TIMEOUT_MS: '3000',
    HALDANE_BATCH_ROWS: '10000',
    HALDANE_BATCH_AGE_MS: '500',
  }
})

afterEach(async () => {
  for (const worker of workers) await worker.kill()
  workers = []
})

afterAll(async () => {
  await bus.close()
  await store.close()
  await front.stop()
  await broker.stop()
  rmSync(dir, { recursive: true, force: true })
})

describe('two workers on one server', () => {
  it('do not touch the tables: the first start says what to run', async () => {
    const { exitCode, stderr } = await runHaldane(['worker'], { env: { ...env, ...ANY_PORT } })
    expect(exitCode).toBe(1)
    expect(stderr).toMatch(
      /the tables in haldane at http.* are missing or old: 0001_request_events and \d+ more/,
    )
    expect(stderr).toContain('run `haldane migrate`')
    expect(stderr).not.toContain(PASSWORD)
    const migrated = await haldane(['migrate'])
    expect(migrated).toContain('applied 0001_request_events')
    expect(await haldane(['migrate'])).toContain('is up to date')
  })

  it('store every event once and miss no decision when one is killed on the way', async () => {
    const [first] = await launch(2)
    const start = await startRelease(first)
    const producing = produce(EVENTS, start)
    await until('a quarter is stored', async () => (await rows()) > EVENTS / 4)
    await first?.kill()
    await producing
    await untilStored()
    await until('the release ends', async () => (await recorded()).at(-1)?.phase === 'promoted')

    await expectExact()
    const generations = (await recorded()).map(({ generation }) => generation)
    expect(generations.length).toBeGreaterThan(3)
    expect(generations).toEqual(generations.map((_, index) => index + 1))
    expect(await published()).toEqual(generations)
  })

  it('store nothing twice when one is frozen with an insert on its way and wakes later', async () => {
    const [frozen, other] = await launch(2)
    await produce(INVALID_EVERY * 2, Date.now() - SPAN_MS)
    await until('both have partitions', async () => (await owners()).every((count) => count > 0))
    await front.addFault({
      statement: '^INSERT INTO request_events',
      kind: 'delay_before',
      ms: 8000,
      times: 2,
    })
    const producing = produce(MORE_EVENTS / 2, Date.now() - SPAN_MS)
    // A worker sends one insert at a time: two that wait are one of each.
    await until('both have an insert on its way', async () => (await front.delayed()) === 2)
    process.kill(frozen?.pid ?? 0, 'SIGSTOP')
    await producing
    await produce(MORE_EVENTS / 2, Date.now() - SPAN_MS)
    await untilStored()
    process.kill(frozen?.pid ?? 0, 'SIGCONT')
    await frozen?.ready()
    await until('the sleeper has partitions again', async () => (await owners()).every(Boolean))
    await produce(INVALID_EVERY * 2, Date.now() - SPAN_MS)
    await untilStored()
    await expectExact()
    expect(await frozen?.stop()).toBe(0)
    expect(await other?.stop()).toBe(0)
  })
})

describe('a worker for each role', () => {
  it('does its part only: what one takes in the second stores and the third decides on', async () => {
    const [api, ingest, analyze] = await Promise.all(
      (['api', 'ingest', 'analyze'] as const).map(async (role) => {
        const worker = await startWorkerProcess(env, ['--role', role])
        workers.push(worker)
        await worker.ready()
        return worker
      }),
    )
    const before = (await recorded()).length
    const startMs = await startRelease(api, '1.6.0')
    const events = generateEvents({
      ...{ events: 3000, startMs, durationMs: 60_000, canaryShare: 0.2, seed: 77 },
      modelName: 'shared',
    })
    const sentBefore = await rows()
    const lines = [...events].map((event) => JSON.stringify(event)).join('\n')
    const answer = await fetch(`${api?.url}/v1/events`, {
      method: 'POST',
      headers: { 'content-type': 'application/x-ndjson' },
      body: lines,
    })
    expect(answer.status).toBe(202)
    await until('they are stored', async () => (await rows()) === sentBefore + 3000)
    await until('a block is judged', async () => (await recorded()).length > before + 1)
    for (const worker of [ingest, analyze]) {
      expect((await fetch(`${worker?.url}/readyz`)).status).toBe(200)
      expect((await fetch(`${worker?.url}/v1/releases`)).status).toBe(404)
    }
    const lag = /^haldane_consumer_lag_messages\{/m
    expect(await (await fetch(`${ingest?.url}/metrics`)).text()).toMatch(lag)
    expect(await (await fetch(`${analyze?.url}/metrics`)).text()).not.toMatch(lag)
  })
})

const ANY_PORT = { HALDANE_HTTP_PORT: '0' }

async function launch(count: number): Promise<WorkerProcess[]> {
  for (let index = 0; index < count; index++) workers.push(await startWorkerProcess(env))
  await Promise.all(workers.map((worker) => worker.ready()))
  return workers
}

async function startRelease(worker: WorkerProcess | undefined, canary = '1.5.0'): Promise<number> {
  const file = join(dir, 'release.yaml')
  const text = releaseFileAt(0.2).replace('intent-classifier/production', ROUTE)
  writeFileSync(file, text.replace('1.5.0', canary))
  const startMs = Math.floor((Date.now() - SPAN_MS - 60_000) / 5000) * 5000
  const start = new Date(startMs).toISOString()
  await haldane(['release', 'start', file, '--url', worker?.url ?? '', '--start', start])
  return startMs
}

/** Events in time order, an invalid one now and then, slowly enough to be interrupted. */
async function produce(count: number, startMs: number): Promise<void> {
  const encoder = new TextEncoder()
  const events = generateEvents({
    ...{ events: count, startMs, durationMs: SPAN_MS, canaryShare: 0.2 },
    ...{ seed: 1 + sent.records, modelName: 'shared' },
    effect: (arm) => (arm === 'canary' ? { latencyScale: 0.9 } : {}),
  })
  let batch: { key: string; value: Uint8Array }[] = []
  const flush = async () => {
    await bus.produce(TOPICS.requests.name, batch)
    sent.records += batch.length
    batch = []
    await delay(100)
  }
  let index = 0
  for (const event of events) {
    batch.push({ key: String(event['request_id']), value: encoder.encode(JSON.stringify(event)) })
    if (index++ % INVALID_EVERY === 0) {
      batch.push({ key: 'broken', value: encoder.encode(`{"request_id":"broken-${index}"}`) })
      sent.invalid++
    }
    if (batch.length >= 5000) await flush()
  }
  await flush()
}

async function haldane(args: readonly string[]): Promise<string> {
  const { exitCode, stdout, stderr } = await runHaldane(args, { env })
  if (exitCode !== 0) throw new Error(`haldane ${args.join(' ')}: ${stderr}`)
  return stdout
}

async function rows(): Promise<number> {
  return Number((await store.query('SELECT count() FROM request_events')).rows[0]?.[0])
}

async function untilStored(): Promise<void> {
  await until('everything is stored', async () => (await rows()) >= sent.records - sent.invalid)
}

/** Rows = distinct places = what was produced without the dead letters, also after a while. */
async function expectExact(): Promise<void> {
  const wanted = sent.records - sent.invalid
  await delay(1000)
  const statement =
    'SELECT count() AS rows, uniqExact(kafka_partition, kafka_offset) AS places FROM request_events'
  // As a person would, with the workers running.
  const answer = await haldane(['sql', statement, '--json'])
  expect(JSON.parse(answer)).toEqual({ rows: wanted, places: wanted })
  expect(await deadLetters()).toBe(sent.invalid)
}

/** Distinct records among the dead letters: one may be there twice. */
async function deadLetters(): Promise<number> {
  const places = new Set<string>()
  const decoder = new TextDecoder()
  const { name } = TOPICS.requestsDeadLetters
  for (let partition = 0; partition < (await bus.partitionCount(name)); partition++) {
    for (const { headers } of await bus.readToEnd(name, partition)) {
      places.add(
        ['x-src-partition', 'x-src-offset'].map((key) => decoder.decode(headers[key])).join('/'),
      )
    }
  }
  return places.size
}

async function recorded(): Promise<WireDecision[]> {
  const found = await store.query(
    `SELECT decision FROM decisions WHERE route = '${ROUTE}' ORDER BY generation`,
  )
  return found.rows.map(([decision]) => JSON.parse(String(decision)) as WireDecision)
}

/** Generations in the order of the topic. */
async function published(): Promise<number[]> {
  const { name, partitions } = TOPICS.decisions
  const decoder = new TextDecoder()
  const records = await bus.readToEnd(name, bus.partitionFor(ROUTE, partitions))
  return records
    .map(({ value }) => JSON.parse(decoder.decode(value ?? undefined)) as WireDecision)
    .filter(({ route }) => route === ROUTE)
    .map(({ generation }) => generation)
}

/** Partitions of the request topic each worker has reported a lag of. */
async function owners(): Promise<number[]> {
  return Promise.all(
    workers.map(async ({ url }) => {
      const text = await (await fetch(`${url}/metrics`)).text()
      return [...text.matchAll(/^haldane_consumer_lag_messages\{/gm)].length
    }),
  )
}

async function until(
  what: string,
  condition: () => Promise<boolean>,
  timeoutMs = 120_000,
): Promise<void> {
  const untilMs = Date.now() + timeoutMs
  while (!(await condition())) {
    if (Date.now() > untilMs) {
      const said = workers.map((worker) => worker.stderr().slice(-3000)).join('\n---\n')
      throw new Error(`waited in vain until ${what}:\n${said}`)
    }
    await delay(200)
  }
}
