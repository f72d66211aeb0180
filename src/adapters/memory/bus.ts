import { HaldaneError } from '../../domain/errors.ts'
import type { Bus, Clock, Consumer, Log, OutgoingRecord } from '../../ports.ts'
import { type BusFaults, createFaultState } from './faults.ts'
import { follow } from './follower.ts'
import { createGroup, type Group } from './group.ts'
import { partitionOf } from './murmur2.ts'
import type { Topic } from './topic.ts'
import { createTopics } from './topics.ts'
import { createWriter } from './writer.ts'

export interface MemoryBusOptions {
  readonly clock: Clock
  readonly log?: Log
  /** Offset of a partition's first record: where the store says that an earlier run ended. */
  readonly startOffsets?: (topic: string, partition: number) => number
  /** Records that groups have not committed; writers wait above it. Default 64 MiB. */
  readonly bufferBytesMax?: number
  /** A handler may finish within this time when its group is assigned anew. Default 60 s. */
  readonly rebalanceTimeoutMs?: number
  readonly batchRecordsMax?: number
}

export type MemoryBus = Bus & {
  readonly faults: BusFaults
  /** Appends to one partition; returns the offset of the first record, the others follow it. */
  append(topic: string, partition: number, records: readonly OutgoingRecord[]): Promise<number>
}

/**
 * The log inside the process: everything of Kafka that Haldane relies on, for one process and gone
 * with it. What must outlive the process has to be in the store before its offset is committed.
 */
export function createMemoryBus(options: MemoryBusOptions): MemoryBus {
  const { clock, log } = options
  const topics = createTopics(options.startOffsets ?? (() => 0))
  const groups = new Map<string, Map<Topic, Group>>()
  const consumers = new Set<Consumer>()
  const state = createFaultState()
  const closing = new AbortController()
  const writer = createWriter({
    topics,
    clock,
    faults: state,
    closing: closing.signal,
    bufferBytesMax: options.bufferBytesMax ?? 64 * 1024 * 1024,
  })
  const environment = {
    clock,
    faults: state,
    closing: closing.signal,
    rebalanceTimeoutMs: options.rebalanceTimeoutMs ?? 60_000,
    batchRecordsMax: options.batchRecordsMax ?? 10_000,
    batchBytesMax: 8 * 1024 * 1024,
    onCommitted: writer.wake,
  }

  const open = () => {
    if (closing.signal.aborted) throw new HaldaneError('bus_unavailable', 'the bus is closed')
  }

  const groupOn = (topic: Topic, groupId: string): Group => {
    const ofId = groups.get(groupId) ?? new Map<Topic, Group>()
    groups.set(groupId, ofId)
    const group = ofId.get(topic) ?? createGroup(groupId, topic, environment)
    ofId.set(topic, group)
    topic.readers.add(group)
    return group
  }

  const groupsNamed = (groupId: string) => [...(groups.get(groupId)?.values() ?? [])]

  return {
    async ensureTopics(specs) {
      open()
      topics.ensure(specs)
    },
    async partitionCount(name) {
      open()
      return topics.named(name).partitions.length
    },
    partitionFor: (key, partitionCount) => partitionOf(Buffer.from(key), partitionCount),
    async consume(consumeOptions) {
      open()
      const group = groupOn(topics.named(consumeOptions.topic), consumeOptions.groupId)
      const consumer = await group.join(consumeOptions)
      consumers.add(consumer)
      return consumer
    },
    async follow(name, onRecord) {
      open()
      return follow(topics.named(name), onRecord, log)
    },
    async readToEnd(name, partition) {
      open()
      const { partitions } = topics.named(name, [partition])
      return partitions[partition]?.read(0, Number.MAX_VALUE, Number.MAX_VALUE) ?? []
    },
    async offsetsKept(name, partitions) {
      open()
      const logs = topics.named(name, partitions).partitions
      return new Map(
        partitions.map((at) => [
          at,
          { first: logs[at]?.firstOffset ?? 0, end: logs[at]?.endOffset ?? 0 },
        ]),
      )
    },
    async produce(name, records) {
      await writer.write(name, records)
    },
    async append(name, partition, records) {
      const placed = await writer.write(
        name,
        records.map((record) => ({ ...record, partition })),
      )
      return placed[0]?.offset ?? 0
    },
    async fencedProducer(id) {
      open()
      return writer.fencedProducer(id)
    },
    async ping() {
      open()
    },
    async close() {
      closing.abort()
      writer.wake()
      await Promise.all([...consumers].map((consumer) => consumer.stop()))
      for (const topic of topics.all()) topic.followers.clear()
    },
    faults: {
      redeliver(groupId) {
        for (const group of groupsNamed(groupId)) group.rewind()
      },
      refuseCommits(groupId, count = 1) {
        state.refusals.set(groupId, count)
      },
      rebalance(groupId) {
        for (const group of groupsNamed(groupId)) void group.rebalance()
      },
      delay(ms) {
        state.delayMs = ms
      },
    },
  }
}
