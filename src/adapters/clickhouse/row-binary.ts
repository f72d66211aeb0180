// ClickHouse RowBinary: little endian, no separators; a string is its length as varint, then UTF-8;
// a nullable is a byte 1 for null or 0 and the value. Writers return the position after the value and
// never check room: the caller has made it.

const TWO_32 = 4_294_967_296
const LONGEST_LOOP = 72

/** Room a string may take, length prefix included. */
export function roomOf(text: string): number {
  return text.length * 3 + 5
}

/** Most strings are short ASCII: a loop beats the call into the runtime's encoder. */
export function putString(bytes: Buffer, at: number, text: string): number {
  const length = text.length
  if (length > LONGEST_LOOP) return putEncoded(bytes, at, text)
  bytes[at] = length
  let end = at + 1
  for (let index = 0; index < length; index++) {
    const code = text.charCodeAt(index)
    if (code > 127) return putEncoded(bytes, at, text)
    bytes[end++] = code
  }
  return end
}

function putEncoded(bytes: Buffer, at: number, text: string): number {
  const start = putVarint(bytes, at, Buffer.byteLength(text))
  return start + bytes.write(text, start)
}

export function putVarint(bytes: Buffer, at: number, value: number): number {
  let rest = value
  let end = at
  while (rest > 127) {
    bytes[end++] = (rest & 127) | 128
    rest >>>= 7
  }
  bytes[end++] = rest
  return end
}

/** A whole number within ±2^53 as Int64; for values that are not negative also as UInt64. */
export function putInt64(view: DataView, at: number, value: number): number {
  const high = Math.floor(value / TWO_32)
  view.setUint32(at, value - high * TWO_32, true)
  view.setInt32(at + 4, high, true)
  return at + 8
}

export function putNullableFloat64(view: DataView, at: number, value: number | null): number {
  if (value === null) return putNull(view, at)
  view.setUint8(at, 0)
  view.setFloat64(at + 1, value, true)
  return at + 9
}

export function putNullableUint32(view: DataView, at: number, value: number | null): number {
  if (value === null) return putNull(view, at)
  view.setUint8(at, 0)
  view.setUint32(at + 1, value, true)
  return at + 5
}

export function putNullableInt32(view: DataView, at: number, value: number | null): number {
  if (value === null) return putNull(view, at)
  view.setUint8(at, 0)
  view.setInt32(at + 1, value, true)
  return at + 5
}

export function putNullableUint16(view: DataView, at: number, value: number | null): number {
  if (value === null) return putNull(view, at)
  view.setUint8(at, 0)
  view.setUint16(at + 1, value, true)
  return at + 3
}

export function putNullableUint64(view: DataView, at: number, value: number | null): number {
  if (value === null) return putNull(view, at)
  view.setUint8(at, 0)
  return putInt64(view, at + 1, value)
}

function putNull(view: DataView, at: number): number {
  view.setUint8(at, 1)
  return at + 1
}
