import { describe, expect, it } from 'vitest'
import type { LocaleMix } from '../../../src/demo/mix.ts'
import { createPopulation, POPULATION_SIZE, sessionIdOf } from '../../../src/demo/population.ts'

const mix: LocaleMix[] = [
  {
    locale: 'en-US',
    recordedShare: 0.9,
    share: 0.7,
    devices: [
      { device: 'mobile', share: 0.6 },
      { device: 'desktop', share: 0.4 },
    ],
  },
  {
    locale: 'cs-CZ',
    recordedShare: 0.1,
    share: 0.3,
    devices: [
      { device: 'mobile', share: 0.1 },
      { device: 'desktop', share: 0.9 },
    ],
  },
]

describe('createPopulation', () => {
  it('has a million users unless told otherwise', () => {
    expect(POPULATION_SIZE).toBe(1_000_000)
    expect(createPopulation(mix).size).toBe(1_000_000)
  })

  it('makes the same user of the same number, in every process', () => {
    const [a, b] = [createPopulation(mix), createPopulation(mix)]
    for (let number = 0; number < 1000; number++) expect(a.user(number)).toEqual(b.user(number))
    expect(a.user(0)).toEqual({ number: 0, locale: 'en-US', language: 'en', device: 'desktop' })
    expect(a.user(1)).toEqual({ number: 1, locale: 'cs-CZ', language: 'cs', device: 'desktop' })
  })

  it('has every locale and device in its share', () => {
    const population = createPopulation(mix)
    const counts = new Map<string, number>()
    for (let number = 0; number < 200_000; number++) {
      const { locale, device } = population.user(number)
      counts.set(`${locale}/${device}`, (counts.get(`${locale}/${device}`) ?? 0) + 1)
    }
    // The largest standard error is 0.0011.
    expect((counts.get('en-US/mobile') ?? 0) / 200_000).toBeCloseTo(0.42, 2)
    expect((counts.get('en-US/desktop') ?? 0) / 200_000).toBeCloseTo(0.28, 2)
    expect((counts.get('cs-CZ/mobile') ?? 0) / 200_000).toBeCloseTo(0.03, 2)
    expect((counts.get('cs-CZ/desktop') ?? 0) / 200_000).toBeCloseTo(0.27, 2)
  })
})

describe('sessionIdOf', () => {
  it('gives each user one pseudonym of 16 hex digits, different from all others', () => {
    const ids = new Set(Array.from({ length: 100_000 }, (_, user) => sessionIdOf(user)))
    expect(ids.size).toBe(100_000)
    for (const id of [...ids].slice(0, 100)) expect(id).toMatch(/^[0-9a-f]{16}$/)
    expect(sessionIdOf(5)).toBe(sessionIdOf(5))
  })
})
