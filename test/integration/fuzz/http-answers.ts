/** One answer as it came over the socket. */
export interface RawAnswer {
  readonly status: number
  readonly headers: ReadonlyMap<string, string>
  readonly body: Buffer
}

/** What a connection said: whole answers, and what was left when it ended. */
export interface Conversation {
  readonly answers: readonly RawAnswer[]
  readonly rest: Buffer
  /** True while an event stream is open, which has no end. */
  readonly streaming: boolean
}

/**
 * Strict reader of HTTP/1.1 answers. Throws on anything that is none. `methods` are those of the
 * requests in order; an answer to HEAD has no body.
 */
export function readAnswers(bytes: Buffer, methods: readonly string[]): Conversation {
  const answers: RawAnswer[] = []
  let rest = bytes
  for (;;) {
    const end = rest.indexOf('\r\n\r\n')
    if (end < 0) {
      if (rest.length > 0 && !'HTTP/1.1 '.startsWith(rest.subarray(0, 9).toString('latin1'))) {
        throw new Error(`no answer: ${JSON.stringify(rest.subarray(0, 200).toString('latin1'))}`)
      }
      return { answers, rest, streaming: false }
    }
    const { status, headers } = readHead(rest.subarray(0, end).toString('latin1'))
    const after = rest.subarray(end + 4)
    if (status === 100) {
      rest = after
      continue
    }
    if (headers.get('content-type')?.startsWith('text/event-stream')) {
      return { answers: [...answers, { status, headers, body: after }], rest, streaming: true }
    }
    const headOnly = methods[answers.length] === 'HEAD' || status === 204 || status === 304
    const read = headOnly ? { body: after.subarray(0, 0), length: 0 } : readBody(headers, after)
    if (read === null) return { answers, rest, streaming: false }
    answers.push({ status, headers, body: read.body })
    rest = after.subarray(read.length)
  }
}

function readHead(text: string): { status: number; headers: Map<string, string> } {
  const [first = '', ...lines] = text.split('\r\n')
  const match = /^HTTP\/1\.1 ([1-5]\d\d) [\x20-\x7e]*$/.exec(first)
  if (match === null) throw new Error(`no status line: ${JSON.stringify(first)}`)
  const headers = new Map<string, string>()
  for (const line of lines) {
    const field = /^([!#$%&'*+.^_`|~0-9A-Za-z-]+):[ \t]*([\x20-\x7e\t]*)$/.exec(line)
    if (field === null) throw new Error(`no header: ${JSON.stringify(line)}`)
    headers.set((field[1] ?? '').toLowerCase(), field[2] ?? '')
  }
  return { status: Number(match[1]), headers }
}

/** Null while the body is not whole. */
function readBody(
  headers: ReadonlyMap<string, string>,
  bytes: Buffer,
): { body: Buffer; length: number } | null {
  if (headers.get('transfer-encoding') === 'chunked') return readChunks(bytes)
  const length = Number(headers.get('content-length') ?? 'NaN')
  if (!Number.isInteger(length)) throw new Error('an answer without length')
  return bytes.length < length ? null : { body: bytes.subarray(0, length), length }
}

function readChunks(bytes: Buffer): { body: Buffer; length: number } | null {
  const parts: Buffer[] = []
  let at = 0
  for (;;) {
    const end = bytes.indexOf('\r\n', at)
    if (end < 0) return null
    const size = Number.parseInt(bytes.subarray(at, end).toString('latin1'), 16)
    if (Number.isNaN(size)) throw new Error('no chunk size')
    if (bytes.length < end + 2 + size + 2) return null
    parts.push(bytes.subarray(end + 2, end + 2 + size))
    at = end + 2 + size + 2
    if (size === 0) return { body: Buffer.concat(parts), length: at }
  }
}
