import type { BusRecord, Log } from '../../ports.ts'
import type { Topic } from './topic.ts'

/** Hands out every record of the topic that is written from now on. */
export function follow(
  topic: Topic,
  onRecord: (record: BusRecord) => void,
  log: Log | undefined,
): { close(): Promise<void> } {
  const follower = (record: BusRecord) => {
    // Closed after the record was written and before it came round.
    if (!topic.followers.has(follower)) return
    try {
      onRecord(record)
    } catch (thrown) {
      const { partition, offset } = record
      const fields = { topic: topic.spec.name, partition, offset, error: String(thrown) }
      log?.error(fields, 'a follower failed on a record')
    }
  }
  topic.followers.add(follower)
  return {
    async close() {
      topic.followers.delete(follower)
    },
  }
}
