import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { readYaml, type SourceNode } from '../../../src/contract/yaml-source.ts'

function plain(node: SourceNode): unknown {
  switch (node.kind) {
    case 'map':
      return Object.fromEntries(node.entries.map(({ key, value }) => [key, plain(value)]))
    case 'list':
      return node.items.map(plain)
    case 'scalar':
      return node.value
  }
}

const root = (text: string): SourceNode => {
  const read = readYaml(text, 'f.yaml')
  if ('problems' in read) throw new Error(JSON.stringify(read.problems))
  return read.root
}
const problems = (text: string) => {
  const read = readYaml(text, 'f.yaml')
  return 'problems' in read ? read.problems : []
}

describe('readYaml', () => {
  it('keeps the place of every key and value, from line and column 1', () => {
    const node = root('a: 1\nb:\n  - x\n  - { c: "y" }\n')
    expect(node).toMatchObject({
      kind: 'map',
      place: { file: 'f.yaml', line: 1, column: 1 },
      entries: [
        { key: 'a', keyPlace: { line: 1, column: 1 }, value: { place: { line: 1, column: 4 } } },
        {
          key: 'b',
          value: {
            items: [
              { place: { line: 3, column: 5 } },
              { entries: [{ key: 'c', value: { place: { line: 4, column: 10 } } }] },
            ],
          },
        },
      ],
    })
  })

  it('keeps the text of numbers as written', () => {
    expect(root('[1.50, 0x10, "1.4", 1.4]')).toMatchObject({
      items: [
        { text: '1.50', value: 1.5, quoted: false },
        { text: '0x10', value: 16 },
        { text: '1.4', value: '1.4', quoted: true },
        { text: '1.4', value: 1.4 },
      ],
    })
  })

  it('reads every JSON text as JSON does', () => {
    const value = fc.jsonValue({ maxDepth: 4 })
    fc.assert(
      fc.property(value, fc.nat({ max: 3 }), (json, indent) => {
        const text = JSON.stringify(json, null, indent)
        // YAML keeps -0 and has no lone surrogates; JSON.stringify writes neither.
        expect(JSON.stringify(plain(root(text)))).toBe(JSON.stringify(json))
      }),
    )
  })

  it('reads JSON that is indented with tabs', () => {
    expect(plain(root('{\n\t"a": 1,\n\t"b": [\n\t\t2\n\t]\n}\n'))).toEqual({ a: 1, b: [2] })
  })

  it('follows anchors', () => {
    expect(plain(root('a: &x { b: 1 }\nc: *x\n'))).toEqual({ a: { b: 1 }, c: { b: 1 } })
  })

  it.each([
    ['a: [1, 2\nb: 3\n', 2],
    ['a: 1\n b: 2\n', 1],
    ['a: "x\n', 2],
    ['a: 1\n---\nb: 2\n', 2],
    ['a: !secret x\n', 1],
    ['a: *nobody\n', 1],
    ['? { a: 1 }\n: 2\n', 1],
    ['a: &x [*x]\n', 1],
  ])('says in which line %j cannot be read', (text, line) => {
    expect(problems(text)[0]).toMatchObject({ file: 'f.yaml', line, field: '' })
  })

  it('refuses aliases that make much of little, and deep nesting', () => {
    const lines = ['a0: &a0 [x, x, x, x, x, x, x, x, x, x]']
    for (let level = 1; level < 9; level++) {
      const before = `*a${level - 1}`
      lines.push(`a${level}: &a${level} [${Array(10).fill(before).join(', ')}]`)
    }
    expect(problems(lines.join('\n'))[0]?.message).toMatch(/too deeply or holds too much/)
    expect(problems('['.repeat(50_000))[0]?.message).toMatch(/\S/)
    expect(problems(`${'['.repeat(1000)}${']'.repeat(1000)}`)[0]?.message).toMatch(/too deeply/)
    expect(problems('x'.repeat(1_048_577))[0]?.message).toMatch(/1 MiB/)
  })

  it('never throws, whatever the text', () => {
    const unit = fc.constantFrom(...'abc:-[]{},"\'&*!|>%@`#?\n\t 01.~'.split(''), '<<', '---', '\0')
    fc.assert(
      fc.property(fc.array(unit, { maxLength: 40 }), (units) => {
        const read = readYaml(units.join(''), 'f.yaml')
        if ('problems' in read) expect(read.problems.length).toBeGreaterThan(0)
      }),
      { numRuns: 2000 },
    )
  })
})
