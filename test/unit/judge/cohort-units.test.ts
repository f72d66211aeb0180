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

  it('gives no shares without any request', () => {
    const units = createCohortUnits({ by: ['locale', 'device'], key: [] })
    const en = units.cellOf(EN)
    units.fixShares(() => 0)
    expect([en.share, units.overall.share]).toEqual([0, 0])
  })

  it('knows only cohorts that it was asked for', () => {
    const units = createCohortUnits({ by: ['locale', 'device'], key: [] })
    expect(units.known(EN)).toBeUndefined()
    const en = units.cellOf(EN)
    expect(units.known({ ...EN })).toBe(en)
    expect(units.known({ locale: 'en-US', device: 'tv' })).toBeUndefined()
    expect(units.cellOf({ ...EN })).toBe(en)
    expect(units.cells).toEqual([en])
  })

  it('lists every unit a cell counts in, itself first, and every cell a unit has', () => {
    const units = createCohortUnits({ by: ['locale', 'device'], key: [{ device: 'mobile' }] })
    const [en, de] = [units.cellOf(EN), units.cellOf(DE)]
    expect(en).toMatchObject({ index: 0, key: 'en-US|mobile', cohort: EN, share: 0 })
    expect([en.units, de.units]).toEqual([
      [en.unit, 0, 1],
      [de.unit, 0, 1],
    ])
    expect(units.overall.cells).toEqual([en, de])
    expect(units.units[1]?.cells).toEqual([en, de])
    expect(units.units[en.unit]).toMatchObject({ kind: 'cell', cells: [en], hidden: false })
    expect(units.units.map(({ index }) => index)).toEqual([0, 1, 2, 3])
  })

  it('merges cells without a dimension of the release, too', () => {
    const byLocale = createCohortUnits({ by: ['locale'], key: [] })
    expect(byLocale.cellOf(EN).parents).toEqual(['en|', '*|', '*|*'])
    const byDevice = createCohortUnits({ by: ['device'], key: [] })
    expect(byDevice.cellOf(EN).parents).toEqual(['|mobile', '*|mobile', '*|*'])
  })

  it('has the cell of a full key from the start, before any request', () => {
    const units = createCohortUnits({ by: ['locale', 'device'], key: [{ locale: 'fr-FR' }, DE] })
    const [cell] = units.cells
    expect(cell).toMatchObject({ cohort: DE })
    expect(units.units[cell!.unit]).toMatchObject({ keyPosition: 1 })
    expect(units.cells).toHaveLength(1)
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
