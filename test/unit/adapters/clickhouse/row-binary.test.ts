import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import {
  putInt64,
  putNullableFloat64,
  putNullableInt32,
  putNullableUint16,
  putNullableUint32,
  putNullableUint64,
  putString,
  putVarint,
  roomOf,
} from '../../../../src/adapters/clickhouse/row-binary.ts'

const buffer = Buffer.alloc(70_000)
const view = new DataView(buffer.buffer, buffer.byteOffset, buffer.byteLength)

function readVarint(at: number): { value: number; end: number } {
  let value = 0
  let shift = 0
  for (let end = at; ; end++, shift += 7) {
    const byte = buffer[end] as number
    value |= (byte & 127) << shift
    if (byte < 128) return { value, end: end + 1 }
  }
}

function readString(at: number): { text: string; end: number } {
  const { value, end } = readVarint(at)
  return { text: buffer.toString('utf8', end, end + value), end: end + value }
}

describe('RowBinary', () => {
  it('gives strings of any kind and length back, within the room they were promised', () => {
    const anyText = fc.oneof(
      fc.string({ unit: 'binary', maxLength: 200 }),
      fc.string({ unit: 'grapheme-ascii', maxLength: 200 }),
      fc.string({ maxLength: 200 }).map((text) => text.repeat(30)),
    )
    fc.assert(
      fc.property(anyText, fc.nat(20), (text, at) => {
        const end = putString(buffer, at, text)
        expect(readString(at)).toEqual({ text, end })
        expect(end - at).toBeLessThanOrEqual(roomOf(text))
      }),
    )
  })

  it.each([
    ['', [0]],
    ['a', [1, 97]],
    ['é', [2, 0xc3, 0xa9]],
    ['aé', [3, 97, 0xc3, 0xa9]],
  ])('writes %j as its length in bytes and its bytes', (text, bytes) => {
    const end = putString(buffer, 5, text)
    expect([...buffer.subarray(5, end)]).toEqual(bytes)
  })

  it('writes lengths above 127 as varint', () => {
    const end = putVarint(buffer, 0, 300)
    expect([...buffer.subarray(0, end)]).toEqual([0xac, 0x02])
  })

  it('gives whole numbers within ±2^53 back', () => {
    fc.assert(
      fc.property(fc.maxSafeInteger(), (value) => {
        expect(putInt64(view, 3, value)).toBe(11)
        expect(view.getBigInt64(3, true)).toBe(BigInt(value))
      }),
    )
    for (const value of [0, -1, 4_294_967_295, 4_294_967_296, -4_294_967_296]) {
      putInt64(view, 0, value)
      expect(view.getBigInt64(0, true)).toBe(BigInt(value))
    }
  })

  it('writes null as one byte, anything else after a zero byte', () => {
    const writers = [
      putNullableFloat64,
      putNullableInt32,
      putNullableUint16,
      putNullableUint32,
      putNullableUint64,
    ]
    const ends = writers.map((put) => put(view, 0, 7))
    expect(ends).toEqual([9, 5, 3, 5, 9])
    for (const put of writers) {
      put(view, 0, 7)
      expect(buffer[0]).toBe(0)
      expect(put(view, 0, null)).toBe(1)
      expect(buffer[0]).toBe(1)
    }
    putNullableInt32(view, 0, -2)
    expect(view.getInt32(1, true)).toBe(-2)
    putNullableFloat64(view, 0, 0.1)
    expect(view.getFloat64(1, true)).toBe(0.1)
  })
})
