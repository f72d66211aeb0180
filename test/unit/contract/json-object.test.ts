import { describe, expect, it } from 'vitest'
import { readInvalidUtf8Twice, readJsonObject } from '../../../src/contract/json-object.ts'

const bytes = (text: string) => new TextEncoder().encode(text)
const code = (value: Uint8Array | null) => {
  const read = readJsonObject(value)
  return Array.isArray(read) ? read.map((rejection) => rejection.code) : 'object'
}

describe('readJsonObject', () => {
  it('names what a value that is no object is instead', () => {
    expect(code(null)).toEqual(['tombstone'])
    expect(code(bytes(''))).toEqual(['not_json'])
    expect(code(bytes('{"a":1'))).toEqual(['not_json'])
    expect(code(bytes('{"a":1}{'))).toEqual(['not_json'])
    expect(code(bytes("{'a':1}"))).toEqual(['not_json'])
    expect(code(bytes('[1]'))).toEqual(['not_an_object'])
    expect(code(bytes('null'))).toEqual(['not_an_object'])
    expect(code(bytes('"text"'))).toEqual(['not_an_object'])
    expect(code(bytes('{}'))).toBe('object')
  })

  it('refuses a value over 1 MiB and takes one of exactly 1 MiB', () => {
    const padding = 1_048_576 - '{"a":""}'.length
    expect(code(bytes(`{"a":"${'x'.repeat(padding)}"}`))).toBe('object')
    expect(code(bytes(`{"a":"${'x'.repeat(padding + 1)}"}`))).toEqual(['too_large'])
  })

  it('reads past a byte order mark, and from the middle of a larger buffer', () => {
    expect(code(bytes('\ufeff{"a":1}'))).toBe('object')
    expect(readJsonObject(bytes('xx{"a":1}yy').subarray(2, 9))).toEqual({
      object: { a: 1 },
      validUtf8: true,
    })
  })

  it('lets the last of a doubled key count', () => {
    expect(readJsonObject(bytes('{"a":1,"a":2}'))).toMatchObject({ object: { a: 2 } })
  })

  it('tells a U+FFFD that was sent from bytes that are no UTF-8', () => {
    expect(readJsonObject(bytes('{"a":"\ufffd"}'))).toMatchObject({ validUtf8: true })
    expect(readJsonObject(Buffer.from('{"a":"\xff"}', 'latin1'))).toMatchObject({
      validUtf8: false,
      object: { a: '\ufffd' },
    })
  })

  it('survives 100,000 levels of nesting', () => {
    const deep = `{"a":${'['.repeat(100_000)}${']'.repeat(100_000)}}`
    expect(code(bytes(deep))).toBe('object')
    expect(code(bytes('['.repeat(100_000)))).toEqual(['not_json'])
  })

  it('shows of broken text a short, printable beginning', () => {
    expect(readJsonObject(bytes(`{"a":1,,"b":"${'x'.repeat(100)}\u0007`))).toMatchObject([
      { message: expect.stringMatching(/^not JSON at character 8: \{"a":1,,"b":"x{27}…$/) },
    ])
    expect(readJsonObject(bytes('\u0007'))).toMatchObject([{ message: 'not JSON: \\u{7}' }])
  })
})

describe('readInvalidUtf8Twice', () => {
  it('differs exactly in the texts that hold bytes which are no UTF-8', () => {
    const value = Buffer.concat([
      Buffer.from('{"a":"'),
      Buffer.from([0xff, 0x61]),
      Buffer.from('","b":"\ufffd","c":"\\ufffd","d":"ä"}'),
    ])
    const [replaced, marked] = readInvalidUtf8Twice(value)
    expect(replaced).toEqual({ a: '\ufffda', b: '   ', c: '\ufffd', d: 'ä' })
    expect(marked).toEqual({ a: 'Xa', b: '   ', c: '\ufffd', d: 'ä' })
  })
})
