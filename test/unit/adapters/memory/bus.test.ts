import { describe, expect, it } from 'vitest'
import { createMemoryBus } from '../../../../src/adapters/memory/bus.ts'
import { describeBus, REBALANCE_TIMEOUT_MS } from '../../../contract/bus.contract.ts'
import { createGate, eventually, probeConsumer, realClock } from '../../../support/bus-probe.ts'

describeBus('the in-process bus', async () =>
  createMemoryBus({ clock: realClock, rebalanceTimeoutMs: REBALANCE_TIMEOUT_MS }),
)

describe('the in-process bus, beside what every bus does', () => {
  it('leaves no timer behind when it is closed', async () => {
    const bus = createMemoryBus({ clock: realClock })
    await bus.ensureTopics([{ name: 't', partitions: 3, compacted: false }])
    const idle = await probeConsumer(bus, 't', 'g')
    await bus.follow('t', () => {})
    const before = process.getActiveResourcesInfo().filter((kind) => kind === 'Timeout').length
    const held = createGate()
    const busy = await probeConsumer(bus, 't', 'busy', () => held.passed)
    await bus.produce('t', [{ key: null, value: Buffer.from('x') }])
    await eventually('a handler runs', () => busy.batches.length === 1)
    // The group now waits for that handler, with a time limit.
    bus.faults.rebalance('busy')
    const closing = bus.close()
    held.open()
    await closing
    expect(idle.crashes).toEqual([])
    const after = process.getActiveResourcesInfo().filter((kind) => kind === 'Timeout').length
    expect(after).toBeLessThanOrEqual(before)
  })

  it('lets other work go on while a consumer that never waits catches up', async () => {
    const bus = createMemoryBus({ clock: realClock, batchRecordsMax: 1 })
    await bus.ensureTopics([{ name: 't', partitions: 1, compacted: false }])
    await bus.produce(
      't',
      Array.from({ length: 500 }, () => ({ key: null, value: Buffer.from('x') })),
    )
    let seenAtTimer = -1
    const probe = await probeConsumer(bus, 't', 'g')
    setTimeout(() => {
      seenAtTimer = probe.records().length
    }, 1)
    await probe.received(500)
    expect(seenAtTimer).toBeGreaterThanOrEqual(0)
    expect(seenAtTimer).toBeLessThan(500)
    await bus.close()
  })
})
