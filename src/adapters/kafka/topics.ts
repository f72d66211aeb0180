import { HaldaneError } from '../../domain/errors.ts'
import type { TopicSpec } from '../../domain/topics.ts'
import { withRetries } from './attempts.ts'
import type { KafkaContext } from './client.ts'
import { createContact } from './contact.ts'
import { explain, kafkaErrorTypes } from './failure.ts'
import { openTopicReader } from './topic-reader.ts'
import { toTopicConfig } from './topic-settings.ts'

/** What topics there are. Every look-up says within the probe timeout when no broker answers. */
export interface Topics {
  ping(): Promise<void>
  ensure(specs: readonly TopicSpec[]): Promise<void>
  partitionCount(topic: string): Promise<number>
  /** Rejects unless the topic has all these partitions; remembers what it has seen. */
  check(topic: string, partitions: Iterable<number>): Promise<void>
  close(): Promise<void>
}

export function createTopics(context: KafkaContext): Topics {
  const { brokers, clock } = context
  const contact = createContact(context)
  const seen = new Map<string, number>()

  const lookUp = async (topic: string): Promise<number | null> => {
    try {
      const { topicMetadata } = await contact.ask((broker) => broker.metadata([topic]))
      return topicMetadata[0]?.partitionMetadata.length ?? null
    } catch (thrown) {
      const types = kafkaErrorTypes(thrown)
      if (types.includes('UNKNOWN_TOPIC_OR_PARTITION')) return null
      // Leaders of a new topic may be unknown for a moment; anything else is told at once.
      if (types.includes('LEADER_NOT_AVAILABLE')) throw thrown
      throw explain(thrown, `cannot look up topic ${topic}`, brokers)
    }
  }

  const find = (topic: string) =>
    withRetries(clock, () => lookUp(topic)).catch((thrown: unknown) => {
      throw explain(thrown, `cannot look up topic ${topic}`, brokers)
    })

  /** A broker may learn of a topic a moment after the controller has created it. */
  const appeared = (topic: string) =>
    withRetries(clock, async () => {
      if ((await lookUp(topic)) !== null) return
      throw Object.assign(new Error(`${topic} was created but has not appeared`), {
        retriable: true,
      })
    })

  const topics: Topics = {
    async ping() {
      try {
        await contact.ask((broker) => broker.apiVersions())
      } catch (thrown) {
        throw explain(thrown, 'no contact', brokers)
      }
    },
    async ensure(specs) {
      const missing: TopicSpec[] = []
      for (const spec of specs) if ((await find(spec.name)) === null) missing.push(spec)
      if (missing.length === 0) return
      const names = missing.map((spec) => spec.name).join(', ')
      try {
        await withRetries(clock, () => create(context, missing))
        for (const spec of missing) {
          await appeared(spec.name)
          await untilOnline(context, spec.name)
        }
      } catch (thrown) {
        throw explain(thrown, `cannot create topics ${names}`, brokers)
      }
    },
    async partitionCount(topic) {
      const count = await find(topic)
      if (count === null) throw unknownTopic(topic, brokers)
      seen.set(topic, count)
      return count
    },
    async check(topic, partitions) {
      let count = seen.get(topic) ?? (await topics.partitionCount(topic))
      for (const partition of partitions) {
        if (partition >= count) count = await topics.partitionCount(topic)
        if (partition >= count || partition < 0) throw unknownPartition(topic, partition, count)
      }
    },
    close: () => contact.close(),
  }
  return topics
}

/**
 * Resolves when the leaders of all partitions answer.
 *
 * A broker tells of a new topic before it has opened the logs of all its partitions. A write that
 * meets it in between is taken by some and refused by others, and kafkajs then repeats it for all:
 * the records of the open ones would be there twice.
 */
export async function untilOnline(context: KafkaContext, topic: string): Promise<void> {
  await withRetries(context.clock, async () => {
    const reader = await openTopicReader(context, topic)
    await reader.offsets('end', reader.partitions()).finally(() => reader.close())
  })
}

/** Rejects in a way that may pass only where a leader is missing; anything else is told at once. */
async function create(context: KafkaContext, specs: readonly TopicSpec[]): Promise<void> {
  const admin = context.brief().admin()
  try {
    await admin.connect()
    await admin.createTopics({
      topics: specs.map((spec) => toTopicConfig(spec)),
      waitForLeaders: false,
    })
  } catch (thrown) {
    const types = kafkaErrorTypes(thrown)
    // Somebody else may have created some of them meanwhile.
    if (types.length > 0 && types.every((type) => type === 'TOPIC_ALREADY_EXISTS')) return
    // kafkajs asks for all topics before, and a broker that comes back leads some a moment later.
    if (types.includes('LEADER_NOT_AVAILABLE')) throw thrown
    const names = specs.map((spec) => spec.name).join(', ')
    throw explain(thrown, `cannot create topics ${names}`, context.brokers)
  } finally {
    await admin.disconnect()
  }
}

function unknownTopic(topic: string, brokers: readonly string[]): HaldaneError {
  return new HaldaneError(
    'not_found',
    `topic ${topic} does not exist on Kafka at ${brokers.join(', ')}`,
    { remedy: 'check the name and the cluster, or create the topic' },
  )
}

function unknownPartition(topic: string, partition: number, count: number): HaldaneError {
  return new HaldaneError(
    'not_found',
    `topic ${topic} has no partition ${partition}: it has ${count}, numbered from 0`,
    { remedy: 'leave the partition out, so that the key decides' },
  )
}
