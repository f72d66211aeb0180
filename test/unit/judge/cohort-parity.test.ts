import { describe, expect, it } from 'vitest'
import { parityLogE } from '../../../src/judge/cohort-parity.ts'

const PARTS = [1, 1 / 4, 1 / 16, 1 / 64]

/** By the definition: every set of cohorts that may be sent elsewhere, with its chance. */
function overAllSets(evidence: readonly number[]): number {
  let sum = 0
  for (let set = 0; set < 2 ** evidence.length; set++) {
    const apart = evidence.map((_, i) => (set >> i) % 2 === 1)
    const count = apart.filter(Boolean).length
    let chance = 0
    for (const part of PARTS) chance += part ** count * (1 - part) ** (evidence.length - count)
    sum += (chance / PARTS.length) * evidence.reduce((e, own, i) => (apart[i] ? e * own : e), 1)
  }
  return sum
}

const logs = (evidence: readonly number[]) => evidence.map(Math.log)

describe('evidence of cohort parity', () => {
  it('is none without cohorts, and with cohorts that have none', () => {
    expect(parityLogE([])).toBeCloseTo(0, 14)
    expect(parityLogE([0, 0, 0])).toBeCloseTo(0, 14)
  })

  it.each([[[40]], [[0.2, 7]], [[300, 0.05, 0.5, 1]], [[0.1, 0.3, 0.02, 0.6, 900]]])(
    'of cohorts with %j is the mean over all sets of them',
    (evidence) => {
      expect(parityLogE(logs(evidence))).toBeCloseTo(Math.log(overAllSets(evidence)), 12)
    },
  )

  it('has mean 1 where each cohort’s evidence has, so that it may be compared with a level', () => {
    // Doubled or all but lost, by chance: every outcome of five cohorts, each as likely as its chance.
    const outcomes = [
      { e: 2.4, chance: 0.4 },
      { e: 1 / 15, chance: 0.6 },
    ]
    let mean = 0
    for (let outcome = 0; outcome < 2 ** 5; outcome++) {
      const drawn = Array.from({ length: 5 }, (_, i) => outcomes[(outcome >> i) % 2]!)
      const chance = drawn.reduce((product, one) => product * one.chance, 1)
      mean += chance * Math.exp(parityLogE(logs(drawn.map(({ e }) => e))))
    }
    expect(mean).toBeCloseTo(1, 12)
  })

  it('finds one of ninety cohorts, where the product alone has lost it', () => {
    const evidence = [14, ...Array.from({ length: 89 }, () => -3)]
    expect(evidence.reduce((sum, logE) => sum + logE)).toBeLessThan(-200)
    expect(parityLogE(evidence)).toBeGreaterThan(Math.log(1000))
  })

  it('is as much as the product, but for ln 4, where all cohorts are sent elsewhere', () => {
    expect(parityLogE([5, 5, 5, 5])).toBeGreaterThan(20 - Math.log(4))
  })

  it('stays finite with evidence beyond what a number holds', () => {
    expect(parityLogE([1e6, -1e6])).toBeGreaterThan(9e5)
    expect(parityLogE([-1e6, -1e6])).toBeGreaterThan(-2)
  })
})
