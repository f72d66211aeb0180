import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { formatTime, isStorableTime, parseRfc3339 } from '../../../src/contract/rfc3339.ts'

const utcMs = fc.integer({ min: -62_167_219_200_000, max: 253_402_300_799_999 })

describe('parseRfc3339', () => {
  it('reads the common form to the millisecond', () => {
    expect(parseRfc3339('2026-11-23T10:00:00.123Z')).toBe(1_795_428_000_123)
    expect(parseRfc3339('2026-11-23T10:00:00Z')).toBe(1_795_428_000_000)
    expect(parseRfc3339('1970-01-01T00:00:00Z')).toBe(0)
  })

  it('reads any offset, lower case and any number of decimals', () => {
    expect(parseRfc3339('2026-11-23T12:00:00.1239+02:00')).toBe(1_795_428_000_123)
    expect(parseRfc3339('2026-11-23T04:30:00-05:30')).toBe(1_795_428_000_000)
    expect(parseRfc3339('2026-11-23t10:00:00.1z')).toBe(1_795_428_000_100)
    expect(parseRfc3339('2026-11-23T10:00:00.12Z')).toBe(1_795_428_000_120)
    expect(parseRfc3339('2026-11-23T10:00:00-00:00')).toBe(1_795_428_000_000)
  })

  it('gives back every millisecond of the years 0 to 9999', () => {
    fc.assert(
      fc.property(utcMs, (ms) => {
        expect(parseRfc3339(formatTime(ms))).toBe(ms)
      }),
    )
  })

  it('reads the short path and the general path alike', () => {
    fc.assert(
      fc.property(utcMs, (ms) => {
        const text = formatTime(ms)
        expect(parseRfc3339(text.replace('Z', 'z'))).toBe(ms)
        expect(parseRfc3339(text.replace('Z', '+00:00'))).toBe(ms)
      }),
    )
  })

  it('never takes a mutated timestamp for another instant than the calendar says', () => {
    const position = fc.nat({ max: 23 })
    const character = fc.constantFrom(...'0123456789-:.TZtz+ ')
    fc.assert(
      fc.property(utcMs, position, character, (ms, at, put) => {
        const text = formatTime(ms)
        const mutated = text.slice(0, at) + put + text.slice(at + 1)
        const parsed = parseRfc3339(mutated)
        const iso = mutated.toUpperCase()
        if (parsed === null || !/^\d{4}-.*\.\d{3}Z$/.test(iso) || iso.slice(17, 19) === '60') return
        expect(formatTime(parsed)).toBe(iso)
      }),
      { numRuns: 3000 },
    )
  })

  it.each([
    '2026-02-29T00:00:00Z',
    '2100-02-29T00:00:00.000Z',
    '2026-04-31T00:00:00Z',
    '2026-00-10T00:00:00Z',
    '2026-13-10T00:00:00Z',
    '2026-01-00T00:00:00Z',
    '2026-01-32T00:00:00Z',
    '2026-01-01T24:00:00Z',
    '2026-01-01T00:60:00Z',
    '2026-01-01T00:00:61Z',
    '2026-01-01T00:00:00+24:00',
    '2026-01-01T00:00:00+01:60',
  ])('refuses %s, which does not exist', (text) => {
    expect(parseRfc3339(text)).toBeNull()
  })

  it.each([
    '',
    '2026-11-23',
    '2026-11-23T10:00Z',
    '2026-11-23T10:00:00',
    '2026-11-23 10:00:00Z',
    '2026-11-23T10:00:00.Z',
    '2026-11-23T10:00:00,123Z',
    '2026-11-23T10:00:00.12aZ',
    '2026-11-2xT10:00:00.123Z',
    '2026-11-23T10:00:00.123Y',
    '+2026-11-23T10:00:00Z',
    ' 2026-11-23T10:00:00Z',
    '2026-11-23T10:00:00+0100',
    '20261123T100000Z',
    '1795428000',
    `2026-11-23T10:00:00.${'1'.repeat(60)}Z`,
  ])('refuses "%s", which is not RFC 3339', (text) => {
    expect(parseRfc3339(text)).toBeNull()
  })

  it('knows the leap days of the Gregorian calendar', () => {
    expect(parseRfc3339('2024-02-29T00:00:00Z')).toBe(Date.UTC(2024, 1, 29))
    expect(parseRfc3339('2000-02-29T00:00:00Z')).toBe(Date.UTC(2000, 1, 29))
    expect(parseRfc3339('1900-02-29T00:00:00Z')).toBeNull()
  })

  it('takes a leap second for the first instant of the next day, and only at midnight UTC', () => {
    expect(parseRfc3339('2016-12-31T23:59:60Z')).toBe(Date.UTC(2017, 0, 1))
    expect(parseRfc3339('2016-12-31T23:59:60.5Z')).toBe(Date.UTC(2017, 0, 1))
    expect(parseRfc3339('2017-01-01T00:59:60+01:00')).toBe(Date.UTC(2017, 0, 1))
    expect(parseRfc3339('2016-12-31T22:59:60Z')).toBeNull()
  })
})

describe('isStorableTime', () => {
  it('holds from 1970 through 2105', () => {
    expect(isStorableTime(0)).toBe(true)
    expect(isStorableTime(Date.UTC(2106, 0, 1) - 1)).toBe(true)
    expect(isStorableTime(-1)).toBe(false)
    expect(isStorableTime(Date.UTC(2106, 0, 1))).toBe(false)
    expect(isStorableTime(Number.NaN)).toBe(false)
  })
})
