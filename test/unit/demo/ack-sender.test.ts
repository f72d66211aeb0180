import { describe, expect, it, onTestFinished } from 'vitest'
import { createAckSender } from '../../../src/demo/ack-sender.ts'
import { eventually } from './eventually.ts'
import { openStubWorker } from './stub-worker.ts'

const applied = (generation: number) => ({
  generation,
  traffic: [{ version: '1.1.0', role: 'stable', weight: 100 }] as const,
  appliedAtMs: 1_790_000_000_000,
})

async function open() {
  const worker = await openStubWorker()
  const acks = createAckSender({
    door: { url: worker.url, token: null },
    route: 'm/production',
    routerId: 'r',
  })
  onTestFinished(() => acks.stop())
  return { worker, acks }
}

describe('createAckSender', () => {
  it('repeats an ack until the worker has taken it', async () => {
    const { worker, acks } = await open()
    worker.answerAck = (attempt) => ({ status: attempt < 2 ? 503 : 204 })
    acks.acknowledge(applied(1))
    await eventually(() => expect(acks.problem()).toContain('503'))
    await eventually(() => expect(worker.acks).toHaveLength(1))
    expect(worker.acks[0]?.['applied_at']).toBe('2026-09-21T14:13:20.000Z')
    await eventually(() => expect(acks.problem()).toBeNull())
  })

  it('sends the newest when several were applied while the worker was away', async () => {
    const { worker, acks } = await open()
    let away = true
    worker.answerAck = () => ({ status: away ? 503 : 204 })
    acks.acknowledge(applied(1))
    await eventually(() => expect(acks.problem()).not.toBeNull())
    acks.acknowledge(applied(2))
    acks.acknowledge(applied(3))
    away = false
    await eventually(() => expect(acks.problem()).toBeNull())
    expect(worker.acks.map((ack) => ack['applied_generation'])).toEqual([3])
  })

  it('does not repeat an ack that the worker refuses for good', async () => {
    const { worker, acks } = await open()
    const statuses: number[] = []
    worker.answerAck = (attempt) => {
      statuses.push(attempt)
      return { status: attempt === 0 ? 422 : 204 }
    }
    acks.acknowledge(applied(1))
    await eventually(() => expect(acks.problem()).toContain('422'))
    acks.acknowledge(applied(2))
    await eventually(() => expect(worker.acks).toHaveLength(1))
    expect(statuses).toEqual([0, 1])
  })

  it('stops in the middle of its repeats', async () => {
    const { worker, acks } = await open()
    worker.answerAck = () => ({ status: 503 })
    acks.acknowledge(applied(1))
    await eventually(() => expect(acks.problem()).not.toBeNull())
    await acks.stop()
    expect(worker.acks).toEqual([])
  })
})
