import { describe, expect, it, onTestFinished } from 'vitest'
import { createEventSender, type SenderOptions } from '../../../src/demo/event-sender.ts'
import { eventually } from './eventually.ts'
import { openStubWorker } from './stub-worker.ts'

const line = (number: number) => JSON.stringify({ request_id: `run-${number}` })
const ids = (from: number, to: number) =>
  Array.from({ length: to - from }, (_, i) => `run-${from + i}`)

async function open(options: Partial<SenderOptions> = {}) {
  const worker = await openStubWorker()
  const sender = createEventSender({
    door: { url: worker.url, token: null },
    flushMs: 5,
    retry: { firstMs: 5, maxMs: 10 },
    ...options,
  })
  onTestFinished(() => sender.stop(0))
  const add = (from: number, to: number) => {
    for (let number = from; number < to; number++) sender.add(line(number))
  }
  const taken = () => worker.events.map((event) => event['request_id'])
  return { worker, sender, add, taken }
}

describe('createEventSender', () => {
  it('posts waiting events together as NDJSON, in order', async () => {
    const { worker, sender, add, taken } = await open()
    add(0, 250)
    sender.start()
    await eventually(() => expect(sender.totals().accepted).toBe(250))
    expect(taken()).toEqual(ids(0, 250))
    expect(worker.eventBodies).toHaveLength(1)
    expect(worker.eventBodies[0]?.endsWith('}\n')).toBe(true)
  })

  it('repeats a batch byte for byte until the worker takes it, before any later one', async () => {
    const { worker, sender, add, taken } = await open()
    worker.answerEvents = (attempt) => ({ status: attempt < 3 ? 503 : 200 })
    add(0, 10)
    sender.start()
    await eventually(() => expect(worker.eventBodies.length).toBeGreaterThan(0))
    add(10, 30)
    await eventually(() => expect(sender.totals().accepted).toBe(30))
    expect(taken()).toEqual(ids(0, 30))
    expect(new Set(worker.eventBodies.slice(0, 4)).size).toBe(1)
    expect(sender.totals()).toMatchObject({ retries: 3, rejected: 0, failed: 0, problem: null })
  })

  it('repeats the same request ids when the answer was lost, so that nothing counts twice', async () => {
    const { worker, sender, add, taken } = await open()
    worker.answerEvents = (attempt) => ({ status: 200, hangUp: attempt < 2 })
    add(0, 20)
    sender.start()
    await eventually(() => expect(sender.totals().accepted).toBe(20))
    expect(taken()).toHaveLength(60)
    expect(new Set(taken()).size).toBe(20)
    expect(sender.totals()).toMatchObject({ sent: 20, accepted: 20, retries: 2, pending: 0 })
  })

  it('repeats when no answer comes in time', async () => {
    const { worker, sender, add } = await open({ timeoutMs: 50 })
    worker.answerEvents = (attempt) => ({ status: 200, silent: attempt === 0 })
    add(0, 5)
    sender.start()
    await eventually(() => expect(sender.totals().accepted).toBe(5))
    expect(worker.eventBodies).toHaveLength(2)
    expect(sender.totals().retries).toBe(1)
  })

  it('counts what the worker rejects and does not send it again', async () => {
    const { worker, sender, add } = await open()
    worker.answerEvents = (attempt) =>
      attempt === 0
        ? { status: 200, body: { accepted: 7, rejected: 3, stored: true, errors: [] } }
        : { status: 422, body: { accepted: 0, rejected: 5, detail: 'none of them is valid' } }
    add(0, 10)
    sender.start()
    await eventually(() => expect(sender.totals().accepted).toBe(7))
    add(10, 15)
    await eventually(() => expect(sender.totals().rejected).toBe(8))
    expect(worker.eventBodies).toHaveLength(2)
    expect(sender.totals()).toMatchObject({ sent: 15, pending: 0, retries: 0 })
    expect(sender.totals().problem).toContain('none of them is valid')
  })

  it('counts a whole batch as rejected when it is refused without numbers', async () => {
    const { worker, sender, add } = await open()
    worker.answerEvents = () => ({ status: 401 })
    add(0, 4)
    sender.start()
    await eventually(() => expect(sender.totals().rejected).toBe(4))
  })

  it('never sends more than a batch at once, and not at the same time', async () => {
    const { worker, sender, add, taken } = await open({ batchMax: 40 })
    worker.answerEvents = () => ({ status: 200, heldMs: 20 })
    add(0, 100)
    sender.start()
    await eventually(() => expect(sender.totals().accepted).toBe(100))
    expect(taken()).toEqual(ids(0, 100))
    expect(worker.eventBodies.map((body) => body.trimEnd().split('\n').length)).toEqual([
      40, 40, 20,
    ])
    expect(worker.mostAtOnce).toBe(1)
  })

  it('drops the oldest when too many wait, and says so', async () => {
    const { sender, add, taken } = await open({ pendingMax: 100 })
    add(0, 130)
    expect(sender.totals()).toMatchObject({ sent: 130, failed: 30, pending: 100 })
    sender.start()
    await eventually(() => expect(sender.totals().accepted).toBe(100))
    expect(taken()).toEqual(ids(30, 130))
  })

  it('sends what is waiting before it stops', async () => {
    const { sender, add, taken } = await open({ batchMax: 30 })
    sender.start()
    add(0, 100)
    await sender.stop(5000)
    expect(taken()).toEqual(ids(0, 100))
    expect(sender.totals()).toMatchObject({ accepted: 100, failed: 0, pending: 0 })
  })

  it('stops in time without a worker and counts the rest as failed', async () => {
    const { worker, sender, add } = await open({ batchMax: 30 })
    worker.answerEvents = () => ({ status: 503 })
    sender.start()
    add(0, 100)
    await sender.stop(50)
    expect(sender.totals()).toMatchObject({ sent: 100, accepted: 0, failed: 100, pending: 0 })
  })
})
