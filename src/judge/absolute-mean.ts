import {
  cautiousVariance,
  logEMeanAbove,
  logEMeanBelow,
  meanLogs,
  tempered,
  type UnitMoments,
} from './bounded-mean.ts'
import { BET_GRID } from './grid.ts'
import type { GuardrailTest, Reading } from './guardrail-test.ts'
import { createEvidenceBlocks, INTERVAL_ALPHA } from './guardrail-test.ts'
import { boundedLog } from './log-space.ts'
import type { MeanScale } from './mean-scale.ts'
import { growthForMixture } from './needs.ts'
import { differenceRadius } from './paired.ts'
import { createRestarts } from './restarts.ts'
import { createUnitSums, type Shape, type UnitSnapshot } from './unit-sums.ts'

/** Smallest difference of means, as a part of the range, worth telling apart; for intervals. */
const MEAN_TAU = 0.01
const INTERVAL_FROM = 100

const MOMENTS: Shape<UnitMoments> = {
  width: 3,
  add(row, { n, sum, sumSquares }) {
    row[0] = (row[0] as number) + n
    row[1] = (row[1] as number) + sum
    row[2] = (row[2] as number) + sumSquares
  },
  read: (row) => ({ n: row[0] as number, sum: row[1] as number, sumSquares: row[2] as number }),
}

/**
 * `quality: min` and `kpi: min`, by T4 on the canary's values as they are, scaled into [0, 1] by the
 * metric's bounds: exact for any number of values.
 */
export function createAbsoluteMeanTest(
  scale: MeanScale,
  limit: number,
  restarts: number,
): GuardrailTest {
  const unitLimit = scale.toUnit(limit)
  const canary = createUnitSums(MOMENTS)
  const breach = createRestarts(restarts, canary.snapshot)
  const stable = createUnitSums(MOMENTS)
  const step = createUnitSums(MOMENTS)
  const blocks = createEvidenceBlocks()

  return {
    fold({ strata, inStep }) {
      for (const stratum of strata) {
        const seen = scale.momentsOf(stratum.canary)
        const stableSeen = scale.momentsOf(stratum.stable)
        if (seen.n > 0) blocks.saw(stratum.cell)
        for (const unit of stratum.cell.units) {
          canary.add(unit, seen)
          stable.add(unit, stableSeen)
          if (inStep) step.add(unit, seen)
        }
      }
      blocks.endBlock()
    },
    startStep: step.clear,
    restart: breach.restart,
    read(unit, designEffect): Reading {
      const c = canary.of(unit.index)
      const b = stable.of(unit.index)
      const s = tempered(step.of(unit.index), designEffect)
      const logE = (since: UnitSnapshot | null) =>
        logEMeanBelow(tempered(canary.of(unit.index, since), designEffect), unitLimit)
      const difference = c.n === 0 || b.n === 0 ? null : c.sum / c.n - b.sum / b.n
      const known = difference !== null && Math.min(c.n, b.n) >= INTERVAL_FROM
      const variance = designEffect * (cautiousVariance(c) / c.n + cautiousVariance(b) / b.n)
      const radius = known ? differenceRadius(variance, INTERVAL_ALPHA, MEAN_TAU) : null
      const inUnits = (value: number | null) => (value === null ? null : value * scale.range)
      return {
        method: 'T4',
        stable: { value: b.n === 0 ? null : scale.fromUnit(b.sum / b.n), n: b.n },
        canary: { value: c.n === 0 ? null : scale.fromUnit(c.sum / c.n), n: c.n },
        difference: inUnits(difference),
        ciLow: radius === null || difference === null ? null : inUnits(difference - radius),
        ciHigh: radius === null || difference === null ? null : inUnits(difference + radius),
        shift: inUnits(difference),
        logEBreach: boundedLog(breach.mix(logE)),
        logEPass: boundedLog(logEMeanAbove(s, unitLimit)),
        blocks: blocks.of(unit),
        collecting: false,
        growthToPass(logThreshold) {
          if (s.n === 0) return null
          const logs = meanLogs(s, unitLimit, 1)
          return growthForMixture(BET_GRID, logs, logs, logThreshold)
        },
      }
    },
  }
}
