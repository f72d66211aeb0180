import type { BusRecord } from '../../ports.ts'
import { withRetries } from './attempts.ts'
import type { KafkaContext } from './client.ts'
import { explain } from './failure.ts'
import { isOutOfRange, openTopicReader, type TopicReader } from './topic-reader.ts'

const RETRY_DELAY_MS = 500

/** Hands out every committed record of a topic from its present end on, until closed. */
export async function follow(
  context: KafkaContext,
  topic: string,
  onRecord: (record: BusRecord) => void,
): Promise<{ close(): Promise<void> }> {
  const { clock, brokers } = context
  const log = context.log.child({ topic })
  const closing = new AbortController()
  const start = await withRetries(clock, () => openAtEnd(context, topic))
  const { positions } = start
  let { reader } = start

  const deliver = (record: BusRecord) => {
    try {
      onRecord(record)
    } catch (thrown) {
      const { partition, offset } = record
      log.error({ partition, offset, error: String(thrown) }, 'a follower failed on a record')
    }
  }

  const step = async () => {
    // A partition that was added meanwhile is new from its first record on.
    for (const partition of reader.partitions()) {
      if (!positions.has(partition)) positions.set(partition, 0)
    }
    for (const fetched of await reader.fetch(positions)) {
      if (closing.signal.aborted) return
      positions.set(fetched.partition, fetched.nextOffset)
      for (const record of fetched.records) deliver(record)
    }
  }

  /** Opens a new reader until one works; what was read stays read. */
  const recover = async (thrown: unknown) => {
    const { message } = explain(thrown, `following ${topic} is interrupted`, brokers)
    log.warn({}, message)
    for (let isOpen = false; !isOpen && !closing.signal.aborted; ) {
      await clock.sleep(RETRY_DELAY_MS, closing.signal)
      await reader.close()
      isOpen = await openTopicReader(context, topic).then(
        (opened) => {
          reader = opened
          return true
        },
        () => false,
      )
    }
    if (isOutOfRange(thrown)) await intoRange(reader, positions)
    if (!closing.signal.aborted) log.info({}, `following ${topic} again`)
  }

  const run = async () => {
    let failure: unknown = null
    while (!closing.signal.aborted) {
      try {
        if (failure === null) await step()
        else await recover(failure)
        failure = null
      } catch (thrown) {
        failure = thrown
      }
    }
    await reader.close()
  }
  const running = run()

  return {
    close() {
      closing.abort()
      return running
    },
  }
}

/** Leaders of a new topic may not know yet that they are, which passes. */
async function openAtEnd(
  context: KafkaContext,
  topic: string,
): Promise<{ reader: TopicReader; positions: Map<number, number> }> {
  const reader = await openTopicReader(context, topic)
  try {
    return { reader, positions: await reader.offsets('end', reader.partitions()) }
  } catch (thrown) {
    await reader.close()
    throw thrown
  }
}

/** Moves positions that retention has overtaken to the first record kept. */
async function intoRange(reader: TopicReader, positions: Map<number, number>): Promise<void> {
  const partitions = [...positions.keys()]
  const [first, end] = [
    await reader.offsets('first', partitions),
    await reader.offsets('end', partitions),
  ]
  for (const [partition, position] of positions) {
    const low = first.get(partition) ?? 0
    const high = end.get(partition) ?? low
    if (position < low || position > high) positions.set(partition, low)
  }
}
