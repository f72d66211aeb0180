import { describe, expect, it } from 'vitest'
import type { CellMetrics } from '../../../src/domain/block.ts'
import { binOf } from '../../../src/domain/histogram.ts'
import type { Guardrail } from '../../../src/domain/release.ts'
import { createBaseline } from '../../../src/judge/baseline.ts'
import { EMPTY_METRICS } from '../../../src/judge/block-intake.ts'
import { createCohortUnits } from '../../../src/judge/cohort-units.ts'
import { createGuardrailTest, relativeQuantilesOf } from '../../../src/judge/guardrail-tests.ts'
import { BY_BLOCKS } from '../../../src/judge/judge-mode.ts'
import { createLatencyTotals } from '../../../src/judge/latency-totals.ts'
import { ALL_KINDS, EN, metricsOf, P95_MAX, QUALITY_MIN, specOf } from './judge-builders.ts'

const KINDS = ALL_KINDS.map((kind) => [`${kind.metric.name} ${kind.written}`, kind] as const)
const LEVEL = Math.log(20)

interface Shape {
  readonly errors: number
  readonly slow: number
  readonly quality: number
  readonly kpi: number
}

/** Inside every limit: what the baseline is like, too. */
const FINE: Shape = { errors: 0.005, slow: 0.03, quality: 0.9, kpi: 0.1 }
/** Outside of every limit. */
const BAD: Shape = { errors: 0.03, slow: 0.2, quality: 0.75, kpi: 0.05 }

/** `n` requests; most take 10 ms, and 1.5 % a little longer, so that 10 ms is the p95. */
function requests(n: number, { errors, slow, quality, kpi }: Shape): CellMetrics {
  const moments = (mean: number) => ({
    ...{ n, sum: mean * n, sumSquares: (0.01 + mean ** 2) * n },
  })
  return metricsOf(n, errors * n, {
    ...{ latencies: n, overLimit: [slow * n], bins: [binOf(10), binOf(10.5), binOf(200)] },
    counts: [(1 - slow - 0.015) * n, 0.015 * n, slow * n],
    ...{ quality: moments(quality), kpis: [moments(kpi)] },
  })
}

/** One guardrail's test over a release without cohorts. */
function testOf(kind: Guardrail, restarts = 0, history = requests(20_000, FINE)) {
  const spec = specOf([kind], { cohorts: { by: [], key: [] } })
  const units = createCohortUnits(spec.cohorts)
  const before = [{ cohort: EN, metrics: history }]
  const baseline = createBaseline(units, before, relativeQuantilesOf(spec))
  units.fixShares(baseline.requestsOf)
  baseline.freezeRates()
  const latencies = createLatencyTotals(BY_BLOCKS.scale)
  const context = { spec, units, baseline, latencies, restarts, mode: BY_BLOCKS }
  const test = createGuardrailTest(kind, context)
  const cell = units.cellOf(EN)
  const fold = (canary: CellMetrics, stable: CellMetrics, inStep = true) => {
    const strata = [{ cell, canary, stable }]
    const known = {
      errorRate: baseline.rollingRate(cell),
      quantileBins: baseline.quantileBins(cell),
    }
    latencies.fold(strata)
    test.fold({ strata, pairs: strata.map((stratum) => ({ ...stratum, ...known })), inStep })
  }
  return {
    ...{ test, fold },
    /** `blocks` blocks of 1,000 canary requests of a shape beside 9,000 as they should be. */
    run(blocks: number, shape: Shape, inStep = true) {
      for (let k = 0; k < blocks; k++) fold(requests(1000, shape), requests(9000, FINE), inStep)
      return test
    },
    read: (designEffect = 1) => test.read(units.overall, designEffect),
  }
}

describe.each(KINDS)('the test of %s', (_, kind) => {
  it('says nothing before there are data', () => {
    const none = { value: null, n: 0 }
    const reading = testOf(kind).read()
    expect(reading).toMatchObject({
      ...{ stable: none, canary: none, difference: null, shift: null },
      ...{ ciLow: null, ciHigh: null, blocks: 0 },
    })
    expect(reading.logEBreach).toBeCloseTo(0, 9)
    expect(reading.logEPass).toBeCloseTo(0, 9)
    expect(reading.growthToPass(LEVEL)).toBeNull()
  })

  it('finds what is outside of the limit, and passes what is inside', () => {
    const bad = testOf(kind)
    bad.run(60, BAD)
    expect(bad.read().logEBreach).toBeGreaterThan(LEVEL)
    expect(bad.read().logEPass).toBeLessThan(0)
    const fine = testOf(kind)
    fine.run(120, FINE)
    expect(fine.read().logEPass).toBeGreaterThan(LEVEL)
    expect(fine.read().logEBreach).toBeLessThan(0)
    expect(fine.read()).toMatchObject({ collecting: false, blocks: 120 })
  })

  it('takes blocks before the step for breach evidence only', () => {
    const before = testOf(kind)
    before.run(40, BAD, false)
    const within = testOf(kind)
    within.run(40, BAD)
    expect(before.read().logEBreach).toBe(within.read().logEBreach)
    expect(before.read().logEPass).toBeCloseTo(0, 9)
    expect(before.read().growthToPass(LEVEL)).toBeNull()
  })

  it('keeps its breach evidence and values at a new step, and begins its pass evidence', () => {
    const began = testOf(kind)
    began.run(40, FINE)
    const { logEBreach, difference, canary } = began.read()
    began.test.startStep()
    expect(began.read()).toMatchObject({ logEBreach, difference, canary })
    expect(began.read().logEPass).toBeCloseTo(0, 9)
    const fresh = testOf(kind)
    for (const each of [began, fresh]) each.run(40, FINE)
    expect(began.read().logEPass).toBeCloseTo(fresh.read().logEPass, 9)
  })

  it('is told less by requests that go together', () => {
    const bad = testOf(kind)
    bad.run(40, BAD)
    expect(bad.read(4).logEBreach).toBeLessThan(0.5 * bad.read().logEBreach)
    expect(bad.read(4).logEBreach).toBeGreaterThan(0.1 * bad.read().logEBreach)
    const fine = testOf(kind)
    fine.run(120, FINE)
    expect(fine.read(4).logEPass).toBeLessThan(0.8 * fine.read().logEPass)
  })

  it('finds what begins after a restart with more evidence than without one', () => {
    const late = (restarts: number) => {
      const seen = testOf(kind, restarts)
      seen.run(60, FINE)
      seen.test.restart()
      seen.run(40, BAD)
      return seen.read().logEBreach
    }
    expect(late(1)).toBeGreaterThan(late(0) + 1)
  })

  it('counts no block in which the canary has nothing of the metric', () => {
    const empty = testOf(kind)
    empty.fold(EMPTY_METRICS, requests(9000, FINE))
    expect(empty.read().blocks).toBe(0)
    empty.run(1, FINE)
    expect(empty.read().blocks).toBe(1)
  })

  it('knows how many times its data it takes to pass', () => {
    const seen = testOf(kind)
    const near =
      kind === P95_MAX
        ? { ...FINE, slow: 0.045 }
        : kind === QUALITY_MIN
          ? { ...FINE, quality: 0.8425 }
          : FINE
    seen.run(6, near)
    const growth = seen.read().growthToPass(LEVEL)!
    expect(growth).toBeGreaterThan(1)
    const total = Math.ceil(6 * growth * 1.06)
    seen.run(total - 6, near)
    expect(seen.read().logEPass).toBeGreaterThanOrEqual(LEVEL)
    expect(seen.read().collecting).toBe(false)
    const short = testOf(kind)
    short.run(Math.floor(6 * growth * 0.94), near)
    expect(short.read().collecting || short.read().logEPass < LEVEL).toBe(true)
  })
})
