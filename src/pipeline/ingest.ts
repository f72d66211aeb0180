import type { EventFormat } from '../contract/event-format.ts'
import { HaldaneError, toHaldaneError } from '../domain/errors.ts'
import type {
  Bus,
  Clock,
  Consumer,
  EventStore,
  Log,
  Metrics,
  PartitionProgress,
  RecordBatch,
} from '../ports.ts'
import type { BatchPolicy } from './batch-policy.ts'
import { type CommitMark, decodeMark, encodeMark } from './commit-mark.ts'
import { type DeadLetterLimit, publishDeadLetters } from './dead-letters.ts'
import { createLane, type Lane, makeRoom, type OpenBatch } from './ingest-lane.ts'
import { createPartitionIntake, type RejectedRecord } from './partition-intake.ts'
import { PATIENT, retry } from './retry.ts'
import { createSleepers, holdsAny } from './sleeping-partitions.ts'
import type { BlockTopics } from './watermark.ts'

/** Records taken between two turns of the event loop, so that heartbeats and HTTP go on. */
const SLICE_RECORDS = 2000

export interface IngestOptions<Event> {
  readonly bus: Bus
  readonly store: EventStore<Event>
  readonly format: EventFormat<Event>
  readonly clock: Clock
  readonly log: Log
  readonly metrics: Metrics
  readonly topic: string
  /** One of them is the topic. */
  readonly blockTopics: BlockTopics
  readonly groupId: string
  readonly policy: BatchPolicy
  readonly idleTimeoutMs: number
  /** Null: rejected records are only reported through `onRejected`. */
  readonly deadLetters: DeadLetterLimit | null
  onRejected?(rejected: RejectedRecord): void
  /** Everything of the partition below `nextOffset` is stored. */
  onStored?(partition: number, nextOffset: number): void
  /** Ingest cannot go on; the process should end. */
  onFailure(error: Error): void
}

export interface Ingest {
  start(): Promise<void>
  /** Takes no more batches, stores what is open, commits, leaves the group. */
  stop(): Promise<void>
}

/**
 * Moves the events of a topic from the bus into the store, exactly once. The order is fixed, and each step
 * may be repeated after a crash: dead letters, intent, rows, commit, progress. The intent names the
 * records of the batch beside the committed offset: the bus refuses it from a process that has lost
 * the partition, and the next owner makes the same batch again, so that the store recognises it even
 * while the first one is still on its way.
 */
export function createIngest<Event>(options: IngestOptions<Event>): Ingest {
  const { bus, store, clock, log, metrics, topic, policy } = options
  const lanes = new Map<number, Lane<Event>>()
  const ending = new AbortController()
  let assigning: Promise<void> = Promise.resolve()
  let joined: Promise<Consumer> = Promise.reject(new HaldaneError('internal', 'not started'))
  joined.catch(() => undefined)
  let timer: NodeJS.Timeout | null = null
  let stopping = false
  let failed = false

  const fail = (thrown: unknown) => {
    if (failed) return
    failed = true
    ending.abort()
    options.onFailure(toHaldaneError(thrown))
  }

  const persist = <T>(what: string, operation: () => Promise<T>) =>
    retry(operation, PATIENT, clock, {
      signal: ending.signal,
      onRetry: (error, delayMs, attempt) =>
        log.warn(
          { attempt, delayMs, code: error.code },
          `${what} failed, trying again: ${error.message}`,
        ),
    })

  const saveProgress = (lane: Lane<Event>, batch: OpenBatch<Event> | null, caughtUp: boolean) =>
    persist('saving progress', () =>
      store.saveProgress([
        {
          topic,
          partition: lane.partition,
          nextOffset: batch?.nextOffset ?? lane.intake.nextOffset,
          maxEventTimeMs: batch?.maxEventTimeMs ?? lane.intake.maxEventTimeMs,
          caughtUp,
          updatedAtMs: clock.now(),
        },
      ]),
    )

  const sleepers = createSleepers<Lane<Event>>({
    ...{ store, clock, topic, blockTopics: options.blockTopics, persist },
    idleTimeoutMs: options.idleTimeoutMs,
    saveProgress: (lane, caughtUp) => saveProgress(lane, null, caughtUp),
  })

  /**
   * Reads back what is stored of every partition before the first batch of any, and records that
   * they are being read: until each has shown its first events, or stayed silent for the idle
   * timeout, the watermark waits for it. It does not wait for feedback where none is in the topic.
   */
  const settle = async (partitions: readonly number[], assignment: number) => {
    const before = [...lanes.values()]
    lanes.clear()
    for (const lane of before) lane.close()
    await Promise.allSettled(before.map((lane) => lane.drain()))
    const progress = await persist('reading progress', () => store.progress(topic))
    const kept =
      topic === options.blockTopics.feedback
        ? await persist('looking up offsets', () => bus.offsetsKept(topic, partitions))
        : null
    for (const partition of partitions) {
      const row = progress.find((candidate) => candidate.partition === partition)
      const { from, pendingTo, maxEventTimeMs } = await beginningOf(partition, row)
      const present = await persist('reading back offsets', () =>
        store.presentOffsets(topic, partition, pendingTo === null ? from : pendingTo + 1),
      )
      const place = {
        format: options.format,
        topic,
        partition,
        nextOffset: from,
        maxEventTimeMs,
        present,
      }
      const lane = createLane({
        ...{ partition, assignment, policy, pendingTo, write },
        intake: createPartitionIntake(place),
        newRows: () => store.newBatch(),
        now: () => clock.now(),
      })
      lanes.set(partition, lane)
      const waiting = kept === null || holdsAny(kept.get(partition), from)
      await sleepers.announce(lane, row, waiting, pendingTo !== null)
      log.info({ topic, partition, from, pendingTo, present: present.length }, 'partition settled')
    }
  }

  /** What the bus and the store know of a partition; they differ when a process died in between. */
  const beginningOf = async (partition: number, row: PartitionProgress | undefined) => {
    const committed = await persist('reading the committed offset', async () =>
      (await joined).committed(partition),
    )
    const mark = decodeMark(committed)
    const maxEventTimeMs = Math.max(row?.maxEventTimeMs ?? 0, mark?.maxEventTimeMs ?? 0)
    const [stored, offset] = [row?.nextOffset ?? 0, committed.offset ?? 0]
    const pendingTo = mark?.pending?.to ?? -1
    if (pendingTo >= stored) return { from: offset, pendingTo, maxEventTimeMs }
    return { from: Math.max(stored, offset), pendingTo: null, maxEventTimeMs }
  }

  const checkBatch = (lane: Lane<Event>, batch: RecordBatch) => {
    if (lane.intake.nextOffset > batch.highWatermark) {
      throw new HaldaneError(
        'invalid_input',
        `${topic}/${lane.partition} ends at offset ${batch.highWatermark}, but everything below ` +
          `${lane.intake.nextOffset} is stored already: the topic was created anew`,
        { remedy: 'give the new topic another name, or start with an empty store' },
      )
    }
    const limit = options.deadLetters
    if (limit !== null && lane.rejectedRun > limit.runMax) {
      throw new HaldaneError(
        'dead_letter_limit',
        `${lane.rejectedRun} records in a row were rejected on ${topic}/${lane.partition}, up to offset ${lane.intake.nextOffset - 1}`,
        { remedy: `look into ${topic}.dlq: the producers' format has probably changed` },
      )
    }
  }

  const onBatch = async (batch: RecordBatch) => {
    await assigning
    const lane = lanes.get(batch.partition)
    if (stopping || lane === undefined || lane.assignment !== batch.assignment) return
    checkBatch(lane, batch)
    await sleepers.wake(lane)
    const { records, highWatermark } = batch
    for (let from = 0; from < records.length; from += SLICE_RECORDS) {
      for (const record of records.slice(from, from + SLICE_RECORDS)) {
        if (lane.endsBefore(record)) await lane.flush()
        const rejected = lane.take(record, highWatermark)
        if (rejected !== null) options.onRejected?.(rejected)
        if (lane.full) await lane.flush()
      }
      checkBatch(lane, batch)
      await makeRoom(lanes, policy.pendingBytesMax)
      await new Promise((resolve) => setImmediate(resolve))
    }
  }

  /** A failure is told at once: after the last batch of a partition nobody else waits for it. */
  const write = (lane: Lane<Event>, batch: OpenBatch<Event>) =>
    carry(lane, batch).catch((thrown: unknown) => {
      fail(thrown)
      throw thrown
    })

  const carry = async (lane: Lane<Event>, batch: OpenBatch<Event>) => {
    if (options.deadLetters !== null) {
      await persist('publishing dead letters', () => publishDeadLetters(bus, topic, batch.rejected))
    }
    try {
      if (batch.rows.rows > 0) await storeRows(lane, batch)
      const { nextOffset, maxEventTimeMs } = batch
      await commit(lane, nextOffset, { maxEventTimeMs, pending: null })
    } catch (thrown) {
      const error = toHaldaneError(thrown)
      if (error.code !== 'fenced') throw error
      // Another member owns the partition now and goes on from what is committed.
      lane.close()
      if (lanes.get(lane.partition) === lane) lanes.delete(lane.partition)
      log.info({ topic, partition: lane.partition }, 'partition handed over')
      return
    }
    const lag = Math.max(0, batch.highWatermark - batch.nextOffset)
    await saveProgress(lane, batch, lag === 0)
    lane.lastStoredMs = clock.now()
    metrics.count('haldane_events_consumed_total', { topic, result: 'accepted' }, batch.rows.rows)
    metrics.count(
      'haldane_events_consumed_total',
      { topic, result: 'rejected' },
      batch.rejected.length,
    )
    const labels = { topic, partition: String(lane.partition) }
    metrics.gauge('haldane_consumer_lag_messages', labels, lag)
    options.onStored?.(lane.partition, batch.nextOffset)
  }

  /** Each attempt begins with the intent: who has lost the partition meanwhile sends nothing more. */
  const storeRows = async (lane: Lane<Event>, batch: OpenBatch<Event>) => {
    const { rows, fromOffset: from, nextOffset } = batch
    const to = nextOffset - 1
    const pending = { to, rows: rows.rows }
    let { sentBefore } = batch
    await persist('storing events', async () => {
      await commit(lane, from, { maxEventTimeMs: batch.maxEventTimeBeforeMs, pending })
      const range = { topic, partition: lane.partition, from, to, sentBefore }
      sentBefore = true
      const startedAtMs = clock.now()
      await store.insertEvents(rows, range)
      metrics.observe('haldane_insert_duration_seconds', (clock.now() - startedAtMs) / 1000)
    })
    metrics.observe('haldane_insert_batch_rows', pending.rows)
  }

  const commit = async (lane: Lane<Event>, nextOffset: number, mark: CommitMark) =>
    (await joined).commit(lane.partition, nextOffset, encodeMark(mark))

  const flushAged = () => {
    for (const lane of lanes.values()) {
      if (lane.aged)
        lane
          .flush()
          .then(() => lane.drain(), fail)
          .catch(fail)
    }
  }

  return {
    async start() {
      timer ??= setInterval(flushAged, Math.max(5, policy.ageMaxMs / 10))
      joined = bus.consume({
        topic,
        groupId: options.groupId,
        onAssigned: (partitions, assignment) => {
          assigning = assigning.then(() => settle(partitions, assignment))
          assigning.catch(fail)
        },
        onBatch: (batch) =>
          onBatch(batch).catch((error: unknown) => {
            fail(error)
            throw error
          }),
        onCrash: fail,
      })
      await joined
    },
    async stop() {
      if (stopping) return
      stopping = true
      if (!failed) {
        for (const lane of lanes.values()) {
          await lane.flush()
          await lane.drain()
        }
      }
      if (timer !== null) clearInterval(timer)
      ending.abort()
      await (await joined).stop()
    },
  }
}
