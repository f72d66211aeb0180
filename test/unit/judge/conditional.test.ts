import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { conditionalIncrements, swapArms } from '../../../src/judge/conditional.ts'
import { GRID_SIZE, mixtureLogE, TILT_GRID } from '../../../src/judge/grid.ts'
import { logSumExp } from '../../../src/judge/log-space.ts'

const logFactorials = [0]
for (let n = 1; n <= 400; n++) logFactorials.push(logFactorials[n - 1]! + Math.log(n))
const logChoose = (n: number, k: number) =>
  logFactorials[n]! - logFactorials[k]! - logFactorials[n - k]!

const counts = (canary: number, stable: number, canaryBad: number, stableBad: number) => ({
  canary,
  stable,
  canaryBad,
  stableBad,
})

const stratum = fc
  .tuple(fc.integer({ min: 1, max: 120 }), fc.integer({ min: 1, max: 200 }))
  .chain(([canary, stable]) =>
    fc.record({
      canary: fc.constant(canary),
      stable: fc.constant(stable),
      canaryBad: fc.integer({ min: 0, max: canary }),
      stableBad: fc.integer({ min: 0, max: stable }),
    }),
  )

describe('conditionalIncrements', () => {
  it('equals the sum over all tables written out', () => {
    fc.assert(
      fc.property(stratum, fc.double({ min: -2, max: 2, noNaN: true }), (table, theta) => {
        const { canary, stable, canaryBad } = table
        const k = canaryBad + table.stableBad
        const logC = (at: number) => {
          const terms: number[] = []
          for (let i = Math.max(0, k - stable); i <= Math.min(k, canary); i++) {
            terms.push(logChoose(canary, i) + logChoose(stable, k - i) + at * i)
          }
          return logSumExp(terms)
        }
        const increments = new Float64Array(GRID_SIZE)
        conditionalIncrements(table, theta, increments)
        for (let j = 0; j < GRID_SIZE; j++) {
          const step = TILT_GRID.steps[j]!
          const expected = step * canaryBad - (logC(theta + step) - logC(theta))
          expect(increments[j]).toBeCloseTo(expected, 8)
        }
      }),
    )
  })

  it('gains as much on a window of a billion requests as the distance from the limit says', () => {
    // Far from the limit a term is its largest one: d·S − [ln C(d) − ln C(0)] for the expected S,
    // with C(d) of two binomials, so that −n·KL is what a canary without excess loses.
    const increments = new Float64Array(GRID_SIZE)
    const table = counts(1e8, 9e8, 5e6, 45e6)
    expect(conditionalIncrements(table, 0, increments)).toBe(true)
    for (const [j, step] of [...TILT_GRID.steps].entries()) {
      const shared = (p: number) => (p * Math.exp(step)) / (1 - p + p * Math.exp(step))
      // Baseline odds at which both arms together still have the 50 million.
      let [low, high] = [0, 0.05]
      for (let i = 0; i < 100; i++) {
        const p = (low + high) / 2
        if (0.1 * shared(p) + 0.9 * p < 0.05) low = p
        else high = p
      }
      const kl = (a: number, b: number) =>
        a * Math.log(a / b) + (1 - a) * Math.log((1 - a) / (1 - b))
      const loss = 1e8 * kl(0.05, shared(low)) + 9e8 * kl(0.05, low)
      expect(increments[j]! / -loss, `step ${step}`).toBeCloseTo(1, 3)
    }
  })

  it('has mean 1 at the limit: a canary exactly there gains nothing on average', () => {
    const [canary, stable, k] = [30, 70, 12]
    const increments = new Float64Array(GRID_SIZE)
    let mean = 0
    for (let i = 0; i <= k; i++) {
      const logP = logChoose(canary, i) + logChoose(stable, k - i) - logChoose(100, k)
      conditionalIncrements(counts(canary, stable, i, k - i), 0, increments)
      mean += Math.exp(logP + mixtureLogE(TILT_GRID, increments))
    }
    expect(mean).toBeCloseTo(1, 12)
  })

  it.each([
    ['an empty canary', counts(0, 100, 0, 5)],
    ['an empty baseline', counts(100, 0, 5, 0)],
    ['no bad event', counts(100, 900, 0, 0)],
    ['only bad events', counts(100, 900, 100, 900)],
  ])('says nothing about %s', (_, table) => {
    expect(conditionalIncrements(table, 0.3, new Float64Array(GRID_SIZE))).toBe(false)
  })

  it('stays exact for a block of ten million events', () => {
    const increments = new Float64Array(GRID_SIZE)
    const table = counts(1_000_000, 9_000_000, 50_000, 450_000)
    expect(conditionalIncrements(table, 0, increments)).toBe(true)
    // Central moments of the hypergeometric: ln C is d·mean + d²·variance/2 + O(d³) around θ₀.
    const variance = 500_000 * 0.1 * 0.9 * 0.95
    const d = TILT_GRID.steps[0]!
    expect(increments[0]).toBeCloseTo((-d * d * variance) / 2, 2)
    const next = new Float64Array(GRID_SIZE)
    conditionalIncrements(counts(1_000_000, 9_000_000, 50_001, 449_999), 0, next)
    for (let j = 0; j < GRID_SIZE; j++) {
      expect(next[j]! - increments[j]!).toBeCloseTo(TILT_GRID.steps[j]!, 6)
    }
  })

  it('turns into the test for the other direction when the arms are swapped', () => {
    const better = new Float64Array(GRID_SIZE)
    conditionalIncrements(swapArms(counts(500, 500, 5, 30)), 0, better)
    expect(mixtureLogE(TILT_GRID, better)).toBeGreaterThan(3)
  })
})
