import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { createKafkaBus } from '../../src/adapters/kafka/bus.ts'
import { systemClock } from '../../src/adapters/ops/clock.ts'
import { silentLog } from '../../src/adapters/ops/logger.ts'
import { recordHeaders } from '../../src/contract/cloud-event-http.ts'
import { TOPICS } from '../../src/domain/topics.ts'
import type { Bus, BusRecord, OutgoingRecord } from '../../src/ports.ts'
import { startBroker } from '../support/broker.ts'
import type { TestBroker } from '../support/broker-process.ts'
import { eventForms, STORED_SQL } from '../support/event-forms.ts'
import { releaseFile } from '../support/event-generator.ts'
import { runHaldane } from '../support/run-haldane.ts'
import { startWorkerProcess, type WorkerProcess } from '../support/worker-process.ts'

const ROUTE = 'forms/production'
const dir = mkdtempSync(join(tmpdir(), 'haldane-forms-'))
const env = {
  HALDANE_KAFKA_BROKERS: '',
  HALDANE_DATA_DIR: join(dir, 'data'),
  HALDANE_KAFKA_SESSION_TIMEOUT_MS: '3000',
  HALDANE_BATCH_AGE_MS: '100',
}
const occurredAt = new Date(Date.now() - 60_000).toISOString()
const structuredHeaders = { 'content-type': 'application/cloudevents+json; charset=UTF-8' }

let broker: TestBroker
let bus: Bus
let worker: WorkerProcess

beforeAll(async () => {
  // Of its own, for other files write into the same topics.
  broker = await startBroker()
  env.HALDANE_KAFKA_BROKERS = broker.brokers.join(',')
  bus = createKafkaBus({
    brokers: broker.brokers,
    clientId: 'forms',
    log: silentLog,
    clock: systemClock,
  })
  worker = await startWorkerProcess(env)
  await worker.ready()
})

afterAll(async () => {
  await worker?.kill()
  await bus?.close()
  await broker?.stop()
  rmSync(dir, { recursive: true, force: true })
})

/** One record of each form; binary with the headers an HTTP gateway would hand on. */
function records(): OutgoingRecord[] {
  const record = (value: string, headers?: OutgoingRecord['headers']): OutgoingRecord => ({
    key: null,
    value: Buffer.from(value),
    ...(headers === undefined ? {} : { headers }),
  })
  const binary = eventForms('kafka-binary', occurredAt).binary
  return [
    record(eventForms('kafka-bare', occurredAt).bare),
    record(binary.body, recordHeaders(binary.headers)),
    record(eventForms('kafka-structured', occurredAt).structured, structuredHeaders),
    record(eventForms('kafka-structured-bare', occurredAt).structured),
  ]
}

async function post(body: string, headers: Readonly<Record<string, string>>): Promise<void> {
  const response = await fetch(`${worker.url}/v1/events`, { method: 'POST', headers, body })
  expect([response.status, await response.json()]).toEqual([
    202,
    { accepted: 1, rejected: 0, stored: false },
  ])
}

async function readAll(topic: string): Promise<BusRecord[]> {
  const count = await bus.partitionCount(topic)
  const partitions = Array.from({ length: count }, (_, partition) => partition)
  return (await Promise.all(partitions.map((one) => bus.readToEnd(topic, one)))).flat()
}

const textsOf = ({ headers }: BusRecord) =>
  Object.fromEntries(
    Object.entries(headers).map(([name, value]) => [name, Buffer.from(value).toString()]),
  )
const bodyOf = (record: BusRecord | undefined) => Buffer.from(record?.value ?? []).toString()

describe('CloudEvents on a real broker', () => {
  it('puts every refused record aside as it was, with its envelope', async () => {
    const binary = eventForms('kafka-refused', occurredAt).binary
    const headers = { ...recordHeaders(binary.headers), ce_specversion: '0.3' }
    const value = Buffer.from(binary.body)
    await bus.produce(TOPICS.requests.name, [{ key: 'k', value, headers }])
    const mine = async () =>
      (await readAll(TOPICS.requestsDeadLetters.name)).filter(
        (record) => textsOf(record)['ce_id'] === 'kafka-refused',
      )
    await expect.poll(async () => (await mine()).length, { timeout: 30_000 }).toBe(1)
    const [letter] = await mine()
    expect(bodyOf(letter)).toBe(binary.body)
    expect(letter && textsOf(letter)).toMatchObject({
      ce_specversion: '0.3',
      ce_source: '/services/intent classifier',
      'content-type': 'application/json',
      'x-error-field': 'ce_specversion',
      'x-error-code': 'format',
    })
  })

  it('writes decisions with the envelope in the headers, takes commands and acks in one', async () => {
    const file = join(dir, 'forms.yaml')
    writeFileSync(file, releaseFile().replace('intent-classifier/production', ROUTE))
    const started = await runHaldane(['release', 'start', file, '--url', worker.url])
    expect([started.exitCode, started.stderr]).toEqual([0, expect.any(String)])

    const at = new Date().toISOString()
    const envelope = { specversion: '1.0', id: 'e-1', source: '/people' }
    const pause = {
      ...{ ...envelope, type: 'com.example.ml.canary.control.v1' },
      data: {
        ...{ command_id: `c-${process.pid}-${Date.now()}`, kind: 'pause', route: ROUTE },
        ...{ release_id: `${ROUTE}/1.5.0`, at, by: 'mia', reason: 'lunch' },
      },
    }
    const value = Buffer.from(JSON.stringify(pause))
    await bus.produce(TOPICS.control.name, [{ key: ROUTE, value, headers: structuredHeaders }])
    const ack = { route: ROUTE, router_id: 'edge-1', applied_generation: 1, applied_at: at }
    await bus.produce(TOPICS.routing.name, [
      {
        ...{ key: ROUTE, value: Buffer.from(JSON.stringify(ack)) },
        headers: { ce_specversion: '1.0', ce_id: 'a-1', ce_source: '/router', ce_type: 'ack' },
      },
    ])
    const shown = async () => {
      const id = encodeURIComponent(`${ROUTE}/1.5.0`)
      const view = (await (await fetch(`${worker.url}/v1/releases/${id}`)).json()) as {
        decision: { phase: string } | null
        acks: readonly { router_id: string }[]
      }
      return [view.decision?.phase, view.acks.map(({ router_id }) => router_id)]
    }
    await expect.poll(shown, { timeout: 30_000 }).toEqual(['paused', ['edge-1']])

    const recorded = await (
      await fetch(`${worker.url}/v1/decisions?route=${encodeURIComponent(ROUTE)}&after=0`)
    ).json()
    const published = (await readAll(TOPICS.decisions.name)).filter(
      ({ key }) => Buffer.from(key ?? []).toString() === ROUTE,
    )
    expect(published.map((record) => JSON.parse(bodyOf(record)))).toEqual(recorded)
    for (const [index, decision] of (recorded as Record<string, string>[]).entries()) {
      expect(textsOf(published[index] as BusRecord)).toEqual({
        ce_specversion: '1.0',
        ce_id: decision['decision_id'],
        ce_source: '/haldane',
        ce_type: 'ml.canary.decision.v1',
        ce_subject: `${ROUTE}/1.5.0`,
        ce_time: decision['decided_at'],
        ce_sequence: String(index + 1).padStart(20, '0'),
        ce_expirytime: decision['expires_at'],
        'content-type': 'application/json',
      })
    }
  })

  it('stores one event of each form as the same row, by Kafka, HTTP and events send', async () => {
    const consumed = async () => {
      const text = await (await fetch(`${worker.url}/metrics`)).text()
      const labels = `topic="${TOPICS.requests.name}",result="accepted"`
      const line = text.split('\n').find((one) => one.includes(labels))
      if (line === undefined) throw new Error(`no metric with ${labels}`)
      return Number(line.slice(line.lastIndexOf(' ')))
    }
    const before = await consumed()
    await bus.produce(TOPICS.requests.name, records())
    const http = eventForms('http-binary', occurredAt).binary
    await post(http.body, http.headers)
    await post(eventForms('http-structured', occurredAt).structured, structuredHeaders)
    await post(`[${eventForms('http-batch', occurredAt).structured}]`, {
      'content-type': 'application/cloudevents-batch+json',
    })
    await post(eventForms('http-bare', occurredAt).bare, { 'content-type': 'application/json' })
    const file = join(dir, 'events.ndjson')
    const { bare } = eventForms('send-bare', occurredAt)
    writeFileSync(file, `${bare}\n${eventForms('send-structured', occurredAt).structured}\n{}\n`)
    const sent = await runHaldane(['events', 'send', file, '--json'], { env })
    expect(JSON.parse(sent.stdout)).toEqual({ events: 3, accepted: 2, refused: 1 })
    expect(sent.exitCode).toBe(1)
    expect(sent.stderr).toContain(`${file}:3: request_id: is missing`)

    const kept = (await readAll(TOPICS.requests.name)).find(
      (record) => textsOf(record)['ce_id'] === 'http-binary',
    )
    expect([bodyOf(kept), Buffer.from(kept?.key ?? []).toString()]).toEqual([
      http.body,
      'http-binary',
    ])

    const names = [
      ...['http-bare', 'http-batch', 'http-binary', 'http-structured'],
      ...['kafka-bare', 'kafka-binary', 'kafka-structured', 'kafka-structured-bare'],
      ...['send-bare', 'send-structured'],
    ]
    const expectedCount = before + names.length
    await expect.poll(consumed, { timeout: 60_000 }).toBeGreaterThanOrEqual(expectedCount)
    expect(await worker.stop()).toBe(0)
    const { stdout } = await runHaldane(['sql', STORED_SQL, '--json'], { env })
    const rows = new Map(
      stdout
        .trimEnd()
        .split('\n')
        .map((line) => JSON.parse(line) as Record<string, unknown>)
        .map(({ request_id, ...rest }) => [String(request_id), rest]),
    )
    expect(names.filter((name) => !rows.has(name))).toEqual([])
    const expected = rows.get('kafka-bare')
    expect(expected).toMatchObject({ model_version: '1.5.0', locale: 'de-DE', latency_ms: 41.25 })
    for (const name of names) expect([name, rows.get(name)]).toEqual([name, expected])
  })
})
