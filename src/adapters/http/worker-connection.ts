import { isObject } from '../../contract/stored-text.ts'
import { type ErrorCode, HaldaneError } from '../../domain/errors.ts'
import { codeOfProblemType, type ProblemCode } from './problem.ts'

/** Longest wait for an answer, ms; storing a large batch or starting a release may take a while. */
const ANSWER_TIMEOUT_MS = 60_000

const UNREACHABLE = new Set([
  'ECONNREFUSED',
  'ENOTFOUND',
  'EAI_AGAIN',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'ETIMEDOUT',
  'EADDRNOTAVAIL',
  'UND_ERR_CONNECT_TIMEOUT',
])

interface WorkerRequest {
  readonly method: 'GET' | 'POST'
  /** With the query, from the root. */
  readonly path: string
  readonly headers?: Readonly<Record<string, string>>
  readonly body?: string | Uint8Array<ArrayBuffer>
  /** Ends the request and its answer. Without it the answer must come within a minute. */
  readonly signal?: AbortSignal
}

interface WorkerAnswer {
  readonly status: number
  readonly body: unknown
}

export interface WorkerConnection {
  /** Any answer the worker gives, good or bad, unread. Rejects when there is none. */
  open(request: WorkerRequest): Promise<Response>
  /** An answer with a status below 300 or listed in `expected`, as JSON; others reject. */
  ask(request: WorkerRequest, expected?: readonly number[]): Promise<WorkerAnswer>
  /** The error an answer with a bad status stands for. */
  refusal(response: Response): Promise<HaldaneError>
}

function causeCode(thrown: unknown): string {
  const cause = thrown instanceof Error ? thrown.cause : undefined
  if (!isObject(cause)) return ''
  if (typeof cause['code'] === 'string') return cause['code']
  // Several addresses were tried; each attempt has its own error.
  const first = Array.isArray(cause['errors']) ? cause['errors'][0] : undefined
  return isObject(first) && typeof first['code'] === 'string' ? first['code'] : ''
}

/** No answer, as an error for people. */
function silence(base: string, thrown: unknown): HaldaneError {
  if (thrown instanceof Error && thrown.name === 'TimeoutError') {
    return new HaldaneError(
      'bus_unavailable',
      `The worker at ${base} did not answer within ${ANSWER_TIMEOUT_MS / 1000} s.`,
      { remedy: 'Look at its log and at GET /readyz?verbose.', retryable: true, cause: thrown },
    )
  }
  if (UNREACHABLE.has(causeCode(thrown))) {
    return new HaldaneError('bus_unavailable', `No worker answers at ${base}.`, {
      remedy: 'Start one with `haldane worker`, or check HALDANE_HTTP_HOST and HALDANE_HTTP_PORT.',
      retryable: true,
      cause: thrown,
    })
  }
  return new HaldaneError('bus_unavailable', `The connection to ${base} broke before the answer.`, {
    remedy: 'Look whether the request was carried out before you send it again.',
    retryable: true,
    cause: thrown,
  })
}

/** The domain's word for a problem of the door. */
function domainCode(code: ProblemCode): ErrorCode {
  switch (code) {
    case 'malformed':
    case 'method_not_allowed':
    case 'unsupported_media_type':
      return 'usage'
    case 'forbidden':
      return 'unauthorized'
    case 'draining':
      return 'bus_unavailable'
    case 'too_many_streams':
      return 'overloaded'
    default:
      return code
  }
}

function stranger(base: string, status: number): HaldaneError {
  return new HaldaneError('usage', `What answers at ${base} (status ${status}) is not a worker.`, {
    remedy: 'Check the address; `haldane worker` prints its own at the start.',
  })
}

/** Whole seconds; a date says nothing about a clock that differs. */
function retryAfterMs({ headers }: Response): { retryAfterMs?: number } {
  const seconds = headers.get('retry-after') ?? ''
  return /^\d{1,4}$/.test(seconds) ? { retryAfterMs: Number(seconds) * 1000 } : {}
}

function refusalOf(base: string, response: Response, body: unknown): HaldaneError {
  const { status } = response
  if (!isObject(body) || typeof body['detail'] !== 'string') return stranger(base, status)
  const code = codeOfProblemType(String(body['type']))
  if (code === null) return stranger(base, status)
  const remedy = body['remedy']
  return new HaldaneError(domainCode(code), body['detail'], {
    ...(typeof remedy === 'string' ? { remedy } : {}),
    retryable: status === 429 || status === 503,
    ...retryAfterMs(response),
  })
}

/** Throws `usage` unless the address is an http(s) one. */
function baseOf(url: string): string {
  const parsed = URL.canParse(url) ? new URL(url) : null
  if (parsed === null || !['http:', 'https:'].includes(parsed.protocol)) {
    throw new HaldaneError('usage', `${JSON.stringify(url)} is not the address of a worker.`, {
      remedy: 'Give it as http://127.0.0.1:7625.',
    })
  }
  return `${parsed.origin}${parsed.pathname.replace(/\/+$/, '')}`
}

/** Requests to one worker. Throws `usage` when the address is none. */
export function createWorkerConnection(url: string, token: string | null): WorkerConnection {
  const base = baseOf(url)

  async function open(request: WorkerRequest): Promise<Response> {
    const headers = {
      ...request.headers,
      ...(token === null ? {} : { authorization: `Bearer ${token}` }),
    }
    try {
      return await fetch(`${base}${request.path}`, {
        method: request.method,
        headers,
        // A token must not follow to another place.
        redirect: 'manual',
        signal: request.signal ?? AbortSignal.timeout(ANSWER_TIMEOUT_MS),
        ...(request.body === undefined ? {} : { body: request.body }),
      })
    } catch (thrown) {
      throw silence(base, thrown)
    }
  }

  async function textOf(response: Response): Promise<string> {
    try {
      return await response.text()
    } catch (thrown) {
      throw silence(base, thrown)
    }
  }

  async function jsonOf(response: Response): Promise<unknown> {
    const text = await textOf(response)
    try {
      return JSON.parse(text)
    } catch {
      throw stranger(base, response.status)
    }
  }

  return {
    open,

    async ask(request, expected = []) {
      const response = await open(request)
      const body = await jsonOf(response)
      if (!response.ok && !expected.includes(response.status)) {
        throw refusalOf(base, response, body)
      }
      return { status: response.status, body }
    },

    async refusal(response) {
      try {
        return refusalOf(base, response, await jsonOf(response))
      } catch (thrown) {
        return thrown instanceof HaldaneError ? thrown : silence(base, thrown)
      }
    },
  }
}
