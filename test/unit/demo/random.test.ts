import { describe, expect, it } from 'vitest'
import { createArrivals, createRandom } from '../../../src/demo/random.ts'

const take = <T>(n: number, next: () => T): T[] => Array.from({ length: n }, next)

describe('createRandom', () => {
  it('repeats its sequence for the same seed and has another for another seed', () => {
    expect(take(50, createRandom(7))).toEqual(take(50, createRandom(7)))
    expect(take(50, createRandom(7))).not.toEqual(take(50, createRandom(8)))
  })

  it('is uniform on [0, 1)', () => {
    const values = take(100_000, createRandom(3))
    expect(Math.min(...values.slice(0, 50_000))).toBeGreaterThanOrEqual(0)
    expect(values.every((value) => value < 1)).toBe(true)
    // Mean ½ with a standard error of 0.0009.
    expect(values.reduce((a, b) => a + b, 0) / values.length).toBeCloseTo(0.5, 2)
  })
})

describe('createArrivals', () => {
  it('comes at the rate, in ascending order, with the spread of a Poisson process', () => {
    const arrivals = take(60_000, createArrivals(1500, createRandom(1)))
    expect(arrivals.every((at, i) => i === 0 || at > (arrivals[i - 1] ?? 0))).toBe(true)
    // 60,000 arrivals at 1,500 a second take 40 s, give or take 0.16 s.
    expect((arrivals.at(-1) ?? 0) / 1000).toBeGreaterThan(39.3)
    expect((arrivals.at(-1) ?? 0) / 1000).toBeLessThan(40.7)
    const perSlice = new Array<number>(1900).fill(0)
    for (const at of arrivals) if (at < 38_000) perSlice[Math.floor(at / 20)]! += 1
    const mean = perSlice.reduce((a, b) => a + b, 0) / perSlice.length
    const variance = perSlice.reduce((a, b) => a + (b - mean) ** 2, 0) / (perSlice.length - 1)
    // A Poisson count has its mean as its variance; the ratio's standard error is 0.032.
    expect(variance / mean).toBeGreaterThan(0.85)
    expect(variance / mean).toBeLessThan(1.15)
  })
})
