import type { KafkaMessage } from 'kafkajs'
import { NO_HEADERS } from '../../contract/cloud-event.ts'
import type { BusRecord } from '../../ports.ts'

const EMPTY = new Uint8Array(0)

/**
 * Messages of one partition, offsets ascending, as records. This is the hottest loop of the
 * adapter: nearly every batch is without gaps, which the first and the last offset prove, so that
 * no other offset needs to be parsed; and neighbours mostly share their timestamp.
 */
export function toBusRecords(partition: number, messages: readonly KafkaMessage[]): BusRecord[] {
  const count = messages.length
  const records = new Array<BusRecord>(count)
  const first = Number(messages[0]?.offset)
  const gapless = Number(messages[count - 1]?.offset) - first === count - 1
  let timestamp = ''
  let timestampMs = 0
  for (let index = 0; index < count; index++) {
    const message = messages[index] as KafkaMessage
    if (message.timestamp !== timestamp) {
      timestamp = message.timestamp
      timestampMs = Number(timestamp)
    }
    records[index] = {
      partition,
      offset: gapless ? first + index : Number(message.offset),
      timestampMs,
      key: message.key,
      value: message.value,
      headers: headersOf(message),
    }
  }
  return records
}

/** Of a name that is given twice the last value counts, as in Kafka's own clients. */
function headersOf({ headers }: KafkaMessage): Readonly<Record<string, Uint8Array>> {
  let result: Record<string, Uint8Array> | null = null
  for (const name in headers) {
    result ??= {}
    const given = headers[name]
    const value = Array.isArray(given) ? given.at(-1) : given
    result[name] = typeof value === 'string' ? Buffer.from(value) : (value ?? EMPTY)
  }
  return result ?? NO_HEADERS
}
