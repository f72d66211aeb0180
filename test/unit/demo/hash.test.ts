import { describe, expect, it } from 'vitest'
import { hashWord, seedOf, unitOf } from '../../../src/demo/hash.ts'

describe('hashWord', () => {
  it('gives the published MurmurHash3 values of one word', () => {
    expect(hashWord(0x87654321, 0)).toBe(0xf55b516b)
    expect(hashWord(0x87654321, 0x5082edee)).toBe(0x2362f9de)
    expect(hashWord(0xffffffff, 0)).toBe(0x76293b50)
    expect(hashWord(0, 0)).toBe(0x2362f9de)
  })

  it('spreads numbers in a row evenly, for any name of the seed', () => {
    for (const name of ['a', 'b', 'demo']) {
      const seed = seedOf(name)
      const buckets = new Array<number>(20).fill(0)
      for (let i = 0; i < 100_000; i++) buckets[Math.floor(unitOf(hashWord(i, seed)) * 20)]! += 1
      // Chi-square with 19 degrees of freedom: 43.8 is its 99.9 % point.
      const chiSquare = buckets.reduce((sum, n) => sum + (n - 5000) ** 2 / 5000, 0)
      expect(chiSquare, name).toBeLessThan(43.8)
    }
  })

  it('gives hashes that tell nothing about those of another seed', () => {
    const [a, b] = [seedOf('first'), seedOf('second')]
    const cells = new Array<number>(16).fill(0)
    for (let i = 0; i < 80_000; i++) {
      cells[(hashWord(i, a) >>> 30) * 4 + (hashWord(i, b) >>> 30)]! += 1
    }
    // 15 degrees of freedom: 37.7 is the 99.9 % point.
    expect(cells.reduce((sum, n) => sum + (n - 5000) ** 2 / 5000, 0)).toBeLessThan(37.7)
  })

  it('stays below 1 for the largest hash', () => {
    expect(unitOf(0xffffffff)).toBeLessThan(1)
    expect(unitOf(0)).toBe(0)
  })
})
