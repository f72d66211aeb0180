import { type CellMetrics, outcomesOf } from '../domain/block.ts'
import type { Baseline } from './baseline.ts'
import type { BaselineLimits } from './baseline-limit.ts'
import { createBaselineLimits } from './baseline-limit.ts'
import type { CohortUnits, Unit } from './cohort-units.ts'
import type { TwoArmCounts } from './conditional.ts'
import { conditionalIncrements } from './conditional.ts'
import type { ErrorMargin } from './error-margin.ts'
import { GRID_SIZE, mixtureLogE, TILT_GRID } from './grid.ts'
import type { GuardrailTest, JudgedBlock, Pair, Reading, Stratum } from './guardrail-test.ts'
import { createEvidenceBlocks, INTERVAL_ALPHA, perUnit } from './guardrail-test.ts'
import { gateIn, type JudgeMode } from './judge-mode.ts'
import { boundedLog, logSumExp } from './log-space.ts'
import { growthOf, passEvidence } from './mean-difference.ts'
import { growthForMixture } from './needs.ts'
import { shocksNow } from './overdispersion.ts'
import { differenceRadius } from './paired.ts'
import type { Estimate } from './paired-window.ts'
import { createPairedWindow } from './paired-window.ts'
import { addAbove, addBelow } from './proportion.ts'
import { createRestarts } from './restarts.ts'
import { addInto, createTiltSums, type TiltSnapshot } from './tilt-sums.ts'
import type { WindowSnapshot } from './window-reading.ts'

const GATE = { requests: 100, bad: 30, blocks: 30 }
/** T3 as half of the breach evidence has no need of many blocks: T2 is the other half. */
const BREACH_GATE = { requests: 100, bad: 50, blocks: 0 }

/** T3's normal approximation is wrong for rare errors when the canary has a small share. */
const SMALLEST_SHARE = 0.1
const SHARE_NOISE = 2

/** Above this odds ratio between limit and baseline nearly no information is left in block totals. */
const LARGEST_ODDS = 3

/** Breach evidence of all units at one time. */
interface BreachSnapshot {
  readonly tilts: TiltSnapshot
  readonly window: WindowSnapshot
  readonly oneArms: TiltSnapshot
}

/** T1 of the units that are judged against the baseline's confidence limits. */
interface OneArm {
  readonly pass: Float64Array
  readonly limitsFor: ReturnType<typeof createBaselineLimits>
  limits: BaselineLimits | null
  n: number
  bad: number
}

/**
 * `error_rate: max_increase`. Breach: T2 within blocks, with the odds ratio that the margin means at
 * the cohort's rolling baseline rate; for a margin in percentage points averaged with T3, which is
 * faster at even shares. Pass: T3 on the paired difference, standardised for units of several cells.
 * A unit whose baseline has almost no errors is judged by T1 against the baseline's limits instead;
 * that is settled per unit when the weights of the release are.
 */
export function createRelativeErrorTest(
  margin: ErrorMargin,
  context: {
    readonly baseline: Baseline
    readonly units: CohortUnits
    readonly restarts: number
    readonly mode: JudgeMode
  },
): GuardrailTest {
  const { baseline, units, restarts, mode } = context
  const gate = gateIn(mode, GATE)
  const tilts = createTiltSums()
  const shared = createPairedWindow('rate', BREACH_GATE)
  /** Of the units that are judged against the baseline's confidence limits. */
  const singles = createTiltSums()
  const breach = createRestarts<BreachSnapshot>(restarts, () => ({
    tilts: tilts.snapshot(),
    window: shared.snapshot(),
    oneArms: singles.snapshot(),
  }))
  const release = createPairedWindow('rate', gate)
  const step = createPairedWindow('rate', gate)
  const blocks = createEvidenceBlocks()
  const increments = new Float64Array(GRID_SIZE)

  const oneArms = perUnit((index): OneArm | null => {
    const rate = baseline.rateBefore(units.units[index] as Unit) as number
    const odds = margin.odds(rate)
    if (rate > 0 && odds !== null && odds <= LARGEST_ODDS) return null
    return emptyOneArm(createBaselineLimits(margin.allowed))
  })
  /** Null for units that are compared within blocks, and before the start. */
  const oneArmOf = (unit: Unit): OneArm | null =>
    baseline.rateBefore(unit) === null ? null : oneArms.of(unit.index)
  const tauNow = (): number => margin.tau(baseline.rateBefore(units.overall) ?? 0)

  const foldOneArms = ({ cell, canary }: Stratum, inStep: boolean): void => {
    const outcomes = outcomesOf(canary)
    for (const index of cell.units) {
      const unit = units.units[index] as Unit
      const oneArm = oneArmOf(unit)
      if (oneArm === null) continue
      oneArm.limits = oneArm.limitsFor(baseline.countsOf(unit))
      addAbove(singles.of(index), oneArm.limits.breach, outcomes, canary.errors)
      if (!inStep) continue
      addBelow(oneArm.pass, oneArm.limits.pass, outcomes, canary.errors)
      oneArm.n += outcomes
      oneArm.bad += canary.errors
    }
  }
  const foldPair = (
    { cell, canary, stable, errorRate: rate }: Pair,
    inStep: boolean,
    feedT3: boolean,
  ): void => {
    const odds = margin.odds(rate)
    const counts = countsOf(canary, stable)
    if (odds !== null && conditionalIncrements(counts, Math.log(odds), increments)) {
      for (const unit of cell.units) addInto(tilts.of(unit), increments)
    }
    release.addCounts(cell, counts, margin.difference(rate))
    if (inStep) step.addCounts(cell, counts, margin.difference(rate))
    if (feedT3) shared.addCounts(cell, counts, margin.difference(rate))
  }

  return {
    fold(block) {
      const feedT3 = !margin.relative && hasShare(block)
      for (const stratum of block.strata) {
        if (outcomesOf(stratum.canary) > 0) blocks.saw(stratum.cell)
        foldOneArms(stratum, block.inStep)
      }
      for (const pair of block.pairs) foldPair(pair, block.inStep, feedT3)
      shared.endBlock()
      release.endBlock()
      step.endBlock()
      blocks.endBlock()
    },
    startStep() {
      step.reset()
      for (const unit of units.units) clearPass(oneArmOf(unit))
    },
    restart: breach.restart,
    read(unit, designEffect): Reading {
      const all = release.estimate(unit, designEffect)
      const now = step.estimate(unit, designEffect)
      const tau = tauNow()
      const temper = Math.max(
        designEffect,
        shocksNow(all, now, () => 1),
      )
      const conditional = (since: BreachSnapshot | null) =>
        tilts.logE(unit.index, since?.tilts ?? null, temper)
      const asymptotic = (since: BreachSnapshot | null) =>
        shared.logE(unit, designEffect, since?.window ?? null, tau)
      const paired = (since: BreachSnapshot | null) =>
        margin.relative ? conditional(since) : average(conditional(since), asymptotic(since))
      const oneArm = oneArmOf(unit)
      const single = (since: BreachSnapshot | null) =>
        singles.logE(unit.index, since?.oneArms ?? null, designEffect)
      const pass = passEvidence(now, tau)
      const t3Needed = oneArm === null || margin.relative
      return {
        method: oneArm !== null ? 'T1' : margin.relative ? 'T2' : 'T2+T3',
        logEBreach: boundedLog(breach.mix(oneArm === null ? paired : single)),
        logEPass: oneArm === null ? pass : oneArmPass(margin.relative, oneArm, pass, designEffect),
        ...rateValues(all, margin.relative, tau),
        blocks: blocks.of(unit),
        collecting: t3Needed && !now.gate.met,
        growthToPass: (logThreshold) =>
          growthToPass(oneArm, margin.relative, now, { tau, designEffect, logThreshold }),
      }
    },
  }
}

/**
 * With a relative margin the lower end of the baseline's interval can be 0, and then nothing passes
 * by T1; so half of the pass evidence is T3's, which speaks once its gate is met. An average of the
 * two, fixed in advance, is valid; choosing between them by looking would not be.
 */
function oneArmPass(
  relative: boolean,
  oneArm: OneArm,
  logEPassT3: number,
  designEffect: number,
): number {
  const logEPass = mixtureLogE(TILT_GRID, temperedLogs(oneArm.pass, designEffect))
  return boundedLog(relative ? average(logEPass, logEPassT3) : logEPass)
}

/** ln(½e^a + ½e^b). */
function average(a: number, b: number): number {
  return logSumExp([a, b]) - Math.LN2
}

function temperedLogs(logs: Float64Array, designEffect: number): Float64Array {
  return logs.map((log) => log / designEffect)
}

function emptyOneArm(limitsFor: OneArm['limitsFor']): OneArm {
  const pass = new Float64Array(GRID_SIZE)
  return { pass, limitsFor, limits: null, n: 0, bad: 0 }
}

function clearPass(oneArm: OneArm | null): void {
  if (oneArm === null) return
  oneArm.pass.fill(0)
  oneArm.n = 0
  oneArm.bad = 0
}

/** Whether the block's canary share is 10 % or more, up to the noise of who came when. */
function hasShare({ pairs }: JudgedBlock): boolean {
  let canary = 0
  let all = 0
  for (const pair of pairs) {
    canary += outcomesOf(pair.canary)
    all += outcomesOf(pair.canary) + outcomesOf(pair.stable)
  }
  const noise = Math.sqrt(all * SMALLEST_SHARE * (1 - SMALLEST_SHARE))
  return canary > 0 && canary >= SMALLEST_SHARE * all - SHARE_NOISE * noise
}

function countsOf(canary: CellMetrics, stable: CellMetrics): TwoArmCounts {
  return {
    canary: outcomesOf(canary),
    stable: outcomesOf(stable),
    canaryBad: canary.errors,
    stableBad: stable.errors,
  }
}

function growthToPass(
  oneArm: OneArm | null,
  relative: boolean,
  now: Estimate,
  at: { readonly tau: number; readonly designEffect: number; readonly logThreshold: number },
): number | null {
  const { tau, designEffect, logThreshold } = at
  if (oneArm === null) return growthOf(now, tau, logThreshold)
  // As half of an average each of the two must reach ln 2 more by itself.
  const alone = relative ? logThreshold + Math.LN2 : logThreshold
  const byT3 = relative ? growthOf(now, tau, alone) : null
  if (oneArm.limits === null || oneArm.n === 0) return byT3
  const { n, bad, limits } = oneArm
  const gains = new Float64Array(GRID_SIZE)
  addBelow(gains, limits.pass, n, (n * (bad + 0.5)) / (n + 1))
  const [logs, more] = [oneArm.pass, gains].map((each) => temperedLogs(each, designEffect))
  const byT1 = growthForMixture(TILT_GRID, logs as Float64Array, more as Float64Array, alone)
  return byT1 === null || byT3 === null ? (byT1 ?? byT3) : Math.min(byT1, byT3)
}

function rateValues(
  { difference, gate, nStable, nCanary, plainStable, plainCanary }: Estimate,
  relative: boolean,
  tau: number,
): Pick<Reading, 'stable' | 'canary' | 'difference' | 'ciLow' | 'ciHigh' | 'shift'> {
  const stable = { value: difference?.stable ?? plainStable, n: nStable }
  const canary = { value: difference?.canary ?? plainCanary, n: nCanary }
  if (difference === null) {
    return { stable, canary, difference: null, ciLow: null, ciHigh: null, shift: null }
  }
  const shift = difference.canary - difference.stable
  const unit = relative ? difference.stable : 1
  const inUnits = (value: number | null) => (value === null || unit === 0 ? null : value / unit)
  const known = gate.met && difference.seenVariance > 0
  const radius = known ? differenceRadius(difference.seenVariance, INTERVAL_ALPHA, tau) : null
  return {
    stable,
    canary,
    difference: inUnits(shift),
    ciLow: radius === null ? null : inUnits(shift - radius),
    ciHigh: radius === null ? null : inUnits(shift + radius),
    shift,
  }
}
