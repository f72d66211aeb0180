import type { RequestEvent } from '../domain/request-event.ts'
import type { BusRecord, EventBatch } from '../ports.ts'
import { type BatchPolicy, isAged, isFull } from './batch-policy.ts'
import type { PartitionIntake, RejectedRecord } from './partition-intake.ts'

/** Records of one partition on their way into the store. */
export interface OpenBatch<Event = RequestEvent> {
  readonly rows: EventBatch<Event>
  readonly rejected: RejectedRecord[]
  /** Rows and rejected records. */
  records: number
  rejectedBytes: number
  readonly openedAtMs: number
  nextOffset: number
  maxEventTimeMs: number
  highWatermark: number
}

export interface LaneOptions<Event> {
  readonly partition: number
  readonly assignment: number
  readonly intake: PartitionIntake<Event>
  readonly policy: BatchPolicy
  newRows(): EventBatch<Event>
  now(): number
  /** Stores a batch and commits it; called for one batch at a time, in order. */
  write(lane: Lane<Event>, batch: OpenBatch<Event>): Promise<void>
}

/**
 * One partition of one assignment: while a batch is written the next one fills. A lane that was
 * closed writes nothing more.
 */
export interface Lane<Event = RequestEvent> {
  readonly partition: number
  readonly assignment: number
  readonly intake: PartitionIntake<Event>
  /** Rejected records in a row. */
  readonly rejectedRun: number
  /** Wall time of the last write, for idleness. */
  lastStoredMs: number
  take(record: BusRecord, highWatermark: number): RejectedRecord | null
  /** Of the open batch and of those that are being written. */
  readonly pendingBytes: number
  readonly full: boolean
  readonly aged: boolean
  /** Hands the open batch over; resolves as soon as the one before it is safe. */
  flush(): Promise<void>
  /** Resolves when everything handed over is safe, rejects with the first failure. */
  drain(): Promise<void>
  close(): void
}

export function createLane<Event>(options: LaneOptions<Event>): Lane<Event> {
  const { policy, intake } = options
  let open: OpenBatch<Event> | null = null
  let writing: Promise<void> = Promise.resolve()
  let writingBytes = 0
  let rejectedRun = 0
  let closed = false

  const sizeOf = (batch: OpenBatch<Event>) => ({
    records: batch.records,
    bytes: bytesOf(batch),
    openedAtMs: batch.openedAtMs,
  })

  const lane: Lane<Event> = {
    partition: options.partition,
    assignment: options.assignment,
    intake,
    lastStoredMs: 0,
    get rejectedRun() {
      return rejectedRun
    },
    get pendingBytes() {
      return writingBytes + (open === null ? 0 : bytesOf(open))
    },
    get full() {
      return open !== null && isFull(policy, sizeOf(open))
    },
    get aged() {
      return open !== null && isAged(policy, sizeOf(open), options.now())
    },
    take(record, highWatermark) {
      open ??= {
        rows: options.newRows(),
        rejected: [],
        records: 0,
        rejectedBytes: 0,
        openedAtMs: options.now(),
        nextOffset: record.offset,
        maxEventTimeMs: 0,
        highWatermark,
      }
      const rejected = intake.take(record, open.rows)
      if (rejected === null) rejectedRun = 0
      else {
        open.rejected.push(rejected)
        open.rejectedBytes += record.value?.byteLength ?? 0
        rejectedRun++
      }
      open.records++
      open.nextOffset = intake.nextOffset
      open.maxEventTimeMs = intake.maxEventTimeMs
      open.highWatermark = highWatermark
      return rejected
    },
    async flush() {
      if (open === null) return
      const batch = open
      const before = writing
      const bytes = bytesOf(batch)
      open = null
      writingBytes += bytes
      writing = before
        .then(() => (closed ? undefined : options.write(lane, batch)))
        .finally(() => {
          writingBytes -= bytes
        })
      // Whoever waits next sees the failure; without this an early one would be unhandled.
      writing.catch(() => undefined)
      await before
    },
    drain: () => writing,
    close() {
      closed = true
      open = null
    },
  }
  return lane
}

function bytesOf<Event>({ rows, rejectedBytes }: OpenBatch<Event>): number {
  return rows.bytes + rejectedBytes
}

/** Stores the largest batches until all lanes together hold no more than `bytesMax`. */
export async function makeRoom<Event>(
  lanes: ReadonlyMap<number, Lane<Event>>,
  bytesMax: number,
): Promise<void> {
  for (;;) {
    let sum = 0
    let largest: Lane<Event> | null = null
    for (const lane of lanes.values()) {
      sum += lane.pendingBytes
      if (largest === null || lane.pendingBytes > largest.pendingBytes) largest = lane
    }
    if (largest === null || sum <= bytesMax) return
    await largest.flush()
    await largest.drain()
  }
}
