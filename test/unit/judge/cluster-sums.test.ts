import { describe, expect, it } from 'vitest'
import {
  addCountsOf,
  addValuesOf,
  createClusterSums,
  designEffectOf,
} from '../../../src/judge/cluster-sums.ts'
import { randomOf } from '../../simulation/random.ts'
import { binomial, clusterRate } from '../../simulation/sampling.ts'

const BUCKETS = Array.from({ length: 64 }, (_, bucket) => bucket)

/** Requests of users of `size` requests each, whose errors have the given intra-class correlation. */
function stratum(random: ReturnType<typeof randomOf>, users: number, size: number, icc: number) {
  const n = BUCKETS.map(() => 0)
  const bad = BUCKETS.map(() => 0)
  for (let user = 0; user < users; user++) {
    const bucket = random.bits() % 64
    const rate = icc === 0 ? 0.05 : clusterRate(random, 0.05, icc)
    n[bucket]! += size
    bad[bucket]! += binomial(random, size, rate)
  }
  return { n, bad }
}

describe('a design effect', () => {
  it('is the reference value for one stratum, up to the divisors for its size', () => {
    const sums = createClusterSums()
    const n = [120, 80, 100, 140]
    addCountsOf(sums, [0, 1, 2, 3], n, [9, 2, 5, 12])
    const squares = sums.beyond.reduce((sum, each) => sum + each * each, 0)
    const rate = 28 / 440
    const plain = (4 / 3) * (squares / (440 * rate * (1 - rate)))
    expect(plain).toBeCloseTo(1.160845627, 8)
    // Here the buckets' sizes differ, and one degree of freedom is spent on the mean.
    const sizes = n.reduce((sum, each) => sum + each * each, 0)
    const expected = (rate * (1 - rate) * 440 * (440 - sizes / 440)) / 439
    expect(sums.expected).toBeCloseTo(expected, 10)
  })

  it('is about 1 when requests do not go together, however small the strata are', () => {
    for (const [strata, users] of [
      [1, 64_000],
      [4000, 16],
      [20_000, 3],
    ] as const) {
      const random = randomOf(1, 'independent', strata)
      const sums = createClusterSums()
      for (let i = 0; i < strata; i++) {
        const { n, bad } = stratum(random, users, 1, 0)
        addCountsOf(sums, BUCKETS, n, bad)
      }
      // 64 buckets: a standard error of √(2/63) = 0.18.
      expect(designEffectOf(sums)).toBeGreaterThan(0.5)
      expect(designEffectOf(sums)).toBeLessThan(1.55)
    }
  })

  it('is 1 + (m − 1)·ICC for users of m requests', () => {
    const effects = Array.from({ length: 40 }, (_, run) => {
      const random = randomOf(2, 'clustered', run)
      const sums = createClusterSums()
      for (let i = 0; i < 10; i++) {
        const { n, bad } = stratum(random, 200, 9, 0.3)
        addCountsOf(sums, BUCKETS, n, bad)
      }
      return designEffectOf(sums)!
    })
    const mean = effects.reduce((sum, effect) => sum + effect, 0) / effects.length
    expect(mean).toBeGreaterThan(3.4 - 3 * 0.1)
    expect(mean).toBeLessThan(3.4 + 3 * 0.1)
  })

  it('sees users who come back: what they do beyond the mean adds up over blocks', () => {
    const sums = createClusterSums()
    const n = BUCKETS.map(() => 10)
    for (let block = 0; block < 50; block++) {
      addCountsOf(
        sums,
        BUCKETS,
        n,
        BUCKETS.map((bucket) => (bucket < 32 ? 1 : 0)),
      )
    }
    expect(designEffectOf(sums)).toBeGreaterThan(20)
  })

  it('does not take cohorts that differ, or a level that drifts, for users that differ', () => {
    const random = randomOf(3, 'levels')
    const sums = createClusterSums()
    for (let block = 0; block < 400; block++) {
      const n = BUCKETS.map((bucket) => (bucket % 4 === block % 4 ? 20 : 0))
      const rate = block % 4 === 0 ? 0.4 : 0.02
      addCountsOf(
        sums,
        BUCKETS,
        n,
        n.map((size) => binomial(random, size, rate)),
      )
    }
    expect(designEffectOf(sums)).toBeLessThan(1.55)
  })

  it('is unknown without enough bad requests, of either kind, or values', () => {
    const few = createClusterSums()
    addCountsOf(few, [0, 1], [500, 500], [14, 15])
    expect(designEffectOf(few)).toBeNull()
    const good = createClusterSums()
    addCountsOf(good, [0, 1], [500, 500], [490, 490])
    expect(designEffectOf(good)).toBeNull()
    const values = createClusterSums()
    addValuesOf(values, [0, 1], [40, 59], [30, 40], { n: 99, sum: 70, sumSquares: 60 })
    expect(designEffectOf(values)).toBeNull()
    addValuesOf(values, [0, 1], [1, 1], [1, 0], { n: 2, sum: 1, sumSquares: 1 })
    expect(designEffectOf(values)).not.toBeNull()
  })

  it('takes a single request for no sign of what goes together', () => {
    const sums = createClusterSums()
    addCountsOf(sums, [0], [1], [1])
    addValuesOf(sums, [0], [1], [0.5], { n: 1, sum: 0.5, sumSquares: 0.25 })
    expect(sums.expected).toBe(0)
    expect(sums.beyond.every((each) => each === 0)).toBe(true)
  })

  it('takes buckets without an entry for empty ones', () => {
    const [short, full] = [createClusterSums(), createClusterSums()]
    addCountsOf(short, [0, 1, 2], [50, 50], [40])
    addCountsOf(full, [0, 1, 2], [50, 50, 0], [40, 0, 0])
    expect(short).toEqual(full)
  })

  it('counts the rarer of bad and good requests, and three values of ten, from 30 on', () => {
    const sums = createClusterSums()
    addCountsOf(sums, [0, 1], [50, 50], [10, 12])
    addCountsOf(sums, [0, 1], [50, 50], [46, 46])
    expect(sums.seen).toBe(30)
    expect(designEffectOf(sums)).not.toBeNull()
    addValuesOf(sums, [0, 1], [5, 5], [1, 2], { n: 10, sum: 3, sumSquares: 1 })
    expect(sums.seen).toBe(33)
  })

  it('does not take rounding for a variance', () => {
    const sums = createClusterSums()
    const moments = { n: 200, sum: 100, sumSquares: 50 - 1e-9 }
    addValuesOf(sums, [0, 1], [100, 100], [50, 50], moments)
    expect(sums.expected).toBe(0)
  })

  it('is unknown when nothing varies', () => {
    const sums = createClusterSums()
    addCountsOf(sums, [0, 1], [500, 500], [0, 0])
    addValuesOf(sums, [0, 1], [500, 500], [500, 500], { n: 1000, sum: 1000, sumSquares: 1000 })
    expect(designEffectOf(sums)).toBeNull()
  })

  it('of values is their variance between buckets against that within', () => {
    const sums = createClusterSums()
    const n = BUCKETS.map(() => 4)
    // Each user gives the same score four times: 0.4 or 0.8.
    const sum = BUCKETS.map((bucket) => (bucket % 2 === 0 ? 1.6 : 3.2))
    addValuesOf(sums, BUCKETS, n, sum, { n: 256, sum: 153.6, sumSquares: 0.16 * 128 + 0.64 * 128 })
    expect(designEffectOf(sums)).toBeCloseTo(4 * (255 / 256) * (64 / 63), 6)
  })
})
