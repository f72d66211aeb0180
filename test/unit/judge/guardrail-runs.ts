import type { CellMetrics } from '../../../src/domain/block.ts'
import { binOf } from '../../../src/domain/histogram.ts'
import type { Guardrail } from '../../../src/domain/release.ts'
import { createBaseline } from '../../../src/judge/baseline.ts'
import { createCohortUnits } from '../../../src/judge/cohort-units.ts'
import { createGuardrailTest, relativeQuantilesOf } from '../../../src/judge/guardrail-tests.ts'
import { BY_BLOCKS } from '../../../src/judge/judge-mode.ts'
import { createLatencyTotals } from '../../../src/judge/latency-totals.ts'
import { EN, metricsOf, specOf } from './judge-builders.ts'

interface Shape {
  readonly errors: number
  readonly slow: number
  readonly quality: number
  readonly kpi: number
}

/** Inside every limit: what the baseline is like, too. */
export const FINE: Shape = { errors: 0.005, slow: 0.03, quality: 0.9, kpi: 0.1 }
/** Outside of every limit. */
export const BAD: Shape = { errors: 0.03, slow: 0.2, quality: 0.75, kpi: 0.05 }

/** `n` requests; most take 10 ms, and 1.5 % a little longer, so that 10 ms is the p95. */
export function requests(n: number, { errors, slow, quality, kpi }: Shape = FINE): CellMetrics {
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
export function testOf(kind: Guardrail, restarts = 0, history = requests(20_000, FINE)) {
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
