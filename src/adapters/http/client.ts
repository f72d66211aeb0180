import { setTimeout as delay } from 'node:timers/promises'
import type { WireDecision } from '../../contract/decision.ts'
import type { WireReleaseView } from '../../contract/release-view-schema.ts'
import { formatTime } from '../../contract/rfc3339.ts'
import { isObject } from '../../contract/stored-text.ts'
import type { WorkerApi } from '../../contract/worker-api.ts'
import type { HaldaneError } from '../../domain/errors.ts'
import type { Clock } from '../../ports.ts'
import { subscribeToDecisions } from './decision-subscription.ts'
import { createWorkerConnection } from './worker-connection.ts'

type StartRequest = Parameters<WorkerApi['startRelease']>[0]
type CommandRequest = Parameters<WorkerApi['commandRelease']>[0]

/** What the worker did with a start or a command. */
interface Receipt {
  readonly releaseId: string
  readonly message: string
}

/** What the worker did with a batch of events. */
interface SubmitReceipt {
  readonly accepted: number
  readonly rejected: number
  /** False when the accepted events wait safely in Kafka. */
  readonly stored: boolean
  /** At most the first 1,000. `index` counts the submitted values from 0. */
  readonly errors: readonly {
    readonly index: number
    readonly field: string
    readonly code: string
    readonly message: string
  }[]
}

/**
 * A worker, asked over HTTP. Refusals reject with the worker's own code, message and remedy; a worker
 * that does not answer with `bus_unavailable`.
 */
export interface WorkerClient {
  startRelease(request: StartRequest): Promise<Receipt>
  /** Newest first. */
  releases(): Promise<WireReleaseView[]>
  /** Null when there is none of that id. */
  release(releaseId: string): Promise<WireReleaseView | null>
  commandRelease(request: CommandRequest): Promise<Receipt>
  /** Recorded decisions with a larger generation, ascending. */
  decisionsAfter(route: string, generation: number): Promise<WireDecision[]>
  /**
   * Calls back with the newest decision of the route (of every route for null), or with all after
   * `lastEventId` (`<route>#<generation>`), then with the live ones; connects again after a loss.
   * Resolves when the signal aborts. Rejects when the first connection fails, when the worker refuses
   * for good, and with what `onDecision` throws.
   */
  streamDecisions(
    route: string | null,
    lastEventId: string | null,
    onDecision: (decision: WireDecision, eventId: string) => void,
    signal: AbortSignal,
    onInterrupted?: (error: HaldaneError) => void,
  ): Promise<void>
  /** One request of at most 16 MiB and 100,000 events; each value is the JSON text of one, none blank. */
  submit(values: readonly Uint8Array[]): Promise<SubmitReceipt>
}

const wallClock: Pick<Clock, 'sleep'> = {
  sleep: (ms, signal) => delay(ms, undefined, { signal }).catch(() => {}),
}

/** Values as lines. A line break inside valid JSON is only white space, so a blank takes its place. */
function ndjson(values: readonly Uint8Array[]): Uint8Array<ArrayBuffer> {
  const body = new Uint8Array(values.reduce((bytes, value) => bytes + value.length + 1, 0))
  let end = 0
  for (const value of values) {
    for (const byte of value) body[end++] = byte === 0x0a || byte === 0x0d ? 0x20 : byte
    body[end++] = 0x0a
  }
  return body
}

function receiptOf(body: unknown): Receipt {
  const fields = isObject(body) ? body : {}
  return {
    releaseId: String(fields['release_id'] ?? ''),
    message: String(fields['message'] ?? ''),
  }
}

function submitReceiptOf(body: unknown): SubmitReceipt {
  const fields = isObject(body) ? body : {}
  return {
    accepted: Number(fields['accepted'] ?? 0),
    rejected: Number(fields['rejected'] ?? 0),
    stored: fields['stored'] === true,
    errors: Array.isArray(fields['errors']) ? fields['errors'] : [],
  }
}

/** Throws `usage` when the address is none. `clock` is only for waiting; the wall's by default. */
export function createWorkerClient(options: {
  readonly url: string
  readonly token: string | null
  readonly clock?: Pick<Clock, 'sleep'>
}): WorkerClient {
  const connection = createWorkerConnection(options.url, options.token)
  const clock = options.clock ?? wallClock

  return {
    async startRelease({ source, fileName, by, reason, startAtMs }) {
      const query = new URLSearchParams({
        by,
        ...(reason === '' ? {} : { reason }),
        ...(startAtMs === undefined ? {} : { start: formatTime(startAtMs) }),
      })
      const answer = await connection.ask({
        method: 'POST',
        path: `/v1/releases?${query}`,
        headers: {
          'content-type': 'application/yaml',
          'x-file-name': encodeURIComponent(fileName),
        },
        body: source,
      })
      return receiptOf(answer.body)
    },

    async releases() {
      const answer = await connection.ask({ method: 'GET', path: '/v1/releases' })
      return answer.body as WireReleaseView[]
    },

    async release(releaseId) {
      const path = `/v1/releases/${encodeURIComponent(releaseId)}`
      const { status, body } = await connection.ask({ method: 'GET', path }, [404])
      return status === 404 ? null : (body as WireReleaseView)
    },

    async commandRelease({ releaseId, kind, by, reason }) {
      const answer = await connection.ask({
        method: 'POST',
        path: `/v1/releases/${encodeURIComponent(releaseId)}/${kind}`,
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify({ by, reason }),
      })
      return receiptOf(answer.body)
    },

    async decisionsAfter(route, generation) {
      const path = `/v1/decisions?route=${encodeURIComponent(route)}&after=${generation}`
      const answer = await connection.ask({ method: 'GET', path })
      return answer.body as WireDecision[]
    },

    streamDecisions(route, lastEventId, onDecision, signal, onInterrupted) {
      return subscribeToDecisions(connection, clock, {
        route,
        lastEventId,
        onDecision,
        signal,
        ...(onInterrupted === undefined ? {} : { onInterrupted }),
      })
    },

    async submit(values) {
      const answer = await connection.ask(
        {
          method: 'POST',
          path: '/v1/events',
          headers: { 'content-type': 'application/x-ndjson' },
          body: ndjson(values),
        },
        [422],
      )
      return submitReceiptOf(answer.body)
    },
  }
}
