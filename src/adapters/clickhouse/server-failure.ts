import { HaldaneError } from '../../domain/errors.ts'
import { isNetworkFailure, storeFailure, wordOf } from './engine-failure.ts'
import type { ExplainFailure } from './sql-connection.ts'

const WRONG_CREDENTIALS = new Set([
  'AUTHENTICATION_FAILED',
  'REQUIRED_PASSWORD',
  'WRONG_PASSWORD',
  'UNKNOWN_USER',
])
const NOT_ALLOWED = new Set(['ACCESS_DENIED'])
const FOREIGN_TEXT_MAX = 120

/** Where a server is, for errors; holds no secret. */
export interface ServerPlace {
  /** `http(s)://host:port`. */
  readonly url: string
  readonly database: string
  readonly username: string
}

/** Failures of statements on a server: what only a server can do wrong, then what every engine can. */
export function createServerFailure(place: ServerPlace): ExplainFailure {
  const { url, database, username } = place
  return (thrown, statement) => {
    if (thrown instanceof HaldaneError) return thrown
    const type = wordOf(thrown, 'type')
    const text = thrown instanceof Error ? thrown.message : String(thrown)
    // Without `cause`: one line says it all, and nothing of the request can slip into a log.
    if (WRONG_CREDENTIALS.has(type)) {
      return new HaldaneError('unauthorized', `ClickHouse at ${url} refuses the user ${username}`, {
        remedy: 'check HALDANE_CLICKHOUSE_USER and HALDANE_CLICKHOUSE_PASSWORD',
      })
    }
    if (NOT_ALLOWED.has(type)) {
      const message = `ClickHouse at ${url} does not allow ${statement} to ${username}: ${text.trim()}`
      const remedy = `grant it to ${username}, or use another user (HALDANE_CLICKHOUSE_USER)`
      return new HaldaneError('unauthorized', message, { remedy })
    }
    if (type === 'UNKNOWN_DATABASE') {
      return new HaldaneError('store_unavailable', `${url} has no database ${database}`, {
        remedy: 'run `haldane migrate` on it, or correct HALDANE_CLICKHOUSE_DATABASE',
        cause: thrown,
      })
    }
    return type === '' ? withoutAnswer(thrown, text, url) : storeFailure(thrown, statement)
  }
}

/** What is no error of ClickHouse: the network, TLS, or another program on the port. */
function withoutAnswer(thrown: unknown, text: string, url: string): HaldaneError {
  const code = wordOf(thrown, 'code')
  if (isCertificateFailure(code)) {
    return new HaldaneError('store_unavailable', `cannot trust ClickHouse at ${url} (${code})`, {
      remedy: 'name the certificate of its authority with HALDANE_CLICKHOUSE_CA_FILE',
    })
  }
  if (isNetworkFailure(thrown) || isTimeout(thrown, text) || /aborted|hang up/.test(text)) {
    const why = code === '' ? text.replace(/\.$/, '') : code
    return new HaldaneError('store_unavailable', `ClickHouse does not answer at ${url} (${why})`, {
      remedy: 'start the server or correct HALDANE_CLICKHOUSE_URL',
      retryable: true,
    })
  }
  const said = text.replaceAll(/\s+/g, ' ').trim().slice(0, FOREIGN_TEXT_MAX)
  const isTls = code === 'EPROTO' || code.startsWith('ERR_SSL')
  const message = isTls ? `TLS with ${url} fails (${code})` : `${url} answers as no ClickHouse does`
  return new HaldaneError('store_unavailable', isTls ? message : `${message}: ${said}`, {
    remedy: 'check HALDANE_CLICKHOUSE_URL: scheme, host and the port of the HTTP interface',
    retryable: !isTls,
  })
}

export function isTimeout(thrown: unknown, text: string): boolean {
  const name = thrown instanceof Error ? thrown.name : ''
  return name === 'TimeoutError' || text === 'Timeout error.'
}

function isCertificateFailure(code: string): boolean {
  return /CERT|UNABLE_TO_(VERIFY|GET)|SELF_SIGNED/.test(code)
}
