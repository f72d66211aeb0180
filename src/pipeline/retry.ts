import { type HaldaneError, toHaldaneError } from '../domain/errors.ts'
import type { Clock } from '../ports.ts'

export interface RetryPolicy {
  readonly firstDelayMs: number
  readonly delayMaxMs: number
  /** Infinity: as long as the signal allows. */
  readonly attemptsMax: number
}

export const PATIENT: RetryPolicy = {
  firstDelayMs: 200,
  delayMaxMs: 10_000,
  attemptsMax: Number.POSITIVE_INFINITY,
}

/**
 * Repeats an operation that failed in a retryable way, with doubling delays. Anything else, the last
 * attempt's error, or an abort, is thrown at once. `onRetry` is told before each pause.
 */
export async function retry<T>(
  operation: () => Promise<T>,
  policy: RetryPolicy,
  clock: Clock,
  options: {
    signal?: AbortSignal
    onRetry?: (error: HaldaneError, delayMs: number, attempt: number) => void
  } = {},
): Promise<T> {
  let delayMs = policy.firstDelayMs
  for (let attempt = 1; ; attempt++) {
    try {
      return await operation()
    } catch (thrown) {
      const error = toHaldaneError(thrown)
      const over = attempt >= policy.attemptsMax || options.signal?.aborted === true
      if (!error.retryable || over) throw error
      options.onRetry?.(error, delayMs, attempt)
      await clock.sleep(delayMs, options.signal)
      delayMs = Math.min(delayMs * 2, policy.delayMaxMs)
    }
  }
}
