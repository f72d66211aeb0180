import { afterAll, afterEach, describe, expect, it } from 'vitest'
import {
  openServerEngine,
  type ServerOptions,
} from '../../../src/adapters/clickhouse/server-engine.ts'
import { openServerStore } from '../../../src/adapters/clickhouse/server-store.ts'
import { systemClock } from '../../../src/adapters/ops/clock.ts'
import { type HaldaneError, toHaldaneError } from '../../../src/domain/errors.ts'
import type { Store } from '../../../src/ports.ts'
import { freePort } from '../../support/broker-process.ts'
import { createAuthority } from '../../support/certificates.ts'
import { type ClickHouseFront, startClickHouseFront } from '../../support/clickhouse-front.ts'
import { silentLog, withTempDir } from '../../support/temp-store.ts'
import { MIDNIGHT, plainEvent } from './random-events.ts'

const PASSWORD = 'correct horse battery'
const LIMITS = { ingestMs: 2000, analysisMs: 2000, probeMs: 1000 }
const ROWS = 50

let dataDir = ''
let port = 0
let front: ClickHouseFront
let store: Store
withTempDir(async (directory) => {
  dataDir = directory
  port = await freePort()
  front = await startFront()
  store = openStore()
  await store.migrate()
})
afterEach(() => front.faults.clear())
afterAll(async () => {
  await store.close()
  await front.close()
})

const startFront = () => startClickHouseFront({ dataDir, password: PASSWORD, port })
const serverOptions = (): ServerOptions => ({
  ...{ url: `http://127.0.0.1:${port}`, database: 'haldane', username: 'default' },
  ...{ password: PASSWORD, ca: null },
})
const openStore = (changes: Partial<ServerOptions> = {}) =>
  openServerStore({
    server: { ...serverOptions(), ...changes },
    clock: systemClock,
    log: silentLog,
    limits: LIMITS,
  })

/** A batch over two days that can be sent again and again. */
function openBatch(topic: string) {
  const batch = store.newBatch()
  for (let offset = 0; offset < ROWS; offset++) {
    const occurredAtMs = MIDNIGHT + (offset % 2) * 86_400_000
    const place = { topic, partition: 3, offset, timestampMs: MIDNIGHT, arrivalWatermarkMs: 0 }
    batch.add(plainEvent({ occurredAtMs }), place)
  }
  const range = { topic, partition: 3, from: 0, to: ROWS - 1 }
  return {
    send: (sentBefore: boolean) => store.insertEvents(batch, { ...range, sentBefore }),
    rows: async () => (await store.presentOffsets(topic, 3, 0)).length,
  }
}

async function failureOf(work: Promise<unknown>): Promise<HaldaneError> {
  return work.then(
    () => {
      throw new Error('it did not fail')
    },
    (thrown: unknown) => toHaldaneError(thrown),
  )
}

const inserts = () => front.statements.filter((sql) => /^INSERT INTO request_events/.test(sql))

describe('an insert on a server', () => {
  it.each([
    ['is cut off before it is carried out', { kind: 'cut_before' }, 0],
    ['is carried out and its answer lost', { kind: 'cut_after' }, ROWS],
    ['is carried out and answered too late', { kind: 'delay_after', ms: 4000 }, ROWS],
    ['finds too many parts', { kind: 'refuse', error: [252, 'TOO_MANY_PARTS'] }, 0],
    ['finds no memory', { kind: 'refuse', error: [241, 'MEMORY_LIMIT_EXCEEDED'] }, 0],
    ['finds a proxy without a server', { kind: 'answer', answer: [502, '<p>Bad Gateway'] }, 0],
  ] as const)(
    'that %s may be sent again, and every row is there once',
    async (name, fault, stored) => {
      const { send, rows } = openBatch(name)
      front.faults.add({ statement: 'INSERT INTO request_events', ...fault })
      const before = inserts().length
      const failure = await failureOf(send(false))
      expect(failure).toMatchObject({ code: 'store_unavailable', retryable: true })
      // Whether it arrived is not known here, so the one who sent it decides what is sent again.
      expect(inserts().length - before).toBe(1)
      expect(await rows()).toBe(stored)
      await send(true)
      expect(await rows()).toBe(ROWS)
    },
  )

  it('that the engine cannot take is a fault of ours and not sent again', async () => {
    const { send } = openBatch('refused')
    front.faults.add({
      statement: 'INSERT INTO request_events',
      kind: 'refuse',
      error: [27, 'CANNOT_PARSE_INPUT_ASSERTION_FAILED'],
    })
    expect(await failureOf(send(false))).toMatchObject({ code: 'internal', retryable: false })
  })

  it('holds its rows in the body, compressed, and its settings in the statement', async () => {
    const { send } = openBatch('settings')
    await send(false)
    expect(inserts().at(-1)).toMatch(
      /^INSERT INTO request_events \(.*\) SETTINGS async_insert = 0, .*insert_deduplication_token = 'settings:3:0-49' FORMAT RowBinary$/,
    )
  })
})

describe('a question to a server', () => {
  const progress = () => store.progress('nothing')

  it('is asked again when the connection breaks, before or in the middle of the answer', async () => {
    front.faults.add({ statement: 'FROM ingest_progress', kind: 'cut_before' })
    expect(await progress()).toEqual([])
    front.faults.add({ statement: 'FROM ingest_progress', kind: 'cut_amid' })
    expect(await progress()).toEqual([])
  })

  it('that fails in the middle of its answer fails, instead of giving half of it', async () => {
    const engine = openServerEngine(serverOptions(), { clock: systemClock, limits: LIMITS })
    const read = (failingAt: number) =>
      engine.analysis.selectTuples(
        'numbers',
        `SELECT number, throwIf(number = ${failingAt}) FROM numbers(1000000)`,
      )
    expect(await read(2_000_000)).toHaveLength(1_000_000)
    const failure = await failureOf(read(900_000))
    expect(failure).toMatchObject({ code: 'internal' })
    expect(failure.message).toMatch(/Value passed to 'throwIf'/)
    await engine.close()

    front.faults.add({ statement: 'FROM numbers', kind: 'fail_amid' })
    const passing = store.query('SELECT number FROM numbers(10)')
    expect(await failureOf(passing)).toMatchObject({ code: 'store_unavailable', retryable: true })
  })

  it('without an answer in time is given up', async () => {
    front.faults.add({ statement: 'FROM ingest_progress', kind: 'delay_before', ms: 4000 })
    const failure = await failureOf(progress())
    expect(failure).toMatchObject({ code: 'store_unavailable', retryable: true })
    expect(failure.message).toBe(
      `ClickHouse does not answer at http://127.0.0.1:${port} (Timeout error)`,
    )
  })

  it('does not keep others waiting: a ping has a connection of its own', async () => {
    front.faults.add({ statement: 'numbers\\(7\\)', kind: 'delay_before', ms: 1500 })
    let answered = false
    const slow = store.query('SELECT number FROM numbers(7)').then(() => {
      answered = true
    })
    await store.ping()
    expect(answered).toBe(false)
    await slow
  })

  it('comes through with any text, long ones too', async () => {
    const message = `it's "x"\n\t\\; {a:String} é😀 FORMAT`
    const commandId = `c${message.repeat(2000)}`
    const outcome = { commandId, outcome: 'accepted', releaseId: message, message } as const
    await store.recordOutcome(outcome)
    expect(await store.outcome(commandId)).toEqual(outcome)
    expect(await store.outcome(`${commandId} `)).toBeNull()
  })
})

describe('a server', () => {
  it('that is gone is told by its address, and its return needs nothing', async () => {
    await front.close()
    const failure = await failureOf(store.ping())
    expect(failure).toMatchObject({ code: 'store_unavailable', retryable: true })
    expect(failure.message).toBe(
      `ClickHouse does not answer at http://127.0.0.1:${port} (ECONNREFUSED)`,
    )
    front = await startFront()
    await store.ping()
    const { send, rows } = openBatch('after the restart')
    await send(false)
    expect(await rows()).toBe(ROWS)
  })

  it('that remembers a batch over a restart takes it once', async () => {
    const { send, rows } = openBatch('over the restart')
    front.faults.add({ statement: 'INSERT INTO request_events', kind: 'cut_after' })
    await failureOf(send(false))
    await front.close()
    front = await startFront()
    await send(true)
    expect(await rows()).toBe(ROWS)
  })

  it('that refuses the password is told in one line, without the password', async () => {
    const wrong = openStore({ password: 'hunter2-and-more' })
    const failure = await failureOf(wrong.progress('x'))
    expect(failure).toMatchObject({ code: 'unauthorized', retryable: false })
    expect(failure.message).toBe(`ClickHouse at http://127.0.0.1:${port} refuses the user default`)
    expect(failure.remedy).toContain('HALDANE_CLICKHOUSE_PASSWORD')
    const said = [failure.message, failure.remedy, failure.stack, String(failure.cause)].join()
    expect(said).not.toContain('hunter2')
    await wrong.close()
  })

  it('without the database says what to do, and gets it with its tables by migrate', async () => {
    const fresh = openStore({ database: 'another`one' })
    expect(await failureOf(fresh.progress('x'))).toMatchObject({
      code: 'store_unavailable',
      retryable: false,
      remedy: expect.stringContaining('haldane migrate'),
    })
    const missing = await fresh.pendingMigrations()
    expect(missing[0]).toBe('0001_request_events')
    expect(await fresh.migrate()).toEqual(missing)
    expect(await fresh.pendingMigrations()).toEqual([])
    expect(await fresh.progress('x')).toEqual([])
    await fresh.close()
  })

  it.each([
    'http://user:secret@localhost:8123',
    'http://localhost:8123/?x=secret',
    'ftp://secret/',
  ])('is not looked for at %s', (url) => {
    expect(() => openStore({ url })).toThrow('HALDANE_CLICKHOUSE_URL')
    try {
      openStore({ url })
    } catch (thrown) {
      expect(JSON.stringify([String(thrown), toHaldaneError(thrown).remedy])).not.toContain(
        'secret',
      )
    }
  })

  it('with TLS is trusted by the certificate of its authority alone', async () => {
    const authority = createAuthority()
    const secured = await startClickHouseFront({
      dataDir,
      password: PASSWORD,
      tls: authority.issue('front'),
    })
    const trusting = openStore({ url: secured.url, ca: authority.ca })
    expect(await trusting.progress('x')).toEqual([])
    await trusting.close()
    const doubting = openStore({ url: secured.url })
    const failure = await failureOf(doubting.progress('x'))
    expect(failure).toMatchObject({ code: 'store_unavailable', retryable: false })
    expect(failure.message).toContain('cannot trust ClickHouse at https://127.0.0.1')
    expect(failure.remedy).toContain('HALDANE_CLICKHOUSE_CA_FILE')
    await doubting.close()
    const plain = openStore({ url: secured.url.replace('https:', 'http:') })
    expect(await failureOf(plain.progress('x'))).toMatchObject({ code: 'store_unavailable' })
    await plain.close()
    await secured.close()
  })
})
