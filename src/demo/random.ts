import { hashWord } from './hash.ts'

/** A number in [0, 1), the same sequence for the same seed. */
export type Random = () => number

/** sfc32 (Chris Doty-Humphrey, PractRand), 128 bits of state filled from the seed. */
export function createRandom(seed: number): Random {
  let a = hashWord(1, seed)
  let b = hashWord(2, seed)
  let c = hashWord(3, seed)
  let counter = 1
  const next = () => {
    const sum = (((a + b) | 0) + counter) | 0
    counter = (counter + 1) | 0
    a = b ^ (b >>> 9)
    b = (c + (c << 3)) | 0
    c = (((c << 21) | (c >>> 11)) + sum) | 0
    return (sum >>> 0) / 0x1_0000_0000
  }
  for (let i = 0; i < 12; i++) next()
  return next
}

/** Times of a Poisson process in ms after its start, ascending; one call gives one arrival. */
export function createArrivals(ratePerSecond: number, random: Random): () => number {
  let atMs = 0
  return () => {
    atMs += (-Math.log(1 - random()) * 1000) / ratePerSecond
    return atMs
  }
}
