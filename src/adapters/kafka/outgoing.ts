import { type Message, Partitioners } from 'kafkajs'
import type { OutgoingRecord } from '../../ports.ts'

/** kafkajs groups the records of a request by partition in quadratic time. */
const RECORDS_MAX = 2000
/** Lengths, offsets and attributes around a record and a header, as an upper bound. */
const RECORD_OVERHEAD_BYTES = 40
const HEADER_OVERHEAD_BYTES = 10

/** Kafka's default: murmur2 of the key. */
export const createPartitioner = Partitioners.DefaultPartitioner
const partition = createPartitioner()

export function partitionFor(key: string, partitionCount: number): number {
  const partitionMetadata = Array.from({ length: partitionCount }, (_, partitionId) => ({
    partitionErrorCode: 0,
    partitionId,
    leader: 0,
    replicas: [],
    isr: [],
  }))
  return partition({
    topic: '',
    partitionMetadata,
    message: { key: Buffer.from(key), value: null },
  })
}

/** Cuts records into requests that stay below the largest record batch a broker takes. */
export function* cutRequests(
  records: readonly OutgoingRecord[],
  bytesMax: number,
  nowMs: number,
): Generator<Message[]> {
  let request: Message[] = []
  let bytes = 0
  for (const record of records) {
    const message = toMessage(record, nowMs)
    const size = sizeOf(message)
    if (request.length > 0 && (bytes + size > bytesMax || request.length >= RECORDS_MAX)) {
      yield request
      request = []
      bytes = 0
    }
    request.push(message)
    bytes += size
  }
  if (request.length > 0) yield request
}

function toMessage(record: OutgoingRecord, nowMs: number): Message {
  const message: Message = {
    key: record.key === null ? null : toBuffer(record.key),
    value: record.value === null ? null : toBuffer(record.value),
    timestamp: String(record.timestampMs ?? nowMs),
  }
  if (record.partition !== undefined) message.partition = record.partition
  if (record.headers !== undefined) {
    message.headers = Object.fromEntries(
      Object.entries(record.headers).map(([name, value]) => [name, toBuffer(value)]),
    )
  }
  return message
}

/** A view of the same bytes; kafkajs takes other byte arrays for text. */
function toBuffer(value: string | Uint8Array): Buffer {
  if (typeof value === 'string') return Buffer.from(value)
  return Buffer.from(value.buffer, value.byteOffset, value.byteLength)
}

function sizeOf({ key, value, headers }: Message): number {
  let bytes = RECORD_OVERHEAD_BYTES + (key?.length ?? 0) + (value?.length ?? 0)
  for (const name in headers) {
    bytes += HEADER_OVERHEAD_BYTES + Buffer.byteLength(name) + (headers[name]?.length ?? 0)
  }
  return bytes
}
