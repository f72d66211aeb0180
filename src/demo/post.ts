/** Where the worker is, and what to show it. */
export interface WorkerDoor {
  /** Without a trailing slash, e.g. `http://127.0.0.1:7625`. */
  readonly url: string
  /** Bearer token; null when the worker asks for none. */
  readonly token: string | null
}

/**
 * `refused`: the worker answered that it will never take this request. `failed`: no answer, or one
 * that asks to try again; the worker may or may not have acted, so a repeat must be harmless.
 */
export type PostOutcome =
  | { readonly kind: 'ok'; readonly body: unknown }
  | { readonly kind: 'refused'; readonly detail: string; readonly body: unknown }
  | { readonly kind: 'failed'; readonly detail: string }

const TRY_AGAIN_STATUSES = new Set([408, 425, 429])

/** One POST over the shared keep-alive connections. Never rejects. */
export async function post(
  door: WorkerDoor,
  request: {
    readonly path: string
    readonly contentType: string
    readonly body: string
    readonly timeoutMs: number
    readonly signal?: AbortSignal
  },
): Promise<PostOutcome> {
  const timeout = AbortSignal.timeout(request.timeoutMs)
  const { signal } = request
  try {
    const response = await fetch(door.url + request.path, {
      method: 'POST',
      headers: { 'content-type': request.contentType, ...authorizationOf(door) },
      body: request.body,
      signal: signal === undefined ? timeout : AbortSignal.any([timeout, signal]),
    })
    const text = await response.text()
    const body = parseJson(text)
    if (response.ok) return { kind: 'ok', body }
    const detail = `${request.path} answered ${response.status}: ${detailOf(body, text)}`
    const again = response.status >= 500 || TRY_AGAIN_STATUSES.has(response.status)
    return again ? { kind: 'failed', detail } : { kind: 'refused', detail, body }
  } catch (error) {
    return { kind: 'failed', detail: `${request.path} could not be reached: ${causeOf(error)}` }
  }
}

export function authorizationOf(door: WorkerDoor): Record<string, string> {
  return door.token === null ? {} : { authorization: `Bearer ${door.token}` }
}

/** The innermost reason of a failed fetch, e.g. `connect ECONNREFUSED 127.0.0.1:7625`. */
export function causeOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error)
  return error.cause instanceof Error ? error.cause.message : error.message
}

/** Milliseconds before try number `failures` + 1: doubles from `firstMs` up to `maxMs`. */
export function backOffMs(
  failures: number,
  limits: { readonly firstMs: number; readonly maxMs: number },
): number {
  return Math.min(limits.maxMs, limits.firstMs * 2 ** Math.max(0, failures - 1))
}

function detailOf(body: unknown, text: string): string {
  const detail = typeof body === 'object' && body !== null && 'detail' in body ? body.detail : text
  return String(detail).slice(0, 300)
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return null
  }
}
