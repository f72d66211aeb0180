import { connect } from 'node:net'
import { setTimeout as delay } from 'node:timers/promises'
import { describe, expect, it } from 'vitest'
import { decodeRequestEvent } from '../../../src/contract/request-event-decoder.ts'
import { generateEvents, toLines } from '../../support/event-generator.ts'
import { useWorker } from './fuzz-worker.ts'
import type { FuzzedInput } from './fuzzed-events.ts'
import { createRequestFuzzer, type FuzzedConnection } from './fuzzed-requests.ts'
import { type Conversation, type RawAnswer, readAnswers } from './http-answers.ts'

const CONNECTIONS = Number(process.env['FUZZ_REQUESTS'] ?? 1000)
const SEED = Number(process.env['FUZZ_SEED'] ?? Date.now() % 1_000_000)
const AT_ONCE = 24
/** An answer that is owed is waited for; the machine may be busy. */
const OWED_MS = 30_000
/** How long a connection that is owed nothing is listened to after its last byte. */
const QUIET_MS = 60
const TIMEOUT_MS = 120_000 + 30 * CONNECTIONS

interface Told {
  readonly accepted?: number
  readonly rejected?: number
  readonly errors?: readonly { readonly index: number }[]
}

describe(`a worker that is sent ${CONNECTIONS} broken requests (FUZZ_SEED=${SEED})`, () => {
  const worker = useWorker()
  const statuses = new Map<number, number>()
  /** How often each request id must at least be stored. */
  const owed = new Map<string, number>()
  let accepted = 0
  let sent = 0
  let answered = 0
  let unanswered = 0

  const settle = (inputs: readonly FuzzedInput[], { status, body }: RawAnswer) => {
    const told = JSON.parse(body.toString()) as Told
    expect([200, 422], body.toString().slice(0, 500)).toContain(status)
    expect((told.accepted ?? 0) + (told.rejected ?? 0)).toBe(inputs.length)
    const refused = new Set(told.errors?.map(({ index }) => index))
    expect(refused.size).toBe(told.rejected)
    for (const [index, { bytes, valid }] of inputs.entries()) {
      if (refused.has(index)) {
        if (valid) throw new Error(`refused: ${bytes.toString()}`)
        continue
      }
      const event = decodeRequestEvent(bytes, 0)
      if (Array.isArray(event)) continue
      owed.set(event.requestId, (owed.get(event.requestId) ?? 0) + 1)
    }
    sent += inputs.length
    answered += (told.accepted ?? 0) + (told.rejected ?? 0)
  }

  const judge = (connection: FuzzedConnection, conversation: Conversation) => {
    const { methods, events } = connection
    if (methods.length === 0 && !connection.cut) unanswered++
    for (const [index, answer] of conversation.answers.entries()) {
      statuses.set(answer.status, (statuses.get(answer.status) ?? 0) + 1)
      assertWellFormed(answer, methods[index])
      const inputs = events[index]
      if (inputs) settle(inputs, answer)
      accepted += acceptedIn(answer)
    }
  }

  it('gives every request an answer or hangs up, and every error is a problem', {
    timeout: TIMEOUT_MS,
  }, async () => {
    const { host } = new URL(worker.url())
    const fuzzer = createRequestFuzzer(SEED, Date.now(), host)
    const violations: string[] = []
    let left = CONNECTIONS
    const run = async () => {
      while (left-- > 0) {
        const connection = fuzzer.next()
        try {
          judge(connection, await converse(worker.url(), connection))
        } catch (error) {
          const text = Buffer.concat(connection.pieces).toString('latin1').slice(0, 1500)
          violations.push(`${(error as Error).message}\nafter ${JSON.stringify(text)}`)
        }
        worker.watchMemory('requests', CONNECTIONS - Math.max(0, left), CONNECTIONS)
      }
    }
    await Promise.all(Array.from({ length: AT_ONCE }, run))
    expect(violations.slice(0, 5)).toEqual([])
    expect(answered).toBe(sent)
  })

  it('goes on as if nothing had been', async () => {
    const startMs = Date.now() - 60_000
    const options = { seed: SEED, events: 500, startMs, durationMs: 50_000, canaryShare: 0.5 }
    const lines = toLines(generateEvents(options))
    const answer = await worker.send(lines.join('\n'), 'application/x-ndjson')
    expect(answer).toMatchObject({ status: 200, accepted: 500, rejected: 0 })
    accepted += 500
    expect((await fetch(`${worker.url()}/readyz`)).status).toBe(200)
    expect(worker.failures()).toEqual([])
  })

  it('has stored what it said it accepted, each once', async () => {
    const { offsets, requestIds } = await worker.stopAndRead()
    // Of what was no HTTP from some byte on, the answer may be lost; such a connection has one event.
    expect(offsets.length).toBeGreaterThanOrEqual(accepted)
    expect(offsets.length - accepted).toBeLessThanOrEqual(unanswered)
    const stored = new Map<string, number>()
    for (const id of requestIds.values()) stored.set(id, (stored.get(id) ?? 0) + 1)
    for (const [id, times] of owed) {
      if ((stored.get(id) ?? 0) < times) throw new Error(`${id} is not stored ${times} times`)
    }
    // Much of everything, or the fuzzer tests nothing.
    const seen = [...statuses.keys()].sort((a, b) => a - b)
    expect(seen).toEqual(expect.arrayContaining([200, 400, 403, 404, 405, 415, 422, 431]))
    expect(owed.size).toBeGreaterThan(CONNECTIONS)
    expect(worker.failures()).toEqual([])
  })
})

function assertWellFormed({ status, headers, body }: RawAnswer, method: string | undefined): void {
  if (status < 400) return
  expect([headers.get('content-type'), status]).toEqual(['application/problem+json', status])
  if (method === 'HEAD') return
  const problem = JSON.parse(body.toString()) as Record<string, unknown>
  expect(problem).toMatchObject({
    ...{ status, type: expect.stringMatching(/^\/problems\/[a-z-]+$/), title: expect.any(String) },
    detail: expect.any(String),
  })
  expect([500, 501, 502, 504]).not.toContain(status)
  if (status === 429 || status === 503) expect(headers.get('retry-after')).toMatch(/^\d+$/)
}

/** Events that the answer says were accepted. */
function acceptedIn({ status, body }: RawAnswer): number {
  if ((status !== 200 && status !== 422) || !body.includes('"accepted":')) return 0
  return (JSON.parse(body.toString()) as Told).accepted ?? 0
}

/** Sends the pieces and listens until nothing more is owed. Rejects when an owed answer is missing. */
async function converse(url: string, connection: FuzzedConnection): Promise<Conversation> {
  const { hostname, port } = new URL(url)
  const socket = connect({ port: Number(port), host: hostname, noDelay: true })
  const chunks: Buffer[] = []
  let closed = false
  let heardAt = performance.now()
  const whole = () => readAnswers(Buffer.concat(chunks), connection.methods)
  socket.on('data', (chunk) => {
    chunks.push(chunk)
    heardAt = performance.now()
  })
  socket.on('error', () => undefined)
  socket.once('close', () => {
    closed = true
  })
  socket.once('end', () => socket.end())
  try {
    for (const piece of connection.pieces) {
      if (closed) break
      await write(socket, piece)
      if (connection.slow) await delay(30)
    }
    if (connection.cut) return { answers: [], rest: Buffer.alloc(0), streaming: false }
    const sentAt = performance.now()
    const owed = connection.methods.length
    for (;;) {
      const ended = closed
      const conversation = whole()
      const { answers, rest, streaming } = conversation
      if (streaming || (owed > 0 && answers.length >= owed)) return conversation
      if (ended) {
        if (rest.length > 0) throw new Error('the connection ended in the middle of an answer')
        const said = answers.at(-1)?.headers.get('connection')
        if (owed > 0 && said !== 'close') throw new Error('the connection ended without an answer')
        return conversation
      }
      const now = performance.now()
      if (owed === 0 && rest.length === 0 && now - Math.max(sentAt, heardAt) > QUIET_MS) {
        return conversation
      }
      if (now - sentAt > OWED_MS) {
        throw new Error(`${answers.length} of ${owed} answers, and then silence`)
      }
      await delay(owed > 0 ? 2 : 10)
    }
  } finally {
    socket.destroy()
  }
}

function write(socket: ReturnType<typeof connect>, piece: Buffer): Promise<void> {
  return new Promise((resolve) => {
    if (socket.write(piece)) {
      resolve()
      return
    }
    socket.once('drain', resolve)
    socket.once('close', () => resolve())
  })
}
