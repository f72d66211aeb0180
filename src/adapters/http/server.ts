import { randomUUID } from 'node:crypto'
import type { Socket } from 'node:net'
import fastify, { type FastifyInstance, type FastifyReply, type FastifyRequest } from 'fastify'
import type { WorkerApi } from '../../contract/worker-api.ts'
import { HaldaneError } from '../../domain/errors.ts'
import type { Clock, Log } from '../../ports.ts'
import { type Access, assertGuarded, createAccess } from './access.ts'
import { addBodyBudget } from './body-budget.ts'
import { addInflating, assertReadableEncoding } from './body-encoding.ts'
import { createDecisionStreams, STREAM_LIMITS, type StreamLimits } from './decision-streams.ts'
import { problemsInFile } from './file-problems.ts'
import { DoorError, type Problem, problem, problemOf, sendProblem } from './problem.ts'
import { addRoutes, OPEN_URLS } from './routes.ts'
import { discardBody } from './unread-body.ts'

const BODY_BYTES = 1_048_576
/** A request must have arrived whole by then, so that a trickle cannot hold a connection. */
const REQUEST_TIMEOUT_MS = 60_000
/** What requests in progress get at the end before their connections are cut. */
const CLOSE_GRACE_MS = 5000

export interface HttpServerOptions {
  readonly host: string
  /** 0 for any free port. */
  readonly port: number
  /** Null on the loopback only. */
  readonly token: string | null
  readonly api: WorkerApi
  readonly log: Log
  readonly clock: Clock
  /** Of the program, shown by the health addresses. */
  readonly version: string
  readonly streamLimits?: Partial<StreamLimits>
  /** Only `/livez`, `/readyz` and `/metrics`. */
  readonly healthOnly?: boolean
}

export interface HttpServer {
  readonly url: string
  /** Not ready any more, no streams; other requests are still answered. */
  drain(): void
  /** Drains, lets requests in progress end, and frees the port. */
  close(): Promise<void>
}

function createApp(): FastifyInstance {
  const app = fastify({
    logger: false,
    bodyLimit: BODY_BYTES,
    requestTimeout: REQUEST_TIMEOUT_MS,
    return503OnClosing: false,
    // Node would refuse a request without a host by itself, with an empty answer.
    http: { requireHostHeader: false },
    genReqId: () => randomUUID(),
    // A release id is a route and a version, far longer than the router's default of 100.
    routerOptions: { maxParamLength: 1024 },
    frameworkErrors: (error, request, reply) => {
      sendProblem(
        reply as FastifyReply,
        problemOf(error, { id: request.id, bodyLimit: BODY_BYTES }),
      )
    },
    clientErrorHandler: answerUnreadable,
  })
  // An expectation nobody knows is passed over, as RFC 9110 allows; Node would send an empty 417.
  app.server.on('checkExpectation', (request, response) => {
    app.server.emit('request', request, response)
  })
  // Bodies stay bytes: what an event says is judged from its text, not from a parsed copy.
  app.removeAllContentTypeParsers()
  app.addContentTypeParser('*', { parseAs: 'buffer' }, (_request, body, done) => done(null, body))
  addInflating(app)
  addBodyBudget(app)
  return app
}

/** Bytes that are no HTTP request never reach a handler. */
function answerUnreadable(error: Error & { code?: string }, socket: Socket): void {
  if (error.code === 'ECONNRESET' || !socket.writable) {
    socket.destroy()
    return
  }
  const body: Problem =
    error.code === 'HPE_HEADER_OVERFLOW'
      ? { ...problem('malformed', 'The headers are larger than 16 KiB.'), status: 431 }
      : error.code === 'ERR_HTTP_REQUEST_TIMEOUT'
        ? { ...problem('malformed', 'The request did not arrive in time.'), status: 408 }
        : problem('malformed', 'The bytes are not an HTTP request.')
  const text = JSON.stringify(body)
  socket.end(
    `HTTP/1.1 ${body.status} ${body.title}\r\ncontent-type: application/problem+json\r\n` +
      `content-length: ${Buffer.byteLength(text)}\r\nconnection: close\r\n\r\n${text}`,
  )
}

function addChecks(app: FastifyInstance, access: Access, isDraining: () => boolean): void {
  app.addHook('onRequest', async (request, reply) => {
    if (isDraining()) reply.header('connection', 'close')
    if (request.headers.host === undefined && request.raw.httpVersion === '1.1') {
      throw new DoorError('malformed', 'The request has no Host header.')
    }
    if (!OPEN_URLS.has(request.routeOptions.url ?? '')) access.check(request)
    assertReadableEncoding(request)
  })
}

function addErrors(app: FastifyInstance, log: Log, isDraining: () => boolean): void {
  app.setNotFoundHandler((request: FastifyRequest, reply) =>
    sendProblem(
      reply,
      problem(
        'not_found',
        `There is nothing at ${request.method} ${request.url.split('?', 1)[0]}.`,
        'A release id in an address is URL-encoded: its slashes are written %2F.',
      ),
    ),
  )
  app.setErrorHandler(async (thrown, request, reply) => {
    const { bodyLimit = BODY_BYTES } = request.routeOptions
    const body = problemOf(thrown, { id: request.id, bodyLimit }, problemsInFile(thrown))
    if (body.status >= 500) {
      const fields = { request_id: request.id, url: request.routeOptions.url, status: body.status }
      log.error({ ...fields, err: thrown }, 'request failed')
    }
    // The framework would close the connection for the sake of what it left unread.
    if (reply.hasHeader('connection') && (await discardBody(request.raw)) && !isDraining()) {
      reply.removeHeader('connection')
    }
    return sendProblem(reply, body, thrown instanceof DoorError ? thrown.headers : {})
  })
  app.addHook('onResponse', async (request, reply) => {
    const url = request.routeOptions.url ?? ''
    const fields = { request_id: request.id, method: request.method, url, status: reply.statusCode }
    log.debug({ ...fields, duration_ms: reply.elapsedTime }, 'request answered')
  })
}

/**
 * Connections on which no request was ever begun: browsers and clients open them in advance. The
 * server would wait for them at the end. The result cuts them, those that still come included.
 */
function trackSilentConnections(app: FastifyInstance): () => void {
  const silent = new Set<Socket>()
  let closing = false
  app.server.on('connection', (socket) => {
    if (closing) {
      socket.destroy()
      return
    }
    silent.add(socket)
    socket.once('close', () => silent.delete(socket))
  })
  app.server.on('request', (request) => silent.delete(request.socket))
  return () => {
    closing = true
    for (const socket of silent) socket.destroy()
  }
}

/** What to listen on. `localhost` is one address, not one listener for each of its meanings. */
function addressOf(host: string): string {
  return host.toLowerCase() === 'localhost' ? '127.0.0.1' : host.replace(/^\[(.*)\]$/, '$1')
}

function listenError(thrown: unknown, host: string, port: number): HaldaneError {
  const code = thrown instanceof Error && 'code' in thrown ? thrown.code : ''
  if (code === 'EADDRINUSE') {
    return new HaldaneError('port_taken', `Port ${port} of ${host} is taken by another program.`, {
      remedy: 'Stop it, or choose another port with HALDANE_HTTP_PORT (0 takes any free one).',
      cause: thrown,
    })
  }
  if (code === 'EACCES') {
    return new HaldaneError('usage', `This user may not open port ${port}.`, {
      remedy: 'Choose a port above 1023 with HALDANE_HTTP_PORT.',
      cause: thrown,
    })
  }
  return new HaldaneError('usage', `${host} port ${port} cannot be opened (${String(code)}).`, {
    remedy: 'Set HALDANE_HTTP_HOST to an address of this machine, such as 127.0.0.1.',
    cause: thrown,
  })
}

/**
 * Opens the door. Rejects with `usage` when strangers could reach it without a token or the address
 * is not of this machine, and with `port_taken`.
 */
export async function createHttpServer(options: HttpServerOptions): Promise<HttpServer> {
  const { host, port, token, api, log, clock, version } = options
  assertGuarded(host, token)
  let draining = false
  const isDraining = (): boolean => draining
  const access = createAccess(token)
  const limits: StreamLimits = { ...STREAM_LIMITS, ...options.streamLimits }
  const streams = createDecisionStreams({ api, clock, log, limits })
  const app = createApp()
  const cutSilentConnections = trackSilentConnections(app)
  addChecks(app, access, isDraining)
  addErrors(app, log, isDraining)
  const healthOnly = options.healthOnly === true
  addRoutes(app, { api, clock, access, streams, version, draining: isDraining, healthOnly })

  function drain(): void {
    draining = true
    streams.drain()
  }

  let closing: Promise<void> | null = null
  async function close(): Promise<void> {
    drain()
    cutSilentConnections()
    const closed = new AbortController()
    void clock.sleep(CLOSE_GRACE_MS, closed.signal).then(() => {
      if (!closed.signal.aborted) app.server.closeAllConnections()
    })
    await app.close()
    closed.abort()
  }

  try {
    const url = await app.listen({ host: addressOf(host), port })
    return {
      url,
      drain,
      close() {
        closing ??= close()
        return closing
      },
    }
  } catch (thrown) {
    await close()
    throw listenError(thrown, host, port)
  }
}
