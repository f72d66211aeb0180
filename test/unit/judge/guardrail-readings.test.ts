import { describe, expect, it } from 'vitest'
import type { CellMetrics } from '../../../src/domain/block.ts'
import type { Guardrail, Limit, Metric } from '../../../src/domain/release.ts'
import { cautiousVariance } from '../../../src/judge/bounded-mean.ts'
import { differenceRadius } from '../../../src/judge/paired.ts'
import { logEBelow, proportionLimit } from '../../../src/judge/proportion.ts'
import { BAD, FINE, requests, testOf } from './guardrail-runs.ts'
import {
  ERROR_MAX,
  ERROR_PP,
  ERROR_RELATIVE,
  guardrail,
  KPI_DROP,
  P95_MAX,
  QUALITY_DROP,
  QUALITY_MIN,
} from './judge-builders.ts'

const LEVEL = Math.log(20)

/** What a test says after one block of these requests. */
function readingOf(kind: Guardrail, canary: CellMetrics, stable: CellMetrics, designEffect = 1) {
  const seen = testOf(kind)
  seen.fold(canary, stable)
  return seen.read(designEffect)
}

const kpi = (bounds: [number, number], limit: Limit): Guardrail =>
  guardrail({ kind: 'kpi', name: 'kpi.sales', key: 'sales', bounds } satisfies Metric, limit)

describe('what is shown of an error rate with an absolute limit', () => {
  const canary = requests(1000, { ...FINE, errors: 0.01 })
  const stable = requests(9000)

  it('is the rates, and their difference with an interval around it', () => {
    const reading = readingOf(ERROR_MAX, canary, stable)
    expect(reading.stable).toEqual({ value: 0.005, n: 9000 })
    expect(reading.canary).toEqual({ value: 0.01, n: 1000 })
    expect(reading.difference).toBeCloseTo(0.005, 12)
    expect(reading.shift).toBeCloseTo(0.005, 12)
    const variance = (n: number, bad: number) => {
      const p = (bad + 0.5) / (n + 1)
      return (p * (1 - p)) / n
    }
    const both = variance(1000, 10) + variance(9000, 45)
    const radius = differenceRadius(both, 0.05, 0.002)
    expect(reading.ciLow).toBeCloseTo(0.005 - radius, 10)
    expect(reading.ciHigh).toBeCloseTo(0.005 + radius, 10)
    const wider = differenceRadius(4 * both, 0.05, 0.002)
    expect(readingOf(ERROR_MAX, canary, stable, 4).ciHigh).toBeCloseTo(0.005 + wider, 10)
  })

  it('has an interval from a hundred requests of each arm on', () => {
    const ends = (own: number, others: number) => {
      const { ciLow, ciHigh, difference } = readingOf(
        ERROR_MAX,
        requests(own, { ...FINE, errors: 0 }),
        requests(others, { ...FINE, errors: 0 }),
      )
      return [ciLow, ciHigh, difference].map((value) => value !== null)
    }
    expect(ends(100, 100)).toEqual([true, true, true])
    expect(ends(99, 1000)).toEqual([false, false, true])
    expect(ends(1000, 99)).toEqual([false, false, true])
    expect(ends(1000, 0)).toEqual([false, false, false])
    expect(ends(0, 1000)).toEqual([false, false, false])
  })

  it('counts only requests of which it is known whether they failed', () => {
    const reading = readingOf(ERROR_MAX, { ...canary, outcomes: 400 }, stable)
    expect(reading.canary).toEqual({ value: 0.025, n: 400 })
  })
})

describe('a latency limit between two edges of a histogram', () => {
  it('passes by what is above the edge below', () => {
    const limit = proportionLimit(1 - 0.95)
    const plain = readingOf(P95_MAX, requests(1000), requests(9000))
    expect(plain.logEPass).toBeCloseTo(logEBelow(limit, 1000, 30), 9)
    const edges = { ...requests(1000), overEdgeBelow: [40] }
    const cautious = readingOf(P95_MAX, edges, requests(9000))
    expect(cautious.logEPass).toBeCloseTo(logEBelow(limit, 1000, 40), 9)
    expect(cautious.logEBreach).toBe(plain.logEBreach)
    // Two empty cells that were added up have no limits to count at.
    const empty = { ...requests(0), bins: [], counts: [], overLimit: [], overEdgeBelow: [] }
    expect(readingOf(P95_MAX, empty, requests(9000))).toMatchObject({ logEPass: 0, logEBreach: 0 })
  })
})

describe('what is shown of a mean with an absolute limit', () => {
  it('is the means, and their difference in the metric’s own unit with an interval', () => {
    const of = kpi([-1, 3], { kind: 'min', value: 0 })
    const reading = readingOf(of, requests(1000, { ...FINE, kpi: 0.2 }), requests(9000))
    expect(reading.canary.value).toBeCloseTo(0.2, 12)
    expect(reading.stable.value).toBeCloseTo(0.1, 12)
    expect([reading.canary.n, reading.stable.n]).toEqual([1000, 9000])
    expect(reading.difference).toBeCloseTo(0.1, 12)
    const unit = (n: number, mean: number) => {
      const scaled = (mean + 1) / 4
      const moments = { n, sum: scaled * n, sumSquares: (0.01 / 16 + scaled ** 2) * n }
      return cautiousVariance(moments) / n
    }
    const radius = 4 * differenceRadius(unit(1000, 0.2) + unit(9000, 0.1), 0.05, 0.01)
    expect(reading.ciLow).toBeCloseTo(0.1 - radius, 9)
    expect(reading.ciHigh).toBeCloseTo(0.1 + radius, 9)
  })

  it('has an interval from a hundred values of each arm on', () => {
    const known = (own: number, others: number) =>
      readingOf(QUALITY_MIN, requests(own), requests(others)).ciLow !== null
    expect([known(100, 100), known(99, 1000), known(1000, 99)]).toEqual([true, false, false])
  })
})

describe('a limit on how much a mean grows', () => {
  const growth = kpi([0, 1], { kind: 'max_increase', relative: false, value: 0.02 })

  it('is broken by an increase and held by a drop', () => {
    for (const blocks of [3, 60]) {
      const more = testOf(growth)
      more.run(blocks, { ...FINE, kpi: 0.2 })
      expect(more.read().logEBreach).toBeGreaterThan(LEVEL)
      expect(more.read().difference).toBeCloseTo(0.1, 9)
      const less = testOf(growth)
      less.run(blocks, { ...FINE, kpi: 0.02 })
      expect(less.read().logEBreach).toBeLessThan(0)
    }
  })

  it('is a test of a drop turned around', () => {
    const drop = testOf(kpi([0, 1], { kind: 'max_drop', value: 0.02 }))
    const increase = testOf(growth)
    for (let k = 0; k < 40; k++) {
      drop.fold(requests(100, { ...FINE, kpi: 0.3 }), requests(900, { ...FINE, kpi: 0.4 }))
      increase.fold(requests(100, { ...FINE, kpi: 0.7 }), requests(900, { ...FINE, kpi: 0.6 }))
    }
    expect(increase.read().logEBreach).toBeCloseTo(drop.read().logEBreach, 6)
    expect(increase.read().logEPass).toBeCloseTo(drop.read().logEPass, 6)
  })

  it('is refused as a fraction, and for quality', () => {
    const relative = { kind: 'max_increase', relative: true, value: 0.1 } as const
    for (const kind of [
      kpi([0, 1], relative),
      { ...QUALITY_DROP, limit: { ...relative, relative: false } },
      { ...P95_MAX, limit: { ...relative, relative: false } },
      { ...P95_MAX, limit: QUALITY_MIN.limit },
      { ...ERROR_MAX, limit: QUALITY_MIN.limit },
    ]) {
      expect(() => testOf(kind)).toThrow(expect.objectContaining({ code: 'invalid_input' }))
    }
  })
})

describe('a difference of means', () => {
  it('of nothing allowed still has a scale to look for', () => {
    const none = testOf({ ...QUALITY_DROP, limit: { kind: 'max_drop', value: 0 } })
    none.run(60, BAD)
    expect(none.read().logEBreach).toBeGreaterThan(LEVEL)
    expect(none.read().difference).toBeCloseTo(-0.15, 9)
  })

  it('has an interval around it once its gate is met', () => {
    const seen = testOf(QUALITY_DROP)
    seen.run(29, BAD)
    expect(seen.read()).toMatchObject({ ciLow: null, ciHigh: null, collecting: true })
    seen.run(1, BAD)
    const { ciLow, ciHigh, difference, collecting } = seen.read()
    expect(collecting).toBe(false)
    expect((ciLow! + ciHigh!) / 2).toBeCloseTo(difference!, 9)
    expect(ciHigh! - ciLow!).toBeGreaterThan(0.001)
    expect(ciHigh! - ciLow!).toBeLessThan(0.02)
  })

  it('asks for 100 scores or 400 KPI values of each arm', () => {
    const collecting = (kind: Guardrail, own: number) => {
      const seen = testOf(kind)
      for (let k = 0; k < 40; k++) seen.fold(requests(own), requests(900))
      return seen.read().collecting
    }
    expect([collecting(QUALITY_DROP, 2), collecting(QUALITY_DROP, 3)]).toEqual([true, false])
    expect([collecting(KPI_DROP, 9), collecting(KPI_DROP, 10)]).toEqual([true, false])
  })
})

describe('an error rate beside a baseline with almost no errors', () => {
  const spotless = requests(20_000, { ...FINE, errors: 0 })
  const none = { ...FINE, errors: 0 }

  it('passes by the canary alone, and knows how much more that takes', () => {
    const seen = testOf(ERROR_PP, 0, spotless)
    for (let k = 0; k < 5; k++) seen.fold(requests(200, none), requests(900, none))
    expect(seen.read()).toMatchObject({ method: 'T1', collecting: false })
    const growth = seen.read().growthToPass(LEVEL)!
    expect(growth).toBeGreaterThan(1)
    seen.test.startStep()
    expect(seen.read().growthToPass(LEVEL)).toBeNull()
    const total = Math.ceil(5 * growth)
    for (let k = 0; k < total; k++) seen.fold(requests(200, none), requests(900, none))
    expect(seen.read().logEPass).toBeGreaterThan(0.8 * LEVEL)
  })

  it('of a relative limit knows how long the difference takes, and nothing before there is any', () => {
    const few = requests(20_000, { ...none, errors: 0.0001 })
    const wide = { ...ERROR_RELATIVE, limit: { ...ERROR_RELATIVE.limit, value: 9 } } as Guardrail
    const seen = testOf(wide, 0, few)
    expect(seen.read().growthToPass(LEVEL)).toBeNull()
    for (let k = 0; k < 40; k++) {
      seen.fold(requests(10_000, { ...none, errors: 0.0001 }), requests(10_000, none))
    }
    expect(seen.read().method).toBe('T1')
    const growth = seen.read().growthToPass(LEVEL)
    expect(growth).toBeGreaterThanOrEqual(1)
  })
})

describe('a quality drop in the first blocks of a release', () => {
  const fold = (seen: ReturnType<typeof testOf>, blocks: number, own: number, quality: number) => {
    const shape = { ...FINE, quality }
    for (let k = 0; k < blocks; k++) seen.fold(requests(own, shape), requests(2000, shape))
  }

  it('is found by values added up over the step', () => {
    const seen = testOf(QUALITY_DROP)
    for (let k = 0; k < 5; k++) seen.fold(requests(1000, BAD), requests(2000))
    expect(seen.read().logEBreach).toBeGreaterThan(LEVEL)
    seen.test.startStep()
    expect(seen.read().logEBreach).toBeGreaterThan(LEVEL)
  })

  it('is not seen in a larger share of a worse hour', () => {
    const seen = testOf(QUALITY_DROP)
    seen.test.startStep()
    fold(seen, 10, 20, 0.9)
    const before = seen.read().logEBreach
    seen.test.startStep()
    fold(seen, 10, 2000, 0.7)
    expect(seen.read().logEBreach).toBe(before)
    expect(before).toBeLessThan(0)
  })

  it('is not seen in better hours before the canary came', () => {
    const seen = testOf(QUALITY_DROP)
    for (let k = 0; k < 10; k++) seen.fold(requests(0), requests(2000, { ...FINE, quality: 0.95 }))
    fold(seen, 5, 1000, 0.7)
    expect(seen.read().logEBreach).toBeLessThan(0)
  })
})
