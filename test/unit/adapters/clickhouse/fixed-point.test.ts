import { describe, expect, it } from 'vitest'
import {
  fromMillionths,
  fromSquaredMillionths,
  toMillionths,
} from '../../../../src/adapters/clickhouse/fixed-point.ts'

describe('millionths', () => {
  it('round to the nearest, and never give −0', () => {
    expect(toMillionths(0.123_456_7)).toBe(123_457)
    expect(toMillionths(1)).toBe(1_000_000)
    expect(toMillionths(-1e9)).toBe(-1e15)
    expect(Object.is(toMillionths(-1e-9), 0)).toBe(true)
  })

  it('come back from sums longer than a double holds', () => {
    expect(fromMillionths('2500000')).toBe(2.5)
    expect(fromMillionths('-1')).toBe(-0.000_001)
    expect(fromMillionths('10000000000000000000001')).toBe(1e16)
    expect(fromSquaredMillionths('3000000000000000000000000000001')).toBe(3e18)
    expect(fromSquaredMillionths('250000000000')).toBe(0.25)
  })
})
