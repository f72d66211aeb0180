import { HaldaneError } from '../../domain/errors.ts'
import type { TopicSpec } from '../../domain/topics.ts'
import type { OutgoingRecord } from '../../ports.ts'
import { createTopic, type Topic } from './topic.ts'

export interface Topics {
  ensure(specs: readonly TopicSpec[]): void
  /** The topic, if it is there and has the partitions. */
  named(name: string, partitions?: Iterable<number>): Topic
  all(): Iterable<Topic>
  /** What only commits can free. */
  heldBytes(): number
}

export function createTopics(startOffset: (topic: string, partition: number) => number): Topics {
  const topics = new Map<string, Topic>()
  return {
    ensure(specs) {
      for (const spec of specs) {
        if (!topics.has(spec.name)) topics.set(spec.name, createTopic(spec, startOffset))
      }
    },
    named(name, partitions = []) {
      const topic = topics.get(name)
      if (topic === undefined) throw unknownTopic(name)
      for (const partition of partitions) {
        if (topic.partitions[partition] === undefined) throw unknownPartition(topic, partition)
      }
      return topic
    },
    all: () => topics.values(),
    heldBytes() {
      let bytes = 0
      for (const topic of topics.values()) if (topic.isHeld) bytes += topic.bytes
      return bytes
    },
  }
}

export function partitionsNamedBy(records: readonly OutgoingRecord[]): Set<number> {
  const partitions = new Set<number>()
  for (const { partition } of records) if (partition !== undefined) partitions.add(partition)
  return partitions
}

function unknownTopic(name: string): HaldaneError {
  return new HaldaneError('not_found', `topic ${name} does not exist on the in-process bus`, {
    remedy: 'check the name, or create the topic first',
  })
}

function unknownPartition(topic: Topic, partition: number): HaldaneError {
  return new HaldaneError(
    'not_found',
    `topic ${topic.spec.name} has no partition ${partition}: it has ${topic.partitions.length}, numbered from 0`,
    { remedy: 'leave the partition out, so that the key decides' },
  )
}
