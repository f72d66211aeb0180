import type { BusRecord } from '../../ports.ts'

/** Part of every record's size, so that empty records count too. */
const RECORD_OVERHEAD_BYTES = 100
/** Superseded records a compacted log may hold beside the newest of each key. */
const COMPACTION_SLACK_RECORDS = 200

/** One partition in memory: offsets ascend and never come again, gaps are legal. */
export interface PartitionLog {
  readonly firstOffset: number
  readonly endOffset: number
  readonly bytes: number
  append(record: Omit<BusRecord, 'offset'>): BusRecord
  /** Records from an offset on, at least one if there is any, else within both bounds. */
  read(from: number, recordsMax: number, bytesMax: number): BusRecord[]
  /** Forgets the records below the offset. */
  dropBelow(offset: number): void
  /** Forgets the oldest records until no more bytes are left than given. */
  dropToBytes(bytesMax: number): void
}

export function createPartitionLog(startOffset: number, compacted: boolean): PartitionLog {
  let records: BusRecord[] = []
  /** Records before this index are forgotten. */
  let head = 0
  let endOffset = startOffset
  let bytes = 0
  let keys = 0
  /** Tombstones below it have been there for one compaction already and may go. */
  let tombstonesSeenBelow = startOffset

  const indexOf = (offset: number): number => {
    let low = head
    let high = records.length
    while (low < high) {
      const middle = (low + high) >>> 1
      if ((records[middle] as BusRecord).offset < offset) low = middle + 1
      else high = middle
    }
    return low
  }

  const dropTo = (index: number) => {
    for (; head < index; head++) bytes -= sizeOf(records[head] as BusRecord)
    if (head > 1024 && head > records.length / 2) {
      records = records.slice(head)
      head = 0
    }
  }

  const compact = () => {
    const newest = new Map<string, BusRecord>()
    for (const record of records) newest.set(keyOf(record), record)
    records = records.filter(
      (record) =>
        newest.get(keyOf(record)) === record &&
        (record.value !== null || record.offset >= tombstonesSeenBelow),
    )
    tombstonesSeenBelow = endOffset
    keys = records.length
    bytes = records.reduce((sum, record) => sum + sizeOf(record), 0)
  }

  return {
    get firstOffset() {
      return records[head]?.offset ?? endOffset
    },
    get endOffset() {
      return endOffset
    },
    get bytes() {
      return bytes
    },
    append(incoming) {
      const record: BusRecord = { ...incoming, offset: endOffset }
      records.push(record)
      endOffset++
      bytes += sizeOf(record)
      if (compacted && records.length > 2 * keys + COMPACTION_SLACK_RECORDS) compact()
      return record
    },
    read(from, recordsMax, bytesMax) {
      const start = indexOf(from)
      let end = start
      let size = 0
      while (end < records.length && end - start < recordsMax && size < bytesMax) {
        size += sizeOf(records[end] as BusRecord)
        end++
      }
      return records.slice(start, end)
    },
    dropBelow(offset) {
      dropTo(indexOf(offset))
    },
    dropToBytes(bytesMax) {
      let index = head
      let left = bytes
      while (left > bytesMax) left -= sizeOf(records[index++] as BusRecord)
      dropTo(index)
    },
  }
}

/** Records without a key are never superseded. */
function keyOf(record: BusRecord): string {
  if (record.key === null) return `#${record.offset}`
  return `=${Buffer.from(record.key).toString('latin1')}`
}

function sizeOf(record: BusRecord): number {
  let bytes = RECORD_OVERHEAD_BYTES + (record.key?.length ?? 0) + (record.value?.length ?? 0)
  for (const name in record.headers) bytes += name.length + (record.headers[name]?.length ?? 0)
  return bytes
}
