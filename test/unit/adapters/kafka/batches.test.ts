import type { EachBatchPayload } from 'kafkajs'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { createBatchHandler } from '../../../../src/adapters/kafka/batches.ts'
import { type Assignment, createMembership } from '../../../../src/adapters/kafka/membership.ts'
import { createGate, createLogProbe } from '../../../support/bus-probe.ts'

const REJOIN = { type: 'REBALANCE_IN_PROGRESS' }

const assigned = (number: number, more: Partial<Assignment> = {}): Assignment => ({
  number,
  partitions: new Set([0, 1]),
  clean: true,
  rejoin: false,
  fenced: false,
  ...more,
})

function createScene(handle: () => Promise<void> = async () => {}) {
  const member = createMembership()
  member.assignment = assigned(1)
  const delivered: { partition: number; assignment: number }[] = []
  const onBatch = async (batch: { partition: number; assignment: number }) => {
    delivered.push({ partition: batch.partition, assignment: batch.assignment })
    await handle()
  }
  const handler = createBatchHandler(member, { topic: 't', onBatch }, 3000, createLogProbe())
  return { member, handler, delivered }
}

function createPayload(partition = 0, heartbeat: () => Promise<void> = async () => {}) {
  const resolved: string[] = []
  const messages = ['5', '6'].map((offset) => ({
    offset,
    timestamp: '0',
    key: null,
    value: null,
    headers: {},
    attributes: 0,
  }))
  const payload = {
    batch: { topic: 't', partition, highWatermark: '9', messages },
    heartbeat,
    resolveOffset: (offset: string) => resolved.push(offset),
    commitOffsetsIfNecessary: async () => {},
  } as unknown as EachBatchPayload
  return { payload, resolved }
}

describe('batches of a member', () => {
  it('are handed out, and the position moves on only when the handler is done', async () => {
    const gate = createGate()
    const { member, handler, delivered } = createScene(() => gate.passed)
    const { payload, resolved } = createPayload()
    const handling = handler.handle(payload)
    expect(delivered).toEqual([{ partition: 0, assignment: 1 }])
    expect(resolved).toEqual([])
    gate.open()
    await handling
    expect(resolved).toEqual(['6'])
    expect(member.positions.get(0)).toBe(7)
  })

  it('are held back once a commit or a heartbeat was refused, and the member joins again', async () => {
    const { member, handler, delivered } = createScene()
    member.assignment!.rejoin = true
    const { payload, resolved } = createPayload()
    await expect(handler.handle(payload)).rejects.toMatchObject(REJOIN)
    expect([delivered, resolved]).toEqual([[], []])
  })

  it('fetched before a join that kafkajs made on its own are not handed out after it', async () => {
    const { member, handler, delivered } = createScene()
    member.assignment = assigned(2, { clean: false })
    await expect(handler.handle(createPayload().payload)).rejects.toMatchObject(REJOIN)
    await expect(handler.handle(createPayload(1).payload)).rejects.toMatchObject(REJOIN)
    expect(delivered).toEqual([])
    member.assignment = assigned(3)
    await handler.handle(createPayload().payload)
    expect(delivered).toEqual([{ partition: 0, assignment: 3 }])
  })

  it('move no position when the member was assigned anew meanwhile', async () => {
    const gate = createGate()
    const { member, handler } = createScene(() => gate.passed)
    const { payload, resolved } = createPayload()
    const handling = handler.handle(payload)
    member.assignment = assigned(2)
    gate.open()
    await handling
    expect(resolved).toEqual([])
    expect(member.positions.size).toBe(0)
  })

  it('are left for later when the partition is paused, foreign, or the consumer stops', async () => {
    const { member, handler, delivered } = createScene()
    member.paused.add(0)
    await handler.handle(createPayload(0).payload)
    await handler.handle(createPayload(9).payload)
    member.paused.clear()
    member.stopping = true
    await handler.handle(createPayload(0).payload)
    expect(delivered).toEqual([])
  })

  it('end the consumer with the first failure of a handler', async () => {
    const { member, handler, delivered } = createScene(() => Promise.reject(new Error('disk full')))
    await expect(handler.handle(createPayload().payload)).rejects.toMatchObject({
      retriable: false,
    })
    expect(member.failure?.message).toBe('disk full')
    await handler.handle(createPayload(1).payload)
    expect(delivered).toHaveLength(1)
  })
})

describe('while a handler runs', () => {
  beforeEach(() => vi.useFakeTimers())
  afterEach(() => vi.useRealTimers())

  it('heartbeats go on, and stop with it', async () => {
    const gate = createGate()
    const heartbeat = vi.fn(async () => {})
    const { handler } = createScene(() => gate.passed)
    const handling = handler.handle(createPayload(0, heartbeat).payload)
    await vi.advanceTimersByTimeAsync(9000)
    expect(heartbeat.mock.calls.length).toBeGreaterThanOrEqual(3)
    gate.open()
    await handling
    expect(vi.getTimerCount()).toBe(0)
  })

  it('a rebalance waits for it: it may still commit, then the member joins again', async () => {
    const gate = createGate()
    const { member, handler } = createScene(() => gate.passed)
    const rebalancing = () => Promise.reject(Object.assign(new Error('rebalance'), REJOIN))
    const { payload, resolved } = createPayload(0, rebalancing)
    const handling = handler.handle(payload)
    await vi.advanceTimersByTimeAsync(3000)
    expect(member.assignment).toMatchObject({ rejoin: true, fenced: false })
    gate.open()
    await expect(handling).rejects.toMatchObject(REJOIN)
    expect(resolved).toEqual(['6'])
  })

  it('a member that the group no longer knows is fenced at once', async () => {
    const gate = createGate()
    const { member, handler } = createScene(() => gate.passed)
    const unknown = () =>
      Promise.reject(Object.assign(new Error('who?'), { type: 'UNKNOWN_MEMBER_ID' }))
    const handling = handler.handle(createPayload(0, unknown).payload)
    await vi.advanceTimersByTimeAsync(3000)
    expect(member.assignment).toMatchObject({ rejoin: true, fenced: true })
    gate.open()
    await expect(handling).rejects.toMatchObject(REJOIN)
  })
})
