import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { hasLength, isObject, isStorable, SEMVER } from '../../../src/contract/stored-text.ts'

describe('isStorable', () => {
  it('refuses NUL and lone surrogates, takes pairs and U+FFFD', () => {
    expect(isStorable('plain')).toBe(true)
    expect(isStorable('😀\ufffd')).toBe(true)
    expect(isStorable('a\0b')).toBe(false)
    expect(isStorable('\ud83d')).toBe(false)
    expect(isStorable('a\ude00b')).toBe(false)
  })
})

describe('hasLength', () => {
  it('counts code points, both bounds included', () => {
    const bound = fc.nat({ max: 8 })
    const unit = fc.constantFrom('a', 'ß', '😀', '\ud800\udfff', '\ud83d', '\ude00')
    fc.assert(
      fc.property(fc.array(unit, { maxLength: 10 }), bound, bound, (units, atLeast, atMost) => {
        const text = units.join('')
        const points = Array.from(text).length
        expect(hasLength(text, atLeast, atMost)).toBe(points >= atLeast && points <= atMost)
      }),
    )
  })
})

describe('SEMVER', () => {
  it.each(['0.0.0', '1.5.0', '1.5.0-rc.1', '1.5.0-0a', '1.5.0+build.01', '10.20.30-x-y.7+z'])(
    'takes %s',
    (version) => {
      expect(SEMVER.test(version)).toBe(true)
    },
  )

  it.each(['1.5', '01.5.0', '1.5.0-01', '1.5.0-', 'v1.5.0', '1.5.0\n', '1.5.0+', ''])(
    'refuses %j',
    (version) => {
      expect(SEMVER.test(version)).toBe(false)
    },
  )
})

describe('isObject', () => {
  it('is true for objects only', () => {
    expect(isObject({})).toBe(true)
    for (const value of [null, [], 'x', 1, undefined]) expect(isObject(value)).toBe(false)
  })
})
