import { type CellMetrics, outcomesOf } from '../domain/block.ts'
import type { Metric } from '../domain/release.ts'
import type { Unit } from './cohort-units.ts'
import { GRID_SIZE, TILT_GRID } from './grid.ts'
import type { GuardrailTest, Reading } from './guardrail-test.ts'
import { createEvidenceBlocks, INTERVAL_ALPHA } from './guardrail-test.ts'
import type { LatencyTotals } from './latency-totals.ts'
import { compareQuantiles } from './latency-totals.ts'
import { boundedLog } from './log-space.ts'
import { growthForMixture } from './needs.ts'
import { differenceRadius } from './paired.ts'
import type { ProportionLimit } from './proportion.ts'
import { addBelow, logEAbove, logEBelow, proportionLimit } from './proportion.ts'
import { createRestarts } from './restarts.ts'
import { createUnitSums, type Shape, type UnitSnapshot } from './unit-sums.ts'

interface Counts {
  readonly n: number
  readonly bad: number
}

const COUNTS: Shape<Counts> = {
  width: 2,
  add(row, { n, bad }) {
    row[0] = (row[0] as number) + n
    row[1] = (row[1] as number) + bad
  },
  read: (row) => ({ n: row[0] as number, bad: row[1] as number }),
}

/** Smallest difference of rates worth telling apart; tunes the displayed interval. */
const RATE_TAU = 0.002
/** Below this the normal interval of a difference means nothing. */
const INTERVAL_FROM = 100

/**
 * `error_rate: max` and `latency_pXX: max`, by T1 on the canary's requests as they are. A limit L on
 * the q-quantile is the limit 1 − q on the share of latencies above L, which the store counts exactly.
 * Units of several cells pool them: an absolute limit is about what users got.
 */
export function createAbsoluteProportionTest(
  metric: Extract<Metric, { kind: 'latency' | 'error_rate' }>,
  limit: number,
  limitIndex: number,
  latencies: LatencyTotals,
  restarts: number,
): GuardrailTest {
  const p0 = proportionLimit(metric.kind === 'latency' ? 1 - metric.quantile : limit)
  const countsOf = (metrics: CellMetrics): Counts =>
    metric.kind === 'latency'
      ? { n: metrics.latencies, bad: metrics.overLimit[limitIndex] ?? 0 }
      : { n: outcomesOf(metrics), bad: metrics.errors }
  const countsToPass = ({ overEdgeBelow }: CellMetrics, counts: Counts): Counts =>
    metric.kind === 'latency' && overEdgeBelow !== undefined
      ? { n: counts.n, bad: overEdgeBelow[limitIndex] ?? 0 }
      : counts
  const canary = createUnitSums(COUNTS)
  const breach = createRestarts(restarts, canary.snapshot)
  const stable = createUnitSums(COUNTS)
  const step = createUnitSums(COUNTS)
  const blocks = createEvidenceBlocks()

  const valuesOf = (unit: Unit, designEffect: number): Values =>
    metric.kind === 'latency'
      ? latencyValues(unit, latencies, p0)
      : rateValues(stable.of(unit.index), canary.of(unit.index), designEffect)

  return {
    fold({ strata, inStep }) {
      for (const stratum of strata) {
        const counts = countsOf(stratum.canary)
        const toPass = countsToPass(stratum.canary, counts)
        const stableCounts = countsOf(stratum.stable)
        if (counts.n > 0) blocks.saw(stratum.cell)
        for (const unit of stratum.cell.units) {
          canary.add(unit, counts)
          stable.add(unit, stableCounts)
          if (inStep) step.add(unit, toPass)
        }
      }
      blocks.endBlock()
    },
    startStep: step.clear,
    restart: breach.restart,
    read(unit, designEffect) {
      const c = canary.of(unit.index)
      const b = stable.of(unit.index)
      const s = tempered(step.of(unit.index), designEffect)
      const values = valuesOf(unit, designEffect)
      const logE = (since: UnitSnapshot | null) => {
        const { n, bad } = canary.of(unit.index, since)
        return logEAbove(p0, n / designEffect, bad / designEffect)
      }
      return {
        method: 'T1',
        ...values,
        stable: { value: values.stable, n: b.n },
        canary: { value: values.canary, n: c.n },
        shift: c.n === 0 || b.n === 0 ? null : c.bad / c.n - b.bad / b.n,
        logEBreach: boundedLog(breach.mix(logE)),
        logEPass: boundedLog(logEBelow(p0, s.n, s.bad)),
        blocks: blocks.of(unit),
        collecting: false,
        growthToPass: (logThreshold) => growthToPass(p0, s, logThreshold),
      }
    },
  }
}

/** Components are linear in the counts, so fewer independent events are the same as a power of E. */
function tempered({ n, bad }: Counts, designEffect: number): Counts {
  return { n: n / designEffect, bad: bad / designEffect }
}

const logs = new Float64Array(GRID_SIZE)
const gains = new Float64Array(GRID_SIZE)

/**
 * Growth of a sample in which the share of bad events goes on as seen; half a bad event is added, so
 * that a sample without any is not taken for a rate of zero.
 */
export function growthToPass(
  limit: ProportionLimit,
  { n, bad }: Counts,
  logThreshold: number,
): number | null {
  if (n === 0) return null
  logs.fill(0)
  gains.fill(0)
  addBelow(logs, limit, n, bad)
  addBelow(gains, limit, n, (n * (bad + 0.5)) / (n + 1))
  return growthForMixture(TILT_GRID, logs, gains, logThreshold)
}

type Values = Pick<Reading, 'difference' | 'ciLow' | 'ciHigh'> & {
  stable: number | null
  canary: number | null
}

function latencyValues(unit: Unit, latencies: LatencyTotals, limit: ProportionLimit): Values {
  const compared = compareQuantiles(
    latencies.quantile(latencies.pooled(unit, 'stable'), limit),
    latencies.quantile(latencies.pooled(unit, 'canary'), limit),
    false,
  )
  const { stableMs, canaryMs, difference, ciLow, ciHigh } = compared
  return { stable: stableMs, canary: canaryMs, difference, ciLow, ciHigh }
}

function rateValues(stable: Counts, canary: Counts, designEffect: number): Values {
  const b = stable.n === 0 ? null : stable.bad / stable.n
  const c = canary.n === 0 ? null : canary.bad / canary.n
  if (b === null || c === null) {
    return { stable: b, canary: c, difference: null, ciLow: null, ciHigh: null }
  }
  const difference = c - b
  if (Math.min(stable.n, canary.n) < INTERVAL_FROM) {
    return { stable: b, canary: c, difference, ciLow: null, ciHigh: null }
  }
  const variance = designEffect * (rateVariance(stable) + rateVariance(canary))
  const radius = differenceRadius(variance, INTERVAL_ALPHA, RATE_TAU)
  return {
    stable: b,
    canary: c,
    difference,
    ciLow: difference - radius,
    ciHigh: difference + radius,
  }
}

function rateVariance({ n, bad }: Counts): number {
  const p = (bad + 0.5) / (n + 1)
  return (p * (1 - p)) / n
}
