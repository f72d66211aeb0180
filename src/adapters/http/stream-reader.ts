import type { ServerResponse } from 'node:http'
import type { WorkerApi } from '../../contract/worker-api.ts'
import type { Decision } from '../../domain/decision.ts'
import { frameOf } from './stream-frame.ts'

/** Where a reader left off: it has every decision of the route up to the generation. */
export interface Position {
  readonly route: string
  readonly generation: number
}

export interface StreamReader {
  /** Reads what the reader has missed; rejects as the store does. Nothing is sent yet. */
  catchUp(after: Position | null): Promise<void>
  /** Sends what was missed, then the live decisions until the end. Never rejects. */
  run(): Promise<void>
  /** Sends a comment; drops a reader that took nothing since the comment before. */
  beat(): void
  /** Sends the comment as the last thing. What the reader does not take is lost with the socket. */
  finish(comment: string): void
}

export interface ReaderOptions {
  readonly api: WorkerApi
  readonly response: ServerResponse
  /** Null for all routes. */
  readonly route: string | null
  /** Bytes that may wait for the reader. */
  readonly bufferBytes: number
  /** Called once, when nothing more will be sent; `reason` is null when the reader went away. */
  readonly onEnd: (reason: string | null) => void
}

/**
 * One reader of the decision stream. It listens before it reads the record, so between what is
 * replayed and what is live there is no gap; per route only larger generations are sent, so nothing
 * comes twice.
 */
export function createStreamReader(options: ReaderOptions): StreamReader {
  const { api, response, route } = options
  const sent = new Map<string, number>()
  let backlog: Decision[] = []
  let live: Decision[] = []
  let liveBytes = 0
  let framesSent = 0
  let framesAtLastBeat = -1
  let ended = false
  let wake = (): void => {}

  const unsubscribe = api.onDecision((decision) => {
    if (ended || (route !== null && decision.route !== route)) return
    live.push(decision)
    liveBytes += frameOf(decision).length
    if (liveBytes + response.writableLength > options.bufferBytes) finish('too slow')
    wake()
  })
  response.once('close', () => end(null))
  response.on('drain', () => wake())
  // Bytes for a socket that is gone; `close` tells the rest.
  response.on('error', () => {})

  function end(reason: string | null): void {
    if (ended) return
    ended = true
    unsubscribe()
    backlog = []
    live = []
    wake()
    options.onEnd(reason)
  }

  function finish(comment: string): void {
    if (ended) return
    if (response.headersSent) response.end(`: ${comment}; reconnect with Last-Event-ID\n\n`)
    end(comment)
  }

  function woken(): Promise<void> {
    return new Promise((resolve) => {
      wake = resolve
    })
  }

  async function send(decision: Decision): Promise<void> {
    const last = sent.get(decision.route)
    if (ended || (last !== undefined && decision.generation <= last)) return
    sent.set(decision.route, decision.generation)
    framesSent++
    let writable = response.write(frameOf(decision))
    while (!writable && !ended) {
      await woken()
      writable = !response.writableNeedDrain
    }
  }

  async function sendLive(decision: Decision): Promise<void> {
    const last = sent.get(decision.route)
    if (last !== undefined && decision.generation > last + 1) {
      // The publisher skipped some; they are on record, and the reader was promised all of them.
      const missed = await api.decisionsAfter(decision.route, last)
      for (const one of missed) if (one.generation < decision.generation) await send(one)
    }
    await send(decision)
  }

  async function missedBy(after: Position | null): Promise<Decision[]> {
    const filter = route === null ? {} : { route }
    if (after === null || (route !== null && after.route !== route)) {
      return api.latestDecisions(filter)
    }
    const missed = await api.decisionsAfter(after.route, after.generation)
    if (missed.length > 0 && route !== null) {
      sent.set(after.route, after.generation)
      return missed
    }
    const latest = await api.latestDecisions(filter)
    const newest = latest.find((decision) => decision.route === after.route)
    // A generation that was never recorded here: the reader knows another history, so it is new.
    if (newest === undefined || newest.generation < after.generation) return latest
    sent.set(after.route, after.generation)
    // The newest of this very route may be younger than the first read; live ones close that gap.
    return [...missed, ...latest.filter((decision) => decision.route !== after.route)]
  }

  return {
    async catchUp(after) {
      backlog = await missedBy(after)
      if (ended) backlog = []
    },

    async run() {
      try {
        for (const decision of backlog) await send(decision)
        backlog = []
        while (!ended) {
          const decision = live.shift()
          if (decision === undefined) {
            await woken()
            continue
          }
          liveBytes -= frameOf(decision).length
          await sendLive(decision)
        }
      } catch {
        finish('the record of decisions cannot be read')
      }
      // When it was over before it began, the answer has its headers but no end.
      if (!response.writableEnded) response.end()
    },

    beat() {
      if (ended) return
      if (response.writableNeedDrain && framesSent === framesAtLastBeat) {
        finish('too slow')
        return
      }
      framesAtLastBeat = framesSent
      response.write(':\n\n')
    },

    finish,
  }
}
