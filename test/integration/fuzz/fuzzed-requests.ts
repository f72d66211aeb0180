import { deflateSync, gzipSync } from 'node:zlib'
import { createFuzzer, type FuzzedInput } from './fuzzed-events.ts'

/** What is sent over one connection, and what may be expected of it. */
export interface FuzzedConnection {
  /** Written one after the other, with pauses in between when `slow`. */
  readonly pieces: readonly Buffer[]
  readonly slow: boolean
  /** The client goes away after the last piece, without listening. */
  readonly cut: boolean
  /** Methods of the requests that must be answered, in order; empty when no answer is owed. */
  readonly methods: readonly string[]
  /** Events of each of these requests; null where it is no business of this test. */
  readonly events: readonly (readonly FuzzedInput[] | null)[]
}

const TARGETS: readonly string[] = [
  ...['/v1/events', '/v1/decisions', '/v1/decisions/stream', '/v1/releases', '/v1/acks'],
  ...['/v1/events/validate', '/v1/feedback', '/v1/releases/a%2Fb%2F1.0.0', '/openapi.json'],
  ...['/v1/releases/a%2Fb%2F1.0.0/rollback', '/livez', '/readyz', '/healthz', '/metrics', '/'],
  ...['/v1/decisions?route=a/b&route=c/d', '/v1/decisions?after=-1', '/v1/decisions?route='],
  ...['/v1/decisions?route=a/b&after=1e9', '/v1/releases/%2e%2e%2f%2e%2e', '/v1/releases/%00'],
  ...['/%', '/%zz', '/v1//events', '/v1/events/', '/v1/events;a=b', '/../../etc/passwd', '//'],
  ...['http://elsewhere.example/v1/events', '*', '/v1/events?%ff=%fe', '/livez?verbose&verbose=2'],
  ...[
    `/${'a'.repeat(5000)}`,
    `/v1/releases/${'%2F'.repeat(3000)}`,
    '/__proto__',
    '/?__proto__[a]=1',
  ],
]
const METHODS: readonly string[] = [
  ...['GET', 'GET', 'POST', 'POST', 'POST', 'PUT', 'DELETE', 'PATCH', 'HEAD', 'OPTIONS'],
  ...['TRACE', 'PROPFIND', 'PURGE', 'QUERY'],
]
const MEDIA_TYPES: readonly string[] = [
  ...['application/json', 'application/x-ndjson', 'text/plain', 'application/json; charset=utf-16'],
  ...['application/cloudevents+json', 'application/cloudevents-batch+json', 'text/csv', '/', ''],
  ...['multipart/form-data; boundary=', 'application/json;;;', 'APPLICATION/JSON', ';', 'a/b/c'],
]
const CODINGS: readonly string[] = [
  ...['gzip', 'GZIP', 'x-gzip', 'deflate', 'br', 'zstd', 'identity', 'gzip, gzip', '', 'none'],
]
const HEADERS: readonly string[] = [
  ...['authorization: Bearer', 'authorization: Basic eA==', 'authorization: Bearer a b c'],
  ...[
    'origin: null',
    'origin: http://evil.example',
    'cookie: a=b',
    'range: bytes=0-1',
    'te: trailers',
  ],
  ...['last-event-id: a/b#1', 'last-event-id: #', 'last-event-id: a/b#99999999999999999999'],
  ...['accept: */*;q=0', 'accept-encoding: gzip;q=2', 'if-none-match: *', 'x-request-id: \t'],
  ...[
    'ce-specversion: 1.0',
    'ce-specversion: 9',
    'ce-id: x',
    'ce-id: %00',
    'ce-type: t',
    'ce-source:',
  ],
  ...[
    'ce-time: yesterday',
    'ce-time: 2026-01-01T00:00:00Z',
    'ce-subject: %f0%9f',
    'ce-: x',
    'ce-ID: y',
  ],
  ...['content-language: de', 'x-http-method-override: DELETE', 'forwarded: for=unknown'],
]
/** Lines that make a request what no server should read, or what servers read differently. */
const BROKEN_HEADERS: readonly string[] = [
  ...['expect: 200-maybe', 'transfer-encoding: gzip', 'transfer-encoding: chunked, chunked'],
  ...['content-length: 5', 'content-length: -1', 'content-length: 1e3', 'content-length: 9, 9'],
  ...['content-length: 99999999999999999999', ' folded: line', 'no colon', ': no name', 'a b: c'],
  ...['x: \u0000', 'host: a', 'host: b\r\nhost: c', 'upgrade: websocket\r\nconnection: upgrade'],
  ...['upgrade: h2c\r\nconnection: upgrade, http2-settings\r\nhttp2-settings: AAMAAABk'],
  ...['expect: 100-continue', 'trailer: x', 'connection: close, keep-alive', 'x\r: y', 'x: \r y'],
]
const BROKEN_CHUNKS: readonly string[] = [
  ...[
    'zz\r\n',
    '-1\r\n',
    'ffffffffffffffff\r\n',
    '5\r\nabc\r\n0\r\n\r\n',
    '3\r\nabcdef\r\n',
    '\r\n',
  ],
  ...[
    '3;ext="\r\n',
    '0\r\nx: y\r\n\r\n',
    '3\nabc\n0\n\n',
    '1\r\na\r\n0\r\ncontent-length: 3\r\n\r\n',
  ],
  ...[`3;${'e'.repeat(30_000)}\r\nabc\r\n0\r\n\r\n`, `0\r\n${'t: u\r\n'.repeat(5000)}\r\n`],
]
const FIRST_LINES: readonly string[] = [
  ...['GET /livez', 'GET /livez HTTP/0.9', 'GET /livez HTTP/2.0', 'get /livez HTTP/1.1', '', ' '],
  ...[
    'GET  /livez  HTTP/1.1',
    'FETCH /livez HTTP/1.1',
    'GET livez HTTP/1.1',
    'GET /li vez HTTP/1.1',
  ],
  ...['GET /livez HTTP/1.1\r\n', 'CONNECT evil.example:443 HTTP/1.1', 'PRI * HTTP/2.0\r\n\r\nSM'],
  ...['GET /\u0000 HTTP/1.1', 'GET /livez HTTP/1.0', '\u0016\u0003\u0001\u0002\u0000\u0001', 'GET'],
]

const BOMB = gzipSync(Buffer.alloc(40_000_000, '{"a":1}\n'))

const EVENT_FORMS = ['lines', 'lines', 'list', 'batch', 'binary'] as const
type EventForm = (typeof EVENT_FORMS)[number]
const BINARY_HEADERS = ['ce-specversion: 1.0', 'ce-id: e', 'ce-type: t', 'ce-source: /s']

function bodyOf(form: EventForm, inputs: readonly FuzzedInput[]): { type: string; body: Buffer } {
  if (form === 'lines') {
    const body = Buffer.concat(inputs.flatMap(({ bytes }) => [bytes, Buffer.from('\n')]))
    return { type: 'application/x-ndjson', body }
  }
  if (form === 'binary') {
    return { type: 'application/json', body: Buffer.concat(inputs.map(({ bytes }) => bytes)) }
  }
  const [before, after] =
    form === 'batch' ? ['{"specversion":"1.0","id":"e","type":"t","source":"/s","data":', '}'] : []
  const parts = inputs.flatMap(({ bytes }, index) => [
    ...[Buffer.from(index === 0 ? '[' : ','), Buffer.from(before ?? ''), bytes],
    Buffer.from(after ?? ''),
  ])
  const type = form === 'batch' ? 'application/cloudevents-batch+json' : 'application/json'
  return { type, body: Buffer.concat([...parts, Buffer.from(']')]) }
}

/** Connections to a worker at `host`; one in four carries events of which each must be accounted for. */
export function createRequestFuzzer(seed: number, nowMs: number, host: string) {
  const fuzzer = createFuzzer(seed, nowMs)
  const { random } = fuzzer
  const pick = <T extends string>(list: readonly T[]) =>
    list[Math.floor(random() * list.length)] as T
  const chance = (share: number) => random() < share
  const noise = (most: number) =>
    Buffer.from(Array.from({ length: Math.floor(random() * most) }, () => random() * 256))

  const headOf = (method: string, target: string, headers: readonly string[]) =>
    Buffer.from(
      `${method} ${target} HTTP/1.1\r\nhost: ${host}\r\n${headers.join('\r\n')}\r\n\r\n`,
      'latin1',
    )

  const chunked = (body: Buffer): Buffer => {
    const parts: Buffer[] = []
    for (let at = 0; at < body.length; ) {
      const size = 1 + Math.floor(random() * 3000)
      const part = body.subarray(at, at + size)
      parts.push(Buffer.from(`${part.length.toString(16)}\r\n`), part, Buffer.from('\r\n'))
      at += size
    }
    return Buffer.concat([...parts, Buffer.from('0\r\n\r\n')])
  }

  /** A request in good order, with a body or none. */
  const framed = (
    method: string,
    target: string,
    headers: readonly string[],
    body: Buffer | null,
  ) => {
    if (body === null) return headOf(method, target, headers)
    if (chance(0.3)) {
      return Buffer.concat([
        headOf(method, target, [...headers, 'transfer-encoding: chunked']),
        chunked(body),
      ])
    }
    return Buffer.concat([
      headOf(method, target, [...headers, `content-length: ${body.length}`]),
      body,
    ])
  }

  const oddHeaders = () => Array.from({ length: Math.floor(random() * 5) }, () => pick(HEADERS))

  /** Events in a form that the worker must read; every one is accepted or refused by its place. */
  const eventRequest = () => {
    const form = pick(EVENT_FORMS)
    const make = form === 'lines' ? fuzzer.line : fuzzer.element
    const count = form === 'binary' ? 1 : 1 + Math.floor(random() * 60)
    const inputs = Array.from({ length: count }, make)
    const { type, body } = bodyOf(form, inputs)
    const headers = [`content-type: ${type}`, ...(form === 'binary' ? BINARY_HEADERS : [])]
    const zipped = chance(0.2)
    if (zipped) headers.push('content-encoding: gzip')
    const bytes = framed('POST', '/v1/events', headers, zipped ? gzipSync(body) : body)
    return { bytes, inputs, method: 'POST' }
  }

  const anyBody = (): Buffer | null => {
    const kind = random()
    if (kind < 0.3) return null
    if (kind < 0.4) return Buffer.alloc(0)
    if (kind < 0.6) return fuzzer.body()
    if (kind < 0.7) return noise(5000)
    if (kind < 0.8) return gzipSync(fuzzer.body())
    if (kind < 0.85) return gzipSync(fuzzer.body()).subarray(0, -5)
    if (kind < 0.9) return Buffer.concat([gzipSync('{}').subarray(0, 10), noise(300)])
    if (kind < 0.92) return deflateSync(fuzzer.body())
    if (kind < 0.925) return BOMB
    if (kind < 0.94) return Buffer.alloc(Math.floor(random() * 3_000_000), 'x')
    return Buffer.from(
      `{"specversion":"1.0","id":"i","type":"t","source":"s","data":${pick(['{}', '[]', 'null', '"', '1'])}}`,
    )
  }

  /** Any request in good order: it must be answered. None of its events is ever valid. */
  const anyRequest = () => {
    const method = pick(METHODS)
    const headers = oddHeaders()
    if (chance(0.6)) headers.push(`content-type: ${pick(MEDIA_TYPES)}`)
    if (chance(0.4)) headers.push(`content-encoding: ${pick(CODINGS)}`)
    return { bytes: framed(method, pick(TARGETS), headers, anyBody()), inputs: null, method }
  }

  /** Bytes that only look like a request, if that: they may be answered, or not. */
  const brokenRequest = (): Buffer => {
    const kind = random()
    const body = anyBody() ?? Buffer.alloc(0)
    const headers = [...oddHeaders(), pick(BROKEN_HEADERS), ...oddHeaders()]
    // No HEAD: whether its answer has a body depends on what the server took for the method.
    const method = pick(METHODS.filter((name) => name !== 'HEAD'))
    if (kind < 0.3) return Buffer.concat([headOf(method, pick(TARGETS), headers), body])
    if (kind < 0.5) {
      const head = headOf('POST', pick(TARGETS), ['transfer-encoding: chunked', ...oddHeaders()])
      return Buffer.concat([head, Buffer.from(pick(BROKEN_CHUNKS))])
    }
    if (kind < 0.6) return Buffer.from(`${pick(FIRST_LINES)}\r\nhost: ${host}\r\n\r\n`, 'latin1')
    if (kind < 0.65) return Buffer.from(`GET ${pick(TARGETS)} HTTP/1.1\r\n\r\n`)
    if (kind < 0.75) return headOf('GET', pick(TARGETS), [`x: ${'y'.repeat(random() * 100_000)}`])
    if (kind < 0.8)
      return headOf(
        'GET',
        '/livez',
        Array.from({ length: 3000 }, () => pick(HEADERS)),
      )
    if (kind < 0.9) return fuzzer.damage(framed(method, pick(TARGETS), headers, body))
    return Buffer.concat([noise(2000), Buffer.from('\r\n\r\n')])
  }

  const slices = (bytes: Buffer, most: number): Buffer[] => {
    const cuts = Array.from({ length: Math.floor(random() * most) }, () =>
      Math.floor(random() * bytes.length),
    ).sort((a, b) => a - b)
    return [0, ...cuts].map((from, index) => bytes.subarray(from, cuts[index] ?? bytes.length))
  }

  return {
    next(): FuzzedConnection {
      const kind = random()
      const slow = chance(0.1)
      if (kind < 0.35) {
        const pieces = slices(brokenRequest(), 4)
        return { pieces, slow, cut: false, methods: [], events: [] }
      }
      if (kind < 0.45) {
        // Cut before the end: nothing of it may be stored.
        const { bytes } = chance(0.5) ? eventRequest() : anyRequest()
        const kept = bytes.subarray(0, Math.floor(random() * (bytes.length - 8)))
        return { pieces: slices(kept, 3), slow, cut: true, methods: [], events: [] }
      }
      const count = chance(0.2) ? 2 + Math.floor(random() * 4) : 1
      const requests = Array.from({ length: count }, () =>
        chance(0.45) ? eventRequest() : anyRequest(),
      )
      return {
        pieces: slices(Buffer.concat(requests.map(({ bytes }) => bytes)), 5),
        slow,
        cut: false,
        methods: requests.map(({ method }) => method),
        events: requests.map(({ inputs }) => inputs),
      }
    },
  }
}
