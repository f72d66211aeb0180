import { logSumExp } from './log-space.ts'

/** Accumulators of one test: since the start of the release, and since each restart. */
export interface Restarts<T> {
  /** The first is the one since the start. */
  readonly all: readonly T[]
  /** What comes from now on is also counted by itself. No effect beyond the number fixed at first. */
  restart(): void
  /**
   * ln of ½·E⁽⁰⁾ + ½·(1/R)·Σ E⁽ʳ⁾, where restarts that have not come yet count as 1. An average of
   * e-processes with weights fixed in advance is one, so restarts cost no validity; they find a
   * regression that begins late without having to work off the good time before it. At most ln 2
   * is lost on one that was there from the start.
   */
  mix(logE: (part: T) => number): number
}

/** `count`: R, all restarts there may ever be; 0 for evidence since the start alone. */
export function createRestarts<T>(count: number, make: () => T): Restarts<T> {
  const all = [make()]
  return {
    all,
    restart() {
      if (all.length <= count) all.push(make())
    },
    mix(logE) {
      const first = logE(all[0] as T)
      if (count === 0) return first
      const waiting = count + 1 - all.length
      const terms = [first, Math.log(waiting / count)]
      for (const part of all.slice(1)) terms.push(logE(part) - Math.log(count))
      return logSumExp(terms) - Math.LN2
    },
  }
}
