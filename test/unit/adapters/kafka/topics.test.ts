import type { Cluster } from 'kafkajs'
import { beforeEach, describe, expect, it } from 'vitest'
import type { KafkaContext } from '../../../../src/adapters/kafka/client.ts'
import { createTopics } from '../../../../src/adapters/kafka/topics.ts'

const SPEC = { name: 'new', partitions: 2, compacted: false }

const refusal = (type: string, retriable: boolean) =>
  Object.assign(new Error(type), { name: 'KafkaJSProtocolError', type, retriable })

describe('topics that do not exist', () => {
  /** What the next requests of a kind are refused with. */
  let refusals: Record<'create' | 'offsets', Error[]>
  let created: string[]
  let asked: string[]

  const answer = async <T>(kind: 'create' | 'offsets', give: () => T): Promise<T> => {
    asked.push(kind)
    const refused = refusals[kind].shift()
    if (refused?.message === 'TOPIC_ALREADY_EXISTS') created.push(SPEC.name)
    if (refused !== undefined) throw refused
    return give()
  }
  /** A cluster of one broker, as far as topics are made on it. */
  const broker = {
    metadata: async ([topic]: string[]) => {
      if (!created.includes(topic ?? '')) throw refusal('UNKNOWN_TOPIC_OR_PARTITION', true)
      return { topicMetadata: [{ partitionMetadata: [{}, {}] }] }
    },
  }
  const cluster = {
    connect: async () => undefined,
    disconnect: async () => undefined,
    getNodeIds: () => [1],
    findBroker: async () => broker,
    addMultipleTargetTopics: async () => undefined,
    findTopicPartitionMetadata: () => [{ partitionId: 0 }, { partitionId: 1 }],
    fetchTopicsOffset: () => answer('offsets', () => [{ partitions: [] }]),
  }
  const kafka = {
    admin: () => ({
      connect: async () => undefined,
      disconnect: async () => undefined,
      createTopics: ({ topics }: { topics: { topic: string }[] }) =>
        answer('create', () => created.push(...topics.map(({ topic }) => topic))),
    }),
    consumer: ({ partitionAssigners }: { partitionAssigners: ((given: object) => unknown)[] }) =>
      partitionAssigners[0]?.({ cluster: cluster as unknown as Cluster }),
  }
  // Naps are over at once; what waits for an answer waits for good.
  const clock = {
    now: () => 0,
    sleep: (ms: number) => (ms < 2000 ? Promise.resolve() : new Promise(() => {})),
  }
  const context = {
    brokers: ['kafka:9092'],
    clock,
    tuning: { probeTimeoutMs: 1000 },
    brief: () => kafka,
  } as unknown as KafkaContext

  beforeEach(() => {
    refusals = { create: [], offsets: [] }
    created = []
    asked = []
  })

  it('are ready when every partition has a leader that answers', async () => {
    refusals.offsets = [refusal('NOT_LEADER_FOR_PARTITION', true)]
    await createTopics(context).ensure([SPEC])
    expect(asked).toEqual(['create', 'offsets', 'offsets'])
  })

  it('are asked for again while a broker that comes back has no leaders yet', async () => {
    refusals.create = [refusal('LEADER_NOT_AVAILABLE', true)]
    await createTopics(context).ensure([SPEC])
    expect(created).toEqual(['new'])
    expect(asked).toEqual(['create', 'create', 'offsets'])
  })

  it('are left to whoever was faster', async () => {
    refusals.create = [refusal('TOPIC_ALREADY_EXISTS', false)]
    await createTopics(context).ensure([SPEC])
    expect(asked).toEqual(['create', 'offsets'])
  })

  it('are refused at once, by name, for any other reason', async () => {
    refusals.create = [refusal('INVALID_REPLICATION_FACTOR', false)]
    await expect(createTopics(context).ensure([SPEC])).rejects.toThrow(
      /^cannot create topics new: /,
    )
    expect(asked).toEqual(['create'])
  })
})
