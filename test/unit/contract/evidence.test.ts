import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import {
  evidenceFromWire,
  evidenceToWire,
  publishedCount,
  publishedNumber,
} from '../../../src/contract/evidence.ts'
import { ROW, wildNumber } from './decision-samples.ts'

describe('publishedNumber', () => {
  it('has 10 significant digits', () => {
    expect(publishedNumber(1 / 3)).toBe(0.3333333333)
    expect(publishedNumber(123_456_789.123)).toBe(123_456_789.1)
    expect(publishedNumber(0.1 + 0.2)).toBe(0.3)
  })

  it('is a number JSON can hold, whatever was computed, and does not change when repeated', () => {
    fc.assert(
      fc.property(wildNumber, (value) => {
        const published = publishedNumber(value)
        expect(Number.isFinite(published)).toBe(true)
        expect(Object.is(published, -0)).toBe(false)
        expect(publishedNumber(published)).toBe(published)
        expect(JSON.parse(JSON.stringify(published))).toBe(published)
      }),
    )
    expect(publishedNumber(Number.NEGATIVE_INFINITY)).toBe(-1e308)
    expect(publishedNumber(Number.MAX_VALUE)).toBe(1e308)
    expect(publishedNumber(Number.NaN)).toBe(0)
  })
})

describe('publishedCount', () => {
  it('keeps all digits of a whole number', () => {
    expect(publishedCount(12_345_678_901_234)).toBe(12_345_678_901_234)
    expect(publishedCount(1.00000000004)).toBe(1)
  })
})

describe('evidenceToWire', () => {
  it('writes the published fields in their order, further ones at the end', () => {
    expect(JSON.stringify(evidenceToWire(ROW))).toBe(
      '{"metric":"error_rate","limit":"max_increase: 0.2pp","cohort":{"locale":"de-DE","device":"mobile"},' +
        '"stable":{"value":0.0051,"n":27000},"canary":{"value":0.0049,"n":3000},"difference":-0.0002,' +
        '"ci_low":-0.003,"ci_high":0.0021,"threshold":0.002,"log_e_breach":-0.75,"log_e_pass":2.5,' +
        '"weight":0.125,"verdict":"undecided","method":"T2+T3","needs":{"requests":1200,"seconds":540.5},' +
        '"severity":"critical","dry_run":false,"required":true,"contribution":-0.00005}',
    )
  })

  it('writes null for what could not be computed', () => {
    const row = { ...ROW, difference: Number.NaN, ciLow: null, stable: { value: Number.NaN, n: 0 } }
    expect(evidenceToWire(row)).toMatchObject({
      difference: null,
      ci_low: null,
      stable: { value: null, n: 0 },
    })
  })

  it('is undone by evidenceFromWire', () => {
    expect(evidenceFromWire(evidenceToWire(ROW))).toStrictEqual(ROW)
  })
})
