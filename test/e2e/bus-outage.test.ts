import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { createKafkaBus } from '../../src/adapters/kafka/bus.ts'
import { HaldaneError } from '../../src/domain/errors.ts'
import type { OutgoingRecord } from '../../src/ports.ts'
import { startBroker } from '../support/broker.ts'
import { freePort, type TestBroker } from '../support/broker-process.ts'
import {
  bytesOf,
  createLogProbe,
  eventually,
  type LogLine,
  probeConsumer,
  realClock,
  textOf,
} from '../support/bus-probe.ts'

const record = (text: string): OutgoingRecord => ({ key: null, value: bytesOf(text) })
const failureOf = (work: Promise<unknown>): Promise<HaldaneError> =>
  work.then(
    () => {
      throw new Error('it should have failed')
    },
    (error: HaldaneError) => error,
  )

const loudLines = ({ lines }: { readonly lines: readonly LogLine[] }) =>
  lines
    .filter(({ level }) => level !== 'debug')
    .map(({ level, message, fields }) => `${level} ${message} ${JSON.stringify(fields)}`)

describe('the Kafka bus without a broker', () => {
  it('fails soon, with one line for people that says it may be tried again', async () => {
    const address = `127.0.0.1:${await freePort()}`
    const log = createLogProbe()
    const bus = createKafkaBus({ brokers: [address], clientId: 'test', log, clock: realClock })
    const options = { topic: 't', groupId: 'g', onAssigned() {}, async onBatch() {}, onCrash() {} }
    const started = Date.now()
    const failures = [
      await failureOf(bus.ping()),
      await failureOf(bus.consume(options)),
      await failureOf(bus.produce('t', [record('x')])),
      await failureOf(bus.ensureTopics([{ name: 't', partitions: 1, compacted: false }])),
      await failureOf(bus.follow('t', () => {})),
      await failureOf(bus.readToEnd('t', 0)),
    ]
    expect(Date.now() - started).toBeLessThan(20_000)
    for (const failure of failures) {
      expect(failure).toBeInstanceOf(HaldaneError)
      expect(failure).toMatchObject({ code: 'bus_unavailable', retryable: true })
      expect(failure.message).toContain(`Kafka does not answer at ${address}`)
      expect(failure.message).not.toContain('\n')
      expect(failure.remedy).toContain('HALDANE_KAFKA_BROKERS')
      expect(failure.cause).toBeUndefined()
    }
    expect(loudLines(log)).toEqual([])
    await bus.close()
  })
})

// A broker named by the environment belongs to somebody else: it is not frozen or killed.
describe.skipIf(process.env['KAFKA_BROKERS'])('the Kafka bus and a broker that fails', () => {
  let broker: TestBroker
  beforeAll(async () => {
    broker = await startBroker()
  })
  afterEach(() => broker.resume())
  afterAll(() => broker.stop())

  const log = createLogProbe()
  const createBus = () =>
    createKafkaBus({
      brokers: broker.brokers,
      clientId: 'test',
      log,
      clock: realClock,
      tuning: {
        sessionTimeoutMs: 3000,
        rebalanceTimeoutMs: 3000,
        heartbeatIntervalMs: 300,
        probeTimeoutMs: 1000,
        requestTimeoutMs: 5000,
      },
    })
  const createTopic = async (bus: ReturnType<typeof createBus>, topic: string) => {
    await bus.ensureTopics([{ name: topic, partitions: 1, compacted: false }])
    return topic
  }
  /** A broker that was frozen a moment ago may take its time to give a new topic a leader. */
  const whenReadable = async (bus: ReturnType<typeof createBus>, topic: string): Promise<void> => {
    const end = Date.now() + 30_000
    for (;;) {
      try {
        await bus.readToEnd(topic, 0)
        return
      } catch (error) {
        const passing = error instanceof HaldaneError && error.retryable
        if (!passing || Date.now() > end) throw error
        await realClock.sleep(100)
      }
    }
  }

  it('waits for the coordinators of a fresh broker, without a word above debug', async () => {
    const bus = createBus()
    const topic = await createTopic(bus, 'fresh')
    const [probe, producer] = await Promise.all([
      probeConsumer(bus, topic, 'fresh'),
      bus.fencedProducer('fresh'),
    ])
    expect(await probe.consumer.committed(0)).toEqual({ offset: null, metadata: '' })
    await producer.produce(topic, [record('first')])
    await probe.received(1)
    await probe.consumer.commit(0, 1, '')
    expect(loudLines(log)).toEqual([])
    await bus.close()
  })

  it('answers a ping in time when the broker hangs', async () => {
    const bus = createBus()
    await bus.ping()
    await broker.pause()
    const started = Date.now()
    const failure = await failureOf(bus.ping())
    expect(failure).toMatchObject({ code: 'bus_unavailable', retryable: true })
    expect(Date.now() - started).toBeLessThan(8000)
    await broker.resume()
    await bus.ping()
    await bus.close()
  })

  it('goes on by itself after the broker was killed and came back', async () => {
    const bus = createBus()
    const topic = await createTopic(bus, 'killed')
    await whenReadable(bus, topic)
    const followed: (string | null)[] = []
    const follower = await bus.follow(topic, ({ value }) => followed.push(textOf(value)))
    const producer = await bus.fencedProducer('killed')
    const probe = await probeConsumer(bus, topic, 'killed', async (batch, { consumer }) => {
      const next = batch.records.at(-1)!.offset + 1
      await consumer.commit(0, next, 'mark').catch((error: HaldaneError) => {
        if (error.code !== 'fenced') throw error
      })
    })
    await bus.produce(topic, [record('before')])
    await eventually('all see it', () => probe.records().length === 1 && followed.length === 1)

    await broker.kill()
    const writing = bus.produce(topic, [record('during')])
    await realClock.sleep(1000)
    await broker.restart()
    await writing
    await producer.produce(topic, [record('after')])

    await eventually('the consumer has both', () => probe.values().includes('after'), 60_000)
    await eventually('the follower has both', () => followed.includes('after'), 60_000)
    expect(new Set(probe.values())).toEqual(new Set(['before', 'during', 'after']))
    expect(new Set(followed)).toEqual(new Set(['before', 'during', 'after']))
    expect(probe.crashes).toEqual([])
    await eventually('the commit was taken', () => probe.values().at(-1) === 'after')
    const { offset, metadata } = await probe.consumer.committed(0)
    expect(offset).toBeGreaterThanOrEqual(2)
    expect(metadata).toBe('mark')
    const numbers = probe.assignments.map(({ number }) => number)
    expect(numbers).toEqual([...numbers].sort((a, b) => a - b))
    await follower.close()
    await bus.close()
  })

  it('lets a commit wait for the broker, or refuses it when the group has moved on', async () => {
    const bus = createBus()
    const topic = await createTopic(bus, 'commit')
    await bus.produce(topic, [record('one')])
    const outcomes: string[] = []
    const probe = await probeConsumer(bus, topic, 'commit', async (_, { consumer }) => {
      await broker.pause()
      setTimeout(() => void broker.resume(), 1500)
      outcomes.push(
        await consumer.commit(0, 1, 'through the pause').then(
          () => 'done',
          (error: HaldaneError) => error.code,
        ),
      )
    })
    await eventually('the commit has ended', () => outcomes.length > 0, 60_000)
    const { offset } = await probe.consumer.committed(0)
    expect([outcomes[0], offset]).toEqual(outcomes[0] === 'done' ? ['done', 1] : ['fenced', null])
    expect(probe.crashes).toEqual([])
    await bus.close()
  })

  it('closes in time while the broker is gone', async () => {
    const bus = createBus()
    const topic = await createTopic(bus, 'closing')
    await probeConsumer(bus, topic, 'closing')
    await bus.follow(topic, () => {})
    await bus.fencedProducer('closing')
    await broker.pause()
    await realClock.sleep(500)
    const started = Date.now()
    await bus.close()
    expect(Date.now() - started).toBeLessThan(20_000)
    await broker.resume()
  })
})
