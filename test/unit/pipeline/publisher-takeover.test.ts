import { expect, it } from 'vitest'
import { createMemoryBus } from '../../../src/adapters/memory/bus.ts'
import { systemClock } from '../../../src/adapters/ops/clock.ts'
import { noMetrics } from '../../../src/adapters/ops/metrics.ts'
import { createPublisher } from '../../../src/pipeline/publisher.ts'
import { silentLog } from '../../support/temp-store.ts'
import { DECISION } from '../contract/decision-samples.ts'

it('publishes again when its partition comes back, after another worker had it', async () => {
  const bus = createMemoryBus({ clock: systemClock })
  const topic = 'decisions'
  await bus.ensureTopics([{ name: topic, partitions: 1, compacted: true }])
  const store = {
    recordDecision: async () => undefined,
    decisions: async () => [],
    latestDecisions: async () => [],
  }
  const [mine, other] = [1, 2].map(() =>
    createPublisher({
      ...{ bus, store, clock: systemClock, log: silentLog, metrics: noMetrics, topic },
      producerId: 'same for both',
    }),
  )
  const generation = (value: number) => ({ ...DECISION, generation: value })
  await mine?.catchUp(DECISION.route)
  await mine?.publish(generation(1))
  expect(await other?.catchUp(DECISION.route)).toBe(1)
  await expect(mine?.publish(generation(2))).rejects.toMatchObject({ code: 'fenced' })
  await other?.publish(generation(2))
  expect(await mine?.catchUp(DECISION.route)).toBe(2)
  await mine?.publish(generation(3))
  expect(await bus.readToEnd(topic, 0)).toHaveLength(3)
  await Promise.all([mine?.close(), other?.close()])
  await bus.close()
})
