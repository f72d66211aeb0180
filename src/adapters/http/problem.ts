import type { FastifyReply } from 'fastify'
import { type ErrorCode, HaldaneError } from '../../domain/errors.ts'

/** Failures that only a door can have, beside the codes of the domain. */
type DoorCode =
  | 'malformed'
  | 'forbidden'
  | 'method_not_allowed'
  | 'unsupported_media_type'
  | 'draining'
  | 'too_many_streams'

export type ProblemCode = ErrorCode | DoorCode

/** Status and title of every kind of problem. */
export const PROBLEM_KINDS: Readonly<
  Record<ProblemCode, { readonly status: number; readonly title: string }>
> = {
  malformed: { status: 400, title: 'The request cannot be read' },
  usage: { status: 400, title: 'The request is not used as documented' },
  unauthorized: { status: 401, title: 'A token is needed' },
  forbidden: { status: 403, title: 'The request comes from a place that may not ask' },
  not_found: { status: 404, title: 'There is no such thing' },
  method_not_allowed: { status: 405, title: 'The method is not offered here' },
  conflict: { status: 409, title: 'The request does not fit the present state' },
  too_large: { status: 413, title: 'The request is too large' },
  unsupported_media_type: { status: 415, title: 'The media type is not understood' },
  invalid_input: { status: 422, title: 'The input is not valid' },
  overloaded: { status: 429, title: 'Too much is waiting' },
  internal: { status: 500, title: 'The worker failed' },
  missing_dependency: { status: 500, title: 'The worker lacks a part' },
  port_taken: { status: 500, title: 'A port is taken' },
  data_dir_locked: { status: 503, title: 'The data directory is in use' },
  store_unavailable: { status: 503, title: 'The store does not answer' },
  bus_unavailable: { status: 503, title: 'The bus does not answer' },
  fenced: { status: 503, title: 'Another worker has taken over' },
  dead_letter_limit: { status: 503, title: 'The worker stopped on bad input' },
  draining: { status: 503, title: 'The worker is shutting down' },
  too_many_streams: { status: 503, title: 'All streams are taken' },
  disk_full: { status: 507, title: 'The disk is full' },
}

/** Seconds a client should wait before it asks again, per status. */
export const RETRY_AFTER_SECONDS: Readonly<Record<number, string>> = { 429: '1', 503: '5' }

/** RFC 9457 body. `errors` and other members are extensions of the problem's type. */
export interface Problem {
  readonly type: string
  readonly title: string
  readonly status: number
  readonly detail: string
  readonly remedy?: string
  readonly [extension: string]: unknown
}

/** A failure of the door itself; thrown by handlers, answered as a problem. */
export class DoorError extends Error {
  readonly code: ProblemCode
  readonly remedy: string | undefined
  readonly headers: Readonly<Record<string, string>>
  readonly extensions: Readonly<Record<string, unknown>>

  constructor(
    code: ProblemCode,
    detail: string,
    options: {
      remedy?: string
      headers?: Readonly<Record<string, string>>
      extensions?: Readonly<Record<string, unknown>>
    } = {},
  ) {
    super(detail)
    this.name = 'DoorError'
    this.code = code
    this.remedy = options.remedy
    this.headers = options.headers ?? {}
    this.extensions = options.extensions ?? {}
  }
}

/** `/problems/not-found`: relative, the same on every worker. */
export function problemType(code: ProblemCode): string {
  return `/problems/${code.replaceAll('_', '-')}`
}

function isProblemCode(text: string): text is ProblemCode {
  return Object.hasOwn(PROBLEM_KINDS, text)
}

/** The code inside a problem's type; null when it is not one of ours. */
export function codeOfProblemType(type: string): ProblemCode | null {
  const code = type.replace(/^.*\/problems\//, '').replaceAll('-', '_')
  return isProblemCode(code) ? code : null
}

export function problem(
  code: ProblemCode,
  detail: string,
  remedy?: string,
  extensions: Readonly<Record<string, unknown>> = {},
): Problem {
  const { status, title } = PROBLEM_KINDS[code]
  return {
    type: problemType(code),
    title,
    status,
    detail,
    ...(remedy === undefined ? {} : { remedy }),
    ...extensions,
  }
}

function hasCode(thrown: unknown): thrown is { code: string; statusCode?: number } {
  return (
    typeof thrown === 'object' &&
    thrown !== null &&
    'code' in thrown &&
    typeof thrown.code === 'string'
  )
}

/** A limit as people say it. */
function describeBytes(bytes: number): string {
  return bytes % 1_048_576 === 0 ? `${bytes / 1_048_576} MiB` : `${bytes} bytes`
}

function problemOfFramework(
  code: string,
  statusCode: number | undefined,
  bodyLimit: number,
): Problem | null {
  if (code === 'FST_ERR_CTP_BODY_TOO_LARGE') {
    const limit = describeBytes(bodyLimit)
    return problem('too_large', `The body is larger than ${limit}.`, 'Send it in several requests.')
  }
  if (code === 'FST_ERR_CTP_INVALID_MEDIA_TYPE') {
    return problem(
      'unsupported_media_type',
      'The content-type header is not a media type.',
      'Send a content-type such as application/json.',
    )
  }
  if (code === 'FST_ERR_CTP_INVALID_CONTENT_LENGTH') {
    return problem('malformed', 'The body is not as long as content-length says.')
  }
  if (code.startsWith('Z_') && statusCode === 400) {
    return problem('malformed', 'The body is not gzip, or its gzip is cut off or broken.')
  }
  if (code === 'ECONNRESET' && statusCode === 400) {
    return problem('malformed', 'The connection ended before the body did.')
  }
  if (code.startsWith('FST_ERR_') && statusCode !== undefined && statusCode < 500) {
    return problem('malformed', 'The address of the request cannot be read.')
  }
  return null
}

/**
 * Total: what a handler threw, as a problem. Text of errors nobody foresaw stays in the log (it may
 * name files or hosts); the answer carries the `request_id` under which the log has it.
 */
export function problemOf(
  thrown: unknown,
  request: { readonly id: string; readonly bodyLimit: number },
  extensions: Readonly<Record<string, unknown>> = {},
): Problem {
  if (thrown instanceof DoorError) {
    return problem(thrown.code, thrown.message, thrown.remedy, thrown.extensions)
  }
  if (thrown instanceof HaldaneError && thrown.code !== 'internal') {
    return problem(thrown.code, thrown.message, thrown.remedy, extensions)
  }
  const framework = hasCode(thrown)
    ? problemOfFramework(thrown.code, thrown.statusCode, request.bodyLimit)
    : null
  return (
    framework ??
    problem(
      'internal',
      'The worker met an error it did not expect. Nothing is known about the outcome of the request.',
      `Look for request_id ${request.id} in the worker's log.`,
      { request_id: request.id },
    )
  )
}

export function sendProblem(
  reply: FastifyReply,
  body: Problem,
  headers: Readonly<Record<string, string>> = {},
): FastifyReply {
  const retryAfter = RETRY_AFTER_SECONDS[body.status]
  if (retryAfter !== undefined) reply.header('retry-after', retryAfter)
  return (
    reply
      .code(body.status)
      .headers(headers)
      .type('application/problem+json')
      // As bytes, for to text the framework would add a charset that this type does not have.
      .send(Buffer.from(JSON.stringify(body)))
  )
}
