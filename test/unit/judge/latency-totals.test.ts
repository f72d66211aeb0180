import { describe, expect, it } from 'vitest'
import { binOf } from '../../../src/domain/histogram.ts'
import { createCohortUnits } from '../../../src/judge/cohort-units.ts'
import type { LatencyHistogram } from '../../../src/judge/latency-histogram.ts'
import { BIN_SCALE } from '../../../src/judge/latency-scale.ts'
import { compareQuantiles, createLatencyTotals } from '../../../src/judge/latency-totals.ts'
import { proportionLimit } from '../../../src/judge/proportion.ts'
import { DE, EN, metricsOf } from './judge-builders.ts'

const [FAST, SLOW] = [binOf(10), binOf(200)]
const FR = { locale: 'fr-FR', device: 'mobile' }

/** `fast` latencies of 10 ms and `slow` ones of 200 ms. */
const latencies = (fast: number, slow: number) =>
  metricsOf(fast + slow, 0, {
    ...{ latencies: fast + slow, bins: [FAST, SLOW], counts: [fast, slow] },
  })
const NONE = metricsOf(0)

function setUp() {
  const units = createCohortUnits({ by: ['locale', 'device'], key: [] })
  const [en, de, fr] = [EN, DE, FR].map((cohort) => units.cellOf(cohort))
  const totals = createLatencyTotals(BIN_SCALE)
  return { units, totals, en: en!, de: de!, fr: fr! }
}

/** Total, and counts of the fast and of the slow ones. */
function partsOf(histogram: LatencyHistogram): number[] {
  const at = (bin: number) => histogram.counts[bin - histogram.first] ?? 0
  return [histogram.total, at(FAST), at(SLOW)]
}

function expectParts(histogram: LatencyHistogram, expected: readonly number[]): void {
  for (const [i, part] of partsOf(histogram).entries()) expect(part).toBeCloseTo(expected[i]!, 9)
}

describe('latencies of a unit', () => {
  it('are those of all of its cells in all blocks, of each arm by itself', () => {
    const { units, totals, en, de } = setUp()
    expect(partsOf(totals.pooled(units.overall, 'canary'))).toEqual([0, 0, 0])
    totals.fold([
      { cell: en, canary: latencies(8, 2), stable: latencies(90, 10) },
      { cell: de, canary: latencies(1, 4), stable: latencies(5, 5) },
    ])
    expect(partsOf(totals.pooled(units.overall, 'canary'))).toEqual([15, 9, 6])
    totals.fold([{ cell: en, canary: latencies(3, 1), stable: NONE }])
    expect(partsOf(totals.pooled(units.overall, 'canary'))).toEqual([19, 12, 7])
    expect(partsOf(totals.pooled(units.overall, 'stable'))).toEqual([110, 95, 15])
    expect(partsOf(totals.pooled(units.units[en.unit]!, 'canary'))).toEqual([14, 11, 3])
  })
})

describe('latencies standardised to the baseline’s mix', () => {
  it('are mixed by the cells’ shares, and count as many as are as precise', () => {
    const { units, totals, en, de } = setUp()
    units.fixShares((cell) => ({ [en.index]: 800, [de.index]: 200 })[cell.index] ?? 0)
    totals.fold([
      { cell: en, canary: latencies(80, 20), stable: latencies(900, 100) },
      { cell: de, canary: latencies(30, 70), stable: latencies(100, 150) },
    ])
    const size = 1 / (0.8 ** 2 / 100 + 0.2 ** 2 / 100)
    const slow = 0.8 * 0.2 + 0.2 * 0.7
    const canary = [size, size * (1 - slow), size * slow]
    expectParts(totals.standardised(units.overall, 'canary'), canary)
    const sizeOfStable = 1 / (0.8 ** 2 / 1000 + 0.2 ** 2 / 250)
    const slowOfStable = 0.8 * 0.1 + 0.2 * 0.6
    const stable = [sizeOfStable, sizeOfStable * (1 - slowOfStable), sizeOfStable * slowOfStable]
    expectParts(totals.standardised(units.overall, 'stable'), stable)
    // Read again, and after a block in which nothing came: the same.
    expectParts(totals.standardised(units.overall, 'canary'), canary)
    totals.fold([])
    expectParts(totals.standardised(units.overall, 'canary'), canary)
  })

  it('leave out cells without a share, and those without latencies of both arms', () => {
    const { units, totals, en, de, fr } = setUp()
    const late = units.cellOf({ locale: 'it-IT', device: 'mobile' })
    units.fixShares(
      (cell) => ({ [en.index]: 600, [de.index]: 200, [fr.index]: 200 })[cell.index] ?? 0,
    )
    totals.fold([
      { cell: en, canary: latencies(80, 20), stable: latencies(900, 100) },
      { cell: de, canary: NONE, stable: latencies(0, 500) },
      { cell: late, canary: latencies(0, 500), stable: latencies(0, 500) },
    ])
    expect(partsOf(totals.standardised(units.overall, 'canary'))).toEqual([100, 80, 20])
    totals.fold([{ cell: fr, canary: latencies(0, 50), stable: latencies(10, 10) }])
    const size = 1 / (0.75 ** 2 / 100 + 0.25 ** 2 / 50)
    const slow = 0.75 * 0.2 + 0.25
    const mixed = [size, size * (1 - slow), size * slow]
    expectParts(totals.standardised(units.overall, 'canary'), mixed)
  })

  it('are what they are in a single cell, and where no cell has both arms', () => {
    const { units, totals, en, de } = setUp()
    units.fixShares((cell) => ({ [en.index]: 600, [de.index]: 400 })[cell.index] ?? 0)
    totals.fold([
      { cell: en, canary: latencies(80, 20), stable: NONE },
      { cell: de, canary: latencies(1, 2), stable: NONE },
    ])
    expect(partsOf(totals.standardised(units.overall, 'canary'))).toEqual([103, 81, 22])
    totals.fold([{ cell: de, canary: NONE, stable: latencies(3, 4) }])
    expect(partsOf(totals.standardised(units.units[en.unit]!, 'canary'))).toEqual([100, 80, 20])
    expect(partsOf(totals.standardised(units.overall, 'canary'))).toEqual([3, 1, 2])
  })
})

describe('quantiles of both arms', () => {
  const range = (ms: number | null, lowMs = ms, highMs = ms) => ({ ms, lowMs, highMs })

  it('are compared in ms or relative to the baseline, with the interval of both intervals', () => {
    const [stable, canary] = [range(100, 90, 120), range(110, 105, 150)]
    expect(compareQuantiles(stable, canary, false)).toEqual({
      ...{ stableMs: 100, canaryMs: 110, difference: 10, ciLow: -15, ciHigh: 60 },
    })
    const { difference, ciLow, ciHigh } = compareQuantiles(stable, canary, true)
    expect(difference).toBeCloseTo(0.1, 12)
    expect(ciLow).toBeCloseTo(105 / 120 - 1, 12)
    expect(ciHigh).toBeCloseTo(150 / 90 - 1, 12)
  })

  it('have no difference where one is not known, nor a relative one to nothing', () => {
    expect(compareQuantiles(range(null), range(5), false).difference).toBeNull()
    expect(compareQuantiles(range(5), range(null), false).difference).toBeNull()
    expect(compareQuantiles(range(0), range(5), true).difference).toBeNull()
    expect(compareQuantiles(range(0), range(5), false).difference).toBe(5)
    expect(compareQuantiles(range(5), range(0), true).difference).toBe(-1)
  })

  it('are unknown without latencies, and without an end where data does not bound them', () => {
    const { units, totals, en } = setUp()
    const limit = proportionLimit(0.05)
    const quantile = () => totals.quantile(totals.pooled(units.units[en.unit]!, 'canary'), limit)
    expect(quantile()).toEqual({ ms: null, lowMs: null, highMs: null })
    totals.fold([{ cell: en, canary: latencies(20, 0), stable: NONE }])
    expect(quantile()).toMatchObject({ ms: expect.closeTo(10, 0), highMs: null })
    totals.fold([{ cell: en, canary: latencies(900, 80), stable: NONE }])
    const known = quantile()
    expect(known.ms).toBeCloseTo(200, -1)
    expect(known.lowMs).toBeLessThanOrEqual(known.ms!)
    expect(known.highMs).toBeGreaterThanOrEqual(known.ms!)
  })
})
