import {
  type Document,
  isAlias,
  isMap,
  isScalar,
  isSeq,
  LineCounter,
  type Node,
  type Pair,
  parseDocument,
} from 'yaml'

/** Where something stands in a file; line and column from 1. */
export interface Place {
  readonly file: string
  readonly line: number
  readonly column: number
}

/** Something wrong in a file, for the person who wrote it. */
export interface FileProblem extends Place {
  /** Path of the field, `guardrails[0].max`; empty for the whole file. */
  readonly field: string
  readonly message: string
}

export interface SourceEntry {
  readonly key: string
  readonly keyPlace: Place
  readonly value: SourceNode
}

/** YAML or JSON as written: values with their places, scalars also as text. */
export type SourceNode =
  | { readonly kind: 'map'; readonly place: Place; readonly entries: readonly SourceEntry[] }
  | { readonly kind: 'list'; readonly place: Place; readonly items: readonly SourceNode[] }
  | {
      readonly kind: 'scalar'
      readonly place: Place
      readonly value: string | number | boolean | null
      /** As written, without quotes. */
      readonly text: string
      readonly quoted: boolean
    }

const MAX_TEXT_LENGTH = 1_048_576
const MAX_SYNTAX_FAULTS = 10
// A release file has a few hundred values; aliases of aliases could make millions of a short text.
const MAX_NODES = 20_000
const MAX_DEPTH = 64
const TOO_DEEP = 'is nested too deeply'

/** Reads YAML 1.2, of which JSON is a part; gives the tree or what is wrong with the syntax. */
export function readYaml(
  text: string,
  file: string,
): { readonly root: SourceNode } | { readonly problems: FileProblem[] } {
  const start: Place = { file, line: 1, column: 1 }
  if (text.length > MAX_TEXT_LENGTH) {
    return { problems: [{ ...start, field: '', message: 'is larger than 1 MiB' }] }
  }
  const lineCounter = new LineCounter()
  let document: Document.Parsed
  try {
    document = parseDocument(text, { lineCounter, prettyErrors: false, uniqueKeys: false })
  } catch {
    // The parser recurses: what it throws is a stack overflow.
    return { problems: [{ ...start, field: '', message: TOO_DEEP }] }
  }
  const placeAt = (offset: number): Place => {
    const { line, col } = lineCounter.linePos(offset)
    return { file, line: Math.max(line, 1), column: Math.max(col, 1) }
  }
  const faults = [...document.errors, ...document.warnings]
  if (faults.length > 0) return { problems: syntaxProblems(faults, placeAt) }
  const reader = createNodeReader(document, placeAt)
  const root = reader.read(document.contents, start, 0)
  return reader.problems.length > 0 ? { problems: reader.problems } : { root }
}

/** One problem a place: the parser often has several words for one slip. */
function syntaxProblems(
  faults: readonly { readonly pos: readonly [number, number]; readonly message: string }[],
  placeAt: (offset: number) => Place,
): FileProblem[] {
  const problems = new Map<number, FileProblem>()
  for (const { pos, message } of faults.slice(0, MAX_SYNTAX_FAULTS)) {
    const [offset] = pos
    if (problems.has(offset)) continue
    if (message.includes('call stack')) return [{ ...placeAt(0), field: '', message: TOO_DEEP }]
    const text = `cannot be read as YAML from here: ${message.replaceAll(/\s+/g, ' ')}; look at the indentation, brackets and quotes of this line and the one before`
    problems.set(offset, { ...placeAt(offset), field: '', message: text })
  }
  return [...problems.values()]
}

function createNodeReader(document: Document.Parsed, placeAt: (offset: number) => Place) {
  const problems: FileProblem[] = []
  let nodes = 0

  const nothing = (place: Place): SourceNode => ({
    kind: 'scalar',
    place,
    value: null,
    text: '',
    quoted: false,
  })

  const refuse = (place: Place, message: string): SourceNode => {
    if (problems.length === 0) problems.push({ ...place, field: '', message })
    return nothing(place)
  }

  const readEntry = (pair: Pair, place: Place, depth: number): SourceEntry => {
    const key = read(pair.key, place, depth)
    if (key.kind !== 'scalar') refuse(key.place, 'a key must be a plain word')
    return {
      key: key.kind === 'scalar' ? key.text : '',
      keyPlace: key.place,
      value: read(pair.value, key.place, depth),
    }
  }

  const read = (node: unknown, fallback: Place, depth: number): SourceNode => {
    const range = (node as Node | null)?.range
    const place = range == null ? fallback : placeAt(range[0])
    if (depth > MAX_DEPTH || nodes > MAX_NODES) {
      return refuse(place, 'is nested too deeply or holds too much for a release file')
    }
    nodes++
    if (isAlias(node)) {
      const target = node.resolve(document)
      if (target === undefined) return refuse(place, `*${node.source} names no anchor before it`)
      return read(target, place, depth + 1)
    }
    if (isMap(node)) {
      const entries = node.items.map((pair) => readEntry(pair, place, depth + 1))
      return { kind: 'map', place, entries }
    }
    if (isSeq(node)) {
      return { kind: 'list', place, items: node.items.map((item) => read(item, place, depth + 1)) }
    }
    if (!isScalar(node)) return nothing(place)
    return scalarOf(node.value, node.source, node.type, place)
  }

  return { problems, read }
}

function scalarOf(
  value: unknown,
  source: string | undefined,
  type: string | undefined,
  place: Place,
): SourceNode {
  const plain = type === 'PLAIN' || type === undefined
  const known = typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean'
  const kept = known ? value : value == null ? null : String(value)
  const text = plain ? (source ?? '').trim() : String(value)
  return { kind: 'scalar', place, value: kept, text, quoted: !plain }
}
