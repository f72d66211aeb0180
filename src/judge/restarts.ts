import { logSumExp } from './log-space.ts'

/**
 * Evidence since the start of the release and since each restart. Running sums are additive, so a
 * restart only remembers what they were: folding a block costs the same however many there are.
 */
export interface Restarts<Snapshot> {
  /** What comes from now on is also counted by itself. No effect beyond the number fixed at first. */
  restart(): void
  /**
   * ln of ½·E⁽⁰⁾ + ½·(1/R)·Σ E⁽ʳ⁾, where restarts that have not come yet count as 1. An average of
   * e-processes with weights fixed in advance is one, so restarts cost no validity; they find a
   * regression that begins late without having to work off the good time before it. At most ln 2
   * is lost on one that was there from the start. `logE` is asked for the evidence since a
   * snapshot; null: since the start.
   */
  mix(logE: (since: Snapshot | null) => number): number
}

/** `count`: R, all restarts there may ever be; 0 for evidence since the start alone. */
export function createRestarts<Snapshot>(count: number, take: () => Snapshot): Restarts<Snapshot> {
  const taken: Snapshot[] = []
  const logCount = Math.log(count)
  return {
    restart() {
      if (taken.length < count) taken.push(take())
    },
    mix(logE) {
      const first = logE(null)
      if (count === 0) return first
      const terms = [first, Math.log((count - taken.length) / count)]
      for (const since of taken) terms.push(logE(since) - logCount)
      return logSumExp(terms) - Math.LN2
    },
  }
}
