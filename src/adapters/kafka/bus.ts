import { HaldaneError } from '../../domain/errors.ts'
import type { Bus, Consumer, FencedProducer } from '../../ports.ts'
import { within, withRetries } from './attempts.ts'
import { createKafkaContext, type KafkaBusOptions } from './client.ts'
import { explain } from './failure.ts'
import { openFencedProducer, partitionsOf } from './fenced-producer.ts'
import { follow } from './follower.ts'
import { consume } from './group-consumer.ts'
import { cutRequests, partitionFor } from './outgoing.ts'
import { readToEnd } from './read-to-end.ts'
import { createSharedProducer } from './shared-producer.ts'
import { openTopicReader } from './topic-reader.ts'
import { createTopics } from './topics.ts'

const CLOSE_TIME_MAX_MS = 5000

/** Apache Kafka 2.4 or newer as the bus, through kafkajs. Connects at the first call that needs it. */
export function createKafkaBus(options: KafkaBusOptions): Bus {
  const context = createKafkaContext(options)
  const { brokers, clock, tuning } = context
  const topics = createTopics(context)
  const producer = createSharedProducer(context)
  const consumers = new Set<Promise<Consumer>>()
  const closers = new Set<() => Promise<void>>()
  let closed = false

  const open = () => {
    if (closed) throw new HaldaneError('bus_unavailable', 'the bus is closed')
  }

  return {
    async ensureTopics(specs) {
      open()
      await topics.ensure(specs)
    },
    async partitionCount(topic) {
      open()
      return topics.partitionCount(topic)
    },
    partitionFor,
    async consume(consumeOptions) {
      open()
      await topics.check(consumeOptions.topic, [])
      const consumer = consume(context, consumeOptions, () => consumers.delete(consumer))
      consumers.add(consumer)
      consumer.catch(() => consumers.delete(consumer))
      return consumer
    },
    async follow(topic, onRecord) {
      open()
      await topics.check(topic, [])
      try {
        const follower = await follow(context, topic, onRecord)
        const close = async () => {
          closers.delete(close)
          await follower.close()
        }
        closers.add(close)
        return { close }
      } catch (thrown) {
        throw explain(thrown, `cannot follow ${topic}`, brokers)
      }
    },
    async readToEnd(topic, partition) {
      open()
      await topics.check(topic, [partition])
      try {
        const reader = await withRetries(clock, () => openTopicReader(context, topic))
        return await readToEnd(reader, partition, clock).finally(() => reader.close())
      } catch (thrown) {
        throw explain(thrown, `cannot read ${topic}/${partition}`, brokers)
      }
    },
    async offsetsKept(topic, partitions) {
      open()
      await topics.check(topic, partitions)
      try {
        const reader = await withRetries(clock, () => openTopicReader(context, topic))
        const ask = async () => ({
          first: await reader.offsets('first', partitions),
          end: await reader.offsets('end', partitions),
        })
        const { first, end } = await withRetries(clock, ask).finally(() => reader.close())
        return new Map(
          partitions.map((at) => [at, { first: first.get(at) ?? 0, end: end.get(at) ?? 0 }]),
        )
      } catch (thrown) {
        throw explain(thrown, `cannot look up offsets of ${topic}`, brokers)
      }
    },
    async produce(topic, records) {
      open()
      if (records.length === 0) return
      await topics.check(topic, partitionsOf(records))
      try {
        for (const messages of cutRequests(records, tuning.sendBytesMax, clock.now())) {
          await producer.send({ topic, messages, acks: -1 })
        }
      } catch (thrown) {
        throw explain(thrown, `cannot write to ${topic}`, brokers)
      }
    },
    async fencedProducer(id) {
      open()
      const opened: FencedProducer = await openFencedProducer(context, topics, id, () =>
        closers.delete(opened.close),
      )
      closers.add(opened.close)
      return opened
    },
    async ping() {
      open()
      await topics.ping()
    },
    async close() {
      if (closed) return
      closed = true
      const stopping = [...consumers].map(async (consumer) => (await consumer).stop())
      await Promise.allSettled([...stopping, ...[...closers].map((close) => close())])
      const leaving = Promise.allSettled([producer.close(), topics.close()])
      await within(clock, CLOSE_TIME_MAX_MS, leaving)
    },
  }
}
