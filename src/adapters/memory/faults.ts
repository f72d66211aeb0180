import type { Clock } from '../../ports.ts'

/** Makes the bus misbehave as a real one may; for tests. */
export interface BusFaults {
  /** Delivers again, within the present assignment, from the committed offset on. */
  redeliver(groupId: string): void
  /** Refuses the next commits of the group as those of a zombie; the member then joins again. */
  refuseCommits(groupId: string, count?: number): void
  /** All members of the group join again. */
  rebalance(groupId: string): void
  /** Every delivery, write and commit takes so long from now on. */
  delay(ms: number): void
}

/** What groups and writers ask before they act. */
export interface FaultState {
  delayMs: number
  /** Commits still to be refused, by group. */
  readonly refusals: Map<string, number>
}

export function createFaultState(): FaultState {
  return { delayMs: 0, refusals: new Map() }
}

/** The delay that is set, if any. */
export async function lag(faults: FaultState, clock: Clock, signal: AbortSignal): Promise<void> {
  if (faults.delayMs > 0) await clock.sleep(faults.delayMs, signal)
}

/** True when this commit of the group is to be refused. */
export function takeRefusal(faults: FaultState, groupId: string): boolean {
  const left = faults.refusals.get(groupId) ?? 0
  if (left > 0) faults.refusals.set(groupId, left - 1)
  return left > 0
}
