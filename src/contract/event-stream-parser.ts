/** One message of a `text/event-stream`. */
export interface StreamMessage {
  /** The last id seen so far, as the protocol wants it; empty before the first. */
  readonly id: string
  /** `message` when the stream names none. */
  readonly event: string
  readonly data: string
}

export interface EventStreamParser {
  /** Messages that the chunk completes, in order. A message cut off by the end is never one. */
  push(chunk: Uint8Array): StreamMessage[]
}

/**
 * Parser of server-sent events (WHATWG HTML, section 9.2.6) over chunks cut anywhere, also inside a
 * character or a CRLF. Comments and `retry` are passed over.
 */
export function createEventStreamParser(): EventStreamParser {
  const decoder = new TextDecoder('utf-8')
  let rest = ''
  let afterCarriageReturn = false
  let id = ''
  let event = ''
  let data: string[] = []

  function readLine(line: string, messages: StreamMessage[]): void {
    if (line === '') {
      if (data.length > 0) messages.push({ id, event: event || 'message', data: data.join('\n') })
      event = ''
      data = []
      return
    }
    const colon = line.indexOf(':')
    const field = colon < 0 ? line : line.slice(0, colon)
    const value = colon < 0 ? '' : line.slice(colon + 1).replace(/^ /, '')
    if (field === 'data') data.push(value)
    else if (field === 'event') event = value
    else if (field === 'id' && !value.includes('\0')) id = value
  }

  return {
    push(chunk) {
      let text = decoder.decode(chunk, { stream: true })
      if (text === '') return []
      if (afterCarriageReturn && text.startsWith('\n')) text = text.slice(1)
      afterCarriageReturn = text === '' ? false : text.endsWith('\r')
      const lines = (rest + text).split(/\r\n|\r|\n/)
      rest = lines.pop() ?? ''
      const messages: StreamMessage[] = []
      for (const line of lines) readLine(line, messages)
      return messages
    },
  }
}
