import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import {
  conditionalGrowth,
  differenceGrowth,
  divergence,
  oneArmGrowth,
  requestsUntil,
} from '../../../src/judge/growth.ts'

const inside = (min: number, max: number) => fc.double({ min, max, noNaN: true })

describe('growth of evidence', () => {
  it('about one arm comes from that arm’s part of the requests alone', () => {
    expect(oneArmGrowth(0.2, 0.5, 0.25)).toBeCloseTo(
      0.2 * (0.5 * Math.log(2) + 0.5 * Math.log(2 / 3)),
      15,
    )
    expect(oneArmGrowth(0.2, 0.25, 0.25)).toBe(0)
  })

  it('about odds is the divergence from the pair at the limit with the same total', () => {
    fc.assert(
      fc.property(
        inside(0.05, 0.95),
        inside(0.05, 0.9),
        inside(0.5, 3),
        inside(0.01, 0.9),
        (share, p, odds, part) => {
          const atLimit = (odds * p) / (1 - p + odds * p)
          // As many bad requests are moved from the baseline to the canary as leave both in 0 … 1.
          const moved = part * Math.min(share * (1 - atLimit), (1 - share) * p)
          const canary = atLimit + moved / share
          const stable = p - moved / (1 - share)
          const expected = share * divergence(canary, atLimit) + (1 - share) * divergence(stable, p)
          expect(conditionalGrowth(share, canary, stable, odds)).toBeCloseTo(expected, 10)
        },
      ),
    )
  })

  it('about odds is none at the limit and inside it', () => {
    expect(conditionalGrowth(0.1, 0.5, 0.5, 1)).toBe(0)
    expect(conditionalGrowth(0.1, 0.4, 0.5, 1)).toBe(0)
    expect(conditionalGrowth(0.1, 0.6, 0.5, 1)).toBeGreaterThan(0)
    expect(conditionalGrowth(0.1, 2 / 3, 0.5, 2.0001)).toBe(0)
    expect(conditionalGrowth(0.1, 2 / 3, 0.5, 1.9)).toBeGreaterThan(0)
  })

  it('about a difference is its square over twice the variance of one request', () => {
    const expected = 0.01 ** 2 / (2 * (0.3 / 0.2 + 0.1 / 0.8))
    expect(differenceGrowth(0.2, 0.01, 0.3, 0.1)).toBeCloseTo(expected, 15)
    expect(differenceGrowth(0.2, -0.01, 0.3, 0.1)).toBeCloseTo(expected, 15)
    expect(differenceGrowth(0.2, 0.01, 0, 0)).toBe(0)
  })
})

describe('the time until evidence is enough', () => {
  it('is as long as the evidence and the price of the mixture take to grow', () => {
    const { mean, p90 } = requestsUntil(3, 0.01)!
    expect(mean).toBeCloseTo(450, 9)
    expect(p90).toBeCloseTo(450 + 181 * Math.sqrt(4.5), 9)
  })

  it('is unknown when nothing grows', () => {
    for (const growth of [0, -1, Number.NaN]) expect(requestsUntil(3, growth)).toBeNull()
  })
})
