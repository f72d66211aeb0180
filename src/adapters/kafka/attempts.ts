import type { Clock } from '../../ports.ts'
import { isTransient } from './failure.ts'

/** Enough for a coordinator that is just loading on a fresh broker. */
const DELAYS_MS = [100, 200, 400, 800, 1600, 3200, 3200]

/** Repeats a request while it fails in a way that may pass; throws the last failure. */
export async function withRetries<T>(clock: Clock, request: () => Promise<T>): Promise<T> {
  for (const delayMs of DELAYS_MS) {
    try {
      return await request()
    } catch (thrown) {
      if (!isTransient(thrown)) throw thrown
      await clock.sleep(delayMs)
    }
  }
  return request()
}

/** Resolves when the work has ended in any way, or when the time is over. */
export async function within(clock: Clock, limitMs: number, work: Promise<unknown>): Promise<void> {
  const ended = new AbortController()
  const ending = work.then(
    () => ended.abort(),
    () => ended.abort(),
  )
  await Promise.race([ending, clock.sleep(limitMs, ended.signal)])
}

/**
 * Rejects, in a way that may pass, when there is no answer in time. kafkajs can lose a request
 * without a word when a connection breaks at the wrong moment.
 */
export async function answered<T>(clock: Clock, limitMs: number, work: Promise<T>): Promise<T> {
  const ended = new AbortController()
  const late = clock.sleep(limitMs, ended.signal).then(() => {
    if (ended.signal.aborted) return new Promise<never>(() => {})
    throw Object.assign(new Error(`no answer within ${limitMs / 1000} s`), { retriable: true })
  })
  try {
    return await Promise.race([work, late])
  } finally {
    ended.abort()
  }
}
