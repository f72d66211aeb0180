import type { EventFormat } from '../contract/event-format.ts'
import type { Rejection, RequestEvent } from '../domain/request-event.ts'
import type { BusRecord, EventBatch } from '../ports.ts'

/** A record that was not accepted, kept with its original bytes. */
export interface RejectedRecord {
  readonly record: BusRecord
  readonly rejections: readonly Rejection[]
}

export interface IntakeCounts {
  accepted: number
  rejected: number
  /** Already stored before a restart. */
  skipped: number
}

/**
 * Turns the records of one partition, in offset order, into rows. What it decides about a record
 * depends only on the records before it, never on batch sizes or on a clock, so a record that is
 * delivered again gives the same row.
 */
export interface PartitionIntake<Event = RequestEvent> {
  readonly nextOffset: number
  readonly maxEventTimeMs: number
  readonly counts: IntakeCounts
  /** Adds the row to the batch, or returns why not; null when accepted or stored before. */
  take(record: BusRecord, batch: EventBatch<Event>): RejectedRecord | null
  /** Raises the partition's event time, when others moved on while it was idle. */
  raise(eventTimeMs: number): void
}

export function createPartitionIntake<Event>(start: {
  readonly format: EventFormat<Event>
  readonly topic: string
  readonly partition: number
  /** Records below it were dealt with before. */
  readonly nextOffset: number
  /** Largest event time stored below `nextOffset`, 0 without any. */
  readonly maxEventTimeMs: number
  /** Offsets ≥ `nextOffset` that are already stored, ascending. */
  readonly present: Float64Array
}): PartitionIntake<Event> {
  const { format, topic, partition, present } = start
  const counts: IntakeCounts = { accepted: 0, rejected: 0, skipped: 0 }
  let nextOffset = start.nextOffset
  let maxEventTimeMs = start.maxEventTimeMs
  let presentAt = 0

  const isPresent = (offset: number): boolean => {
    while (presentAt < present.length && (present[presentAt] as number) < offset) presentAt++
    return presentAt < present.length && present[presentAt] === offset
  }

  const accept = (event: Event, record: BusRecord, batch: EventBatch<Event>) => {
    if (isPresent(record.offset)) counts.skipped++
    else {
      counts.accepted++
      batch.add(event, {
        topic,
        partition,
        offset: record.offset,
        timestampMs: record.timestampMs,
        arrivalWatermarkMs: maxEventTimeMs,
      })
    }
    // A clock that runs ahead must not close blocks for everybody else.
    const timeMs = Math.min(format.timeMsOf(event), record.timestampMs)
    if (timeMs > maxEventTimeMs) maxEventTimeMs = timeMs
  }

  return {
    get nextOffset() {
      return nextOffset
    },
    get maxEventTimeMs() {
      return maxEventTimeMs
    },
    counts,
    take(record, batch) {
      if (record.offset < nextOffset) return null
      nextOffset = record.offset + 1
      const decoded = format.decode(record)
      if (Array.isArray(decoded)) {
        counts.rejected++
        return { record, rejections: decoded }
      }
      accept(decoded, record, batch)
      return null
    },
    raise(eventTimeMs) {
      if (eventTimeMs > maxEventTimeMs) maxEventTimeMs = eventTimeMs
    },
  }
}
