import type { EventFormat } from '../contract/event-format.ts'
import { createLineSplitter, type EventLine } from '../contract/event-lines.ts'
import type { SubmitResult } from '../contract/worker-api.ts'
import { type HaldaneError, toHaldaneError } from '../domain/errors.ts'
import type { Rejection } from '../domain/request-event.ts'
import type { Clock } from '../ports.ts'
import { decodeFileLine } from './file-judge.ts'

/** Large enough for speed, small enough that one answer comes soon and fits every door. */
const BATCH_EVENTS = 20_000
const BATCH_BYTES = 8 * 1024 * 1024
/** A paced file goes in so many pieces a second, if its rate allows. */
const PIECES_PER_SECOND = 10
/** A pipe that pauses must not hold back what it gave. */
const IDLE_MS = 200
const FIRST_DELAY_MS = 250
const DELAY_MAX_MS = 10_000
/** Attempts after the first while the door is away: about a minute. */
const RETRIES_MAX = 10

export interface SendTotals {
  /** Lines that are not blank. */
  events: number
  accepted: number
  /** Invalid lines, which are not sent, and what the door did not take. */
  refused: number
}

export interface FileSenderOptions<Event> {
  readonly format: EventFormat<Event>
  readonly chunks: AsyncIterable<Uint8Array>
  readonly clock: Clock
  /** Events a second; null: as fast as the door answers. */
  readonly rate: number | null
  /** Where the events go. Repeating a call must be harmless. */
  send(values: readonly Uint8Array[]): Promise<Pick<SubmitResult, 'accepted' | 'rejected'>>
  /** Of very many in one request a door may name only the first. */
  onRefused(line: number, rejections: readonly Rejection[]): void
  onProgress(totals: Readonly<SendTotals>): void
  onRetry(error: HaldaneError, delayMs: number): void
}

/**
 * Sends the events of a file in the order of its lines, one request at a time, in bounded memory. A
 * request that may succeed later is repeated as it was: after the time the door asks for, for as
 * long as it only is busy, and for about a minute while it is away. It is not repeated when nothing
 * answers at the very first. Lines must say when they happened, so that a repeat, or the same file
 * once more, gives the same events again, which count once.
 *
 * Rejects with the door's error; `totals` say how far it came.
 */
export async function sendFile<Event>(
  options: FileSenderOptions<Event>,
  totals: SendTotals,
): Promise<void> {
  const { format, clock, rate } = options
  const batchEvents =
    rate === null ? BATCH_EVENTS : Math.min(BATCH_EVENTS, Math.ceil(rate / PIECES_PER_SECOND))
  const splitter = createLineSplitter()
  const startedAtMs = clock.now()
  let values: Uint8Array[] = []
  let lines: number[] = []
  let bytes = 0
  let sent = 0
  let answered = false

  const deliver = async (batch: readonly Uint8Array[]) => {
    let failures = 0
    for (let delayMs = FIRST_DELAY_MS; ; delayMs = Math.min(2 * delayMs, DELAY_MAX_MS)) {
      try {
        const result = await options.send(batch)
        answered = true
        return result
      } catch (thrown) {
        const error = toHaldaneError(thrown)
        if (error.retryAfterMs !== undefined) answered = true
        if (error.code !== 'overloaded') failures++
        if (!error.retryable || !answered || failures > RETRIES_MAX) throw error
        const waitMs = error.retryAfterMs ?? delayMs
        options.onRetry(error, waitMs)
        await clock.sleep(waitMs)
      }
    }
  }

  const flush = async () => {
    if (values.length === 0) return
    const [batch, places] = [values, lines]
    values = []
    lines = []
    bytes = 0
    const waitMs = rate === null ? 0 : startedAtMs + (sent / rate) * 1000 - clock.now()
    if (waitMs > 0) await clock.sleep(waitMs)
    const result = await deliver(batch)
    sent += batch.length
    totals.accepted += result.accepted
    totals.refused += batch.length - result.accepted
    for (const { index, rejections } of result.rejected) {
      options.onRefused(places[index] ?? 0, rejections)
    }
    options.onProgress(totals)
  }

  const take = async (line: EventLine) => {
    totals.events++
    const event = decodeFileLine(format, line)
    if (Array.isArray(event)) {
      totals.refused++
      options.onRefused(line.line, event)
    } else if (line.bytes !== null) {
      values.push(line.bytes)
      lines.push(line.line)
      bytes += line.byteLength
      if (values.length >= batchEvents || bytes >= BATCH_BYTES) await flush()
    }
  }

  for await (const chunk of withPauses(options.chunks, () => values.length > 0, clock)) {
    if (chunk === null) await flush()
    else for (const line of splitter.push(chunk)) await take(line)
  }
  for (const line of splitter.end()) await take(line)
  await flush()
}

/** The chunks, with null for every pause while something waits. */
async function* withPauses(
  chunks: AsyncIterable<Uint8Array>,
  isWaiting: () => boolean,
  clock: Clock,
): AsyncGenerator<Uint8Array | null> {
  const reader = chunks[Symbol.asyncIterator]()
  for (;;) {
    const next = reader.next()
    while (isWaiting()) {
      const timer = new AbortController()
      const pause = clock.sleep(IDLE_MS, timer.signal).then(() => null)
      const first = await Promise.race([next, pause])
      timer.abort()
      if (first !== null) break
      yield null
    }
    const { done, value } = await next
    if (done === true) return
    yield value
  }
}
