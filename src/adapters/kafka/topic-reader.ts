import { HaldaneError } from '../../domain/errors.ts'
import type { BusRecord } from '../../ports.ts'
import { type FetchedEntry, withoutAborted } from './aborted.ts'
import { answered } from './attempts.ts'
import { type KafkaContext, openCluster } from './client.ts'
import { kafkaErrorTypes, unsupportedCodec } from './failure.ts'
import { toBusRecords } from './record.ts'

/** What one fetch found in a partition. */
export interface Fetched {
  readonly partition: number
  readonly records: BusRecord[]
  /** Where the next fetch begins; equal to where this one began when there was nothing. */
  readonly nextOffset: number
}

/** Committed records of a topic at any offset, without a consumer group. */
export interface TopicReader {
  partitions(): number[]
  /** Looks at the cluster again, after a leader moved or a broker went away. */
  refresh(): Promise<void>
  /** Per partition the offset after the last committed record, or of the first one kept. */
  offsets(which: 'first' | 'end', partitions: readonly number[]): Promise<Map<number, number>>
  /**
   * Waits a moment for records at the positions given. A partition that is missing in the answer
   * may have some; one that is there without any has none now.
   */
  fetch(positions: ReadonlyMap<number, number>): Promise<Fetched[]>
  close(): Promise<void>
}

const READ_COMMITTED = 1

interface FetchedPartition {
  readonly partition: number
  readonly abortedTransactions: readonly { producerId: string; firstOffset: string }[]
  readonly messages: FetchedEntry[]
}

interface FetchResponse {
  /** Above 0 when the broker answers with nothing because of a quota. */
  readonly clientSideThrottleTime?: number
  readonly responses: { partitions: FetchedPartition[] }[]
}

export async function openTopicReader(context: KafkaContext, topic: string): Promise<TopicReader> {
  const cluster = openCluster(context.brief())
  try {
    await cluster.connect()
    await cluster.addMultipleTargetTopics([topic])
  } catch (thrown) {
    await cluster.disconnect()
    throw thrown
  }

  const fetchFrom = async (leader: string, positions: ReadonlyMap<number, number>) => {
    const { tuning } = context
    const broker = await cluster.findBroker({ nodeId: leader })
    const partitions = [...positions].map(([partition, offset]) => ({
      partition,
      fetchOffset: String(offset),
      maxBytes: tuning.fetchBytesPerPartitionMax,
    }))
    const response: FetchResponse = await broker.fetch({
      isolationLevel: READ_COMMITTED,
      maxWaitTime: tuning.fetchWaitMaxMs,
      minBytes: 1,
      maxBytes: tuning.fetchBytesMax,
      topics: [{ topic, partitions }],
    })
    const throttled = (response.clientSideThrottleTime ?? 0) > 0
    return response.responses
      .flatMap((answer) => answer.partitions)
      .filter(({ messages }) => messages.length > 0 || !throttled)
      .map((fetched) => toFetched(fetched, positions.get(fetched.partition) ?? 0))
  }

  /** Of several partitions in one request, finds the one whose records cannot be decoded. */
  const fetchNamed = async (leader: string, positions: ReadonlyMap<number, number>) => {
    try {
      return await fetchFrom(leader, positions)
    } catch (thrown) {
      const codec = unsupportedCodec(thrown)
      if (codec === null) throw thrown
      const [partition, ...others] = positions.keys()
      if (partition !== undefined && others.length === 0) {
        throw unreadable(topic, partition, codec)
      }
      for (const one of positions) await fetchNamed(leader, new Map([one]))
      throw thrown
    }
  }

  return {
    partitions: () =>
      cluster.findTopicPartitionMetadata(topic).map((metadata) => metadata.partitionId),
    refresh: () => cluster.refreshMetadata(),
    async offsets(which, partitions) {
      const wanted = partitions.map((partition) => ({ partition }))
      const [found] = await cluster.fetchTopicsOffset([
        { topic, partitions: wanted, fromBeginning: which === 'first' },
      ])
      return new Map(
        found?.partitions.map(({ partition, offset }) => [partition, Number(offset)]) ?? [],
      )
    },
    async fetch(positions) {
      await cluster.refreshMetadataIfNecessary()
      const leaders = cluster.findLeaderForPartitions(topic, [...positions.keys()])
      const fetching = Object.entries(leaders).map(([leader, partitions]) =>
        fetchNamed(leader, new Map([...positions].filter(([p]) => partitions.includes(p)))),
      )
      const limitMs = 2 * context.tuning.probeTimeoutMs
      return (await answered(context.clock, limitMs, Promise.all(fetching))).flat()
    },
    close: () => cluster.disconnect(),
  }
}

function toFetched(fetched: FetchedPartition, position: number): Fetched {
  const { partition, messages, abortedTransactions } = fetched
  const last = messages.at(-1)?.batchContext
  const wanted = withoutAborted(messages, abortedTransactions).filter(
    (message) => Number(message.offset) >= position,
  )
  // The batch says where it ends, also when compaction took its last records.
  const end = last === undefined ? 0 : Number(last.firstOffset) + last.lastOffsetDelta + 1
  return {
    partition,
    records: toBusRecords(partition, wanted),
    nextOffset: Math.max(position, end),
  }
}

export function unreadable(topic: string, partition: number, codec: string): HaldaneError {
  return new HaldaneError(
    'missing_dependency',
    `records of ${topic}/${partition} are compressed with ${codec}, which cannot be read here`,
    { remedy: 'let the producer use gzip or no compression (compression.type)' },
  )
}

/** True when the position is no longer, or not yet, in the partition's log. */
export function isOutOfRange(thrown: unknown): boolean {
  return kafkaErrorTypes(thrown).includes('OFFSET_OUT_OF_RANGE')
}
