import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { DoorError } from './problem.ts'

const METHODS = ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS'] as const

export interface Operation {
  readonly handle: (request: FastifyRequest, reply: FastifyReply) => Promise<unknown>
  /** Bytes; 1 MiB when missing. */
  readonly bodyLimit?: number
  /** False for answers without an end, which HEAD cannot describe. */
  readonly head?: boolean
}

/** Registers an address with what it offers; every other method answers 405 and names what is offered. */
export function addEndpoint(
  app: FastifyInstance,
  url: string,
  operations: { readonly GET?: Operation; readonly POST?: Operation },
): void {
  const offered: string[] = []
  for (const method of ['GET', 'POST'] as const) {
    const operation = operations[method]
    if (operation === undefined) continue
    const head = method === 'GET' && operation.head !== false
    offered.push(method, ...(head ? ['HEAD'] : []))
    app.route({
      method,
      url,
      exposeHeadRoute: head,
      handler: operation.handle,
      ...(operation.bodyLimit === undefined ? {} : { bodyLimit: operation.bodyLimit }),
    })
  }
  const allow = offered.join(', ')
  app.route({
    method: METHODS.filter((method) => !offered.includes(method)),
    url,
    exposeHeadRoute: false,
    handler: async (request) => {
      throw new DoorError('method_not_allowed', `${url} does not take ${request.method}.`, {
        remedy: `Use ${allow}.`,
        headers: { allow },
      })
    },
  })
}

/** Value of a query parameter; null when missing. Throws `malformed` when empty or given twice. */
export function queryText(request: FastifyRequest, name: string): string | null {
  const query = request.query as Readonly<Record<string, string | string[] | undefined>>
  const value = query[name]
  if (value === undefined) return null
  if (typeof value !== 'string' || value === '') {
    throw new DoorError('malformed', `The query parameter ${name} must have one value.`, {
      remedy: `Give ${name} once, or leave it out.`,
    })
  }
  return value
}

/** Whether a query parameter stands there, with or without a value. */
export function hasQuery(request: FastifyRequest, name: string): boolean {
  return Object.hasOwn(request.query as object, name)
}

/** The raw body; empty when there is none. */
export function bodyBytes(request: FastifyRequest): Uint8Array {
  return request.body instanceof Uint8Array ? request.body : new Uint8Array(0)
}

/** The body as text. Throws `malformed` when it is not UTF-8. A byte order mark is dropped. */
export function bodyText(request: FastifyRequest): string {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bodyBytes(request))
  } catch {
    throw new DoorError('malformed', 'The body is not UTF-8 text.', {
      remedy: 'Save the file as UTF-8 and send it again.',
    })
  }
}

/** The body as a JSON value; undefined when it is empty. Throws `malformed`. */
export function bodyJson(request: FastifyRequest): unknown {
  const text = bodyText(request)
  if (text.trim() === '') return undefined
  try {
    return JSON.parse(text)
  } catch (error) {
    throw new DoorError('malformed', `The body is not JSON: ${(error as SyntaxError).message}.`, {
      remedy: 'Send one JSON object.',
    })
  }
}

/** Media type without parameters, lower case; empty when not given. */
export function mediaType(request: FastifyRequest): string {
  const header = request.headers['content-type'] ?? ''
  return (header.split(';')[0] ?? '').trim().toLowerCase()
}

export function sendJson(reply: FastifyReply, status: number, body: unknown): FastifyReply {
  return reply.code(status).type('application/json; charset=utf-8').send(JSON.stringify(body))
}
