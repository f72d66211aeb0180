import { describe, expect, it } from 'vitest'
import { binOf, upperEdge } from '../../../src/domain/histogram.ts'
import { createBaseline } from '../../../src/judge/baseline.ts'
import type { Cell } from '../../../src/judge/cohort-units.ts'
import { createCohortUnits } from '../../../src/judge/cohort-units.ts'
import { DE, EN, metricsOf } from './judge-builders.ts'

/** `n` latencies, spread evenly over 1 … 100 ms times `scale`. */
function latencies(n: number, scale = 1) {
  const histogram = new Map<number, number>()
  for (let i = 0; i < n; i++) {
    const bin = binOf((1 + (i % 100)) * scale)
    histogram.set(bin, (histogram.get(bin) ?? 0) + 1)
  }
  const bins = [...histogram.keys()].sort((a, b) => a - b)
  return { latencies: n, bins, counts: bins.map((bin) => histogram.get(bin) ?? 0) }
}

function setUp(history: { cohort: object; n: number; errors?: number; scale?: number }[]) {
  const units = createCohortUnits({ by: ['locale', 'device'], key: [{ device: 'mobile' }] })
  const cells = history.map(({ cohort, n, errors, scale }) => ({
    cohort,
    metrics: metricsOf(n, errors ?? 0, latencies(n, scale)),
  }))
  const baseline = createBaseline(units, cells, [0.95, 0.5])
  return { units, baseline, en: units.cellOf(EN), de: units.cellOf(DE) }
}

const block = (cell: Cell, n: number, errors = 0, scale = 1) =>
  new Map([[cell, metricsOf(n, errors, latencies(n, scale))]])

const edge = (bin: number | null) => upperEdge(bin!)

describe('x₀, the rolling baseline quantile', () => {
  it('is unknown while even the overall baseline has fewer than 1,000 latencies', () => {
    const { baseline, en } = setUp([{ cohort: EN, n: 999 }])
    expect(baseline.quantileBins(en)).toEqual([null, null])
    baseline.add(block(en, 999))
    expect(baseline.quantileBins(en)).toEqual([null, null])
    baseline.add(block(en, 1))
    expect(edge(baseline.quantileBins(en)[0]!)).toBeCloseTo(95, 0)
  })

  it('is the cell’s own newest 9,000, before that its own history, before that the overall one', () => {
    const { baseline, en, de } = setUp([
      { cohort: EN, n: 5000 },
      { cohort: DE, n: 200, scale: 3 },
    ])
    const p95 = (cell: Cell) => edge(baseline.quantileBins(cell)[0]!)
    expect(p95(en)).toBeGreaterThan(94)
    expect(p95(en)).toBeLessThan(97)
    // de-DE has too little of its own: overall, which is mostly en-US.
    expect(p95(de)).toBeGreaterThan(95)
    expect(p95(de)).toBeLessThan(120)
    baseline.add(block(de, 1000, 0, 3))
    expect(p95(de)).toBeGreaterThan(280)
    for (let i = 0; i < 12; i++) baseline.add(block(en, 1000, 0, 2))
    expect(p95(en)).toBeGreaterThan(188)
  })

  it('does not depend on the order in which a store gives the history', () => {
    const history = [
      ...[EN, DE].map((cohort) => ({ cohort, n: 700, errors: 7 })),
      { cohort: EN, n: 900, errors: 1, scale: 2 },
      { cohort: { locale: 'da-DK', device: 'tv' }, n: 1200, errors: 30, scale: 3 },
    ]
    const read = (order: typeof history) => {
      const { baseline, units } = setUp(order)
      return units.cells.map((cell) => [cell.key, baseline.quantileBins(cell)])
    }
    expect(read([...history].reverse())).toEqual(read(history))
    expect(read(history).map(([key]) => key)).toEqual([...read(history)].map(([key]) => key).sort())
  })

  it('knows each quantile asked for', () => {
    const { baseline, en } = setUp([{ cohort: EN, n: 5000 }])
    expect(edge(baseline.quantileBins(en)[1]!)).toBeCloseTo(50, 0)
  })
})

describe('error rates of the baseline', () => {
  it('are those before the release until blocks outweigh them, and never 0 in p̃', () => {
    const { baseline, en } = setUp([{ cohort: EN, n: 10_000, errors: 100 }])
    baseline.freezeRates()
    expect(baseline.rollingRate(en)).toBeCloseTo(0.01, 12)
    baseline.add(block(en, 2000, 60))
    expect(baseline.rollingRate(en)).toBeCloseTo(0.02, 12)
    const spotless = setUp([{ cohort: EN, n: 10_000 }])
    spotless.baseline.freezeRates()
    expect(spotless.baseline.rollingRate(spotless.en)).toBeCloseTo(1e-4, 12)
    expect(spotless.baseline.rateBefore(spotless.units.overall)).toBe(0)
  })

  it('forget what is older than 60 blocks', () => {
    const { baseline, en } = setUp([{ cohort: EN, n: 10_000, errors: 100 }])
    baseline.freezeRates()
    baseline.add(block(en, 1000, 500))
    for (let i = 0; i < 59; i++) baseline.add(new Map())
    expect(baseline.rollingRate(en)).toBeCloseTo(520 / 3000, 12)
    baseline.add(new Map())
    expect(baseline.rollingRate(en)).toBeCloseTo(0.01, 12)
  })

  it('of a cohort with fewer than 1,000 requests are the overall ones', () => {
    const { baseline, units, en, de } = setUp([
      { cohort: EN, n: 9000, errors: 90 },
      { cohort: DE, n: 999, errors: 500 },
    ])
    expect(baseline.rateBefore(units.overall)).toBeNull()
    baseline.freezeRates()
    const overall = 590 / 9999
    expect(baseline.rateBefore(units.units[en.unit]!)).toBe(0.01)
    expect(baseline.rateBefore(units.units[de.unit]!)).toBeCloseTo(overall, 12)
    const later = units.cellOf({ locale: 'fr-FR', device: 'tv' })
    expect(baseline.rollingRate(later)).toBeCloseTo(overall, 12)
  })

  it('count a partial key as the sum of its cells', () => {
    const { baseline, units, en } = setUp([
      { cohort: EN, n: 600, errors: 6 },
      { cohort: DE, n: 600, errors: 18 },
    ])
    baseline.add(block(en, 100, 1))
    const mobile = units.units.find(({ kind }) => kind === 'partial')!
    expect(baseline.countsOf(mobile)).toEqual({ requests: 1300, errors: 25 })
    expect(baseline.totalRequests).toBe(1300)
  })
})
