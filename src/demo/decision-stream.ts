/** One message of a stream of server-sent events. */
export interface StreamMessage {
  /** The last id seen so far; empty before the first. */
  readonly id: string
  /** `message` when the stream names none. */
  readonly event: string
  readonly data: string
}

/**
 * Reads `text/event-stream` (WHATWG HTML, section 9.2.6) until the body ends; a message cut off by
 * the end is never one. `onBytes` is called for whatever arrives, comments included, so that a silent
 * connection can be told from an idle one. Rejects as the body does.
 */
export async function* readMessages(
  body: AsyncIterable<Uint8Array>,
  onBytes: () => void,
): AsyncGenerator<StreamMessage> {
  let id = ''
  let event = ''
  let data: string[] = []
  for await (const line of linesOf(body, onBytes)) {
    if (line === '') {
      if (data.length > 0) yield { id, event: event || 'message', data: data.join('\n') }
      event = ''
      data = []
      continue
    }
    const [field, value] = fieldOf(line)
    if (field === 'data') data.push(value)
    else if (field === 'event') event = value
    else if (field === 'id' && !value.includes('\0')) id = value
  }
}

/** Lines that a line break ends, whatever chunks they come in. */
async function* linesOf(
  body: AsyncIterable<Uint8Array>,
  onBytes: () => void,
): AsyncGenerator<string> {
  const decoder = new TextDecoder()
  let rest = ''
  for await (const chunk of body) {
    onBytes()
    rest += decoder.decode(chunk, { stream: true })
    // A CR at the end may be half of a CRLF: it waits for the next chunk.
    const lines = rest.split(/\r\n|\r(?!$)|\n/)
    rest = lines.pop() ?? ''
    yield* lines
  }
}

function fieldOf(line: string): [field: string, value: string] {
  const colon = line.indexOf(':')
  if (colon < 0) return [line, '']
  return [line.slice(0, colon), line.slice(colon + 1).replace(/^ /, '')]
}
