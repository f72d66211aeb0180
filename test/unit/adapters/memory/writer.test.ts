import { afterEach, describe, expect, it } from 'vitest'
import { createMemoryBus, type MemoryBus } from '../../../../src/adapters/memory/bus.ts'
import { eventually, probeConsumer, realClock, textOf } from '../../../support/bus-probe.ts'

const block = (text: string) => ({ key: null, value: Buffer.from(text.padEnd(10_000, ' ')) })
const state = (work: Promise<unknown>) => {
  const seen = { value: 'waiting' }
  work.then(
    () => {
      seen.value = 'done'
    },
    (error: { code: string }) => {
      seen.value = error.code
    },
  )
  return seen
}
const turns = () => new Promise((resolve) => setTimeout(resolve, 20))

describe('writing to the in-process bus', () => {
  let bus: MemoryBus
  afterEach(() => bus.close())

  const open = async () => {
    bus = createMemoryBus({ clock: realClock, bufferBytesMax: 25_000, batchRecordsMax: 1 })
    await bus.ensureTopics([
      { name: 'requests', partitions: 1, compacted: false },
      { name: 'dlq', partitions: 1, compacted: false },
    ])
  }

  it('waits when too much is uncommitted, in the order of the calls, until a commit makes room', async () => {
    await open()
    const probe = await probeConsumer(bus, 'requests', 'g')
    for (const text of ['1', '2', '3']) await bus.produce('requests', [block(text)])
    const fourth = state(bus.produce('requests', [block('4')]))
    const fifth = state(bus.produce('requests', [block('5')]))
    await turns()
    expect([fourth.value, fifth.value]).toEqual(['waiting', 'waiting'])
    await probe.received(3)
    await probe.consumer.commit(0, 1, '')
    await turns()
    expect([fourth.value, fifth.value]).toEqual(['done', 'waiting'])
    await probe.consumer.commit(0, 4, '')
    await eventually('the fifth is written', () => fifth.value === 'done')
    await probe.received(5)
    expect(probe.values().map((value) => value?.trim())).toEqual(['1', '2', '3', '4', '5'])
  })

  it('lets a handler write to topics that nobody reads, however full the bus is', async () => {
    await open()
    const written: string[] = []
    await probeConsumer(bus, 'requests', 'g', async (batch) => {
      await bus.produce('dlq', [block(textOf(batch.records[0]?.value ?? null)?.trim() ?? '')])
      written.push('dead letter')
    })
    for (const text of ['1', '2', '3']) await bus.produce('requests', [block(text)])
    const waiting = state(bus.produce('requests', [block('4')]))
    await eventually('all dead letters are out', () => written.length === 3)
    expect(waiting.value).toBe('waiting')
    expect(await bus.readToEnd('dlq', 0)).toHaveLength(3)
  })

  it('takes a call that is larger than the bound as a whole, when there is room', async () => {
    await open()
    await probeConsumer(bus, 'requests', 'g')
    await bus.produce('requests', ['1', '2', '3', '4', '5'].map(block))
    expect(await bus.readToEnd('requests', 0)).toHaveLength(5)
  })

  it('refuses waiting writers when it closes', async () => {
    await open()
    await probeConsumer(bus, 'requests', 'g')
    await bus.produce('requests', ['1', '2', '3'].map(block))
    const waiting = state(bus.produce('requests', [block('4')]))
    await turns()
    await bus.close()
    await turns()
    expect(waiting.value).toBe('bus_unavailable')
  })
})
