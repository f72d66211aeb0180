import type { ClosedBlock, HistoryCell } from '../domain/block.ts'
import { HaldaneError } from '../domain/errors.ts'
import type { ReleaseSpec } from '../domain/release.ts'
import { ceilToBlock, floorToBlock } from '../domain/time.ts'
import type { Assessment } from '../domain/verdict.ts'
import { assess } from './assess.ts'
import { createBaseline, ENOUGH_BASELINE } from './baseline.ts'
import type { BlockMetrics } from './block-intake.ts'
import { EMPTY_METRICS, intake } from './block-intake.ts'
import { createBlockPairs } from './block-pairs.ts'
import type { Cell, Unit } from './cohort-units.ts'
import { createCohortUnits } from './cohort-units.ts'
import type { Stratum } from './guardrail-test.ts'
import { createGuardrailTest, relativeQuantilesOf } from './guardrail-tests.ts'
import { BY_BLOCKS, type JudgeMode } from './judge-mode.ts'
import { createLatencyTotals } from './latency-totals.ts'
import { createTraffic } from './traffic.ts'
import { createTrafficChecks } from './traffic-checks.ts'
import { createUserClusters } from './user-clusters.ts'
import type { Weights } from './weights.ts'
import { fixWeights } from './weights.ts'

/** Changes whenever the same blocks could lead to other numbers. */
export const JUDGE_VERSION = '5'

/** Breach evidence starts once more at each of these parts of the longest duration but the first. */
const DURATION_PARTS = 10
/** Routers that say nothing have applied a decision by then. */
const BLOCKS_TO_APPLY = 2

/** Caution that a measurement of the bare tests does without. */
export interface JudgeRules {
  /** Whether breach evidence starts once more at each later step and each tenth of the duration. */
  readonly restarts: boolean
  /**
   * Judged blocks before breach evidence counts, and in a step before it can be passed: a cold start
   * would look like a regression, and one block may be anything.
   */
  readonly fewestBlocks: number
}

/** As releases are judged. */
export const SHIPPED_RULES: JudgeRules = { restarts: true, fewestBlocks: 2 }

/**
 * A fold over closed blocks: no clock, no randomness, no input or output. The same blocks give the
 * same numbers, so evidence is never stored; it is folded again from the recorded blocks.
 */
export interface Judge {
  /** Folds one closed block; blocks come once each, ascending. */
  fold(block: ClosedBlock): void
  /** Pass evidence starts afresh with the first block that starts at or after startMs. */
  startStep(index: number, startMs: number): void
  /**
   * When routers had the step's weights in force: only blocks that start then or later are compared
   * with them. Null: not yet. Without a word it is two blocks after the step's start.
   */
  weightsInForce(fromMs: number | null): void
  /** Reads verdicts at the end of the last folded block. */
  assess(): Assessment
  /** Baseline requests without which nothing is judged yet; 0 once weights are fixed. */
  readonly missingBaseline: number
  /**
   * Per quantile of `relativeQuantilesOf` the baseline's bin over all cohorts: what lies above is
   * slow when users are compared. Fixed together with the weights; none before, nor for a baseline
   * without latencies.
   */
  readonly slowBins: readonly number[]
}

/**
 * `history`: the baseline's totals per cohort before the release. With fewer than 1,000 requests in
 * it the first blocks only complete it and are never judged. Blocks that start before the one of
 * `releaseStartMs` feed the baseline only. Throws `invalid_input` for a limit there is no test for.
 */
export function createJudge(
  spec: ReleaseSpec,
  history: readonly HistoryCell[],
  releaseStartMs: number,
  rules: JudgeRules = SHIPPED_RULES,
  mode: JudgeMode = BY_BLOCKS,
): Judge {
  const { lengthMs } = spec.blocks
  const units = createCohortUnits(spec.cohorts)
  const baseline = createBaseline(units, history, relativeQuantilesOf(spec))
  const pairing = createBlockPairs(baseline, { merges: mode.manyBlocks, lengthMs })
  const latencies = createLatencyTotals(mode.scale)
  const restarts = rules.restarts ? spec.plan.length - 1 + DURATION_PARTS - 1 : 0
  const context = { spec, units, baseline, latencies, restarts, mode }
  const tests = spec.guardrails.map((guardrail) => createGuardrailTest(guardrail, context))
  const keepsLatencies = spec.guardrails.some(({ metric }) => metric.kind === 'latency')
  const traffic = createTraffic()
  const clusters = createUserClusters(spec, relativeQuantilesOf(spec))
  const checks = createTrafficChecks(spec, mode.split)
  const releaseFromMs = floorToBlock(releaseStartMs, lengthMs)
  let stepFromMs = releaseFromMs
  let inForceFromMs = releaseFromMs
  let step = 0
  let stepBegun = true
  /** Later steps whose restart is done; a step that is taken up again is none. */
  let restartedStep = 0
  let restartedPart = 0
  let judgedFromMs: number | null = null
  let foldedToMs = Number.NEGATIVE_INFINITY
  let weights: Weights | null = null
  let weightsFrom: number | null = null
  let slowBins: readonly number[] = []

  /** Shares, weights and rates before the release are settled together, once. */
  const startWhenReady = (inRelease: boolean): void => {
    if (weights !== null) return
    if (mode.manyBlocks && baseline.totalRequests < ENOUGH_BASELINE) return
    units.fixShares(baseline.requestsOf)
    baseline.freezeRates()
    slowBins = baseline.overallBins()
    weights = fixWeights(spec.guardrails, units.units)
    if (inRelease) weightsFrom = baseline.totalRequests
  }

  const noteTraffic = (block: ClosedBlock, stable: BlockMetrics, canary: BlockMetrics): void => {
    traffic.newestClosedEndMs = block.endMs
    traffic.events += block.events
    traffic.late += block.late
    if (hasRequests(stable)) traffic.newestStableEndMs = block.endMs
    if (!hasRequests(canary)) return
    traffic.newestCanaryEndMs = block.endMs
    if (block.startMs >= stepFromMs) traffic.newestCanaryEndInStepMs = block.endMs
    judgedFromMs ??= block.startMs + spec.warmupMs
  }

  /** What waits for more requests belongs to the time before; it counts as it is. */
  const foldWaiting = (inStep: boolean): void => {
    const pairs = pairing.flush()
    if (pairs.length === 0) return
    for (const test of tests) test.fold({ strata: [], pairs, inStep })
  }
  const restartAll = (): void => {
    foldWaiting(stepBegun)
    for (const test of tests) test.restart()
  }
  /** Restarts come at times that are fixed, or follow from decisions, before the block is seen. */
  const restartWhenDue = (startMs: number): void => {
    if (step > restartedStep && startMs >= stepFromMs) {
      restartedStep = step
      restartAll()
    }
    const part = Math.floor((DURATION_PARTS * (startMs - releaseFromMs)) / spec.maxDurationMs)
    for (; restartedPart < Math.min(part, DURATION_PARTS - 1); restartedPart++) restartAll()
  }

  /** The units whose first canary requests these are. */
  const noteUnits = (strata: readonly Stratum[], endMs: number, inStep: boolean): Unit[] => {
    const appeared: Unit[] = []
    for (const { cell, canary } of strata) {
      if (canary.requests === 0) continue
      for (const index of cell.units) {
        const unit = units.units[index] as Unit
        if (traffic.note(unit, canary.requests, endMs, inStep)) appeared.push(unit)
      }
    }
    return appeared
  }

  const judgeBlock = (block: ClosedBlock, strata: readonly Stratum[]): void => {
    const inStep = block.startMs >= stepFromMs
    if (inStep && !stepBegun) {
      foldWaiting(false)
      stepBegun = true
    }
    restartWhenDue(block.startMs)
    if (inStep) traffic.stepBlocks++
    weights?.grant(noteUnits(strata, block.endMs, inStep))
    if (keepsLatencies) latencies.fold(strata)
    clusters.fold(strata)
    if (inStep) checks.fold(block, strata, block.startMs >= inForceFromMs)
    const pairs = pairing.fold(strata, block.endMs)
    for (const test of tests) test.fold({ strata, pairs, inStep })
  }

  startWhenReady(false)
  return {
    fold(block) {
      if (block.startMs < foldedToMs) throw outOfOrder(block.startMs, foldedToMs)
      foldedToMs = block.endMs
      const { stable, canary } = intake(block, units)
      if (block.startMs >= releaseFromMs) {
        noteTraffic(block, stable, canary)
        const warm = judgedFromMs !== null && block.startMs >= judgedFromMs
        if (weights !== null && warm) judgeBlock(block, strataOf(units.cells, stable, canary))
      }
      baseline.add(stable)
      startWhenReady(block.startMs >= releaseFromMs)
    },
    startStep(index, startMs) {
      step = index
      stepFromMs = startMs
      stepBegun = false
      inForceFromMs = mode.split === 'assigned' ? startMs + BLOCKS_TO_APPLY * lengthMs : startMs
      traffic.startStep()
      clusters.startStep()
      checks.startStep((spec.plan[index]?.weight ?? 0) / spec.totalWeight)
      for (const test of tests) test.startStep()
    },
    weightsInForce(fromMs) {
      inForceFromMs = fromMs === null ? Number.POSITIVE_INFINITY : ceilToBlock(fromMs, lengthMs)
    },
    get missingBaseline() {
      if (weights !== null) return 0
      return Math.max(0, ENOUGH_BASELINE - baseline.totalRequests)
    },
    get slowBins() {
      return slowBins
    },
    assess: () =>
      assess({
        spec,
        units,
        tests,
        weights,
        weightsFrom,
        traffic,
        rules,
        mode,
        designEffectOf: clusters.designEffect,
        checks: checks.read(clusters),
      }),
  }
}

function hasRequests(metrics: BlockMetrics): boolean {
  return [...metrics.values()].some(({ requests }) => requests > 0)
}

/** Both arms of every cell that has any requests, in the order the cells were registered. */
function strataOf(cells: readonly Cell[], stable: BlockMetrics, canary: BlockMetrics): Stratum[] {
  return cells
    .filter((cell) => stable.has(cell) || canary.has(cell))
    .map((cell) => ({
      cell,
      canary: canary.get(cell) ?? EMPTY_METRICS,
      stable: stable.get(cell) ?? EMPTY_METRICS,
    }))
}

function outOfOrder(startMs: number, foldedToMs: number): HaldaneError {
  return new HaldaneError(
    'internal',
    `block at ${startMs} ms folded after one that ends at ${foldedToMs} ms`,
    { remedy: 'Fold each closed block once, in ascending order.' },
  )
}
