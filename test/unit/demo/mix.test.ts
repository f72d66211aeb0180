import { describe, expect, it } from 'vitest'
import {
  DEMO_LOCALES,
  describeMix,
  flattenMix,
  loadProfiles,
  type ProfileRecord,
} from '../../../src/demo/mix.ts'

const many = (n: number, language: string, device: string, weight: number): ProfileRecord[] =>
  Array.from({ length: n }, () => ({ language, device, weight: weight / n }))

describe('flattenMix', () => {
  const records = [
    ...many(950, 'en-US', 'mobile', 0.7),
    ...many(50, 'en-US', 'desktop', 0.2),
    ...many(1, 'da-DK', 'desktop', 0.1 / 1024),
    ...many(10, 'xx', 'tablet', 0.1 - 0.1 / 1024),
  ]

  it('gives shares that add up to 1, over the locales and within each', () => {
    const mix = flattenMix(records, ['en-US', 'da-DK'])
    expect(mix.reduce((sum, row) => sum + row.share, 0)).toBeCloseTo(1, 12)
    for (const row of mix) {
      expect(row.devices.reduce((sum, { share }) => sum + share, 0)).toBeCloseTo(1, 12)
    }
  })

  it('raises recorded shares to the power 0.2', () => {
    const [english, danish] = flattenMix(records, ['en-US', 'da-DK'])
    expect(english?.recordedShare).toBeCloseTo(0.9, 12)
    const ratio = (0.9 / (0.1 / 1024)) ** 0.2
    expect((english?.share ?? 0) / (danish?.share ?? 1)).toBeCloseTo(ratio, 9)
  })

  it('keeps the device shares of a locale with many records and lends a rare one the overall shares', () => {
    const [english, danish] = flattenMix(records, ['en-US', 'da-DK'])
    const share = (row: typeof english, device: string) =>
      row?.devices.find((entry) => entry.device === device)?.share ?? 0
    // 1000 of 1050 records are its own: 1000/1050 · 7/9 + 50/1050 · 0.7.
    expect(share(english, 'mobile')).toBeCloseTo((1000 / 1050) * (7 / 9) + (50 / 1050) * 0.7, 9)
    // 1 of 51 records is its own, and that is a desktop.
    expect(share(danish, 'mobile')).toBeCloseTo((50 / 51) * 0.7, 9)
  })

  it('refuses a locale that was never recorded', () => {
    expect(() => flattenMix(records, ['en-US', 'cs-CZ'])).toThrow('cs-CZ')
  })
})

describe('the recorded profiles', () => {
  it('give the mix the demo is described with', async () => {
    const profiles = await loadProfiles()
    expect(profiles).toHaveLength(10_000)
    expect(profiles.reduce((sum, { weight }) => sum + weight, 0)).toBeCloseTo(1, 9)
    const mix = flattenMix(profiles)
    expect(mix.map(({ locale }) => locale)).toEqual(DEMO_LOCALES)
    const shares = Object.fromEntries(mix.map(({ locale, share }) => [locale, share]))
    expect(shares['en-US']).toBeCloseTo(0.314, 3)
    expect(shares['cs-CZ']).toBeCloseTo(0.054, 3)
    expect(shares['da-DK']).toBeCloseTo(0.052, 3)
    expect(flattenMix(await loadProfiles())).toEqual(mix)
  })
})

describe('describeMix', () => {
  it('prints one row a locale with recorded share, share and devices', () => {
    const mix = flattenMix(
      [...many(5, 'en-US', 'mobile', 0.75), ...many(5, 'de-DE', 'desktop', 0.25)],
      ['en-US', 'de-DE'],
    )
    expect(describeMix(mix)).toEqual([
      'locale    recorded     users    mobile   desktop',
      'en-US     75.000 %    55.5 %    77.3 %    22.7 %',
      'de-DE     25.000 %    44.5 %    68.2 %    31.8 %',
    ])
  })
})
