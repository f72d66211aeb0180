import { describe, expect, it } from 'vitest'
import { decodeRequestEvent, guardMismatches } from '../../../src/contract/request-event-decoder.ts'
import { type Answer, useWorker } from './fuzz-worker.ts'
import { createFuzzer, type FuzzedInput } from './fuzzed-events.ts'

const INPUTS = Number(process.env['FUZZ_INPUTS'] ?? 50_000)
const SEED = Number(process.env['FUZZ_SEED'] ?? Date.now() % 1_000_000)
const BATCH = 400
const LIST_SHARE = 0.1
const SINGLE_BODIES = 120
const DAMAGED_LISTS = 60
const TIMEOUT_MS = 240_000 + INPUTS

describe(`a worker that is sent ${INPUTS} broken events (FUZZ_SEED=${SEED})`, () => {
  const worker = useWorker()
  const fuzzer = createFuzzer(SEED, Date.now())
  /** Request ids by the offsets that must be stored; null where it is not known which one it is. */
  const expected = new Map<number, string | null>()
  let offset = 0
  let valid = 0

  /** Takes the answer about the inputs in hand into account; every one has used up an offset. */
  const settle = (inputs: readonly FuzzedInput[], answer: Answer) => {
    expect([200, 422], answer.detail).toContain(answer.status)
    expect(answer.accepted + answer.rejected, answer.detail).toBe(inputs.length)
    const refused = new Set(answer.errors.map(({ index }) => index))
    expect(refused.size).toBe(answer.rejected)
    for (const [index, { bytes, valid: mustPass }] of inputs.entries()) {
      const event = decodeRequestEvent(bytes, 0)
      if (!refused.has(index)) {
        expected.set(offset + index, Array.isArray(event) ? null : event.requestId)
      } else if (mustPass) {
        const reasons = answer.errors.filter((error) => error.index === index)
        throw new Error(`refused ${JSON.stringify(reasons)}: ${bytes.toString()}`)
      }
      if (mustPass) valid++
    }
    for (const { index, field, message } of answer.errors) {
      // Reasons are for people: short, on one line, without what cannot be printed.
      if (!/^[^\p{C}\p{Zl}\p{Zp}]{1,400}$/u.test(`${field}${message}`)) {
        throw new Error(`reason for ${index}: ${JSON.stringify({ field, message })}`)
      }
    }
    offset += inputs.length
  }

  const batchOf = (make: () => FuzzedInput, left: number) =>
    Array.from({ length: Math.min(BATCH, left) }, make)

  it('answers for every line, and refuses no valid event among them', {
    timeout: TIMEOUT_MS,
  }, async () => {
    const lines = Math.floor(INPUTS * (1 - LIST_SHARE))
    for (let sent = 0; sent < lines; sent += BATCH) {
      const inputs = batchOf(fuzzer.line, lines - sent)
      const body = Buffer.concat(inputs.flatMap(({ bytes }) => [bytes, Buffer.from('\n')]))
      settle(inputs, await worker.send(body, 'application/x-ndjson'))
      worker.watchMemory('events', offset, lines)
    }
  })

  it('answers for every element of a list, and refuses no valid event among them', {
    timeout: TIMEOUT_MS,
  }, async () => {
    const elements = Math.ceil(INPUTS * LIST_SHARE)
    for (let sent = 0; sent < elements; sent += BATCH) {
      const inputs = batchOf(fuzzer.element, elements - sent)
      const parts = inputs.flatMap(({ bytes }) => [bytes, Buffer.from(' ,\n')])
      const body = Buffer.concat([Buffer.from('['), ...parts.slice(0, -1), Buffer.from(']')])
      settle(inputs, await worker.send(body, 'application/json'))
    }
  })

  it('answers for bodies of any bytes, and for lists with damage between the elements', {
    timeout: TIMEOUT_MS,
  }, async () => {
    const bodies = Array.from({ length: SINGLE_BODIES }, () => fuzzer.body())
    for (let list = 0; list < DAMAGED_LISTS; list++) {
      const elements = Array.from({ length: 20 }, () => fuzzer.element().bytes.toString())
      bodies.push(fuzzer.damage(Buffer.from(`[${elements.join(',')}]`)))
    }
    for (const bytes of bodies) {
      const answer = await worker.send(bytes, 'application/json')
      if (answer.status === 400) continue
      expect([200, 422], answer.detail).toContain(answer.status)
      const refused = new Set(answer.errors.map(({ index }) => index))
      for (let index = 0; index < answer.accepted + answer.rejected; index++) {
        if (!refused.has(index)) expected.set(offset + index, null)
      }
      offset += answer.accepted + answer.rejected
    }
  })

  it('goes on as if nothing had been', async () => {
    const inputs = Array.from({ length: 2000 }, () => fuzzer.line()).filter((one) => one.valid)
    const body = Buffer.concat(inputs.flatMap(({ bytes }) => [bytes, Buffer.from('\n')]))
    settle(inputs, await worker.send(body, 'application/x-ndjson'))
    expect((await fetch(`${worker.url()}/readyz`)).status).toBe(200)
    expect(guardMismatches()).toBe(0)
    expect(worker.failures()).toEqual([])
  })

  it('has stored every accepted event once, and nothing else', async () => {
    const { offsets, requestIds } = await worker.stopAndRead()
    expect(offsets).toEqual([...expected.keys()].sort((a, b) => a - b))
    for (const [at, requestId] of expected) {
      if (requestId !== null && requestIds.get(at) !== requestId) {
        throw new Error(`offset ${at}: ${requestIds.get(at)} instead of ${requestId}`)
      }
    }
    // Much of both, or the fuzzer tests nothing.
    expect(valid).toBeGreaterThan(INPUTS / 10)
    expect(expected.size).toBeGreaterThan(valid + INPUTS / 50)
    expect(offset - expected.size).toBeGreaterThan(INPUTS / 4)
    expect(worker.failures()).toEqual([])
  })
})
