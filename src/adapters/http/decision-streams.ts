import type { FastifyReply, FastifyRequest } from 'fastify'
import type { WorkerApi } from '../../contract/worker-api.ts'
import type { Clock, Log } from '../../ports.ts'
import { DoorError } from './problem.ts'
import { createStreamReader, type Position, type StreamReader } from './stream-reader.ts'

export interface StreamLimits {
  /** Readers at the same time. */
  readonly readers: number
  /** Bytes that may wait for one reader. */
  readonly bufferBytes: number
  /** Between two comments, ms. */
  readonly beatMs: number
  /** What a reader that is sent away has to take the last bytes, ms. */
  readonly farewellMs: number
}

export const STREAM_LIMITS: StreamLimits = {
  readers: 1000,
  bufferBytes: 1_048_576,
  beatMs: 15_000,
  farewellMs: 2000,
}

/** `<route>#<generation>` → position; null for anything else, which is a reader without a past. */
export function parseEventId(header: string | undefined): Position | null {
  const match = /^(.+)#(\d{1,15})$/.exec((header ?? '').trim())
  if (match === null) return null
  return { route: match[1] as string, generation: Number(match[2]) }
}

export interface DecisionStreams {
  /** Answers the request with a stream; throws a DoorError or what the record throws, before any byte. */
  open(request: FastifyRequest, reply: FastifyReply, route: string | null): Promise<void>
  /** Ends every stream, now and from now on. */
  drain(): void
}

/** Server-sent decisions: who listens, how many, and the comment that keeps proxies from hanging up. */
export function createDecisionStreams(deps: {
  api: WorkerApi
  clock: Clock
  log: Log
  limits: StreamLimits
}): DecisionStreams {
  const { api, clock, log, limits } = deps
  const readers = new Set<StreamReader>()
  const stopped = new AbortController()

  async function beat(): Promise<void> {
    while (!stopped.signal.aborted) {
      await clock.sleep(limits.beatMs, stopped.signal)
      if (!stopped.signal.aborted) for (const reader of [...readers]) reader.beat()
    }
  }
  void beat()

  function assertOpen(): void {
    if (stopped.signal.aborted) {
      throw new DoorError('draining', 'The worker is shutting down.', {
        remedy: 'Reconnect with Last-Event-ID in a few seconds.',
      })
    }
  }

  return {
    async open(request, reply, route) {
      assertOpen()
      if (readers.size >= limits.readers) {
        throw new DoorError(
          'too_many_streams',
          `${limits.readers} readers are connected already.`,
          {
            remedy: 'Ask GET /v1/decisions now and then, or read the decisions topic of Kafka.',
          },
        )
      }
      const response = reply.raw
      const reader = createStreamReader({
        api,
        response,
        route,
        bufferBytes: limits.bufferBytes,
        onEnd(reason) {
          readers.delete(reader)
          if (reason === null || !response.headersSent) return
          log.info({ route, reason }, 'decision stream ended')
          const gone = new AbortController()
          response.once('close', () => gone.abort())
          void clock.sleep(limits.farewellMs, gone.signal).then(() => response.destroy())
        },
      })
      readers.add(reader)
      try {
        await reader.catchUp(parseEventId(request.headers['last-event-id']?.toString()))
        assertOpen()
      } catch (thrown) {
        reader.finish('no stream')
        throw thrown
      }
      reply.hijack()
      request.raw.socket.setKeepAlive(true, 30_000)
      response.writeHead(200, {
        'content-type': 'text/event-stream; charset=utf-8',
        'cache-control': 'no-cache, no-transform',
        'x-accel-buffering': 'no',
        // A stream ends because one side goes away; nobody should wait for its connection.
        connection: 'close',
      })
      response.write('retry: 2000\n\n')
      await reader.run()
    },

    drain() {
      stopped.abort()
      for (const reader of [...readers]) reader.finish('the worker is shutting down')
    },
  }
}
