import { Readable } from 'node:stream'
import { ClickHouseLogLevel, createClient, parseError } from '@clickhouse/client'
import type { Clock } from '../../ports.ts'
import { isNetworkFailure, wordOf } from './engine-failure.ts'
import type { SqlClient } from './sql-connection.ts'

export interface ServerAccess {
  /** `http(s)://host:port`, a path in front of the interface included; never with credentials. */
  readonly url: string
  readonly username: string
  /** Empty: none. */
  readonly password: string
  /** PEM text; null: the authorities Node knows. */
  readonly ca: string | null
}

/**
 * Two pauses: enough for a connection that the server closed while it was idle. An outage is for the
 * caller to wait for.
 */
const RETRY_DELAYS_MS = [50, 250]

/**
 * A server through its HTTP interface: requests and answers compressed, rows streamed. Statements that
 * only read are sent again when the connection breaks; all others only when they never arrived.
 */
export function createServerClient(
  access: ServerAccess,
  options: { readonly database: string; readonly timeoutMs: number; readonly clock: Clock },
): SqlClient {
  const { origin, pathname, protocol } = new URL(access.url)
  const { clock, database, timeoutMs } = options
  const tls = access.ca === null ? {} : { tls: { ca_cert: Buffer.from(access.ca) } }
  const client = createClient({
    url: origin,
    database,
    username: access.username,
    password: access.password,
    application: 'haldane',
    request_timeout: timeoutMs,
    compression: { request: true, response: true },
    // What goes wrong is told by the one who sent the statement, once and without the request.
    log: { level: ClickHouseLogLevel.OFF },
    keep_alive: { enabled: true, eagerly_destroy_stale_sockets: true },
    ...(pathname === '/' ? {} : { pathname }),
    ...(protocol === 'https:' ? tls : {}),
  })

  const patiently = async <T>(send: () => Promise<T>, isRead: boolean): Promise<T> => {
    for (const delayMs of RETRY_DELAYS_MS) {
      try {
        return await send()
      } catch (thrown) {
        const neverArrived = wordOf(thrown, 'code') === 'ECONNREFUSED'
        if (!neverArrived && !(isRead && isNetworkFailure(thrown))) throw thrown
        await clock.sleep(delayMs)
      }
    }
    return send()
  }

  const read = async (statement: Parameters<SqlClient['query']>[0]): Promise<string> => {
    const answer = await client.query({ ...statement, use_multipart_params_auto: true })
    const text = await answer.text()
    const failure = failureAtTheEnd(text)
    if (failure !== null) throw failure
    return text
  }

  return {
    async query(statement) {
      const text = await patiently(() => read(statement), true)
      return { text: async () => text }
    },
    command: (statement) => patiently(() => client.command(statement), false),
    insertBody: ({ query, body }) =>
      patiently(async () => {
        const values = Readable.from(body, { objectMode: false })
        const { stream } = await client.exec({ query, values })
        for await (const chunk of stream) void chunk
      }, false),
    close: () => client.close(),
  }
}

/**
 * What a server writes behind the rows when it fails after the first of them were sent: the status
 * was 200 by then. Rows are lines of JSON, so no line of theirs begins like this.
 */
function failureAtTheEnd(text: string): Error | null {
  const at = text.search(/(?:^|\n)(?:\r?\n?__exception__\r?\n|Code: \d+\. DB::Exception: )/)
  return at < 0 ? null : parseError(text.slice(at))
}
