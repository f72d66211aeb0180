import { logEMeanLower, tempered, type UnitMoments } from './bounded-mean.ts'
import type { Unit } from './cohort-units.ts'
import type { GuardrailTest, Reading } from './guardrail-test.ts'
import { createEvidenceBlocks, INTERVAL_ALPHA, perUnit } from './guardrail-test.ts'
import { gateIn, type JudgeMode } from './judge-mode.ts'
import { boundedLog, logSumExp } from './log-space.ts'
import type { MeanScale } from './mean-scale.ts'
import { growthForDifference } from './needs.ts'
import { differenceLogE, differenceRadius } from './paired.ts'
import type { Estimate, Evidence } from './paired-window.ts'
import { createPairedWindow } from './paired-window.ts'
import { createRestarts } from './restarts.ts'
import type { WindowSnapshot } from './window-reading.ts'

/** How a difference of means is tested. */
export interface MeanDifferenceOptions {
  /** 1: an increase is bad, −1: a drop is bad. */
  readonly sign: 1 | -1
  /** Allowed increase or drop in the metric's own unit. */
  readonly margin: number
  /** Values per arm before anything is said. */
  readonly requests: number
  /** How often breach evidence may start once more. */
  readonly restarts: number
  readonly mode: JudgeMode
  /** Whether the release has cohorts: then what spans several of them must not be pooled. */
  readonly hasCohorts: boolean
}

/** Prior scale for margin 0, as a part of the range: the smallest change worth acting on. */
const DEFAULT_TAU = 0.01
const BLOCKS = 30
/** Part of the breach evidence that T4 has before T3's gate is met: it costs T3 a tenth of a nat. */
const EXACT_PART = 0.1

/**
 * `quality: max_drop`, `kpi: max_drop|max_increase`, by T3 on block-paired differences: what happens
 * to both arms at the same time, and which cohorts they serve, cannot tilt the comparison. Units of
 * several cells are standardised to the baseline's mix.
 */
export function createMeanDifferenceTest(
  scale: MeanScale,
  { sign, margin, requests, restarts, mode, hasCohorts }: MeanDifferenceOptions,
): GuardrailTest {
  const unitMargin = margin / scale.range
  const tau = unitMargin > 0 ? unitMargin : DEFAULT_TAU
  const rules = gateIn(mode, { requests, bad: 0, blocks: BLOCKS })
  const release = createPairedWindow('mean', rules)
  const breach = createRestarts(restarts, release.snapshot)
  const step = createPairedWindow('mean', rules)
  const blocks = createEvidenceBlocks()
  const first = createFirstStep()

  return {
    fold({ pairs, inStep }) {
      for (const { cell, canary, stable } of pairs) {
        const c = scale.momentsOf(canary)
        const b = scale.momentsOf(stable)
        if (c.n > 0 && b.n > 0) {
          blocks.saw(cell)
          first.add(cell.index, c, b)
        }
        release.addMeans(cell, c, b, sign, unitMargin)
        if (inStep) step.addMeans(cell, c, b, sign, unitMargin)
      }
      release.endBlock()
      step.endBlock()
      blocks.endBlock()
    },
    startStep() {
      step.reset()
      first.end()
    },
    restart: breach.restart,
    read(unit, designEffect): Reading {
      const all = release.estimate(unit, designEffect)
      const now = step.estimate(unit, designEffect)
      const logE = (since: WindowSnapshot | null): number => {
        if (since !== null) return release.logE(unit, designEffect, since, tau)
        if (hasCohorts && unit.kind !== 'cell') return breachEvidence(all, tau)
        if (all.gate.met) return breachEvidence(all, tau) + Math.log1p(-EXACT_PART)
        return logSumExp([
          Math.log1p(-EXACT_PART),
          Math.log(EXACT_PART) +
            exactEvidence(first.of(unit), { sign, margin: unitMargin, designEffect }),
        ])
      }
      return {
        method: 'T3',
        ...meanValues(all, scale, tau),
        logEBreach: boundedLog(breach.mix(logE)),
        logEPass: passEvidence(now, tau),
        blocks: blocks.of(unit),
        collecting: !now.gate.met,
        growthToPass: (logThreshold) => growthOf(now, tau, logThreshold),
      }
    },
  }
}

interface BothArms {
  readonly canary: UnitMoments
  readonly stable: UnitMoments
}

/**
 * What T4 reads: the first step's blocks in which both arms have values. It adds values up over time,
 * so the canary's share must not change meanwhile: where it grows while the level falls, the canary
 * has more of the bad hours.
 */
function createFirstStep() {
  const empty = (): UnitMoments => ({ n: 0, sum: 0, sumSquares: 0 })
  const cells = perUnit(() => ({ canary: empty(), stable: empty() }))
  let begun = false
  let ended = false
  return {
    add(cell: number, canary: UnitMoments, stable: UnitMoments): void {
      begun = true
      if (ended) return
      const sums = cells.of(cell)
      addMoments(sums.canary, canary)
      addMoments(sums.stable, stable)
    },
    /** A step that begins ends the one before, if that had anything. */
    end(): void {
      ended = begun
    },
    of(unit: Unit): BothArms {
      const sums = { canary: empty(), stable: empty() }
      for (const { index } of unit.cells) {
        addMoments(sums.canary, cells.of(index).canary)
        addMoments(sums.stable, cells.of(index).stable)
      }
      return sums
    },
  }
}

function addMoments(into: UnitMoments, { n, sum, sumSquares }: UnitMoments): void {
  into.n += n
  into.sum += sum
  into.sumSquares += sumSquares
}

/**
 * ln E of T4 for "worse than the margin". Together with T3 it is a fixed mixture of two e-processes,
 * each of which is stopped: T3 starts when its gate is met, and T4 ends there.
 */
function exactEvidence(
  { stable, canary }: BothArms,
  of: { readonly sign: 1 | -1; readonly margin: number; readonly designEffect: number },
): number {
  const turned = (moments: UnitMoments) =>
    tempered(of.sign < 0 ? moments : mirrored(moments), of.designEffect)
  return logEMeanLower(turned(canary), turned(stable), of.margin)
}

/** Moments of 1 − x. */
function mirrored({ n, sum, sumSquares }: UnitMoments): UnitMoments {
  return { n, sum: n - sum, sumSquares: n - 2 * sum + sumSquares }
}

/** ln E of T3 for "worse than the margin"; 0 before the gate is met. */
function breachEvidence({ gate, difference }: Evidence, tau: number): number {
  if (!gate.met || difference === null) return 0
  return differenceLogE(difference.excess, difference.variance, tau)
}

/** ln E of T3 for "not worse than the margin"; 0 before the gate is met. */
export function passEvidence({ gate, difference }: Evidence, tau: number): number {
  if (!gate.met || difference === null) return 0
  return differenceLogE(-difference.excess, difference.variance, tau)
}

/** Growth of a window's data until T3 passes. */
export function growthOf(window: Evidence, tau: number, logThreshold: number): number | null {
  const { difference, gate } = window
  if (difference === null) return null
  return growthForDifference(difference.excess, difference.variance, tau, gate, logThreshold)
}

function meanValues(
  { difference, gate, nStable, nCanary, plainStable, plainCanary }: Estimate,
  scale: MeanScale,
  tau: number,
): Pick<Reading, 'stable' | 'canary' | 'difference' | 'ciLow' | 'ciHigh' | 'shift'> {
  const own = (value: number | null) => (value === null ? null : scale.fromUnit(value))
  const change = difference === null ? null : difference.canary - difference.stable
  const known = difference !== null && gate.met && difference.seenVariance > 0
  const radius = known ? differenceRadius(difference.seenVariance, INTERVAL_ALPHA, tau) : null
  const inUnits = (value: number | null) => (value === null ? null : value * scale.range)
  return {
    stable: { value: own(difference?.stable ?? plainStable), n: nStable },
    canary: { value: own(difference?.canary ?? plainCanary), n: nCanary },
    difference: inUnits(change),
    ciLow: change === null || radius === null ? null : inUnits(change - radius),
    ciHigh: change === null || radius === null ? null : inUnits(change + radius),
    shift: inUnits(change),
  }
}
