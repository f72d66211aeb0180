const K_MUL = 0x9ddfea08eb382d69n
const WORD = (1n << 64n) - 1n

/** CityHash64 1.0.2 (Pike and Alakuijala), as the engine's `cityHash64`, of 4 to 16 bytes. */
export function cityHash64(text: string): bigint {
  const bytes = new TextEncoder().encode(text)
  const { length } = bytes
  if (length < 4 || length > 16) throw new Error('written for 4 to 16 bytes')
  const word = (at: number, size: number) =>
    bytes.slice(at, at + size).reduceRight((sum, byte) => (sum << 8n) | BigInt(byte), 0n)
  const size = BigInt(length)
  if (length > 8) {
    const last = word(length - 8, 8)
    const sum = (last + size) & WORD
    const rotated = ((sum >> size) | (sum << (64n - size))) & WORD
    return ofTwo(word(0, 8), rotated) ^ last
  }
  return ofTwo(size + (word(0, 4) << 3n), word(length - 4, 4))
}

function ofTwo(low: bigint, high: bigint): bigint {
  const a = shifted(((low ^ high) * K_MUL) & WORD)
  const b = shifted(((high ^ a) * K_MUL) & WORD)
  return (b * K_MUL) & WORD
}

function shifted(value: bigint): bigint {
  return value ^ (value >> 47n)
}
