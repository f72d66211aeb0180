import { describe, expect, it } from 'vitest'
import { createCohortUnits } from '../../../src/judge/cohort-units.ts'
import { DE, EN } from './judge-builders.ts'

describe('cohort units', () => {
  it('have none for a key that names no dimension of the release', () => {
    const units = createCohortUnits({ by: ['device'], key: [{ locale: 'en-US' }, {}] })
    expect(units.units.map(({ ref }) => ref)).toEqual(['overall'])
  })

  it('has a unit for overall, each partial key and each cell; a full key is its cell', () => {
    const units = createCohortUnits({
      by: ['locale', 'device'],
      key: [{ locale: 'en-US' }, DE],
    })
    units.cellOf(EN)
    const seen = units.units.map(({ kind, ref, keyPosition }) => [kind, ref, keyPosition])
    expect(seen).toEqual([
      ['overall', 'overall', -1],
      ['partial', { locale: 'en-US' }, 0],
      ['cell', DE, 1],
      ['cell', EN, -1],
    ])
  })

  it('counts a cell in overall and in the partial keys that cover it', () => {
    const units = createCohortUnits({ by: ['locale', 'device'], key: [{ locale: 'en-US' }] })
    expect(units.cellOf(EN).memberOf).toEqual([0, 1])
    expect(units.cellOf(DE).memberOf).toEqual([0])
  })

  it('ignores dimensions the release does not use and names the missing ones', () => {
    const units = createCohortUnits({ by: ['device'], key: [] })
    expect(units.cellOf(EN)).toBe(units.cellOf(DE))
    expect(units.cellOf({}).cohort).toEqual({ device: 'unknown' })
  })

  it('has no cohort besides overall when the release names no dimension', () => {
    const units = createCohortUnits({ by: [], key: [] })
    expect(units.cellOf(EN)).toBe(units.cellOf(DE))
    expect(units.units.filter(({ hidden }) => !hidden).map(({ kind }) => kind)).toEqual(['overall'])
  })

  it('fixes shares once; later cells have none', () => {
    const units = createCohortUnits({ by: ['locale', 'device'], key: [{ device: 'mobile' }] })
    const en = units.cellOf(EN)
    units.cellOf(DE)
    units.fixShares((cell) => (cell === en ? 750 : 250))
    expect(en.share).toBe(0.75)
    expect(units.units.find(({ kind }) => kind === 'partial')!.share).toBe(1)
    expect(units.cellOf({ locale: 'fr-FR', device: 'tv' }).share).toBe(0)
  })

  it('merges a cell by language and device, by device, and then with everything', () => {
    const units = createCohortUnits({ by: ['locale', 'device'], key: [] })
    expect(units.cellOf({ locale: 'de-AT', device: 'tv' }).parents).toEqual([
      'de|tv',
      '*|tv',
      '*|*',
    ])
  })
})
