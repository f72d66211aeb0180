import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { readJsonSource } from '../../../src/contract/json-source.ts'
import type { SourceNode } from '../../../src/contract/yaml-source.ts'

function rootOf(text: string): SourceNode {
  const read = readJsonSource(text, 'f.json')
  if ('problems' in read) throw new Error(read.problems[0]?.message)
  return read.root
}

/** The value as JSON.parse gives it: of a doubled key the last. */
function valueOfNode(node: SourceNode): unknown {
  if (node.kind === 'list') return node.items.map(valueOfNode)
  if (node.kind === 'scalar') return node.value
  const entries = node.entries.map(({ key, value }) => [key, valueOfNode(value)] as const)
  return Object.fromEntries(entries)
}

describe('JSON with places', () => {
  it('is read as JSON.parse reads it', () => {
    fc.assert(
      fc.property(fc.json(), fc.constantFrom(0, 2), (text, indent) => {
        const written = JSON.stringify(JSON.parse(text), null, indent)
        if (written.includes('__proto__')) return
        expect(valueOfNode(rootOf(written))).toEqual(JSON.parse(written))
      }),
    )
  })

  it('takes nothing that JSON.parse refuses, but for numbers that are none', () => {
    const piece = fc.constantFrom(
      ...['{', '}', '[', ']', ',', ':', '"a"', '1', '-', '.5', '01', 'true', 'nul', ' ', '\n', '"'],
    )
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 12 }), (pieces) => {
        const text = pieces.join('')
        let good = true
        try {
          JSON.parse(text)
        } catch {
          good = false
        }
        expect('root' in readJsonSource(text, 'f.json')).toBe(good)
      }),
      { numRuns: 3000 },
    )
  })

  it('keeps the place of every key and value, and a key that is written twice', () => {
    const root = rootOf('{"a": 1,\r\n  "a": [true]}')
    if (root.kind !== 'map') throw new Error('no map')
    expect(root.entries.map(({ key, keyPlace }) => [key, keyPlace.line, keyPlace.column])).toEqual([
      ['a', 1, 2],
      ['a', 2, 3],
    ])
    expect(root.entries[1]?.value.place).toEqual({ file: 'f.json', line: 2, column: 8 })
  })

  it('passes over a byte order mark', () => {
    expect(rootOf('\ufeff{"a": 1}').place).toEqual({ file: 'f.json', line: 1, column: 1 })
  })

  it('leaves it to the readers of numbers to refuse NaN and Infinity by their path', () => {
    expect(rootOf('[NaN, -Infinity]')).toMatchObject({
      items: [{ text: 'NaN' }, { text: '-Infinity' }],
    })
  })

  it.each([
    ['', 1, 1, 'is empty'],
    ['{', 1, 2, 'ends in the middle; expected a key in double quotes'],
    ['{"a": 1,\n}', 2, 1, 'expected a key in double quotes'],
    ["{'a': 1}", 1, 2, 'expected a key in double quotes'],
    ['{"a" 1}', 1, 6, 'expected a colon'],
    ['{"a": None}', 1, 7, 'expected a value'],
    ['{"a": 1} {}', 1, 10, 'expected the end of the file'],
    ['{"a": "b\nc"}', 1, 7, 'does not end on its line'],
    ['['.repeat(5000), 1, 66, 'is nested more than 64 levels deep'],
    [`[${'1,'.repeat(500_001)}1]`, 1, 1_000_000, 'holds more than 500000 values'],
  ])('says where %# stops being JSON', (text, line, column, message) => {
    const read = readJsonSource(text, 'f.json')
    if (!('problems' in read)) throw new Error('was read')
    expect(read.problems).toMatchObject([{ file: 'f.json', line, column }])
    expect(read.problems[0]?.message).toContain(message)
  })
})
