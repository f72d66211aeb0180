/** Every way Haldane can fail on purpose. The code is stable; the message is for people. */
export type ErrorCode =
  | 'usage'
  | 'invalid_input'
  | 'conflict'
  | 'not_found'
  | 'unauthorized'
  | 'too_large'
  | 'overloaded'
  | 'data_dir_locked'
  | 'port_taken'
  | 'disk_full'
  | 'store_unavailable'
  | 'bus_unavailable'
  | 'fenced'
  | 'dead_letter_limit'
  | 'missing_dependency'
  | 'internal'

/**
 * An error with a stable code, a message that says what is wrong and where, and a remedy that says
 * what to do. `retryable` is true when the same call may succeed later without any change.
 */
export class HaldaneError extends Error {
  readonly code: ErrorCode
  readonly remedy: string | undefined
  readonly retryable: boolean
  /** How long to wait before the same call, as whoever refused it asked for. */
  readonly retryAfterMs: number | undefined

  constructor(
    code: ErrorCode,
    message: string,
    options: {
      remedy?: string
      retryable?: boolean
      retryAfterMs?: number
      cause?: unknown
    } = {},
  ) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause })
    this.name = 'HaldaneError'
    this.code = code
    this.remedy = options.remedy
    this.retryable = options.retryable ?? false
    this.retryAfterMs = options.retryAfterMs
  }
}

/** Total: any thrown value becomes a HaldaneError; foreign ones keep their text under `internal`. */
export function toHaldaneError(thrown: unknown): HaldaneError {
  if (thrown instanceof HaldaneError) return thrown
  const text = thrown instanceof Error ? thrown.message : String(thrown)
  return new HaldaneError('internal', text, { cause: thrown })
}
