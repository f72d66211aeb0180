import type { KafkaMessage } from 'kafkajs'

interface AbortedTransaction {
  readonly producerId: string
  readonly firstOffset: string
}

/** A record as kafkajs decodes it, with the parts that its types leave out. */
export type FetchedEntry = KafkaMessage & {
  readonly isControlRecord: boolean
  readonly batchContext: {
    readonly producerId: string
    readonly inTransaction: boolean
    readonly firstOffset: string
    readonly lastOffsetDelta: number
  }
}

/**
 * Leaves out records of aborted transactions and the markers that end transactions. A broker sends
 * aborted records too and says where each aborted transaction begins; its marker says where it ends.
 */
export function withoutAborted(
  entries: readonly FetchedEntry[],
  aborted: readonly AbortedTransaction[],
): FetchedEntry[] {
  const waiting = [...aborted].sort((a, b) => Number(a.firstOffset) - Number(b.firstOffset))
  const open = new Set<string>()
  return entries.filter((entry) => {
    while (waiting[0] !== undefined && Number(waiting[0].firstOffset) <= Number(entry.offset)) {
      open.add(waiting[0].producerId)
      waiting.shift()
    }
    const { producerId, inTransaction } = entry.batchContext
    if (entry.isControlRecord) {
      if (isAbortMarker(entry.key)) open.delete(producerId)
      return false
    }
    return !(inTransaction && open.has(producerId))
  })
}

/** A marker's key is its version and its type, 16 bits each; type 0 is an abort. */
function isAbortMarker(key: Buffer | null): boolean {
  return key !== null && key.length >= 4 && key.readInt16BE(2) === 0
}
