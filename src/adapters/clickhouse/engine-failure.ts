import { HaldaneError } from '../../domain/errors.ts'

// Names of engine errors that may go away by themselves; the rest is a fault of ours.
const TRANSIENT = new Set([
  'TIMEOUT_EXCEEDED',
  'MEMORY_LIMIT_EXCEEDED',
  'TOO_MANY_PARTS',
  'TOO_MANY_SIMULTANEOUS_QUERIES',
  'TABLE_IS_READ_ONLY',
  'NETWORK_ERROR',
  'SOCKET_TIMEOUT',
  'ALL_CONNECTION_TRIES_FAILED',
  'KEEPER_EXCEPTION',
  'CANNOT_SCHEDULE_TASK',
  'CANNOT_ALLOCATE_MEMORY',
  'QUERY_WAS_CANCELLED',
  'SERVER_OVERLOADED',
  'ABORTED',
  'UNKNOWN_STATUS_OF_INSERT',
  'NO_FREE_CONNECTION',
])
const NETWORK = new Set([
  ...['ECONNREFUSED', 'ECONNRESET', 'ENOTFOUND', 'EAI_AGAIN', 'ETIMEDOUT', 'EPIPE'],
  ...['EHOSTUNREACH', 'ENETUNREACH', 'ERR_STREAM_PREMATURE_CLOSE', 'Z_BUF_ERROR'],
])

/** Total: whatever the engine, its client or the file system threw, as an error for people. */
export function storeFailure(thrown: unknown, statement: string): HaldaneError {
  if (thrown instanceof HaldaneError) return thrown
  const text = thrown instanceof Error ? thrown.message : String(thrown)
  const type = wordOf(thrown, 'type')
  const code = wordOf(thrown, 'code')
  if (isDiskFull(text, type, code)) {
    return new HaldaneError('disk_full', `no space left on the store's disk (${statement})`, {
      remedy:
        'free space on the disk of the data directory and start again: what was not stored is read again',
      cause: thrown,
    })
  }
  if (TRANSIENT.has(type) || isNetworkFailure(thrown)) {
    return new HaldaneError('store_unavailable', `the store did not do ${statement}: ${text}`, {
      remedy: 'nothing, if it passes; otherwise look at the load and the log of the store',
      retryable: true,
      cause: thrown,
    })
  }
  if (isUnknownTable(thrown)) {
    return new HaldaneError(
      'store_unavailable',
      `the store lacks a table (${statement}): ${text}`,
      {
        remedy: 'run `haldane migrate` on this store',
        cause: thrown,
      },
    )
  }
  return new HaldaneError('internal', `the store refused ${statement}: ${text}`, { cause: thrown })
}

/** The table, or the whole database, is not there. */
export function isMissingTable(thrown: unknown): boolean {
  return isUnknownTable(thrown) || wordOf(thrown, 'type') === 'UNKNOWN_DATABASE'
}

export function isUnknownTable(thrown: unknown): boolean {
  return wordOf(thrown, 'type') === 'UNKNOWN_TABLE'
}

export function isNetworkFailure(thrown: unknown): boolean {
  return NETWORK.has(wordOf(thrown, 'code'))
}

function isDiskFull(text: string, type: string, code: string): boolean {
  return (
    code === 'ENOSPC' ||
    code === 'EDQUOT' ||
    type === 'NOT_ENOUGH_SPACE' ||
    /no space left on device|disk quota exceeded/i.test(text)
  )
}

export function wordOf(thrown: unknown, key: 'type' | 'code'): string {
  if (typeof thrown !== 'object' || thrown === null) return ''
  const value: unknown = Reflect.get(thrown, key)
  return typeof value === 'string' ? value : ''
}
