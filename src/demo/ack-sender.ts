import type { TrafficShare } from '../domain/decision.ts'
import { pause } from './pause.ts'
import { backOffMs, post, type WorkerDoor } from './post.ts'

interface Applied {
  readonly generation: number
  readonly traffic: readonly TrafficShare[]
  /** Unix ms. */
  readonly appliedAtMs: number
}

export interface AckSender {
  /** Tells the worker what was applied; a newer one takes the place of one still waiting. */
  acknowledge(applied: Applied): void
  /** Why the last ack did not arrive; null when it did. */
  problem(): string | null
  /** Sends nothing more. */
  stop(): Promise<void>
}

const RETRY = { firstMs: 100, maxMs: 2000 }

/** Repeats each ack until the worker has it or a newer one replaces it; repeating one is harmless. */
export function createAckSender(options: {
  readonly door: WorkerDoor
  readonly route: string
  readonly routerId: string
}): AckSender {
  const stopping = new AbortController()
  let waiting: Applied | null = null
  let running: Promise<void> | null = null
  let problem: string | null = null

  const send = async (): Promise<void> => {
    let failures = 0
    while (waiting !== null && !stopping.signal.aborted) {
      const applied: Applied = waiting
      const outcome = await post(options.door, {
        path: '/v1/acks',
        contentType: 'application/json',
        body: JSON.stringify(ackOf(applied, options)),
        timeoutMs: 5000,
        signal: stopping.signal,
      })
      problem = outcome.kind === 'ok' ? null : outcome.detail
      if (outcome.kind === 'failed') {
        failures++
        await pause(backOffMs(failures, RETRY), stopping.signal)
      } else {
        failures = 0
        if (waiting === applied) waiting = null
      }
    }
    running = null
  }

  return {
    acknowledge(applied) {
      waiting = applied
      running ??= send()
    },
    problem: () => problem,
    async stop() {
      stopping.abort()
      await running
    },
  }
}

function ackOf(applied: Applied, from: { route: string; routerId: string }): object {
  return {
    route: from.route,
    router_id: from.routerId,
    applied_generation: applied.generation,
    applied_traffic: applied.traffic,
    applied_at: new Date(applied.appliedAtMs).toISOString(),
  }
}
