import { describe, expect, it } from 'vitest'
import { createCohortUnits } from '../../../src/judge/cohort-units.ts'
import { fixWeights } from '../../../src/judge/weights.ts'
import { DE, EN, ERROR_MAX, P95_MAX, QUALITY_DROP } from './judge-builders.ts'

function unitsWith(key: { locale?: string; device?: string }[] = []) {
  const units = createCohortUnits({ by: ['locale', 'device'], key })
  const en = units.cellOf(EN)
  const de = units.cellOf(DE)
  units.fixShares((cell) => (cell === en ? 810 : cell === de ? 190 : 0))
  return { units, en, de }
}

const weightOf = (weights: ReturnType<typeof fixWeights>, guardrail: number, unit: number) =>
  Math.exp(weights.logWeight(guardrail, unit))

describe('the weights of a release', () => {
  it('are none for a guardrail without importance beside one that has some', () => {
    const { units, en } = unitsWith()
    const weights = fixWeights([{ ...P95_MAX, importance: 0 }, ERROR_MAX], units.units)
    for (const unit of [0, en.unit]) {
      expect(weights.logWeight(0, unit)).toBe(Number.NEGATIVE_INFINITY)
      expect(weightOf(weights, 1, unit)).toBeGreaterThan(0)
    }
  })

  it('give half to overall by importance, and nine tenths of the rest by √share', () => {
    const { units, en, de } = unitsWith()
    const guardrails = [P95_MAX, { ...ERROR_MAX, importance: 3 }]
    const weights = fixWeights(guardrails, units.units)
    expect(weightOf(weights, 0, 0)).toBeCloseTo(0.125, 12)
    expect(weightOf(weights, 1, 0)).toBeCloseTo(0.375, 12)
    const roots = 0.9 + Math.sqrt(0.19)
    expect(weightOf(weights, 0, en.unit)).toBeCloseTo((0.45 * 0.25 * 0.9) / roots, 12)
    expect(weightOf(weights, 1, de.unit)).toBeCloseTo((0.45 * 0.75 * Math.sqrt(0.19)) / roots, 12)
  })

  it('sum to 0.95 with the reserve unspent, and never to more than 1', () => {
    const { units } = unitsWith([{ device: 'mobile' }])
    const weights = fixWeights([P95_MAX, QUALITY_DROP], units.units)
    const sum = () => {
      let total = 0
      for (const { index } of units.units) {
        total += weightOf(weights, 0, index) + weightOf(weights, 1, index)
      }
      return total
    }
    expect(sum()).toBeCloseTo(0.95, 12)
    for (let i = 0; i < 60; i++) {
      const cell = units.cellOf({ locale: `l${i}`, device: 'tv' })
      weights.grant([units.units[cell.unit]!])
    }
    expect(sum()).toBeGreaterThan(0.9999)
    expect(sum()).toBeLessThanOrEqual(1 + 1e-12)
  })

  it('give the i-th later cohort 2⁻ⁱ of the reserve, split by importance', () => {
    const { units } = unitsWith()
    const weights = fixWeights([P95_MAX, { ...ERROR_MAX, importance: 3 }], units.units)
    const first = units.cellOf({ locale: 'fr-FR', device: 'tv' }).unit
    const second = units.cellOf({ locale: 'it-IT', device: 'tv' }).unit
    weights.grant([units.units[first]!])
    weights.grant([units.units[second]!])
    expect(weightOf(weights, 0, first)).toBeCloseTo(0.05 * 0.5 * 0.25, 12)
    expect(weightOf(weights, 1, first)).toBeCloseTo(0.05 * 0.5 * 0.75, 12)
    expect(weightOf(weights, 1, second)).toBeCloseTo(0.05 * 0.25 * 0.75, 12)
  })

  it('give cohorts that appear in the same block the same, so that no name decides', () => {
    const { units } = unitsWith()
    const weights = fixWeights([P95_MAX], units.units)
    const later = ['fr-FR', 'it-IT'].map(
      (locale) => units.units[units.cellOf({ locale, device: 'tv' }).unit]!,
    )
    weights.grant(later)
    for (const { index } of later) expect(weightOf(weights, 0, index)).toBeCloseTo(0.05 * 0.375, 12)
  })

  it('never change for a unit that has one', () => {
    const { units, en } = unitsWith()
    const weights = fixWeights([P95_MAX], units.units)
    const before = weights.logWeight(0, en.unit)
    weights.grant([units.units[en.unit]!, units.overall])
    expect(weights.logWeight(0, en.unit)).toBe(before)
  })

  it('leave no half unused when a scope has no hypotheses in it', () => {
    const { units, de } = unitsWith([DE])
    const overallOnly = fixWeights([{ ...P95_MAX, cohorts: 'overall' }], units.units)
    expect(weightOf(overallOnly, 0, 0)).toBeCloseTo(1, 12)
    expect(overallOnly.logWeight(0, de.unit)).toBe(Number.NEGATIVE_INFINITY)
    const keyOnly = fixWeights([{ ...P95_MAX, cohorts: 'key' }], units.units)
    expect(keyOnly.logWeight(0, 0)).toBe(Number.NEGATIVE_INFINITY)
    expect(weightOf(keyOnly, 0, de.unit)).toBeCloseTo(0.9, 12)
    const none = fixWeights([P95_MAX], createCohortUnits({ by: [], key: [] }).units)
    expect(weightOf(none, 0, 0)).toBeCloseTo(1, 12)
  })

  it('are not touched by guardrails of another family', () => {
    const { units, en } = unitsWith()
    const alone = fixWeights([P95_MAX], units.units)
    const others = fixWeights(
      [P95_MAX, { ...ERROR_MAX, dryRun: true }, { ...QUALITY_DROP, severity: 'signal' }],
      units.units,
    )
    for (const unit of [0, en.unit]) {
      expect(others.logWeight(0, unit)).toBe(alone.logWeight(0, unit))
      expect(others.logWeight(1, unit)).toBe(alone.logWeight(0, unit))
      expect(others.logWeight(2, unit)).toBe(alone.logWeight(0, unit))
    }
  })
})
