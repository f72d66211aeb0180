import type { Clock, ConsumeOptions } from '../../ports.ts'
import { type FaultState, lag } from './faults.ts'
import type { PartitionLog } from './partition-log.ts'
import type { Topic } from './topic.ts'

/** What the groups of a bus have in common. */
export interface GroupEnvironment {
  readonly clock: Clock
  readonly faults: FaultState
  /** Aborted when the bus closes. */
  readonly closing: AbortSignal
  readonly rebalanceTimeoutMs: number
  readonly batchRecordsMax: number
  readonly batchBytesMax: number
  /** Memory may have become free. */
  onCommitted(): void
}

export interface Assignment {
  readonly number: number
  readonly partitions: ReadonlySet<number>
  /** Next offset to hand out, by partition. */
  readonly positions: Map<number, number>
  /** No more batches: the group is about to be assigned anew. */
  closing: boolean
  /** Nothing can be committed any more. */
  fenced: boolean
  /** Grows when positions were set back while a handler ran. */
  rewinds: number
}

export interface Member {
  readonly options: ConsumeOptions
  /** Null before the first one, and for a zombie. */
  assignment: Assignment | null
  assignments: number
  /** Handlers in progress. */
  readonly running: Set<Promise<void>>
  readonly paused: Set<number>
  ended: boolean
}

export function createMember(options: ConsumeOptions): Member {
  return {
    options,
    assignment: null,
    assignments: 0,
    running: new Set(),
    paused: new Set(),
    ended: false,
  }
}

/** Hands out one partition, batch by batch, as long as the assignment lasts. */
export async function deliver(
  member: Member,
  assignment: Assignment,
  partition: number,
  topic: Topic,
  environment: GroupEnvironment,
): Promise<void> {
  const { clock, faults, closing, batchRecordsMax, batchBytesMax } = environment
  const log = topic.partitions[partition] as PartitionLog
  const isOver = () =>
    member.ended || member.assignment !== assignment || assignment.closing || assignment.fenced
  const next = () => {
    if (member.paused.has(partition)) return []
    return log.read(assignment.positions.get(partition) ?? 0, batchRecordsMax, batchBytesMax)
  }

  while (!isOver()) {
    if (next().length === 0) {
      await topic.changed.wait()
      continue
    }
    await lag(faults, clock, closing)
    // A handler that never waits must not keep everything else from running.
    await new Promise((resolve) => setImmediate(resolve))
    const records = isOver() ? [] : next()
    const last = records.at(-1)
    if (last === undefined) continue

    const { rewinds } = assignment
    const handling = member.options.onBatch({
      topic: topic.spec.name,
      partition,
      assignment: assignment.number,
      records,
      highWatermark: log.endOffset,
    })
    member.running.add(handling)
    try {
      await handling
    } finally {
      member.running.delete(handling)
    }
    if (assignment.rewinds === rewinds) assignment.positions.set(partition, last.offset + 1)
  }
}
