import type { CellMetrics } from '../domain/block.ts'
import { UNBOUNDED_BIN } from '../domain/histogram.ts'
import { createBaselineScatter } from './baseline-scatter.ts'
import type { Cell } from './cohort-units.ts'
import type { TwoArmCounts } from './conditional.ts'
import { conditionalIncrements } from './conditional.ts'
import { GRID_SIZE } from './grid.ts'
import type { GuardrailTest, Reading } from './guardrail-test.ts'
import { createEvidenceBlocks, perUnit } from './guardrail-test.ts'
import { gateIn, type JudgeMode } from './judge-mode.ts'
import { countAbove } from './latency-histogram.ts'
import type { LatencyTotals } from './latency-totals.ts'
import { compareQuantiles } from './latency-totals.ts'
import { boundedLog } from './log-space.ts'
import { growthOf, passEvidence } from './mean-difference.ts'
import { shocksNow } from './overdispersion.ts'
import { createPairedWindow } from './paired-window.ts'
import { proportionLimit } from './proportion.ts'
import { createRestarts } from './restarts.ts'
import { addInto, createTiltSums } from './tilt-sums.ts'

/** Smallest change of the share above x₀ worth acting on. */
const TAU = 0.015
const GATE = { requests: 100, bad: 30, blocks: 30 }

interface Thresholds {
  /** x₀: the baseline's values above it are counted. */
  readonly stable: number
  /** The canary's values above these bins are bad to the breach and to the pass test. */
  readonly breach: number
  readonly pass: number
  /** Part of the values in the bin of `breach` that is above the limit, too; 0 where edges decide. */
  readonly inside: number
}

/**
 * `latency_pXX: max_increase`: the share of canary latencies above (1+δ)x₀ against the share of
 * baseline latencies above x₀, the rolling baseline quantile of the cohort, within each block.
 * Breach by T2 (exact for every x₀, whatever the level of the block), pass by T3 on the difference of
 * the shares; the margin is inside the thresholds. Where (1+δ)x₀ is no bin edge the bin's values are
 * taken as evenly spread on the logarithmic scale, which in a bin of 1 % is as good as the clock that
 * measured them. Of a histogram that was counted elsewhere, with bins of any width, the pass test
 * counts from the edge below and the breach test from the edge above.
 */
export function createRelativeLatencyTest(
  quantile: number,
  increase: number,
  context: {
    /** Place of the quantile among those the pairs carry bins of. */
    readonly quantileAt: number
    readonly latencies: LatencyTotals
    readonly restarts: number
    readonly mode: JudgeMode
  },
): GuardrailTest {
  const { quantileAt, latencies, restarts, mode } = context
  const gate = gateIn(mode, GATE)
  const tilts = createTiltSums()
  const breach = createRestarts(restarts, tilts.snapshot)
  const release = createPairedWindow('exceedance', gate)
  const step = createPairedWindow('exceedance', gate)
  const scatter = createBaselineScatter()
  const blocks = createEvidenceBlocks()
  const increments = new Float64Array(GRID_SIZE)
  const intervalLimit = proportionLimit(1 - quantile)

  /** By cell: what is left of parts of values, which are counted as soon as they make a whole one. */
  const parts = perUnit(() => ({ left: 0 }))

  const addTilts = (cell: Cell, counts: TwoArmCounts): void => {
    if (!conditionalIncrements(counts, 0, increments)) return
    for (const unit of cell.units) addInto(tilts.of(unit), increments)
  }

  return {
    fold({ pairs, inStep }) {
      for (const { cell, canary, stable, quantileBins } of pairs) {
        const x0 = quantileBins[quantileAt] ?? null
        if (x0 === null) continue
        const thresholds = thresholdsOf(mode, x0, increase)
        const part = parts.of(cell.index)
        part.left += thresholds.inside * countIn(canary, thresholds.breach)
        const whole = Math.floor(part.left)
        part.left -= whole
        if (canary.latencies > 0 && stable.latencies > 0) blocks.saw(cell)
        const breaching = countsOf(canary, stable, thresholds.breach, thresholds.stable, whole)
        addTilts(cell, breaching)
        scatter.add(cell, breaching.stable, breaching.stableBad)
        const passing =
          thresholds.pass === thresholds.breach
            ? breaching
            : countsOf(canary, stable, thresholds.pass, thresholds.stable, 0)
        release.addCounts(cell, passing, 0)
        if (inStep) step.addCounts(cell, passing, 0)
      }
      scatter.endBlock()
      release.endBlock()
      step.endBlock()
      blocks.endBlock()
    },
    startStep: () => step.reset(),
    restart: breach.restart,
    read(unit, designEffect): Reading {
      const values = compareQuantiles(
        latencies.quantile(latencies.standardised(unit, 'stable'), intervalLimit),
        latencies.quantile(latencies.standardised(unit, 'canary'), intervalLimit),
        true,
      )
      const all = release.estimate(unit, designEffect)
      const shares = all.difference
      const now = step.estimate(unit, designEffect)
      const shocks = shocksNow(all, now, (h) => scatter.shocks(unit.index, h))
      const temper = Math.max(designEffect, shocks)
      return {
        method: 'T2',
        stable: { value: values.stableMs, n: latencies.pooled(unit, 'stable').total },
        canary: { value: values.canaryMs, n: latencies.pooled(unit, 'canary').total },
        difference: values.difference,
        ciLow: values.ciLow,
        ciHigh: values.ciHigh,
        shift: shares === null ? null : shares.canary - shares.stable,
        logEBreach: boundedLog(breach.mix((since) => tilts.logE(unit.index, since, temper))),
        logEPass: passEvidence(now, TAU),
        blocks: blocks.of(unit),
        collecting: !now.gate.met,
        growthToPass: (logThreshold) => growthOf(now, TAU, logThreshold),
      }
    },
  }
}

function thresholdsOf({ scale, manyBlocks }: JudgeMode, bin: number, increase: number): Thresholds {
  const x0 = scale.upperEdge(bin)
  // A baseline whose quantile lies among timeouts without a latency cannot be exceeded.
  if (!Number.isFinite(x0)) {
    return { stable: UNBOUNDED_BIN, breach: UNBOUNDED_BIN, pass: UNBOUNDED_BIN, inside: 0 }
  }
  const limit = (1 + increase) * x0
  const breach = scale.atOrAbove(limit)
  const [low, high] = [scale.upperEdge(breach - 1), scale.upperEdge(breach)]
  const spread = manyBlocks && low > 0 && low < limit && Number.isFinite(high)
  return {
    stable: bin,
    breach,
    pass: spread ? breach : scale.atOrBelow(limit),
    inside: spread ? Math.log(high / limit) / Math.log(high / low) : 0,
  }
}

function countIn({ bins, counts }: CellMetrics, bin: number): number {
  const at = bins.indexOf(bin)
  return at < 0 ? 0 : (counts[at] as number)
}

/** `inside`: canary values that are bad and not above `canaryBin`. */
function countsOf(
  canary: CellMetrics,
  stable: CellMetrics,
  canaryBin: number,
  stableBin: number,
  inside: number,
): TwoArmCounts {
  const above = countAbove(canary.bins, canary.counts, canaryBin)
  return {
    canary: canary.latencies,
    stable: stable.latencies,
    canaryBad: Math.min(canary.latencies, above + inside),
    stableBad: countAbove(stable.bins, stable.counts, stableBin),
  }
}
