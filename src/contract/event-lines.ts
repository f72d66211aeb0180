import { HaldaneError } from '../domain/errors.ts'
import { MAX_VALUE_BYTES } from './stored-text.ts'

const TAB = 0x09
const LINE_FEED = 0x0a
const CARRIAGE_RETURN = 0x0d
const SPACE = 0x20
const QUOTE = 0x22
const COMMA = 0x2c
const OPEN_LIST = 0x5b
const BACKSLASH = 0x5c
const CLOSE_LIST = 0x5d
const OPEN_OBJECT = 0x7b
const CLOSE_OBJECT = 0x7d
const BYTE_ORDER_MARK = [0xef, 0xbb, 0xbf]

/** A line that is not blank, without its line end. */
export interface EventLine {
  /** From 1, blank lines counted. */
  readonly line: number
  /** Null for a line over the limit, which is not kept. May share memory with the chunk. */
  readonly bytes: Uint8Array | null
  readonly byteLength: number
}

export interface LineSplitter {
  /** The lines that end in this chunk. */
  push(chunk: Uint8Array): EventLine[]
  /** The last line, when it has no line end. */
  end(): EventLine[]
}

/**
 * Splits a stream of bytes into lines. A byte order mark at the start, a CR at the end of a line and
 * blank lines are left out. Holds at most one line of `maxLineBytes` besides the chunk in hand.
 */
export function createLineSplitter(maxLineBytes: number = MAX_VALUE_BYTES): LineSplitter {
  // A line may be longer by its CR and the file's byte order mark.
  const keepBytes = maxLineBytes + 1 + BYTE_ORDER_MARK.length
  let parts: Uint8Array[] = []
  let partBytes = 0
  let line = 0

  const hold = (part: Uint8Array) => {
    if (part.byteLength === 0) return
    partBytes += part.byteLength
    if (partBytes > keepBytes) parts = []
    // A copy, for the chunk may be large or be used again.
    else parts.push(part.slice())
  }

  const take = (rest: Uint8Array): EventLine | null => {
    line++
    const held = partBytes
    let bytes: Uint8Array | null = rest
    if (held > 0) {
      partBytes += rest.byteLength
      bytes = partBytes > keepBytes ? null : Buffer.concat([...parts, rest])
    }
    const total = held + rest.byteLength
    parts = []
    partBytes = 0
    if (bytes === null) return { line, bytes: null, byteLength: total }
    const content = contentOf(bytes, line === 1)
    if (content === null) return null
    const { byteLength } = content
    return { line, bytes: byteLength > maxLineBytes ? null : content, byteLength }
  }

  return {
    push(chunk) {
      const lines: EventLine[] = []
      let from = 0
      for (let at = chunk.indexOf(LINE_FEED); at >= 0; at = chunk.indexOf(LINE_FEED, from)) {
        const taken = take(chunk.subarray(from, at))
        if (taken !== null) lines.push(taken)
        from = at + 1
      }
      hold(chunk.subarray(from))
      return lines
    },
    end() {
      if (partBytes === 0) return []
      const taken = take(new Uint8Array(0))
      return taken === null ? [] : [taken]
    },
  }
}

/** The line without byte order mark and CR; null when it is blank. */
function contentOf(bytes: Uint8Array, first: boolean): Uint8Array | null {
  const from = first ? afterByteOrderMark(bytes) : 0
  const to = bytes.at(-1) === CARRIAGE_RETURN ? bytes.byteLength - 1 : bytes.byteLength
  const content = from === 0 && to === bytes.byteLength ? bytes : bytes.subarray(from, to)
  return afterBlanks(content, 0) === content.byteLength ? null : content
}

/**
 * The bytes of every element of a JSON list, so that each is judged from the text that was sent. The
 * elements are not checked themselves: one that is no JSON does not lose the others. Stops after
 * `atMost` elements and one more, so that the caller sees that there are too many. Throws
 * `invalid_input` when the text around them is no list.
 */
export function splitJsonArray(
  body: Uint8Array,
  atMost: number = Number.POSITIVE_INFINITY,
): Uint8Array[] {
  const start = afterBlanks(body, afterByteOrderMark(body))
  if (body[start] !== OPEN_LIST) {
    throw malformed(start, `begins with ${byteWord(body[start])} where a list begins with "["`)
  }
  const elements: Uint8Array[] = []
  let from = afterBlanks(body, start + 1)
  if (body[from] === CLOSE_LIST) {
    checkEnd(body, from + 1)
    return elements
  }
  for (;;) {
    const to = endOfElement(body, from)
    if (to === body.byteLength) throw malformed(to, 'ends before its "]"')
    if (to === from) throw malformed(from, `has no element before ${byteWord(body[to])}`)
    elements.push(withoutTrailingBlanks(body, from, to))
    if (elements.length > atMost) return elements
    if (body[to] === CLOSE_LIST) {
      checkEnd(body, to + 1)
      return elements
    }
    from = afterBlanks(body, to + 1)
  }
}

/** Index of the comma or bracket that ends the element, or the length of the body. */
function endOfElement(body: Uint8Array, from: number): number {
  let depth = 0
  for (let at = from; at < body.byteLength; at++) {
    const byte = body[at]
    if (byte === QUOTE) at = endOfText(body, at)
    else if (byte === OPEN_LIST || byte === OPEN_OBJECT) depth++
    else if (depth === 0 && (byte === COMMA || byte === CLOSE_LIST)) return at
    else if (byte === CLOSE_LIST || byte === CLOSE_OBJECT) depth--
    if (depth < 0) throw malformed(at, 'closes "}" without opening it')
  }
  return body.byteLength
}

/** Index of the closing quote of the text that begins at `from`, or the length of the body. */
function endOfText(body: Uint8Array, from: number): number {
  for (let at = from + 1; at < body.byteLength; at++) {
    if (body[at] === BACKSLASH) at++
    else if (body[at] === QUOTE) return at
  }
  return body.byteLength
}

function checkEnd(body: Uint8Array, from: number): void {
  const at = afterBlanks(body, from)
  if (at < body.byteLength) throw malformed(at, `goes on with ${byteWord(body[at])} after its end`)
}

function withoutTrailingBlanks(body: Uint8Array, from: number, to: number): Uint8Array {
  let end = to
  while (end > from && isBlank(body[end - 1])) end--
  return body.subarray(from, end)
}

function afterBlanks(bytes: Uint8Array, from: number): number {
  let at = from
  while (at < bytes.byteLength && isBlank(bytes[at])) at++
  return at
}

function isBlank(byte: number | undefined): boolean {
  return byte === SPACE || byte === TAB || byte === LINE_FEED || byte === CARRIAGE_RETURN
}

function afterByteOrderMark(bytes: Uint8Array): number {
  return BYTE_ORDER_MARK.every((byte, index) => bytes[index] === byte) ? BYTE_ORDER_MARK.length : 0
}

function byteWord(byte: number | undefined): string {
  if (byte === undefined) return 'nothing'
  return byte > SPACE && byte < 0x7f ? `"${String.fromCharCode(byte)}"` : `byte ${byte}`
}

function malformed(at: number, what: string): HaldaneError {
  return new HaldaneError('invalid_input', `the JSON list ${what} (byte ${at + 1})`, {
    remedy: 'send a JSON list of events, [{…},{…}], or one event a line',
  })
}
