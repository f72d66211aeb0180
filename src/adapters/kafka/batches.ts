import kafkajs, { type EachBatchPayload, type KafkaJSProtocolError } from 'kafkajs'
import type { ConsumeOptions, Log } from '../../ports.ts'
import { isMemberFenced, isWrongCoordinator, kafkaErrorTypes } from './failure.ts'
import type { Assignment, Membership } from './membership.ts'
import { toBusRecords } from './record.ts'

export interface BatchHandler {
  /** What kafkajs calls with each batch; a rejection makes it join again or stop. */
  handle(payload: EachBatchPayload): Promise<void>
  /** Resolves when no handler of the caller runs. */
  idle(): Promise<void>
}

/**
 * Hands batches to the caller, and none that the member may no longer work on: kafkajs goes through
 * everything it has fetched even after a heartbeat or a commit was refused.
 */
export function createBatchHandler(
  member: Membership,
  options: Pick<ConsumeOptions, 'topic' | 'onBatch'>,
  heartbeatIntervalMs: number,
  log: Log,
): BatchHandler {
  const running = new Set<Promise<void>>()

  const run = async (assignment: Assignment, { batch, heartbeat }: EachBatchPayload) => {
    // Called often, sent when due.
    const timer = setInterval(() => beat(assignment, heartbeat, log), heartbeatIntervalMs / 3)
    try {
      await options.onBatch({
        topic: options.topic,
        partition: batch.partition,
        assignment: assignment.number,
        records: toBusRecords(batch.partition, batch.messages),
        highWatermark: Number(batch.highWatermark),
      })
    } catch (thrown) {
      member.failure ??= thrown instanceof Error ? thrown : new Error(String(thrown))
      throw new kafkajs.KafkaJSNonRetriableError(`the handler failed: ${member.failure.message}`)
    } finally {
      clearInterval(timer)
    }
  }

  return {
    async handle(payload) {
      const { assignment } = member
      const { partition, messages } = payload.batch
      const last = messages.at(-1)
      if (member.stopping || member.failure !== null) return
      if (assignment === null || last === undefined) return
      if (!assignment.clean) assignment.rejoin = true
      if (assignment.rejoin) throw rejoinError()
      if (member.paused.has(partition) || !assignment.partitions.has(partition)) return

      member.send = payload.commitOffsetsIfNecessary
      const handling = run(assignment, payload)
      running.add(handling)
      await handling.finally(() => running.delete(handling))

      // Positions belong to an assignment: a later one begins at what is committed.
      if (member.assignment !== assignment) return
      payload.resolveOffset(last.offset)
      member.positions.set(partition, Number(last.offset) + 1)
      if (assignment.rejoin) throw rejoinError()
    },
    async idle() {
      await Promise.allSettled(running)
    },
  }
}

/** What kafkajs understands as: finish what runs, then join again. */
function rejoinError(): KafkaJSProtocolError {
  const error = new Error('this member has to join its group again')
  return new kafkajs.KafkaJSProtocolError(
    Object.assign(error, { type: 'REBALANCE_IN_PROGRESS', code: 27, retriable: false }),
  )
}

/**
 * A refused heartbeat does not interrupt the handler: as long as the group waits for its members
 * the handler can finish and commit, and only then the member joins again.
 */
function beat(assignment: Assignment, heartbeat: () => Promise<void>, log: Log): void {
  heartbeat().catch((thrown: unknown) => {
    if (isMemberFenced(thrown)) {
      assignment.rejoin = true
      assignment.fenced ||= !kafkaErrorTypes(thrown).includes('REBALANCE_IN_PROGRESS')
    } else if (isWrongCoordinator(thrown)) {
      assignment.rejoin = true
    } else {
      log.debug({ error: String(thrown) }, 'a heartbeat failed')
    }
  })
}
