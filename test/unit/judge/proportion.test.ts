import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import {
  criticalAbove,
  criticalBelow,
  logEAbove,
  logEBelow,
  proportionInterval,
  proportionLimit,
} from '../../../src/judge/proportion.ts'

describe('evidence on a proportion', () => {
  it('is finite for any counts and any limit, ends included', () => {
    const cases = fc.record({
      n: fc.integer({ min: 0, max: 10_000_000 }),
      share: fc.double({ min: 0, max: 1, noNaN: true }),
      p0: fc.oneof(fc.constantFrom(0, 1, 1e-9), fc.double({ min: 0, max: 1, noNaN: true })),
    })
    fc.assert(
      fc.property(cases, ({ n, share, p0 }) => {
        const limit = proportionLimit(p0)
        const bad = Math.floor(n * share)
        expect(Number.isFinite(logEAbove(limit, n, bad))).toBe(true)
        expect(Number.isFinite(logEBelow(limit, n, bad))).toBe(true)
      }),
    )
  })

  it('never passes a limit of zero', () => {
    expect(logEBelow(proportionLimit(0), 1_000_000, 0)).toBeLessThanOrEqual(0)
  })
})

describe('critical counts', () => {
  it('are where the evidence reaches the level', () => {
    const limit = proportionLimit(0.05)
    for (const n of [0, 1, 10, 500, 20_000, 5_000_000]) {
      const above = criticalAbove(limit, n, 3.7)
      expect(logEAbove(limit, n, above)).toBeCloseTo(3.7, 6)
      const below = criticalBelow(limit, n, 3.7)
      expect(logEBelow(limit, n, below)).toBeCloseTo(3.7, 6)
      expect(below).toBeLessThan(n * 0.05)
      expect(above).toBeGreaterThan(n * 0.05)
    }
  })

  it('are negative for a pass that no count can reach', () => {
    expect(criticalBelow(proportionLimit(0.05), 10, 3.7)).toBeLessThan(0)
  })
})

describe('the confidence sequence', () => {
  it('is everything without events and always contains the share seen', () => {
    expect(proportionInterval(0, 0, 0.05)).toEqual({ lower: 0, upper: 1 })
    for (const [n, bad] of [
      [1, 0],
      [1, 1],
      [50, 3],
      [1_000_000, 999_999],
    ] as const) {
      const { lower, upper } = proportionInterval(n, bad, 0.01)
      expect(lower).toBeLessThanOrEqual(bad / n)
      expect(upper).toBeGreaterThanOrEqual(bad / n)
    }
  })
})
