import { printable } from './rejection-text.ts'
import type { FileProblem, Place, SourceEntry, SourceNode } from './yaml-source.ts'

const MAX_DEPTH = 64
const MAX_NODES = 500_000
const BLANK = /[ \t\r\n]*/y
const NUMBER = /-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?/y
const WORD = /[+-]?[A-Za-z_][A-Za-z0-9_]*/y
const CONSTANTS: Readonly<Record<string, boolean | null>> = { true: true, false: false, null: null }
/** Written by some programs where there is no value; no JSON, but better told by its path. */
const NO_NUMBERS: readonly string[] = ['NaN', 'Infinity', '-Infinity', '+Infinity']

type JsonSource =
  | { readonly root: SourceNode }
  /** The first place that is no JSON. */
  | { readonly problems: readonly FileProblem[] }

/** What stops the reading. */
class Unreadable extends Error {
  readonly offset: number
  constructor(offset: number, message: string) {
    super(message)
    this.offset = offset
  }
}

/**
 * Reads JSON (RFC 8259) with the place of every value, keys in the order and number in which they
 * are written. `NaN` and `Infinity` become scalars that no reader of numbers takes.
 */
export function readJsonSource(text: string, file: string): JsonSource {
  const from = text.charCodeAt(0) === 0xfeff ? 1 : 0
  const placeAt = createPlaces(text, file)
  try {
    return { root: createReader(text, from, placeAt).document() }
  } catch (thrown) {
    if (!(thrown instanceof Unreadable)) throw thrown
    return { problems: [{ ...placeAt(thrown.offset), field: '', message: thrown.message }] }
  }
}

/** Line and column of ascending offsets. */
function createPlaces(text: string, file: string): (offset: number) => Place {
  let line = 1
  let lineStart = text.charCodeAt(0) === 0xfeff ? 1 : 0
  const lineEnd = (): number => {
    const next = text.indexOf('\n', lineStart)
    return next < 0 ? text.length : next
  }
  let end = lineEnd()
  return (offset) => {
    for (; end < offset; end = lineEnd()) {
      lineStart = end + 1
      line++
    }
    return { file, line, column: Math.max(1, offset - lineStart + 1) }
  }
}

function createReader(text: string, from: number, placeAt: (offset: number) => Place) {
  let at = from
  let nodes = 0

  const match = (pattern: RegExp): string | null => {
    pattern.lastIndex = at
    const found = pattern.exec(text)?.[0] ?? null
    if (found !== null) at += found.length
    return found
  }
  const skipBlank = (): string | undefined => {
    match(BLANK)
    return text[at]
  }
  const fail = (message: string): never => {
    throw new Unreadable(at, message)
  }
  const unexpected = (expected: string): never => {
    if (at >= text.length) return fail(`ends in the middle; expected ${expected}`)
    const seen = printable(text.slice(at, at + 20).split('\n')[0] ?? '')
    return fail(`cannot be read as JSON from here: ${seen}; expected ${expected}`)
  }
  const readText = (): string => {
    let end = at + 1
    // Control characters, line breaks among them, end the search: JSON.parse refuses them.
    while (text.charCodeAt(end) >= 0x20 && text[end] !== '"') end += text[end] === '\\' ? 2 : 1
    try {
      const value = JSON.parse(text.slice(at, end + 1)) as string
      at = end + 1
      return value
    } catch {
      return fail(
        'a text begins here that does not end on its line or holds an unknown \\ sequence',
      )
    }
  }

  const readScalar = (place: Place): SourceNode => {
    if (text[at] === '"') {
      const value = readText()
      return { kind: 'scalar', place, value, text: value, quoted: true }
    }
    const start = at
    const word = match(WORD)
    if (word !== null) {
      const constant = Object.hasOwn(CONSTANTS, word) ? CONSTANTS[word] : undefined
      if (constant !== undefined) {
        return { kind: 'scalar', place, value: constant, text: word, quoted: false }
      }
      if (NO_NUMBERS.includes(word)) {
        return { kind: 'scalar', place, value: Number.NaN, text: word, quoted: false }
      }
      at = start
    }
    const number = match(NUMBER)
    if (number === null) return unexpected('a value')
    return { kind: 'scalar', place, value: Number(number), text: number, quoted: false }
  }

  const readValue = (depth: number): SourceNode => {
    const first = skipBlank()
    if (depth > MAX_DEPTH) fail(`is nested more than ${MAX_DEPTH} levels deep`)
    if (++nodes > MAX_NODES) fail(`holds more than ${MAX_NODES} values`)
    const place = placeAt(at)
    if (first === '{') return { kind: 'map', place, entries: readEntries(depth) }
    if (first === '[') return { kind: 'list', place, items: readItems(depth) }
    return readScalar(place)
  }

  /** What stands between the brackets that begin here, separated by commas. */
  const readParts = <T>(end: string, readPart: () => T): T[] => {
    const parts: T[] = []
    at++
    if (skipBlank() === end) {
      at++
      return parts
    }
    for (;;) {
      parts.push(readPart())
      const next = skipBlank()
      if (next !== ',' && next !== end) unexpected(`, or ${end}`)
      at++
      if (next === end) return parts
    }
  }
  const readItems = (depth: number): SourceNode[] => readParts(']', () => readValue(depth + 1))
  const readEntries = (depth: number): SourceEntry[] =>
    readParts('}', () => {
      if (skipBlank() !== '"') unexpected('a key in double quotes')
      const keyPlace = placeAt(at)
      const key = readText()
      if (skipBlank() !== ':') unexpected('a colon after the key')
      at++
      return { key, keyPlace, value: readValue(depth + 1) }
    })

  return {
    document(): SourceNode {
      if (skipBlank() === undefined) fail('is empty; expected a JSON object')
      const root = readValue(0)
      if (skipBlank() !== undefined) unexpected('the end of the file')
      return root
    },
  }
}
