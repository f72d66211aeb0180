import { afterEach, describe, expect, it } from 'vitest'
import { createMemoryBus, type MemoryBus } from '../../../../src/adapters/memory/bus.ts'
import { probeConsumer, realClock, textOf } from '../../../support/bus-probe.ts'

const record = (text: string, bytes = 0) => ({
  key: null,
  value: Buffer.from(text.padEnd(bytes, ' ')),
  partition: 0,
})

describe('retention of the in-process bus', () => {
  let bus: MemoryBus
  afterEach(() => bus.close())

  it('numbers records from where the store says that an earlier run ended', async () => {
    const starts: Record<string, number> = { 'requests/0': 120, 'requests/1': 7 }
    bus = createMemoryBus({
      clock: realClock,
      startOffsets: (topic, partition) => starts[`${topic}/${partition}`] ?? 0,
    })
    await bus.ensureTopics([{ name: 'requests', partitions: 2, compacted: false }])
    const probe = await probeConsumer(bus, 'requests', 'g')
    await bus.produce('requests', [
      { key: null, value: Buffer.from('a'), partition: 0 },
      { key: null, value: Buffer.from('b'), partition: 1 },
    ])
    await probe.received(2)
    expect(
      probe
        .records()
        .map(({ partition, offset }) => [partition, offset])
        .sort(),
    ).toEqual([
      [0, 120],
      [1, 7],
    ])
    expect(await probe.consumer.committed(0)).toEqual({ offset: null, metadata: '' })
  })

  it('forgets what every group has committed, and nothing that one of them has not', async () => {
    bus = createMemoryBus({ clock: realClock })
    await bus.ensureTopics([{ name: 't', partitions: 1, compacted: false }])
    const fast = await probeConsumer(bus, 't', 'fast')
    const slow = await probeConsumer(bus, 't', 'slow')
    await bus.produce(
      't',
      Array.from({ length: 100 }, (_, index) => record(`${index}`)),
    )
    await fast.consumer.commit(0, 100, '')
    expect(await bus.readToEnd('t', 0)).toHaveLength(100)
    await slow.consumer.commit(0, 40, '')
    const left = await bus.readToEnd('t', 0)
    expect(left.map(({ offset }) => offset)).toEqual(Array.from({ length: 60 }, (_, i) => i + 40))
    await slow.consumer.stop()
    const again = await probeConsumer(bus, 't', 'slow')
    await again.received(60)
  })

  it('keeps a bounded tail of a topic that no group reads', async () => {
    bus = createMemoryBus({ clock: realClock })
    await bus.ensureTopics([{ name: 'dead', partitions: 1, compacted: false }])
    for (let index = 0; index < 100; index++) {
      await bus.produce('dead', [record(`${index}`, 200_000)])
    }
    const tail = await bus.readToEnd('dead', 0)
    expect(tail.length).toBe(20)
    expect(textOf(tail.at(-1)?.value ?? null)?.trim()).toBe('99')
    expect(tail.at(-1)?.offset).toBe(99)
  })

  it('keeps no more of a compacted topic than its keys, however much is written', async () => {
    bus = createMemoryBus({ clock: realClock, bufferBytesMax: 1000 })
    await bus.ensureTopics([{ name: 'c', partitions: 1, compacted: true }])
    await probeConsumer(bus, 'c', 'never-commits')
    for (let index = 0; index < 5000; index++) {
      await bus.produce('c', [{ key: 'one', value: Buffer.from(`${index}`) }])
    }
    const kept = await bus.readToEnd('c', 0)
    expect(kept.length).toBeLessThan(300)
    expect(textOf(kept.at(-1)?.value ?? null)).toBe('4999')
  })
})
