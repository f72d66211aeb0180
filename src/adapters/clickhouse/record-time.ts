import type { Clock } from '../../ports.ts'
import { sqlTimeUs } from './sql-text.ts'

/**
 * `recorded_at` values: the wall clock in microseconds, never the same twice, so that the rows of a
 * process keep the order they were written in.
 */
export function createRecordTimes(clock: Clock): () => string {
  let lastUs = 0
  return () => {
    lastUs = Math.max(lastUs + 1, clock.now() * 1000)
    return sqlTimeUs(lastUs)
  }
}
