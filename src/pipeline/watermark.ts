import type { PartitionProgress } from '../ports.ts'

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

export function isIdle(
  partition: PartitionProgress,
  nowMs: number,
  idleTimeoutMs: number,
): boolean {
  return partition.caughtUp && nowMs - partition.updatedAtMs > idleTimeoutMs
}
