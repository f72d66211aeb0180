import { didYouMean, nearestWord } from './near-miss.ts'
import { describeValue, printable } from './rejection-text.ts'
import type { FileProblem, Place, SourceEntry, SourceNode } from './yaml-source.ts'

/** Collects everything that is wrong, so that all of it is told at once. */
export interface ProblemLog {
  add(place: Place, field: string, message: string): undefined
  /** By file, line and column. */
  readonly problems: readonly FileProblem[]
}

/** Reads one value; reports what is wrong with it and then gives undefined. */
export type Read<T> = (node: SourceNode, field: string, log: ProblemLog) => T | undefined

export interface MapReader {
  readonly place: Place
  has(key: string): boolean
  /** Place of a key, else of the map. */
  placeOf(key: string): Place
  /** Reports a missing key, with an example of what to write. */
  required<T>(key: string, read: Read<T>, example: string): T | undefined
  /** `fallback` for a missing key, undefined for a wrong value. */
  optional<T>(key: string, fallback: T, read: Read<T>): T | undefined
}

export function createProblemLog(): ProblemLog {
  const problems: FileProblem[] = []
  return {
    add(place, field, message) {
      problems.push({ ...place, field, message })
      return undefined
    },
    get problems() {
      return [...problems].sort(
        (a, b) =>
          (a.file === b.file ? 0 : a.file < b.file ? -1 : 1) ||
          a.line - b.line ||
          a.column - b.column,
      )
    },
  }
}

/** A map with known keys; unknown and doubled ones are reported. Undefined when it is no map. */
export function readMap(
  node: SourceNode,
  field: string,
  keys: readonly string[],
  log: ProblemLog,
): MapReader | undefined {
  if (node.kind !== 'map') {
    const message = `is ${describeNode(node)}; expected a map with the keys ${keys.join(', ')}`
    return log.add(node.place, field, message)
  }
  const found = new Map<string, SourceEntry>()
  const mistyped = new Set<string>()
  for (const entry of node.entries) {
    const path = pathOf(field, printable(entry.key))
    const first = found.get(entry.key)
    if (first !== undefined) {
      const message = `is written twice, first at line ${first.keyPlace.line}; keep one`
      log.add(entry.keyPlace, path, message)
    } else if (keys.includes(entry.key)) {
      found.set(entry.key, entry)
    } else {
      const meant = nearestWord(entry.key, keys)
      if (meant !== null) mistyped.add(meant)
      log.add(entry.keyPlace, path, unknownKey(entry.key, keys))
    }
  }
  return createMapReader(found, mistyped, node.place, field, log)
}

function unknownKey(key: string, keys: readonly string[]): string {
  // `{ max: 0,8% }` reads as the keys "max" and "8%".
  if (/^\d/.test(key)) return 'is not a known key; write the decimal point as ".", such as 0.8%'
  return `is not a known key${didYouMean(key, keys) || ';'} allowed are ${keys.join(', ')}`
}

function createMapReader(
  entries: ReadonlyMap<string, SourceEntry>,
  mistyped: ReadonlySet<string>,
  place: Place,
  field: string,
  log: ProblemLog,
): MapReader {
  const readEntry = <T>(entry: SourceEntry, read: Read<T>): T | undefined => {
    const path = pathOf(field, entry.key)
    const { value } = entry
    if (value.kind === 'scalar' && value.value === null) {
      return log.add(entry.keyPlace, path, 'has no value; write one or leave the key out')
    }
    return read(value, path, log)
  }
  return {
    place,
    has: (key) => entries.has(key),
    placeOf: (key) => entries.get(key)?.value.place ?? place,
    required(key, read, example) {
      const entry = entries.get(key)
      if (entry !== undefined) return readEntry(entry, read)
      // The misspelt key was reported already.
      if (mistyped.has(key)) return undefined
      return log.add(place, pathOf(field, key), `is missing; write for example ${key}: ${example}`)
    },
    optional(key, fallback, read) {
      const entry = entries.get(key)
      return entry === undefined ? fallback : readEntry(entry, read)
    },
  }
}

/** A list; undefined when it is none or when any item is wrong. */
export function listOf<T>(readItem: Read<T>, expected: string, atLeast = 0): Read<T[]> {
  return (node, field, log) => {
    if (node.kind !== 'list') {
      return log.add(node.place, field, `is ${describeNode(node)}; expected a list of ${expected}`)
    }
    if (node.items.length < atLeast) {
      return log.add(node.place, field, `is empty; expected at least one of ${expected}`)
    }
    const values = node.items.map((item, index) => readItem(item, `${field}[${index}]`, log))
    const kept = values.filter((value) => value !== undefined)
    return kept.length === values.length ? kept : undefined
  }
}

/** One of a few words. */
export function wordOf<const W extends string>(words: readonly W[]): Read<W> {
  return (node, field, log) => {
    const text = node.kind === 'scalar' ? node.text : undefined
    const word = words.find((candidate) => candidate === text)
    if (word !== undefined) return word
    const hint = text === undefined ? '' : didYouMean(text, words)
    const message = `is ${describeNode(node)}${hint || ';'} allowed are ${words.join(', ')}`
    return log.add(node.place, field, message)
  }
}

export function readBoolean(node: SourceNode, field: string, log: ProblemLog): boolean | undefined {
  if (node.kind === 'scalar' && typeof node.value === 'boolean') return node.value
  return log.add(node.place, field, `is ${describeNode(node)}; allowed are true and false`)
}

/** A number without unit, as text. */
export const PLAIN_NUMBER = /^[+-]?(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d+)?$/

/** A number without unit. */
export function numberFrom(low: number, high: number, meaning = ''): Read<number> {
  return (node, field, log) => {
    const expected = `expected a number from ${low} to ${high}${meaning}`
    if (node.kind !== 'scalar' || !PLAIN_NUMBER.test(node.text)) {
      return log.add(node.place, field, `is ${describeNode(node)}; ${expected}`)
    }
    const value = Number(node.text)
    if (value >= low && value <= high) return value + 0
    return log.add(node.place, field, `is ${node.text}; ${expected}`)
  }
}

export function wholeNumberFrom(low: number, high: number, meaning = ''): Read<number> {
  return (node, field, log) => {
    const expected = `expected a whole number from ${low} to ${high}${meaning}`
    if (node.kind !== 'scalar' || !/^\d{1,15}$/.test(node.text)) {
      return log.add(node.place, field, `is ${describeNode(node)}; ${expected}`)
    }
    const value = Number(node.text)
    if (value >= low && value <= high) return value
    return log.add(node.place, field, `is ${node.text}; ${expected}`)
  }
}

/** What a person needs to see of a value in a file. */
export function describeNode(node: SourceNode): string {
  switch (node.kind) {
    case 'map':
      return 'a map'
    case 'list':
      return 'a list'
    case 'scalar':
      if (node.value === null) return 'empty'
      return node.quoted || typeof node.value === 'string'
        ? describeValue(node.text).replace('the text ', '')
        : printable(node.text)
  }
}

export function pathOf(field: string, key: string): string {
  return field === '' ? key : `${field}.${key}`
}
