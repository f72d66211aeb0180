import type { MessageHeaders } from '../contract/cloud-event.ts'
import type { EventFormat } from '../contract/event-format.ts'
import type { SubmitResult } from '../contract/worker-api.ts'
import type { Bus, OutgoingRecord } from '../ports.ts'
import type { StoredOffsets } from './stored-offsets.ts'

/** Takes events with the headers of each as a record of its own; resolves when they are safe. */
export type Submit = (
  values: readonly Uint8Array[],
  receivedAtMs: number,
  headers: MessageHeaders,
) => Promise<SubmitResult>

/** The log inside the process also says where it put the records. */
export interface PlacingLog {
  /** Appends to one partition; returns the offset of the first record, the others follow it. */
  append(topic: string, partition: number, records: readonly OutgoingRecord[]): Promise<number>
}

/** Answers when ingest has stored the rows, with what it rejected. */
export function submitThroughLog(log: PlacingLog, topic: string, stored: StoredOffsets): Submit {
  return async (values, timestampMs, headers) => {
    if (values.length === 0) return { accepted: 0, rejected: [], stored: true }
    const records = values.map((value) => ({ key: null, value, timestampMs, headers }))
    const fromOffset = await log.append(topic, 0, records)
    const toOffset = fromOffset + values.length
    const rejected = await stored.wait({ partition: 0, fromOffset, toOffset })
    return { accepted: values.length - rejected.length, rejected, stored: true }
  }
}

/**
 * Answers when Kafka has the events. What is invalid is refused here, while its sender listens,
 * and does not reach the topic.
 */
export function submitThroughKafka<Event>(
  bus: Bus,
  topic: string,
  format: EventFormat<Event>,
): Submit {
  return async (values, timestampMs, headers) => {
    const records: OutgoingRecord[] = []
    const rejected: SubmitResult['rejected'][number][] = []
    for (const [index, value] of values.entries()) {
      const event = format.decode({ value, headers, timestampMs })
      if (Array.isArray(event)) rejected.push({ index, rejections: event })
      else records.push({ key: format.keyOf(event), value, timestampMs, headers })
    }
    await bus.produce(topic, records)
    return { accepted: records.length, rejected, stored: false }
  }
}
