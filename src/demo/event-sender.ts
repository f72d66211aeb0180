import { pause } from './pause.ts'
import { backOffMs, post, type WorkerDoor } from './post.ts'

interface SenderTotals {
  /** Events handed over; sent = accepted + rejected + failed + pending. */
  readonly sent: number
  readonly accepted: number
  /** The worker answered that it will not take them. */
  readonly rejected: number
  /** Given up without an answer: too many were waiting, or the sender was stopped. */
  readonly failed: number
  readonly pending: number
  /** Requests that had to be repeated. */
  readonly retries: number
  /** What the worker said last when it did not take everything; null when all is well. */
  readonly problem: string | null
}

export interface EventSender {
  /** Queues one event, a line of JSON. */
  add(line: string): void
  totals(): SenderTotals
  start(): void
  /** Sends what is waiting, for at most `drainMs`; the rest counts as failed. */
  stop(drainMs: number): Promise<void>
}

export interface SenderOptions {
  readonly door: WorkerDoor
  /** Time between two batches, as long as the worker keeps up. */
  readonly flushMs?: number
  readonly batchMax?: number
  /** Beyond it the oldest events are dropped. */
  readonly pendingMax?: number
  readonly timeoutMs?: number
  readonly retry?: { readonly firstMs: number; readonly maxMs: number }
}

/**
 * Posts events in batches of NDJSON, in order, one batch at a time: a batch that fails is repeated
 * byte for byte before the next one, so nothing is lost while the worker is away, nothing comes late
 * because of a repeat, and a repeat of what had arrived is recognised by its `request_id`s.
 */
export function createEventSender(options: SenderOptions): EventSender {
  const flushMs = options.flushMs ?? 100
  const batchMax = options.batchMax ?? 1500
  const pendingMax = options.pendingMax ?? 60_000
  const closing = new AbortController()
  const aborting = new AbortController()
  const totals = { sent: 0, accepted: 0, rejected: 0, failed: 0, retries: 0 }
  let problem: string | null = null
  let queue: string[] = []
  let inFlight = 0
  let running: Promise<void> | null = null

  const deliver = async (batch: readonly string[]): Promise<void> => {
    const body = `${batch.join('\n')}\n`
    const retry = options.retry ?? { firstMs: 50, maxMs: 2000 }
    let failures = 0
    while (!aborting.signal.aborted) {
      const outcome = await post(options.door, {
        path: '/v1/events',
        contentType: 'application/x-ndjson',
        body,
        timeoutMs: options.timeoutMs ?? 10_000,
        signal: aborting.signal,
      })
      problem = outcome.kind === 'ok' ? null : outcome.detail
      if (outcome.kind !== 'failed') {
        const unnamed = outcome.kind === 'ok' ? 0 : batch.length
        const rejected = rejectedIn(outcome.body) ?? unnamed
        totals.rejected += rejected
        totals.accepted += batch.length - rejected
        return
      }
      failures++
      totals.retries++
      await pause(backOffMs(failures, retry), aborting.signal)
    }
    totals.failed += batch.length
  }

  const run = async (): Promise<void> => {
    while (!aborting.signal.aborted) {
      const startedAt = performance.now()
      const batch = queue.splice(0, batchMax)
      if (batch.length > 0) {
        inFlight = batch.length
        await deliver(batch)
        inFlight = 0
      } else if (closing.signal.aborted) {
        return
      }
      if (queue.length >= batchMax) continue
      const restMs = flushMs - (performance.now() - startedAt)
      if (restMs > 0) await pause(restMs, closing.signal)
    }
    totals.failed += queue.length
    queue = []
  }

  return {
    add(line) {
      totals.sent++
      queue.push(line)
      if (queue.length <= pendingMax) return
      const dropped = queue.length - pendingMax
      queue.splice(0, dropped)
      totals.failed += dropped
    },
    totals: () => ({ ...totals, pending: queue.length + inFlight, problem }),
    start() {
      running ??= run()
    },
    async stop(drainMs) {
      closing.abort()
      const deadline = setTimeout(() => aborting.abort(), drainMs)
      await (running ?? run())
      clearTimeout(deadline)
    },
  }
}

/** Number of events the worker says it rejected; null when its answer has no such number. */
function rejectedIn(body: unknown): number | null {
  if (typeof body !== 'object' || body === null || !('rejected' in body)) return null
  return typeof body.rejected === 'number' ? body.rejected : null
}
