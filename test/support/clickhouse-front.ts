import { randomUUID, timingSafeEqual } from 'node:crypto'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import { createServer as createTlsServer } from 'node:https'
import type { AddressInfo } from 'node:net'
import type { Readable } from 'node:stream'
import { setTimeout as sleep } from 'node:timers/promises'
import { createGunzip, createGzip } from 'node:zlib'
import { createFrontFaults, type FrontFault, type FrontFaults } from './clickhouse-faults.ts'
import {
  type EngineSessions,
  type HttpStatement,
  openEngineSessions,
} from './clickhouse-session.ts'

export interface FrontOptions {
  /** Of the embedded engine behind it. */
  readonly dataDir: string
  readonly username?: string
  readonly password?: string
  readonly port?: number
  /** PEM texts. */
  readonly tls?: { readonly key: string; readonly cert: string }
}

export interface ClickHouseFront {
  readonly url: string
  readonly faults: FrontFaults
  /** Statements in the order they came, those of faults included. */
  readonly statements: readonly string[]
  /** Closes all connections, then the engine. */
  close(): Promise<void>
}

// What is about the answer and not about the statement.
const HTTP_SETTINGS = /^(wait_end_of_query|send_progress_in_http_headers|buffer_size|http_.*)$/
const NOT_SETTINGS = new Set(
  'query,database,default_format,query_id,session_id,role,enable_http_compression'.split(','),
)
/** A server holds so much back before it decides on the status. */
const RESPONSE_BUFFER_BYTES = 1 << 20
const STATUS: Readonly<Record<number, number>> = { 60: 404, 81: 404, 62: 400, 497: 403, 516: 403 }

/**
 * The HTTP interface of a ClickHouse server in front of the embedded engine, for clients that know
 * only servers. It knows no statement: SQL goes to the engine as it came.
 */
export async function startClickHouseFront(options: FrontOptions): Promise<ClickHouseFront> {
  const sessions = await openEngineSessions(options.dataDir)
  const faults = createFrontFaults()
  const statements: string[] = []
  const running = new Set<Promise<void>>()
  const context = { options, sessions, faults, statements }
  const listener = (request: IncomingMessage, response: ServerResponse) => {
    const answering = answer(context, request, response).catch((error: unknown) => {
      response.destroy(error instanceof Error ? error : undefined)
    })
    running.add(answering)
    void answering.finally(() => running.delete(answering))
  }
  const server =
    options.tls === undefined
      ? createServer({ maxHeaderSize: 1 << 20, keepAliveTimeout: 10_000 }, listener)
      : createTlsServer({ ...options.tls, maxHeaderSize: 1 << 20 }, listener)
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject)
    server.listen(options.port ?? 0, '127.0.0.1', resolve)
  })
  const { port } = server.address() as AddressInfo
  const scheme = options.tls === undefined ? 'http' : 'https'
  return {
    url: `${scheme}://127.0.0.1:${port}`,
    faults,
    statements,
    async close() {
      const closed = new Promise((resolve) => server.close(resolve))
      server.closeAllConnections()
      await closed
      await Promise.allSettled(running)
      sessions.close()
    },
  }
}

interface Context {
  readonly options: FrontOptions
  readonly sessions: EngineSessions
  readonly faults: FrontFaults
  readonly statements: string[]
}

async function answer(
  context: Context,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const url = new URL(request.url ?? '/', 'http://front')
  if (url.pathname === '/ping') return void response.end('Ok.\n')
  if (url.pathname === '/faults') return takeFaults(context.faults, request, response)
  if (url.pathname !== '/') return void response.writeHead(404).end('There is no handle\n')
  response.setHeader('X-ClickHouse-Query-Id', url.searchParams.get('query_id') ?? randomUUID())
  response.setHeader('X-ClickHouse-Server-Display-Name', 'front')
  if (!isAllowed(context.options, request)) {
    const user = credentialsOf(request)[0]
    request.resume()
    const text = `${user}: Authentication failed: password is incorrect, or there is no user with such name.`
    return refuse(response, [516, 'AUTHENTICATION_FAILED'], text)
  }
  const statement = await statementOf(request, url)
  if (statement.sql.trim() === '' && statement.rows === null) return void response.end('Ok.\n')
  context.statements.push(statement.sql)
  await carryOut(context, statement, response, compression(request, url))
}

async function carryOut(
  { sessions, faults }: Context,
  statement: HttpStatement,
  response: ServerResponse,
  compress: boolean,
): Promise<void> {
  const fault = faults.take(statement.sql)
  if (fault?.kind === 'cut_before') return void response.destroy()
  if (fault?.kind === 'refuse') {
    statement.rows?.resume()
    return refuse(response, fault.error ?? [252, 'TOO_MANY_PARTS'], 'As the test wants it.')
  }
  if (fault?.kind === 'answer') {
    const [status, body] = fault.answer ?? [502, '<html>Bad Gateway</html>']
    statement.rows?.resume()
    return void response.writeHead(status, { 'content-type': 'text/html' }).end(body)
  }
  if (fault?.kind === 'delay_before') {
    faults.delayed++
    await sleep(fault.ms ?? 1000)
    faults.delayed--
  }
  // An INSERT is carried out even when nobody waits for the answer.
  const pieces = sessions.run(statement)
  if (fault?.kind === 'cut_after' || fault?.kind === 'delay_after') {
    for await (const piece of pieces) void piece
    if (fault.kind === 'cut_after') return void response.destroy()
    await sleep(fault.ms ?? 1000)
    return void response.end()
  }
  await send(pieces, statement, response, compress, fault)
}

/** The answer as a server streams it: until the buffer is full an error has a status of its own. */
async function send(
  pieces: AsyncGenerator<Uint8Array>,
  statement: HttpStatement,
  response: ServerResponse,
  compress: boolean,
  fault: FrontFault | null,
): Promise<void> {
  const tag = randomUUID().replaceAll('-', '').slice(0, 16)
  const held: Uint8Array[] = []
  let heldBytes = 0
  let body: NodeJS.WritableStream | null = null
  const open = () => {
    if (body !== null) return body
    response.setHeader('X-ClickHouse-Format', statement.format)
    response.setHeader(
      'X-ClickHouse-Summary',
      JSON.stringify({ read_rows: '0', written_rows: '0' }),
    )
    response.setHeader('X-ClickHouse-Exception-Tag', tag)
    response.setHeader('Keep-Alive', 'timeout=10')
    if (compress) {
      response.setHeader('Content-Encoding', 'gzip')
      const gzip = createGzip()
      gzip.pipe(response)
      body = gzip
    } else body = response
    for (const piece of held.splice(0)) body.write(piece)
    return body
  }
  const amid = fault?.kind === 'fail_amid' || fault?.kind === 'cut_amid'
  try {
    for await (const piece of pieces) {
      const part = amid ? piece.subarray(0, Math.ceil(piece.byteLength / 2)) : piece
      if (body === null) {
        held.push(part)
        heldBytes += part.byteLength
        if (heldBytes >= RESPONSE_BUFFER_BYTES) open()
      } else if (!open().write(part)) await new Promise((resolve) => body?.once('drain', resolve))
      if (amid) break
    }
    if (amid) {
      open()
      const [code, name] = fault?.error ?? [241, 'MEMORY_LIMIT_EXCEEDED']
      if (fault?.kind === 'cut_amid') {
        await sleep(50)
        return void response.destroy()
      }
      throw new Error(`Code: ${code}. DB::Exception: As the test wants it. (${name})`)
    }
    open().end()
  } catch (thrown) {
    const text = thrown instanceof Error ? thrown.message : String(thrown)
    if (body === null) return refuseText(response, text)
    const message = `${versioned(text)}\n`
    const length = Buffer.byteLength(message)
    open().end(`\r\n__exception__\r\n${tag}\r\n${message}${length} ${tag}\r\n__exception__\r\n`)
  }
}

function refuse(response: ServerResponse, error: readonly [number, string], text: string): void {
  refuseText(response, `Code: ${error[0]}. DB::Exception: ${text} (${error[1]})`)
}

function refuseText(response: ServerResponse, text: string): void {
  const code = Number(/Code: (\d+)/.exec(text)?.[1] ?? 1002)
  response.writeHead(STATUS[code] ?? 500, {
    'content-type': 'text/plain; charset=UTF-8',
    'X-ClickHouse-Exception-Code': String(code),
  })
  response.end(`${versioned(text)}\n`)
}

const versioned = (text: string) => `${text.trimEnd()} (version 26.7.2.1 (official build))`

function compression(request: IncomingMessage, url: URL): boolean {
  const wanted = /\bgzip\b/.test(String(request.headers['accept-encoding'] ?? ''))
  return wanted && url.searchParams.get('enable_http_compression') === '1'
}

async function statementOf(request: IncomingMessage, url: URL): Promise<HttpStatement> {
  const params: Record<string, string> = {}
  const settings: Record<string, string> = {}
  const take = (name: string, value: string) => {
    if (name.startsWith('param_')) params[name.slice('param_'.length)] = value
    else if (!NOT_SETTINGS.has(name) && !HTTP_SETTINGS.test(name)) settings[name] = value
  }
  for (const [name, value] of url.searchParams) take(name, value)
  if (request.method === 'GET') settings['readonly'] = '2'
  let sql = url.searchParams.get('query') ?? ''
  let rows: Readable | null = null
  const body = bodyOf(request)
  const type = String(request.headers['content-type'] ?? '')
  if (type.startsWith('multipart/form-data')) {
    const answered = new Response(await bytesOf(body), { headers: { 'content-type': type } })
    for (const [name, value] of await answered.formData()) {
      if (name === 'query') sql += String(value)
      else take(name, String(value))
    }
  } else if (/^\s*insert\b/i.test(sql)) rows = body
  else {
    const text = (await bytesOf(body)).toString('utf8')
    sql = sql === '' ? text : `${sql}\n${text}`
  }
  return {
    ...{ sql, params, settings, rows },
    database:
      url.searchParams.get('database') ?? String(request.headers['x-clickhouse-database'] ?? ''),
    format: url.searchParams.get('default_format') ?? 'TabSeparated',
  }
}

function bodyOf(request: IncomingMessage): Readable {
  if (request.headers['content-encoding'] !== 'gzip') return request
  const unpacked = createGunzip()
  // Whoever reads it is told; nobody may be reading yet.
  unpacked.on('error', () => undefined)
  request.once('aborted', () => unpacked.destroy(new Error('the client is gone')))
  return request.pipe(unpacked)
}

async function bytesOf(body: Readable): Promise<Buffer> {
  const chunks: Buffer[] = []
  for await (const chunk of body) chunks.push(chunk as Buffer)
  return Buffer.concat(chunks)
}

function credentialsOf({ headers }: IncomingMessage): [user: string, password: string] {
  const basic = /^Basic (.+)$/i.exec(headers.authorization ?? '')?.[1]
  if (basic !== undefined) {
    const [user = '', ...rest] = Buffer.from(basic, 'base64').toString('utf8').split(':')
    return [user, rest.join(':')]
  }
  const given = (name: string) => String(headers[name] ?? '')
  return [given('x-clickhouse-user') || 'default', given('x-clickhouse-key')]
}

function isAllowed(options: FrontOptions, request: IncomingMessage): boolean {
  const wanted = [options.username ?? 'default', options.password ?? '']
  return credentialsOf(request).every((given, index) => {
    const [left, right] = [Buffer.from(given), Buffer.from(wanted[index] ?? '')]
    return left.length === right.length && timingSafeEqual(left, right)
  })
}

/** For a front in another process: `POST` adds a fault, `DELETE` clears all, `GET` says what waits. */
async function takeFaults(
  faults: FrontFaults,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const body = await bytesOf(request)
  if (request.method === 'GET') return void response.end(JSON.stringify(faults.delayed))
  if (request.method === 'DELETE') faults.clear()
  else faults.add(JSON.parse(body.toString('utf8')) as FrontFault)
  response.end('Ok.\n')
}
