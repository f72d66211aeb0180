import type { UnitMoments } from './bounded-mean.ts'
import { cautiousVariance, logEMeanAbove, logEMeanBelow, meanLogs } from './bounded-mean.ts'
import type { Unit } from './cohort-units.ts'
import { BET_GRID } from './grid.ts'
import type { GuardrailTest, PerUnit, Reading } from './guardrail-test.ts'
import { createEvidenceBlocks, INTERVAL_ALPHA, perUnit } from './guardrail-test.ts'
import { boundedLog } from './log-space.ts'
import type { MeanScale } from './mean-scale.ts'
import { growthForMixture } from './needs.ts'
import { differenceRadius } from './paired.ts'
import { createRestarts } from './restarts.ts'

/** Smallest difference of means, as a part of the range, worth telling apart; for intervals. */
const MEAN_TAU = 0.01
const INTERVAL_FROM = 100

/**
 * `quality: min` and `kpi: min`, by T4 on the canary's values as they are, scaled into [0, 1] by the
 * metric's bounds: exact for any number of values. The two-arm form of T4 (for differences before
 * the gate of T3) belongs beside this one.
 */
export function createAbsoluteMeanTest(
  scale: MeanScale,
  limit: number,
  restarts: number,
): GuardrailTest {
  const unitLimit = scale.toUnit(limit)
  const canary = createRestarts(restarts, () => perUnit(emptyMoments))
  const stable = perUnit(emptyMoments)
  const step = perUnit(emptyMoments)
  const blocks = createEvidenceBlocks()

  return {
    fold({ strata, inStep }) {
      for (const stratum of strata) {
        const seen = scale.momentsOf(stratum.canary)
        if (seen.n > 0) blocks.saw(stratum.cell)
        for (const unit of stratum.cell.units) {
          for (const part of canary.all) addMoments(part.of(unit), seen)
          addMoments(stable.of(unit), scale.momentsOf(stratum.stable))
          if (inStep) addMoments(step.of(unit), seen)
        }
      }
      blocks.endBlock()
    },
    startStep: () => step.clear(),
    restart: () => canary.restart(),
    read(unit: Unit): Reading {
      const c = (canary.all[0] as PerUnit<UnitMoments>).of(unit.index)
      const b = stable.of(unit.index)
      const s = step.of(unit.index)
      const difference = c.n === 0 || b.n === 0 ? null : c.sum / c.n - b.sum / b.n
      const known = difference !== null && Math.min(c.n, b.n) >= INTERVAL_FROM
      const variance = cautiousVariance(c) / c.n + cautiousVariance(b) / b.n
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
        logEBreach: boundedLog(canary.mix((part) => logEMeanBelow(part.of(unit.index), unitLimit))),
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

function emptyMoments(): UnitMoments {
  return { n: 0, sum: 0, sumSquares: 0 }
}

function addMoments(into: UnitMoments, moments: UnitMoments): void {
  into.n += moments.n
  into.sum += moments.sum
  into.sumSquares += moments.sumSquares
}
