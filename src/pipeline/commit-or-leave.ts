import { toHaldaneError } from '../domain/errors.ts'
import type { Consumer } from '../ports.ts'

/** False when the partition is another member's now, who goes on from the last commit. */
export async function commitOrLeave(
  consumer: Consumer | null,
  partition: number,
  nextOffset: number,
): Promise<boolean> {
  try {
    await consumer?.commit(partition, nextOffset, '')
    return true
  } catch (thrown) {
    if (toHaldaneError(thrown).code !== 'fenced') throw thrown
    return false
  }
}
