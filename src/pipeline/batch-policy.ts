/** When a batch of rows is sent to the store. */
export interface BatchPolicy {
  readonly rowsMax: number
  readonly bytesMax: number
  /** Of all partitions together, filling and on the way into the store: what bounds the memory. */
  readonly pendingBytesMax: number
  readonly ageMaxMs: number
}

export const DEFAULT_BATCH_POLICY: BatchPolicy = {
  rowsMax: 50_000,
  bytesMax: 8 * 1024 * 1024,
  pendingBytesMax: 16 * 1024 * 1024,
  ageMaxMs: 1000,
}

export interface BatchState {
  /** Records taken, stored ones and rejected ones included. */
  readonly records: number
  readonly bytes: number
  /** Wall time of the first record, Unix ms. */
  readonly openedAtMs: number
}

export function isFull(policy: BatchPolicy, batch: BatchState): boolean {
  return batch.records >= policy.rowsMax || batch.bytes >= policy.bytesMax
}

export function isAged(policy: BatchPolicy, batch: BatchState, nowMs: number): boolean {
  return batch.records > 0 && nowMs - batch.openedAtMs >= policy.ageMaxMs
}
