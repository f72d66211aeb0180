import type { EventStore, PartitionProgress } from '../ports.ts'

export interface Watermark {
  /** Event time up to which every non-idle partition is stored; null when nothing can be said yet. */
  readonly timeMs: number | null
  /** True when no partition has anything to say: the watermark then stands still. */
  readonly allIdle: boolean
  /** Wall time of the newest stored progress; null before any. */
  readonly newestProgressMs: number | null
}

/**
 * The watermark from what is *stored*: the smallest, over the partitions that are not idle, of the
 * largest event time stored. A partition is idle when it had been read to its end and nothing has
 * been stored since `idleTimeoutMs`; one with a backlog never is, so a stuck partition holds
 * blocks open instead of losing its events. Idle partitions alone move nothing.
 */
export function watermarkOf(
  progress: readonly PartitionProgress[],
  nowMs: number,
  idleTimeoutMs: number,
): Watermark {
  let newestProgressMs: number | null = null
  let activeMs = Number.POSITIVE_INFINITY
  let everyMs = Number.POSITIVE_INFINITY
  for (const partition of progress) {
    newestProgressMs = Math.max(newestProgressMs ?? 0, partition.updatedAtMs)
    everyMs = Math.min(everyMs, partition.maxEventTimeMs)
    if (!isIdle(partition, nowMs, idleTimeoutMs)) {
      activeMs = Math.min(activeMs, partition.maxEventTimeMs)
    }
  }
  const allIdle = activeMs === Number.POSITIVE_INFINITY
  // The smallest of all closes nothing that was not closable while a partition was still active.
  const timeMs = allIdle ? everyMs : activeMs
  const known = timeMs > 0 && timeMs < Number.POSITIVE_INFINITY
  return { timeMs: known ? timeMs : null, allIdle, newestProgressMs }
}

/** The topics whose stored progress says which blocks can be closed. */
export interface BlockTopics {
  readonly requests: string
  readonly feedback: string
}

export interface BlockWatermark extends Watermark {
  /** False when no feedback was ever read. */
  readonly feedback: boolean
}

/**
 * The watermark blocks are closed by: that of the requests, held back by every feedback partition
 * that is not idle. Feedback alone moves nothing, and a topic that never had any holds nothing up.
 */
export async function readBlockWatermark(
  store: Pick<EventStore, 'progress'>,
  topics: BlockTopics,
  nowMs: number,
  idleTimeoutMs: number,
  counts: (partition: PartitionProgress) => boolean = () => true,
): Promise<BlockWatermark> {
  const requests = (await store.progress(topics.requests)).filter(counts)
  const feedback = (await store.progress(topics.feedback)).filter(counts)
  return blockWatermarkOf(requests, feedback, nowMs, idleTimeoutMs)
}

export function blockWatermarkOf(
  requests: readonly PartitionProgress[],
  feedback: readonly PartitionProgress[],
  nowMs: number,
  idleTimeoutMs: number,
): BlockWatermark {
  const watermark = {
    ...watermarkOf(requests, nowMs, idleTimeoutMs),
    feedback: feedback.length > 0,
  }
  if (watermark.timeMs === null) return watermark
  let { timeMs } = watermark
  for (const partition of feedback) {
    if (!isIdle(partition, nowMs, idleTimeoutMs)) {
      timeMs = Math.min(timeMs, partition.maxEventTimeMs)
    }
  }
  return { ...watermark, timeMs: timeMs > 0 ? timeMs : null }
}

export function isIdle(
  partition: PartitionProgress,
  nowMs: number,
  idleTimeoutMs: number,
): boolean {
  return partition.caughtUp && nowMs - partition.updatedAtMs > idleTimeoutMs
}
