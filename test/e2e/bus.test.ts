import kafkajs, { CompressionTypes, type Kafka } from 'kafkajs'
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest'
import { createKafkaBus } from '../../src/adapters/kafka/bus.ts'
import type { HaldaneError } from '../../src/domain/errors.ts'
import type { Bus } from '../../src/ports.ts'
import { describeBus, REBALANCE_TIMEOUT_MS, SESSION_TIMEOUT_MS } from '../contract/bus.contract.ts'
import {
  bytesOf,
  createLogProbe,
  eventually,
  probeConsumer,
  realClock,
  textOf,
} from '../support/bus-probe.ts'
import { literalSnappy } from '../support/snappy.ts'

const log = createLogProbe()
const createBus = () =>
  createKafkaBus({
    brokers: inject('kafkaBrokers'),
    clientId: 'haldane-test',
    log,
    clock: realClock,
    tuning: {
      sessionTimeoutMs: SESSION_TIMEOUT_MS,
      rebalanceTimeoutMs: REBALANCE_TIMEOUT_MS,
      heartbeatIntervalMs: 200,
      fetchWaitMaxMs: 50,
    },
  })

describeBus('the Kafka bus', async () => createBus())

describe('the Kafka bus, beside what every bus does', () => {
  const run = Date.now().toString(36)
  let bus: Bus
  let kafka: Kafka
  let count = 0

  beforeAll(() => {
    bus = createBus()
    kafka = new kafkajs.Kafka({
      brokers: inject('kafkaBrokers'),
      logLevel: kafkajs.logLevel.NOTHING,
    })
  })
  afterAll(() => bus.close())

  const createTopic = async (partitions = 1): Promise<string> => {
    const topic = `kafka-${run}-${count++}`
    await bus.ensureTopics([{ name: topic, partitions, compacted: false }])
    return topic
  }
  const valuesAt = async (topic: string, partition = 0) =>
    (await bus.readToEnd(topic, partition)).map((record) => textOf(record.value))
  /** The markers of a transaction are written just after its end was promised. */
  const valuesSoonAt = async (topic: string, count: number) => {
    let values = await valuesAt(topic)
    for (let turn = 0; turn < 200 && values.length < count; turn++) values = await valuesAt(topic)
    return values
  }

  it('never shows records of an aborted transaction', async () => {
    const topic = await createTopic()
    const producer = kafka.producer({ transactionalId: `abort-${topic}`, maxInFlightRequests: 1 })
    await producer.connect()
    const followed: (string | null)[] = []
    const follower = await bus.follow(topic, (record) => followed.push(textOf(record.value)))
    const transact = async (text: string, end: 'commit' | 'abort') => {
      const transaction = await producer.transaction()
      await transaction.send({ topic, messages: [{ key: 'k', value: text }] })
      await transaction[end]()
    }
    await transact('first', 'commit')
    await transact('aborted', 'abort')
    await transact('aborted too', 'abort')
    await transact('second', 'commit')
    await transact('aborted last', 'abort')
    await producer.disconnect()

    await eventually('the follower has both', () => followed.length >= 2)
    const probe = await probeConsumer(bus, topic, 'aborted')
    await eventually('the consumer has both', () => probe.records().length >= 2)
    expect(await valuesAt(topic)).toEqual(['first', 'second'])
    expect(followed).toEqual(['first', 'second'])
    expect(probe.values()).toEqual(['first', 'second'])
    await probe.consumer.stop()
    await follower.close()
  })

  it('does not wait for a transaction that is still open', async () => {
    const topic = await createTopic()
    await bus.produce(topic, [{ key: null, value: bytesOf('before') }])
    const producer = kafka.producer({ transactionalId: `open-${topic}`, maxInFlightRequests: 1 })
    await producer.connect()
    const transaction = await producer.transaction()
    await transaction.send({ topic, messages: [{ value: 'pending' }] })
    expect(await valuesAt(topic)).toEqual(['before'])
    await transaction.commit()
    await producer.disconnect()
    expect(await valuesSoonAt(topic, 2)).toEqual(['before', 'pending'])
  })

  it('creates a compacted topic as one, and a plain topic as a plain one', async () => {
    const [plain, compacted] = [`kafka-${run}-plain`, `kafka-${run}-compact`]
    await bus.ensureTopics([
      { name: plain, partitions: 2, compacted: false },
      { name: compacted, partitions: 1, compacted: true },
    ])
    const admin = kafka.admin()
    await admin.connect()
    const configNames = ['cleanup.policy']
    const { resources } = await admin.describeConfigs({
      includeSynonyms: false,
      resources: [plain, compacted].map((name) => ({
        type: kafkajs.ConfigResourceTypes.TOPIC,
        name,
        configNames,
      })),
    })
    await admin.disconnect()
    const policies = resources.map(({ configEntries }) => configEntries[0]?.configValue)
    expect(policies).toEqual(['delete', 'compact'])
  })

  it('reads a compacted topic past the gaps that compaction has left', async () => {
    const topic = `kafka-${run}-compacted`
    const admin = kafka.admin()
    await admin.connect()
    const setting = (name: string, value: string) => ({ name, value })
    await admin.createTopics({
      waitForLeaders: false,
      topics: [
        {
          topic,
          numPartitions: 1,
          configEntries: [
            setting('cleanup.policy', 'compact'),
            setting('segment.ms', '1000'),
            setting('min.cleanable.dirty.ratio', '0.001'),
            setting('max.compaction.lag.ms', '1000'),
            setting('delete.retention.ms', '0'),
          ],
        },
      ],
    })
    await admin.disconnect()
    // The topic is there already: this waits until the broker knows it.
    await bus.ensureTopics([{ name: topic, partitions: 1, compacted: true }])
    for (let turn = 0; turn < 20; turn++) {
      const gone = turn === 19 ? null : bytesOf(`${turn}`)
      await bus.produce(topic, [
        { key: 'kept', value: bytesOf(`${turn}`) },
        { key: 'gone', value: gone },
      ])
    }
    let left = await bus.readToEnd(topic, 0)
    expect(left).toHaveLength(40)
    // A write begins a new segment, and the one before is cleaned.
    for (let round = 0; round < 60 && left.length > 20; round++) {
      await realClock.sleep(1100)
      await bus.produce(topic, [{ key: 'gone', value: null }])
      left = await bus.readToEnd(topic, 0)
    }
    expect(left.length).toBeLessThanOrEqual(20)
    const newest = new Map(left.map((record) => [textOf(record.key), textOf(record.value)]))
    expect(newest.get('kept')).toBe('19')
    expect(newest.get('gone')).toBeNull()
  })

  it('says that a record is too large, and then writes none of a transaction', async () => {
    const topic = await createTopic()
    const records = [
      { key: null, value: bytesOf('small') },
      { key: null, value: new Uint8Array(2_000_000) },
    ]
    await expect(bus.produce(topic, [records[1]!])).rejects.toMatchObject({
      code: 'too_large',
      message: `cannot write to ${topic}: a record is larger than the topic allows`,
    })
    const producer = await bus.fencedProducer(`large-${topic}`)
    await expect(producer.produce(topic, records)).rejects.toMatchObject({ code: 'too_large' })
    expect(await valuesAt(topic)).toEqual([])
    await producer.produce(topic, [records[0]!])
    expect(await valuesSoonAt(topic, 1)).toEqual(['small'])
    await producer.close()
  })

  it('reads gzip, and names topic, partition and codec of what it cannot read', async () => {
    const topic = await createTopic(3)
    const producer = kafka.producer()
    await producer.connect()
    const send = (compression: CompressionTypes, partition: number, value: string) =>
      producer.send({ topic, compression, messages: [{ partition, value }] })
    await send(CompressionTypes.GZIP, 2, 'zipped')
    expect(await valuesAt(topic, 2)).toEqual(['zipped'])

    const codecs = kafkajs.CompressionCodecs
    const unsupported = codecs[CompressionTypes.Snappy]
    codecs[CompressionTypes.Snappy] = () => ({
      compress: async (encoder: { readonly buffer: Buffer }) => literalSnappy(encoder.buffer),
    })
    await send(CompressionTypes.Snappy, 1, 'snappy')
    codecs[CompressionTypes.Snappy] = unsupported
    await producer.disconnect()

    const complaint = `records of ${topic}/1 are compressed with snappy, which cannot be read here`
    await expect(bus.readToEnd(topic, 1)).rejects.toThrow(complaint)
    const probe = await probeConsumer(bus, topic, 'codec')
    await eventually('the consumer has ended', () => probe.crashes.length > 0)
    expect(probe.crashes.map((error) => error.message)).toEqual([complaint])
    expect((probe.crashes[0] as HaldaneError).code).toBe('missing_dependency')
    expect((probe.crashes[0] as HaldaneError).remedy).toMatch(/gzip or no compression/)
  })

  it('stops only after its handler, however long that takes', async () => {
    const topic = await createTopic()
    await bus.produce(topic, [{ key: null, value: bytesOf('slow') }])
    let isDone = false
    const probe = await probeConsumer(bus, topic, 'patient', async (_, { consumer }) => {
      // Longer than leaving the group may take.
      await realClock.sleep(6000)
      await consumer.commit(0, 1, 'late')
      isDone = true
    })
    await eventually('the handler runs', () => probe.batches.length === 1)
    await probe.consumer.stop()
    expect(isDone).toBe(true)
  })

  it('leaves no group behind that it did not need', async () => {
    const topic = await createTopic()
    const follower = await bus.follow(topic, () => {})
    await bus.readToEnd(topic, 0)
    await follower.close()
    const admin = kafka.admin()
    await admin.connect()
    const { groups } = await admin.listGroups()
    await admin.disconnect()
    expect(groups.map(({ groupId }) => groupId)).not.toContain('unused')
  })
})
