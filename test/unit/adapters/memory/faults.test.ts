import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { createMemoryBus, type MemoryBus } from '../../../../src/adapters/memory/bus.ts'
import type { HaldaneError } from '../../../../src/domain/errors.ts'
import { eventually, probeConsumer, realClock } from '../../../support/bus-probe.ts'

describe('faults of the in-process bus, on demand', () => {
  let bus: MemoryBus
  beforeEach(async () => {
    bus = createMemoryBus({ clock: realClock })
    await bus.ensureTopics([{ name: 't', partitions: 1, compacted: false }])
    await bus.produce(
      't',
      ['a', 'b', 'c'].map((text) => ({ key: null, value: Buffer.from(text) })),
    )
  })
  afterEach(() => bus.close())

  it('delivers again from the committed offset, within the same assignment', async () => {
    const probe = await probeConsumer(bus, 't', 'g')
    await probe.received(3)
    await probe.consumer.commit(0, 1, '')
    bus.faults.redeliver('g')
    await probe.received(5)
    expect(probe.values()).toEqual(['a', 'b', 'c', 'b', 'c'])
    expect(probe.assignments).toHaveLength(1)
  })

  it('delivers again also what a handler is just working on', async () => {
    let deliveries = 0
    const probe = await probeConsumer(bus, 't', 'g', async () => {
      if (deliveries++ === 0) bus.faults.redeliver('g')
    })
    await probe.received(6)
    expect(probe.values()).toEqual(['a', 'b', 'c', 'a', 'b', 'c'])
  })

  it('refuses as many commits as asked for, and lets the member join again each time', async () => {
    const probe = await probeConsumer(bus, 't', 'g')
    const outcome = () =>
      probe.consumer.commit(0, 3, 'x').then(
        () => 'done',
        (error: HaldaneError) => error.code,
      )
    bus.faults.refuseCommits('g', 2)
    expect(await outcome()).toBe('fenced')
    await eventually('it joined again', () => probe.assignments.length === 2)
    expect(await outcome()).toBe('fenced')
    await eventually('it joined again', () => probe.assignments.length === 3)
    expect(await probe.consumer.committed(0)).toEqual({ offset: null, metadata: '' })
    expect(await outcome()).toBe('done')
    expect(probe.assignments.map(({ number }) => number)).toEqual([1, 2, 3])
  })

  it('lets nothing be committed between a refusal and the next assignment', async () => {
    const outcomes: string[] = []
    bus.faults.refuseCommits('g')
    const probe = await probeConsumer(bus, 't', 'g', async (batch, { consumer }) => {
      if (batch.assignment > 1) return
      for (let turn = 0; turn < 2; turn++) {
        await consumer.commit(0, 3, '').catch((error: HaldaneError) => outcomes.push(error.code))
      }
    })
    await eventually('it joined again', () => probe.assignments.length === 2)
    expect(outcomes).toEqual(['fenced', 'fenced'])
    expect(await probe.consumer.committed(0)).toEqual({ offset: null, metadata: '' })
  })

  it('makes a group join again, and deliver what was not committed', async () => {
    const probe = await probeConsumer(bus, 't', 'g')
    await probe.received(3)
    await probe.consumer.commit(0, 2, '')
    bus.faults.rebalance('g')
    await probe.received(4)
    expect(probe.values()).toEqual(['a', 'b', 'c', 'c'])
    expect(probe.batches.map(({ assignment }) => assignment)).toEqual([1, 2])
  })

  it('delays deliveries, writes and commits until told otherwise', async () => {
    bus.faults.delay(50)
    const started = Date.now()
    const probe = await probeConsumer(bus, 't', 'g')
    await probe.received(3)
    await probe.consumer.commit(0, 3, '')
    await bus.produce('t', [{ key: null, value: Buffer.from('d') }])
    expect(Date.now() - started).toBeGreaterThanOrEqual(145)
    bus.faults.delay(0)
  })
})
