/**
 * MurmurHash3 (x86, 32 bit; Austin Appleby, public domain) of one 32-bit word. Different seeds give
 * independent hashes of the same word. Returns an unsigned 32-bit integer.
 */
export function hashWord(word: number, seed: number): number {
  let k = Math.imul(word, 0xcc9e2d51)
  k = (k << 15) | (k >>> 17)
  let h = seed ^ Math.imul(k, 0x1b873593)
  h = (h << 13) | (h >>> 19)
  h = (Math.imul(h, 5) + 0xe6546b64) ^ 4
  return finish(h)
}

/** Seed for `hashWord` from a name: FNV-1a over UTF-16 code units, then Murmur's finisher. */
export function seedOf(name: string): number {
  let h = 0x811c9dc5
  for (let i = 0; i < name.length; i++) h = Math.imul(h ^ name.charCodeAt(i), 0x01000193)
  return finish(h)
}

/** Maps a 32-bit hash to [0, 1). */
export function unitOf(hash: number): number {
  return hash / 0x1_0000_0000
}

function finish(hash: number): number {
  let h = hash
  h = Math.imul(h ^ (h >>> 16), 0x85ebca6b)
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35)
  return (h ^ (h >>> 16)) >>> 0
}
