import type { Clock, EventStore, OffsetsKept, PartitionProgress } from '../ports.ts'
import type { Lane } from './ingest-lane.ts'
import { type BlockTopics, isIdle, readBlockWatermark } from './watermark.ts'

type SleepingLane = Pick<Lane, 'partition' | 'lastStoredMs'> & {
  readonly intake: Pick<Lane['intake'], 'raise'>
}

export interface SleepersOptions<L extends SleepingLane> {
  readonly store: Pick<EventStore, 'progress'>
  readonly clock: Clock
  readonly topic: string
  readonly blockTopics: BlockTopics
  readonly idleTimeoutMs: number
  persist<T>(what: string, operation: () => Promise<T>): Promise<T>
  saveProgress(lane: L, caughtUp: boolean): Promise<void>
}

/**
 * Partitions that blocks do not wait for. Blocks closed while one slept stay closed: what it brings
 * for them is late, and its rows say so.
 */
export interface Sleepers<L extends SleepingLane> {
  /**
   * Makes known that the partition is being read, when records wait in it. `begun`: the first of them
   * are a batch that was made before and stays what it was.
   */
  announce(
    lane: L,
    row: PartitionProgress | undefined,
    waiting: boolean,
    begun: boolean,
  ): Promise<void>
  /** To be called with the first record of a batch in hand. */
  wake(lane: L): Promise<void>
}

export function createSleepers<L extends SleepingLane>(options: SleepersOptions<L>): Sleepers<L> {
  const { store, clock, topic, blockTopics, idleTimeoutMs } = options
  const isFeedback = topic === blockTopics.feedback

  /** Only when it is known that the partition is awake: else blocks are closed between the two. */
  const raise = async (lane: L) => {
    const isOther = (row: PartitionProgress) =>
      row.topic !== topic || row.partition !== lane.partition
    const watermark = await options.persist('reading progress', () =>
      readBlockWatermark(store, blockTopics, clock.now(), idleTimeoutMs, isOther),
    )
    // Where all request partitions sleep, feedback must still know how far they had come.
    const moved = isFeedback || !watermark.allIdle
    if (moved && watermark.timeMs !== null) lane.intake.raise(watermark.timeMs)
  }

  return {
    async announce(lane, row, waiting, begun) {
      lane.lastStoredMs = waiting ? clock.now() : (row?.updatedAtMs ?? 0)
      if (!waiting) return
      await options.saveProgress(lane, true)
      const slept = row === undefined || isIdle(row, clock.now(), idleTimeoutMs)
      if (isFeedback && slept && !begun) await raise(lane)
    },
    async wake(lane) {
      const now = clock.now()
      if (now - lane.lastStoredMs <= idleTimeoutMs) return
      await options.saveProgress(lane, false)
      await raise(lane)
      lane.lastStoredMs = now
    },
  }
}

/** True when the topic has records at or above the offset. */
export function holdsAny(kept: OffsetsKept | undefined, from: number): boolean {
  return kept !== undefined && kept.end > Math.max(kept.first, from)
}
