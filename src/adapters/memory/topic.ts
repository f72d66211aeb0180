import { NO_HEADERS } from '../../contract/cloud-event.ts'
import type { TopicSpec } from '../../domain/topics.ts'
import type { BusRecord, OutgoingRecord } from '../../ports.ts'
import { partitionOf } from './murmur2.ts'
import { createPartitionLog, type PartitionLog } from './partition-log.ts'
import { createSignal, type Signal } from './signal.ts'

/** What is kept of a partition that no group reads, in bytes. */
const TAIL_BYTES = 4 * 1024 * 1024

export interface Reader {
  /** First offset of the partition that is not committed. */
  neededFrom(partition: number): number
}

export interface Topic {
  readonly spec: TopicSpec
  readonly partitions: readonly PartitionLog[]
  /** Who still needs records; one for each group. */
  readonly readers: Set<Reader>
  readonly followers: Set<(record: BusRecord) => void>
  /** Something was written, committed or reassigned. */
  readonly changed: Signal
  /** True when only commits free its memory. */
  readonly isHeld: boolean
  readonly bytes: number
  /** Returns the records with their places, in the same order. */
  append(records: readonly OutgoingRecord[], nowMs: number): BusRecord[]
  /** Forgets what nobody can ask for any more. */
  trim(): void
}

/**
 * Retention: a topic with groups keeps what any of them has not committed, a compacted one the
 * newest record of each key, any other a bounded tail.
 */
export function createTopic(
  spec: TopicSpec,
  startOffset: (topic: string, partition: number) => number,
): Topic {
  const partitions = Array.from({ length: spec.partitions }, (_, partition) =>
    createPartitionLog(startOffset(spec.name, partition), spec.compacted),
  )
  const readers = new Set<Reader>()
  const followers = new Set<(record: BusRecord) => void>()
  const changed = createSignal()
  const isHeld = () => !spec.compacted && readers.size > 0
  let turn = 0

  const partitionOfRecord = (record: OutgoingRecord, key: Uint8Array | null): number => {
    if (record.partition !== undefined) return record.partition
    return key === null ? turn++ % spec.partitions : partitionOf(key, spec.partitions)
  }

  const store = (record: OutgoingRecord, nowMs: number): BusRecord => {
    const key = record.key === null ? null : copyOf(record.key)
    const partition = partitionOfRecord(record, key)
    const log = partitions[partition] as PartitionLog
    return log.append({
      partition,
      timestampMs: record.timestampMs ?? nowMs,
      key,
      value: record.value === null ? null : copyOf(record.value),
      headers: toHeaders(record.headers),
    })
  }

  return {
    spec,
    partitions,
    readers,
    followers,
    changed,
    get isHeld() {
      return isHeld()
    },
    get bytes() {
      return partitions.reduce((sum, log) => sum + log.bytes, 0)
    },
    append(records, nowMs) {
      const stored = records.map((record) => store(record, nowMs))
      if (!spec.compacted && readers.size === 0) {
        for (const log of partitions) log.dropToBytes(TAIL_BYTES)
      }
      if (followers.size > 0) {
        const present = [...followers]
        queueMicrotask(() => {
          for (const record of stored) for (const follower of present) follower(record)
        })
      }
      changed.notify()
      return stored
    },
    trim() {
      if (isHeld()) {
        partitions.forEach((log, partition) => {
          const needed = [...readers].map((reader) => reader.neededFrom(partition))
          log.dropBelow(Math.min(...needed))
        })
      }
      changed.notify()
    },
  }
}

/** Copies: the caller may use its buffer again. */
function copyOf(value: string | Uint8Array): Uint8Array {
  return typeof value === 'string' ? Buffer.from(value) : Buffer.from(value)
}

function toHeaders(headers: OutgoingRecord['headers']): Readonly<Record<string, Uint8Array>> {
  if (headers === undefined || headers === NO_HEADERS) return NO_HEADERS
  return Object.fromEntries(Object.entries(headers).map(([name, value]) => [name, copyOf(value)]))
}
