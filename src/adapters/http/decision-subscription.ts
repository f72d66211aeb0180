import type { WireDecision } from '../../contract/decision.ts'
import { createEventStreamParser, type StreamMessage } from '../../contract/event-stream-parser.ts'
import { HaldaneError } from '../../domain/errors.ts'
import type { Clock } from '../../ports.ts'
import type { WorkerConnection } from './worker-connection.ts'

/** Three missed comments: the connection is dead, whatever the operating system believes. */
const SILENCE_MS = 45_000
const FIRST_DELAY_MS = 500
const LONGEST_DELAY_MS = 15_000

export interface Subscription {
  /** Null for all routes. */
  readonly route: string | null
  /** `<route>#<generation>` of the last decision taken; null for a new subscriber. */
  readonly lastEventId: string | null
  /** Called once per decision, in order; what it throws ends the subscription. */
  readonly onDecision: (decision: WireDecision, eventId: string) => void
  readonly signal: AbortSignal
  /** The connection was lost and is being made again. */
  readonly onInterrupted?: (error: HaldaneError) => void
}

function interrupted(cause?: unknown): HaldaneError {
  return new HaldaneError('bus_unavailable', 'The stream of decisions was interrupted.', {
    remedy: 'Nothing to do: it is resumed where it stopped.',
    retryable: true,
    cause,
  })
}

/** Chunks of the answer until its end. Rejects when it breaks or falls silent. */
async function* chunksOf(
  response: Response,
  clock: Pick<Clock, 'sleep'>,
): AsyncGenerator<Uint8Array> {
  const reader = response.body?.getReader()
  if (reader === undefined) return
  try {
    for (;;) {
      const waited = new AbortController()
      const silence = clock.sleep(SILENCE_MS, waited.signal).then(() => null)
      const read = await Promise.race([reader.read(), silence]).finally(() => waited.abort())
      if (read === null) throw interrupted()
      if (read.done) return
      yield read.value
    }
  } catch (thrown) {
    throw thrown instanceof HaldaneError ? thrown : interrupted(thrown)
  } finally {
    await reader.cancel().catch(() => {})
  }
}

/**
 * Follows the decisions of a worker until the signal aborts. The first connection must succeed;
 * after that every loss is answered by connecting again, with growing delays, after the last
 * decision taken. Rejects when the worker refuses for good or `onDecision` throws.
 */
export async function subscribeToDecisions(
  connection: WorkerConnection,
  clock: Pick<Clock, 'sleep'>,
  subscription: Subscription,
): Promise<void> {
  const { route, signal, onDecision, onInterrupted } = subscription
  const query = route === null ? '' : `?route=${encodeURIComponent(route)}`
  let lastEventId = subscription.lastEventId
  let connected = false
  let delayMs = FIRST_DELAY_MS

  async function connect(ended: AbortSignal): Promise<Response> {
    const response = await connection.open({
      method: 'GET',
      path: `/v1/decisions/stream${query}`,
      headers: {
        accept: 'text/event-stream',
        ...(lastEventId === null ? {} : { 'last-event-id': lastEventId }),
      },
      signal: ended,
    })
    if (!response.ok) throw await connection.refusal(response)
    return response
  }

  function take(message: StreamMessage): void {
    if (message.event !== 'decision' || signal.aborted) return
    onDecision(JSON.parse(message.data) as WireDecision, message.id)
    lastEventId = message.id
    delayMs = FIRST_DELAY_MS
  }

  /** One connection, from its start to its end: why it ended. Throws what ends the subscription. */
  async function follow(ended: AbortSignal): Promise<HaldaneError> {
    let response: Response
    try {
      response = await connect(ended)
      connected = true
    } catch (thrown) {
      if (signal.aborted) return interrupted(thrown)
      if (connected && thrown instanceof HaldaneError && thrown.retryable) return thrown
      throw thrown
    }
    const parser = createEventStreamParser()
    const chunks = chunksOf(response, clock)
    for (;;) {
      const next = await chunks.next().catch(asInterruption)
      if (next instanceof HaldaneError) return next
      if (next.done) return interrupted()
      for (const message of parser.push(next.value)) take(message)
    }
  }

  while (!signal.aborted) {
    const ended = new AbortController()
    const end = (): void => ended.abort()
    signal.addEventListener('abort', end, { once: true })
    const reason = await follow(ended.signal).finally(() => {
      signal.removeEventListener('abort', end)
      // Frees the connection, also when `onDecision` threw in the middle of it.
      ended.abort()
    })
    if (signal.aborted) return
    onInterrupted?.(reason)
    // Half to full delay at random, so that the readers of a restarted worker do not come at once.
    await clock.sleep(delayMs * (0.5 + Math.random() / 2), signal)
    delayMs = Math.min(delayMs * 2, LONGEST_DELAY_MS)
  }
}

function asInterruption(thrown: unknown): HaldaneError {
  return thrown instanceof HaldaneError ? thrown : interrupted(thrown)
}
