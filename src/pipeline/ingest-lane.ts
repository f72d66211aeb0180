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
  readonly fromOffset: number
  nextOffset: number
  /** Event time of the partition before the batch. */
  readonly maxEventTimeBeforeMs: number
  maxEventTimeMs: number
  highWatermark: number
  /** Rows of it may have been sent to the store before. */
  readonly sentBefore: boolean
}

export interface LaneOptions<Event> {
  readonly partition: number
  readonly assignment: number
  readonly intake: PartitionIntake<Event>
  readonly policy: BatchPolicy
  /** Last offset of a batch that was begun before this lane; it is made again exactly so. */
  readonly pendingTo: number | null
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
  /** The open batch must be stored before this record is taken. */
  endsBefore(record: BusRecord): boolean
  /** A batch that was begun before is still being collected: it can be neither stored nor cut. */
  readonly collecting: boolean
  /** Of the open batch and of those that are being written. */
  readonly pendingBytes: number
  readonly full: boolean
  readonly aged: boolean
  /**
   * Hands the open batch over, unless it is still being collected; resolves as soon as the one before
   * it is safe.
   */
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
  let pendingTo = options.pendingTo

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
      if (open === null) return false
      return pendingTo === null ? isFull(policy, sizeOf(open)) : open.nextOffset > pendingTo
    },
    get aged() {
      return open !== null && pendingTo === null && isAged(policy, sizeOf(open), options.now())
    },
    get collecting() {
      return pendingTo !== null && open !== null && open.nextOffset <= pendingTo
    },
    endsBefore({ offset }) {
      if (pendingTo === null || offset <= pendingTo) return false
      // The records up to there are not in the topic any more.
      if (open === null) pendingTo = null
      else open.nextOffset = pendingTo + 1
      return open !== null
    },
    take(record, highWatermark) {
      open ??= {
        rows: options.newRows(),
        rejected: [],
        records: 0,
        rejectedBytes: 0,
        openedAtMs: options.now(),
        fromOffset: Math.max(record.offset, intake.nextOffset),
        nextOffset: record.offset,
        maxEventTimeBeforeMs: intake.maxEventTimeMs,
        maxEventTimeMs: 0,
        highWatermark,
        sentBefore: pendingTo !== null,
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
      if (open === null || lane.collecting) return
      const batch = open
      pendingTo = null
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
      if (lane.collecting) continue
      if (largest === null || lane.pendingBytes > largest.pendingBytes) largest = lane
    }
    if (largest === null || largest.pendingBytes === 0 || sum <= bytesMax) return
    await largest.flush()
    await largest.drain()
  }
}
