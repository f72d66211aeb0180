import type { RouterAck } from '../ports.ts'

/** Heartbeats after which a router that says nothing, while others do, is taken to be gone. */
const HEARTBEATS_GONE = 10
const SHORTEST_GONE_MS = 600_000

export interface RouterProgress {
  /** When the last router applied the generation, Unix ms; null while one has not. */
  readonly inForceFromMs: number | null
  /** Routers that have not applied it, by name. */
  readonly lagging: readonly string[]
}

/**
 * How far the routers of a release are with a generation, by the newest ack of each; null when none
 * has sent one since `sinceMs`, the release's start. A router that was taken away stops sending acks;
 * it is told from one that hangs by what the others send meanwhile.
 */
export function routerProgress(
  acks: readonly RouterAck[],
  of: { readonly generation: number; readonly sinceMs: number; readonly heartbeatMs: number },
): RouterProgress | null {
  const known = acks.filter(({ appliedAtMs }) => appliedAtMs >= of.sinceMs)
  if (known.length === 0) return null
  const newestMs = Math.max(...known.map(({ appliedAtMs }) => appliedAtMs))
  const goneMs = Math.max(SHORTEST_GONE_MS, HEARTBEATS_GONE * of.heartbeatMs)
  const live = known.filter(({ appliedAtMs }) => newestMs - appliedAtMs <= goneMs)
  const lagging = live.filter(({ appliedGeneration }) => appliedGeneration < of.generation)
  return {
    inForceFromMs:
      lagging.length > 0 ? null : Math.max(...live.map(({ appliedAtMs }) => appliedAtMs)),
    lagging: lagging.map(({ routerId }) => routerId).sort(),
  }
}
