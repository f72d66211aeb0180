import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { createLineSplitter, splitJsonArray } from '../../../src/contract/event-lines.ts'
import { HaldaneError } from '../../../src/domain/errors.ts'

const bytes = (text: string) => new TextEncoder().encode(text)
const textOf = (value: Uint8Array | null) => (value === null ? null : Buffer.from(value).toString())

function split(chunks: readonly Uint8Array[], maxLineBytes?: number) {
  const splitter = createLineSplitter(maxLineBytes)
  return [...chunks.flatMap((chunk) => splitter.push(chunk)), ...splitter.end()].map(
    ({ line, bytes: content, byteLength }) => ({ line, text: textOf(content), byteLength }),
  )
}

describe('createLineSplitter', () => {
  it('numbers lines from 1, blank ones counted and left out', () => {
    expect(split([bytes('a\n\n  \t\nb\n')])).toEqual([
      { line: 1, text: 'a', byteLength: 1 },
      { line: 4, text: 'b', byteLength: 1 },
    ])
  })

  it('leaves out a byte order mark at the start and CR at line ends', () => {
    expect(split([bytes('\ufeffa\r\nb\r\n\r\n\ufeffc')])).toEqual([
      { line: 1, text: 'a', byteLength: 1 },
      { line: 2, text: 'b', byteLength: 1 },
      { line: 4, text: '\ufeffc', byteLength: 4 },
    ])
  })

  it('gives the last line with or without its line end', () => {
    expect(split([bytes('a\nb')])).toEqual(split([bytes('a\nb\n')]))
    expect(split([])).toEqual([])
    expect(split([bytes('')])).toEqual([])
    expect(split([bytes('\ufeff')])).toEqual([])
  })

  it('gives the same lines however the bytes are cut into chunks', () => {
    const unit = fc.constantFrom('a', 'bc', 'ä', '\n', '\n', '\r\n', '\r', ' ', '\ufeff', 'xxxxxx')
    const cuts = fc.array(fc.nat({ max: 40 }), { maxLength: 8 })
    fc.assert(
      fc.property(fc.array(unit, { maxLength: 30 }), cuts, (units, positions) => {
        const whole = bytes(units.join(''))
        const edges = [0, ...positions.map((at) => at % (whole.byteLength + 1)), whole.byteLength]
        edges.sort((a, b) => a - b)
        const chunks = edges.slice(1).map((to, index) => whole.slice(edges[index], to))
        const expected = split([whole], 5)
        const got = split(chunks, 5)
        expect(got.map(({ line, text }) => [line, text])).toEqual(
          expected.map(({ line, text }) => [line, text]),
        )
      }),
      { numRuns: 2000 },
    )
  })

  it('agrees with splitting the whole text', () => {
    const unit = fc.constantFrom('a', 'ä', '\n', '\r\n', ' ', '{}')
    fc.assert(
      fc.property(fc.array(unit, { maxLength: 30 }), (units) => {
        const expected = units
          .join('')
          .split('\n')
          .map((line, index) => ({ line: index + 1, text: line.replace(/\r$/, '') }))
          .filter(({ text }) => text.trim() !== '')
        expect(split([bytes(units.join(''))])).toMatchObject(expected)
      }),
    )
  })

  it('reports a line over the limit without its bytes, and takes one at the limit', () => {
    const limit = 1_048_576
    const lines = split([bytes(`${'x'.repeat(limit)}\r\n${'y'.repeat(limit + 1)}\nz\n`)])
    expect(lines.map(({ line, text }) => [line, text?.length])).toEqual([
      [1, limit],
      [2, undefined],
      [3, 1],
    ])
  })

  it('holds no more than the limit of a line that never ends', () => {
    const splitter = createLineSplitter(10)
    const chunk = bytes('x'.repeat(1000))
    for (let index = 0; index < 1000; index++) expect(splitter.push(chunk)).toEqual([])
    const [line] = splitter.push(bytes('\nab\n'))
    expect(line).toEqual({ line: 1, bytes: null, byteLength: 1_000_000 })

    const large = new Uint8Array(1_048_576).fill(0x78)
    const before = process.memoryUsage().arrayBuffers
    for (let index = 0; index < 64; index++) splitter.push(large)
    expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(16 * 1_048_576)
  })

  it('does not lose held bytes when the chunk is used again', () => {
    const splitter = createLineSplitter()
    const chunk = bytes('ab')
    splitter.push(chunk)
    chunk.fill(0x7a)
    const [line] = splitter.push(bytes('c\n'))
    expect(textOf(line?.bytes ?? null)).toBe('abc')
  })
})

describe('splitJsonArray', () => {
  const elements = (text: string) => splitJsonArray(bytes(text)).map(textOf)

  it('gives the original text of every element', () => {
    expect(elements(' [ {"a":1e400} ,{"a":1,"a":2},\n[1,2], "x,]\\"" , 7 ] ')).toEqual([
      '{"a":1e400}',
      '{"a":1,"a":2}',
      '[1,2]',
      '"x,]\\""',
      '7',
    ])
    expect(elements('[]')).toEqual([])
    expect(elements('\ufeff[ ]\n')).toEqual([])
  })

  it('agrees with JSON.parse on every list', () => {
    fc.assert(
      fc.property(
        fc.array(fc.jsonValue(), { maxLength: 6 }),
        fc.nat({ max: 4 }),
        (list, indent) => {
          const parts = elements(JSON.stringify(list, null, indent))
          expect(parts.map((part) => JSON.parse(part ?? ''))).toEqual(
            JSON.parse(JSON.stringify(list)),
          )
        },
      ),
    )
  })

  it('does not lose the others when one element is no JSON', () => {
    expect(elements('[{"a":1},{oops},{"b":2}]')).toEqual(['{"a":1}', '{oops}', '{"b":2}'])
    expect(elements('[{"a":1],{"b":2}]')).toEqual(['{"a":1]', '{"b":2}'])
  })

  it('reads no further than the caller wants', () => {
    const parts = splitJsonArray(bytes('[1,2,3,4,no list any more'), 2)
    expect(parts.map(textOf)).toEqual(['1', '2', '3'])
    expect(splitJsonArray(bytes('[1,2]'), 2)).toHaveLength(2)
  })

  it('survives 100,000 levels of nesting', () => {
    const deep = '['.repeat(100_000) + ']'.repeat(100_000)
    expect(splitJsonArray(bytes(deep)).length).toBe(1)
  })

  it.each([
    ['', 'begins with nothing where a list begins with "[" (byte 1)'],
    ['{"a":1}', 'begins with "{" where a list begins with "[" (byte 1)'],
    ['[{"a":1}', 'ends before its "]" (byte 9)'],
    ['[', 'ends before its "]" (byte 2)'],
    ['[1,', 'ends before its "]" (byte 4)'],
    ['["a', 'ends before its "]" (byte 4)'],
    ['[1,,2]', 'has no element before "," (byte 4)'],
    ['[1,]', 'has no element before "]" (byte 4)'],
    ['[1]]', 'goes on with "]" after its end (byte 4)'],
    ['[] x', 'goes on with "x" after its end (byte 4)'],
    ['[1}]', 'closes "}" without opening it (byte 3)'],
  ])('says what is wrong with %j', (text, message) => {
    expect(() => elements(text)).toThrow(HaldaneError)
    expect(() => elements(text)).toThrow(`the JSON list ${message}`)
  })

  it('never takes for a list what JSON.parse does not, when every element parses', () => {
    const unit = fc.constantFrom('[', ']', '{', '}', ',', '"', '\\', '1', ' ', ':', '"a"', 'null')
    fc.assert(
      fc.property(fc.array(unit, { maxLength: 12 }), (units) => {
        const text = `[${units.join('')}`
        let parts: (string | null)[]
        try {
          parts = elements(text)
          for (const part of parts) JSON.parse(part ?? '')
        } catch {
          return
        }
        expect(JSON.parse(text)).toEqual(parts.map((part) => JSON.parse(part ?? '')))
      }),
      { numRuns: 5000 },
    )
  })
})
