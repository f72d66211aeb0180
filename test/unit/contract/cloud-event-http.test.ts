import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import {
  attributeBytes,
  percentEncoded,
  recordHeaders,
} from '../../../src/contract/cloud-event-http.ts'

const text = (header: string) => Buffer.from(attributeBytes(header)).toString('utf8')

describe('percentEncoded', () => {
  it('encodes as the example of the binding does', () => {
    expect(percentEncoded('Euro € 😀')).toBe('Euro%20%E2%82%AC%20%F0%9F%98%80')
    expect(percentEncoded('"50%"')).toBe('%2250%25%22')
    expect(percentEncoded("!#$&'~/:?")).toBe("!#$&'~/:?")
  })

  it('is undone by attributeBytes', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (value) => {
        expect(text(percentEncoded(value))).toBe(value)
      }),
    )
  })
})

describe('attributeBytes', () => {
  it.each([
    ['lower%e2%82%ac', 'lower€'],
    ['%41%2f', 'A/'],
    ['"a b \\"c\\" \\\\ %20d"', 'a b "c" \\  d'],
    ['  padded ', 'padded'],
    ['100%', '100%'],
    ['50%zz%4', '50%zz%4'],
    ['%2541', '%41'],
    [Buffer.from('größe', 'utf8').toString('latin1'), 'größe'],
  ])('reads %j', (header, expected) => {
    expect(text(header)).toBe(expected)
  })

  it('leaves bytes that are no UTF-8 to the reader', () => {
    expect(Buffer.from(attributeBytes('%C0%A0'))).toEqual(Buffer.from([0xc0, 0xa0]))
  })
})

describe('recordHeaders', () => {
  it('gives attributes the names of a Kafka record and leaves the rest out', () => {
    const headers = recordHeaders({
      'ce-id': 'r%201',
      'ce-Bad': 'x',
      'ce-': 'x',
      'content-type': 'application/json',
      authorization: 'Bearer secret',
      'set-cookie': ['a', 'b'],
      host: undefined,
    })
    const texts = Object.entries(headers).map(([name, value]) => [name, String(Buffer.from(value))])
    expect(Object.fromEntries(texts)).toEqual({ ce_id: 'r 1', 'content-type': 'application/json' })
  })
})
