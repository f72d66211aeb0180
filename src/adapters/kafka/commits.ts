import type { Cluster, Consumer as KafkaConsumer } from 'kafkajs'
import { HaldaneError } from '../../domain/errors.ts'
import type { Committed } from '../../ports.ts'
import { answered, withRetries } from './attempts.ts'
import type { KafkaContext } from './client.ts'
import { explain, isMemberFenced, isTransient, isWrongCoordinator } from './failure.ts'
import type { Membership } from './membership.ts'

const RETRY_DELAY_MS = 200
const RETRY_DELAY_MAX_MS = 3000
/** While the consumer is being stopped; otherwise a commit is tried until it is sent or fenced. */
const LAST_RETRIES = 5
/** The coordinator may be loading; if it has moved, only joining again finds it. */
const COORDINATOR_RETRIES = 8

export interface Commits {
  commit(partition: number, nextOffset: number, metadata: string): Promise<void>
  committed(partition: number): Promise<Committed>
}

/** Offsets of one group and topic, committed in the name of the present assignment or not at all. */
export function createCommits(
  context: KafkaContext,
  group: { readonly topic: string; readonly groupId: string },
  member: Membership,
  consumer: KafkaConsumer,
  cluster: Cluster,
): Commits {
  const { topic, groupId } = group
  const { clock, brokers } = context
  const place = (partition: number) => `${topic}/${partition} of group ${groupId}`

  const committed = async (partition: number): Promise<Committed> => {
    try {
      return await withRetries(clock, async () => {
        const asking = cluster.findGroupCoordinator({ groupId }).then((coordinator) =>
          coordinator.offsetFetch({
            groupId,
            topics: [{ topic, partitions: [{ partition, offset: '' }] }],
          }),
        )
        const { responses } = await answered(clock, 2 * context.tuning.requestTimeoutMs, asking)
        const found = responses[0]?.partitions[0] as
          | { offset: string; metadata?: string | null }
          | undefined
        const offset = Number(found?.offset ?? -1)
        return { offset: offset < 0 ? null : offset, metadata: found?.metadata ?? '' }
      })
    } catch (thrown) {
      throw explain(thrown, `cannot read the committed offset of ${place(partition)}`, brokers)
    }
  }

  const sendOnce = async (partition: number, nextOffset: number, metadata: string) => {
    const offset = { partition, offset: String(nextOffset), metadata }
    const { requestTimeoutMs } = context.tuning
    if (member.send !== null) {
      const sending = member.send({ topics: [{ topic, partitions: [offset] }] })
      await answered(clock, 2 * requestTimeoutMs, sending)
      return
    }
    // Before the first batch there is only this way, and it says nothing when it does nothing.
    await consumer.commitOffsets([{ topic, ...offset }])
    const now = await committed(partition)
    if (now.offset !== nextOffset || now.metadata !== metadata) throw fenced(place(partition))
  }

  /** Null when done, else a failure after which it may be tried again. */
  const attempt = async (partition: number, nextOffset: number, metadata: string) => {
    try {
      await sendOnce(partition, nextOffset, metadata)
      return null
    } catch (thrown) {
      if (isMemberFenced(thrown) || isTransient(thrown)) return thrown
      throw explain(thrown, `cannot commit ${place(partition)}`, brokers)
    }
  }

  return {
    committed,
    async commit(partition, nextOffset, metadata) {
      const { assignment } = member
      let delayMs = RETRY_DELAY_MS
      for (let lastRetries = LAST_RETRIES, coordinatorRetries = COORDINATOR_RETRIES; ; ) {
        // Checked in the same turn as the request is made: kafkajs sends it in the name of
        // whatever generation it has then.
        const isOurs = assignment !== null && assignment === member.assignment
        if (!isOurs || assignment.fenced || !assignment.partitions.has(partition)) {
          throw fenced(place(partition))
        }
        const failure = await attempt(partition, nextOffset, metadata)
        if (failure === null) return
        const isElsewhere = isWrongCoordinator(failure) && coordinatorRetries-- === 0
        if (isMemberFenced(failure) || isElsewhere) {
          assignment.rejoin = true
          assignment.fenced = true
        } else if (member.stopping && lastRetries-- === 0) {
          throw explain(failure, `cannot commit ${place(partition)}`, brokers)
        } else {
          await clock.sleep(delayMs)
          delayMs = Math.min(delayMs * 2, RETRY_DELAY_MAX_MS)
        }
      }
    },
  }
}

function fenced(place: string): HaldaneError {
  return new HaldaneError('fenced', `${place} belongs to another member of the group now`, {
    remedy: 'forget what was read of it; whoever owns it now begins at the committed offset',
  })
}
