import { isKeyCohort, OVERALL } from '../domain/cohort.ts'
import {
  type Action,
  type DecisionDraft,
  type Phase,
  type Reason,
  type StepStatus,
  TERMINAL_PHASES,
  type TrafficShare,
} from '../domain/decision.ts'
import { HaldaneError } from '../domain/errors.ts'
import type { ReleaseSpec } from '../domain/release.ts'
import { ceilToBlock, floorToBlock } from '../domain/time.ts'
import type { Assessment, EvidenceRow } from '../domain/verdict.ts'
import { sayWeights } from './notes.ts'
import { breachReasons, holdReasons, manualReason } from './reasons.ts'
import type { Laggards } from './traffic-reasons.ts'

/**
 * The rollout is a pure function of the release file, the newest decision and what the judge says:
 * the newest decision *is* its state, so a worker that starts again has nothing else to restore.
 */
export type RolloutState = DecisionDraft

/** Stored events a decision rests on. */
export interface Counts {
  readonly events: number
  readonly duplicates: number
  readonly late: number
}

/** What people may order. */
export type ManualCommand = 'pause' | 'resume' | 'promote' | 'abort' | 'rollback'

/** Cohorts beyond overall and the key ones that a decision names, by weighted evidence. */
const LISTED_COHORTS = 5

function trafficOf(spec: ReleaseSpec, canaryWeight: number): TrafficShare[] {
  return [
    { version: spec.stable, role: 'stable', weight: spec.totalWeight - canaryWeight },
    { version: spec.canary, role: 'canary', weight: canaryWeight },
  ]
}

/** Weight of the canary among a decision's traffic, in parts of `total_weight`; 0 without one. */
export function canaryWeightOf(traffic: readonly TrafficShare[]): number {
  return traffic.find((share) => share.role === 'canary')?.weight ?? 0
}

/**
 * The first decision of a release: `hold`, `release_started`, canary at the first weight.
 * It is known at `startMs`, so its window ends one watermark delay before it and holds nothing.
 * `attempt` counts the tries of the same version, from 1.
 */
export function startRollout(spec: ReleaseSpec, startMs: number, attempt = 1): DecisionDraft {
  const endMs = startMs - spec.blocks.watermarkMs
  const step = stepStatus(spec, 0, firstBlockMs(spec, startMs))
  return {
    action: 'hold',
    phase: 'ramping',
    traffic: trafficOf(spec, step.weight),
    previousTraffic: trafficOf(spec, 0),
    step,
    reasons: [
      {
        code: 'release_started',
        severity: 'info',
        message:
          `${spec.canary} starts at weight ${step.weight} of ${spec.totalWeight} beside ${spec.stable}` +
          (attempt === 1
            ? ''
            : `; try ${attempt} of this version has an error budget of its own, and evidence of earlier tries is not counted`),
      },
    ],
    evidence: [],
    window: { startMs: endMs, endMs, watermarkMs: startMs },
    counts: { events: 0, duplicates: 0, late: 0 },
  }
}

/**
 * A release as it stands when step `index` begins at `startMs`, nothing of which was judged yet.
 * Throws `internal` for a step the plan does not have.
 */
export function stateAtStep(spec: ReleaseSpec, index: number, startMs: number): RolloutState {
  const step = stepStatus(spec, index, startMs)
  const traffic = trafficOf(spec, step.weight)
  return { ...startRollout(spec, startMs), traffic, previousTraffic: traffic, step }
}

/** Start of the first block that a release started at `startMs` may judge. */
export function firstBlockMs(spec: ReleaseSpec, startMs: number): number {
  return ceilToBlock(startMs, spec.blocks.lengthMs)
}

/**
 * What to decide at the end of a closed block; null when nothing changed and no heartbeat is due.
 * `releaseStartMs` is the event time the release started at.
 */
export function decideAtBlockEnd(
  spec: ReleaseSpec,
  state: RolloutState,
  assessment: Assessment,
  at: { endMs: number; releaseStartMs: number; counts: Counts; laggards?: Laggards | null },
): DecisionDraft | null {
  if (TERMINAL_PHASES.includes(state.phase)) return null
  const window = windowOf(spec, at)
  const base = { window, counts: at.counts, evidence: listedEvidence(spec, assessment) }
  const say = (reasons: readonly Reason[]) => sayWeights(spec, assessment, reasons)

  if (assessment.rollback) {
    return {
      ...base,
      ...move(spec, state, 'rollback', 'rolled_back', 0, state.step),
      reasons: say(breachReasons(spec, assessment)),
    }
  }
  if (state.phase === 'paused') return repeat(spec, state, { ...base, reasons: state.reasons })

  const reasons = holdReasons(spec, state, assessment, at)
  if (reasons.length > 0) return repeat(spec, state, { ...base, reasons: say(reasons) })
  return { ...base, ...advance(spec, state, at.endMs), reasons: say([passedReason(assessment)]) }
}

/** What a person's command changes; null when it makes no sense in the present phase. */
export function decideByCommand(
  spec: ReleaseSpec,
  state: RolloutState,
  command: ManualCommand,
  by: string,
  reason: string,
  at: { endMs: number; releaseStartMs: number; counts: Counts },
): DecisionDraft | null {
  if (TERMINAL_PHASES.includes(state.phase)) return null
  const base = {
    window: at.endMs > state.window.endMs ? windowOf(spec, at) : state.window,
    counts: at.counts,
    evidence: state.evidence,
    reasons: [manualReason(command, by, reason)],
  }
  const weight = canaryWeightOf(state.traffic)
  switch (command) {
    case 'pause':
      if (state.phase === 'paused') return null
      return { ...base, ...move(spec, state, 'hold', 'paused', weight, state.step) }
    case 'resume': {
      if (state.phase !== 'paused') return null
      // What was seen while people held the release is not evidence for the step that goes on.
      const step = stepStatus(spec, state.step.index, nextStepMs(spec, base.window.endMs))
      return { ...base, ...move(spec, state, 'hold', 'ramping', weight, step) }
    }
    case 'promote':
      return {
        ...base,
        ...move(spec, state, 'increase', 'promoted', spec.totalWeight, finalStep(spec, state)),
      }
    case 'abort':
      return { ...base, ...move(spec, state, 'rollback', 'aborted', 0, state.step) }
    case 'rollback':
      return { ...base, ...move(spec, state, 'rollback', 'rolled_back', 0, state.step) }
  }
}

/** Repeats the present state because time passed without data; the caller's clock decided that. */
export function reportIdle(state: RolloutState, reason: Reason): DecisionDraft | null {
  if (TERMINAL_PHASES.includes(state.phase)) return null
  return { ...state, action: 'hold', previousTraffic: state.traffic, reasons: [reason] }
}

function repeat(
  spec: ReleaseSpec,
  state: RolloutState,
  next: Pick<DecisionDraft, 'window' | 'counts' | 'evidence' | 'reasons'>,
): DecisionDraft | null {
  const due = next.window.endMs - state.window.endMs >= spec.heartbeatMs
  const changed = state.action !== 'hold' || codes(state.reasons) !== codes(next.reasons)
  if (!due && !changed) return null
  const weight = canaryWeightOf(state.traffic)
  return { ...next, ...move(spec, state, 'hold', state.phase, weight, state.step) }
}

function advance(spec: ReleaseSpec, state: RolloutState, endMs: number) {
  const index = state.step.index + 1
  const next = spec.plan[index]
  if (next === undefined) {
    return move(spec, state, 'increase', 'promoted', spec.totalWeight, finalStep(spec, state))
  }
  const step = stepStatus(spec, index, nextStepMs(spec, endMs))
  return move(spec, state, 'increase', 'ramping', next.weight, step)
}

function windowOf(spec: ReleaseSpec, at: { endMs: number; releaseStartMs: number }) {
  return {
    startMs: Math.min(firstBlockMs(spec, at.releaseStartMs), at.endMs),
    endMs: at.endMs,
    watermarkMs: at.endMs + spec.blocks.watermarkMs,
  }
}

/** Routers learn of a decision one watermark delay after its window: only later blocks are the step's. */
function nextStepMs(spec: ReleaseSpec, endMs: number): number {
  return ceilToBlock(endMs + spec.blocks.watermarkMs, spec.blocks.lengthMs)
}

function move(
  spec: ReleaseSpec,
  state: RolloutState,
  action: Action,
  phase: Phase,
  canaryWeight: number,
  step: StepStatus,
) {
  return {
    action,
    phase,
    traffic: trafficOf(spec, canaryWeight),
    previousTraffic: state.traffic,
    step,
  }
}

function finalStep(spec: ReleaseSpec, state: RolloutState): StepStatus {
  return { ...state.step, index: spec.plan.length, weight: spec.totalWeight }
}

function stepStatus(spec: ReleaseSpec, index: number, startedAtMs: number): StepStatus {
  const step = spec.plan[index]
  if (step === undefined) {
    throw new HaldaneError('internal', `step ${index} of a plan of ${spec.plan.length}`)
  }
  const { weight, minDurationMs, minRequests } = step
  const count = spec.plan.length
  const blockMs = floorToBlock(startedAtMs, spec.blocks.lengthMs)
  return { index, count, weight, startedAtMs: blockMs, minDurationMs, minRequests }
}

function passedReason(assessment: Assessment): Reason {
  const required = assessment.rows.filter((row) => row.required).length
  const { canaryRequests } = assessment
  const seen = canaryRequests === 0 ? '' : ` on ${canaryRequests} canary requests of this step`
  return {
    code: 'all_guardrails_passed',
    severity: 'info',
    message: `all ${required} required comparisons are within their limits${seen}`,
  }
}

function codes(reasons: readonly Reason[]): string {
  return [...new Set(reasons.map((reason) => reason.code))].sort().join()
}

/** Overall and key rows, every breached or found one, the leading one, and the next largest by weight. */
function listedEvidence(spec: ReleaseSpec, assessment: Assessment): EvidenceRow[] {
  const weighted = assessment.rows
    .map((row, index) => ({ index, score: Math.log(row.weight) + row.logEBreach }))
    .filter(({ index }) => !isAlwaysListed(spec, assessment.rows[index]))
    .sort((a, b) => b.score - a.score || a.index - b.index)
    .slice(0, LISTED_COHORTS)
    .map(({ index }) => index)
  const extra = new Set([...weighted, assessment.leading, ...assessment.discovered])
  return assessment.rows.filter(
    (row, index) => isAlwaysListed(spec, row) || extra.has(index) || row.verdict === 'breached',
  )
}

function isAlwaysListed(spec: ReleaseSpec, row: EvidenceRow | undefined): boolean {
  return row !== undefined && (row.cohort === OVERALL || isKeyCohort(spec.cohorts.key, row.cohort))
}
