import type { BusRecord, Clock } from '../../ports.ts'
import { withRetries } from './attempts.ts'
import { isTransient } from './failure.ts'
import { type Fetched, isOutOfRange, type TopicReader } from './topic-reader.ts'

/**
 * All committed records of a partition up to the end it has at the call. Offsets alone do not tell
 * when that is reached, because markers and what compaction removed leave gaps there too; a fetch
 * below the end that finds nothing does.
 */
export async function readToEnd(
  reader: TopicReader,
  partition: number,
  clock: Clock,
): Promise<BusRecord[]> {
  const ask = <T>(request: () => Promise<T>) => withRetries(clock, afresh(reader, request))
  const offsetOf = async (which: 'first' | 'end') =>
    (await ask(() => reader.offsets(which, [partition]))).get(partition) ?? 0

  const end = await offsetOf('end')
  const records: BusRecord[] = []
  let position = await offsetOf('first')
  while (position < end) {
    let fetched: Fetched | undefined
    try {
      ;[fetched] = await ask(() => reader.fetch(new Map([[partition, position]])))
    } catch (thrown) {
      if (!isOutOfRange(thrown)) throw thrown
      // Retention removed what came next.
      const first = await offsetOf('first')
      if (first <= position) break
      position = first
      continue
    }
    if (fetched === undefined) continue
    for (const record of fetched.records) if (record.offset < end) records.push(record)
    if (fetched.nextOffset === position) break
    position = fetched.nextOffset
  }
  return records
}

function afresh<T>(reader: TopicReader, request: () => Promise<T>): () => Promise<T> {
  return async () => {
    try {
      return await request()
    } catch (thrown) {
      if (isTransient(thrown)) await reader.refresh()
      throw thrown
    }
  }
}
