import { gzipSync } from 'node:zlib'
import { beforeAll, describe, expect, it } from 'vitest'
import { openEmbeddedEngine } from '../../../src/adapters/clickhouse/embedded-engine.ts'
import { createStore } from '../../../src/adapters/clickhouse/store.ts'
import { systemClock } from '../../../src/adapters/ops/clock.ts'
import { startWorker } from '../../../src/app.ts'
import { loadConfig } from '../../../src/config.ts'
import { REQUEST_EVENTS } from '../../../src/contract/event-format.ts'
import { storeFile } from '../../../src/pipeline/file-intake.ts'
import { type EventForms, eventForms, STORED_SQL } from '../../support/event-forms.ts'
import { silentLog, wallClock, withTempDir } from '../../support/temp-store.ts'

/** How each form comes in, and the name of the request that came that way. */
const HTTP: readonly (readonly [string, (forms: EventForms) => RequestInit])[] = [
  ['bare', ({ bare }) => json('application/json', bare)],
  ['list', ({ bare }) => json('application/json', `[${bare}]`)],
  ['lines', ({ bare }) => json('application/x-ndjson', `${bare}\n`)],
  ['binary', ({ binary }) => ({ body: binary.body, headers: binary.headers })],
  ['structured', ({ structured }) => json('application/cloudevents+json', structured)],
  ['batch', ({ structured }) => json('application/cloudevents-batch+json', `[${structured}]`)],
  ['structured-line', ({ structured }) => json('application/x-ndjson', structured)],
  ['structured-list', ({ structured }) => json('application/json', `[${structured}]`)],
  [
    'gzip',
    ({ structured }) => ({
      body: gzipSync(structured),
      headers: { 'content-type': 'application/cloudevents+json', 'content-encoding': 'gzip' },
    }),
  ],
]
const FILE: readonly (readonly [string, (forms: EventForms) => string])[] = [
  ['file-bare', ({ bare }) => bare],
  ['file-structured', ({ structured }) => structured],
]

function json(type: string, body: string): RequestInit {
  return { body, headers: { 'content-type': type } }
}

describe('one event in every form, at the doors of an embedded worker', () => {
  const occurredAt = new Date(Date.now() - 60_000).toISOString()
  const rows = new Map<string, Record<string, unknown>>()
  const answers: unknown[] = []
  let dataDir = ''

  withTempDir((directory) => {
    dataDir = directory
  })

  beforeAll(async () => {
    const environment = { log: silentLog, clock: systemClock, version: 'test' }
    const env = { HALDANE_DATA_DIR: dataDir, HALDANE_HTTP_PORT: '0', HALDANE_BATCH_AGE_MS: '10' }
    const worker = await startWorker(loadConfig(env), environment)
    await worker.ready
    for (const [name, request] of HTTP) {
      const init = { method: 'POST', ...request(eventForms(name, occurredAt)) }
      const response = await fetch(`${worker.url}/v1/events`, init)
      answers.push([name, response.status, await response.json()])
    }
    await worker.stop()

    const engine = await openEmbeddedEngine(dataDir)
    const store = createStore(engine, { clock: wallClock, log: silentLog })
    async function* chunks() {
      for (const [name, line] of FILE) yield Buffer.from(`${line(eventForms(name, occurredAt))}\n`)
    }
    await storeFile({
      ...{ store, format: REQUEST_EVENTS, topic: 'file', chunks: chunks() },
      onRejected: (line, reasons) => answers.push([line, reasons]),
      onProgress: () => undefined,
    })
    const { columns, rows: found } = await store.query(STORED_SQL)
    for (const values of found) {
      const row = Object.fromEntries(columns.map((name, index) => [name, values[index]]))
      const { request_id, ...rest } = row
      rows.set(String(request_id), rest)
    }
    await store.close()
  })

  it('is accepted', () => {
    const stored = { accepted: 1, rejected: 0, stored: true }
    expect(answers).toEqual(HTTP.map(([name]) => [name, 200, stored]))
  })

  it('is the same row out of SQL, but for its id', () => {
    const names = [...HTTP, ...FILE].map(([name]) => name)
    expect([...rows.keys()].sort()).toEqual([...names].sort())
    const expected = rows.get('bare')
    expect(expected).toMatchObject({ model_version: '1.5.0', locale: 'de-DE', latency_ms: 41.25 })
    for (const name of names) expect([name, rows.get(name)]).toEqual([name, expected])
  })
})
