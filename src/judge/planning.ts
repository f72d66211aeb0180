import type { CohortRef } from '../domain/cohort.ts'
import type { Guardrail, PlanStep, ReleaseSpec } from '../domain/release.ts'
import type { BaselineFacts } from './baseline-facts.ts'
import { combineFacts } from './baseline-facts.ts'
import type { Unit } from './cohort-units.ts'
import { createCohortUnits } from './cohort-units.ts'
import type { Hitting } from './growth.ts'
import { requestsUntil } from './growth.ts'
import type { EffectKind, GuardrailGrowth } from './guardrail-growth.ts'
import { growthOfGuardrail } from './guardrail-growth.ts'
import { fixWeights, isTested } from './weights.ts'

/** Blocks a pass by T3 waits for. */
const PAIRED_BLOCKS = 30
const EFFECT_BISECTIONS = 60

/** One guardrail × unit × step, before the release. */
export interface PlannedRow {
  readonly metric: string
  readonly limit: string
  readonly cohort: CohortRef
  readonly step: number
  readonly weight: number
  readonly required: boolean
  /** Of both arms together. */
  readonly requestsPerSecond: number
  /** Seconds until the pass is known when the canary is like the baseline; null: never. */
  readonly passSeconds: Hitting | null
  /** Smallest regression found in nine of ten releases while the step lasts; null: none. */
  readonly sees: { readonly effect: EffectKind; readonly value: number } | null
}

/** A step of the plan, before the release. */
export interface PlannedStep {
  readonly index: number
  readonly weight: number
  /** Until the slowest required comparison passes, or the step's minimum; null: one never passes. */
  readonly seconds: Hitting | null
  /** What the step waits for. */
  readonly slowest: {
    readonly metric: string
    readonly limit: string
    readonly cohort: CohortRef
  } | null
}

/** What can be known of a release before it starts (statistics §7). */
export interface ReleasePlan {
  readonly steps: readonly PlannedStep[]
  readonly rows: readonly PlannedRow[]
  /** Guardrails about which the baseline says nothing: not planned. */
  readonly unknown: readonly { readonly metric: string; readonly limit: string }[]
  /** Key cohorts without baseline traffic: the release cannot pass without them. */
  readonly unseen: readonly CohortRef[]
  /** Required comparisons that do not pass within `max_duration`, and the steps in which they do not. */
  readonly undecidable: readonly {
    readonly metric: string
    readonly limit: string
    readonly cohort: CohortRef
    readonly steps: readonly number[]
  }[]
  /** Cohorts in which not even the largest regression would be found within `max_duration`. */
  readonly blind: readonly {
    readonly metric: string
    readonly limit: string
    readonly cohort: CohortRef
  }[]
}

interface Hypothesis {
  readonly guardrail: Guardrail
  readonly unit: Unit
  readonly growth: GuardrailGrowth
  readonly requestsPerSecond: number
  readonly logWeight: number
  readonly required: boolean
}

/**
 * What a release can know, and how soon, at `rps` requests per second to both versions: the growth
 * rates of the tests under assumed truth, and the hitting times that follow (`growth.ts`). Requests of
 * one user are taken as independent; with a design effect D every number of requests is D times as large.
 */
export function planRelease(
  spec: ReleaseSpec,
  facts: readonly BaselineFacts[],
  rps: number,
): ReleasePlan {
  const { hypotheses, unknown, unseen } = hypothesesOf(spec, facts, rps)
  const delaySeconds = (spec.blocks.watermarkMs + 0.5 * spec.blocks.lengthMs) / 1000
  const passOf = (hypothesis: Hypothesis, step: PlanStep): Hitting | null =>
    passSeconds(spec, hypothesis, step.weight / spec.totalWeight, delaySeconds)

  const steps = spec.plan.map((step, index) => planStep(spec, hypotheses, step, index, rps, passOf))
  const longest = spec.maxDurationMs / 1000
  const rows: PlannedRow[] = []
  for (const hypothesis of hypotheses) {
    const { guardrail, unit, required, requestsPerSecond } = hypothesis
    for (const [index, step] of spec.plan.entries()) {
      const lasts = Math.min(steps[index]?.seconds?.mean ?? longest, longest)
      const value = smallestSeen(spec, hypothesis, step.weight / spec.totalWeight, lasts)
      rows.push({
        metric: guardrail.metric.name,
        limit: guardrail.written,
        cohort: unit.ref,
        step: index,
        weight: step.weight,
        required,
        requestsPerSecond,
        passSeconds: passOf(hypothesis, step),
        sees: value === null ? null : { effect: hypothesis.growth.effect, value },
      })
    }
  }
  const largestShare = Math.max(...spec.plan.map(({ weight }) => weight)) / spec.totalWeight
  const blind = hypotheses
    .filter((it) => smallestSeen(spec, it, largestShare, longest) === null)
    .map(({ guardrail, unit }) => ({
      metric: guardrail.metric.name,
      limit: guardrail.written,
      cohort: unit.ref,
    }))
  return { steps, rows, unknown, unseen, undecidable: undecidableOf(rows, longest), blind }
}

function undecidableOf(rows: readonly PlannedRow[], longest: number): ReleasePlan['undecidable'] {
  const late = rows.filter(
    ({ required, passSeconds: pass }) => required && (pass === null || pass.mean > longest),
  )
  const same = (a: PlannedRow, b: PlannedRow) =>
    a.metric === b.metric && a.limit === b.limit && a.cohort === b.cohort
  return late
    .filter((row, index) => late.findIndex((other) => same(other, row)) === index)
    .map((row) => ({
      metric: row.metric,
      limit: row.limit,
      cohort: row.cohort,
      steps: late.filter((other) => same(other, row)).map(({ step }) => step),
    }))
}

function hypothesesOf(
  spec: ReleaseSpec,
  facts: readonly BaselineFacts[],
  rps: number,
): { hypotheses: Hypothesis[] } & Pick<ReleasePlan, 'unknown' | 'unseen'> {
  const units = createCohortUnits(spec.cohorts)
  const byCell = new Map<number, BaselineFacts[]>()
  for (const part of facts) {
    const { index } = units.cellOf(part.cohort)
    byCell.set(index, [...(byCell.get(index) ?? []), part])
  }
  const factsOf = ({ index }: { index: number }) => byCell.get(index) ?? []
  units.fixShares((cell) => factsOf(cell).reduce((sum, { requests }) => sum + requests, 0))
  const weights = fixWeights(spec.guardrails, units.units)
  const hypotheses: Hypothesis[] = []
  const unknown = new Set<Guardrail>()
  for (const [index, guardrail] of spec.guardrails.entries()) {
    for (const unit of units.units) {
      if (!isTested(guardrail, unit) || unit.share === 0) continue
      const parts = unit.cells.flatMap(factsOf)
      const growth = growthOfGuardrail(guardrail, combineFacts(parts))
      if (growth === null) {
        if (unit.kind === 'overall') unknown.add(guardrail)
        continue
      }
      hypotheses.push({
        guardrail,
        unit,
        growth,
        requestsPerSecond: rps * unit.share,
        logWeight: weights.logWeight(index, unit.index),
        required: !guardrail.dryRun && (unit.kind === 'overall' || unit.keyPosition >= 0),
      })
    }
  }
  return {
    hypotheses,
    unknown: [...unknown].map(({ metric, written }) => ({ metric: metric.name, limit: written })),
    unseen: units.units
      .filter(({ keyPosition, share }) => keyPosition >= 0 && share === 0)
      .map(({ ref }) => ref),
  }
}

function planStep(
  spec: ReleaseSpec,
  hypotheses: readonly Hypothesis[],
  step: PlanStep,
  index: number,
  rps: number,
  passOf: (hypothesis: Hypothesis, step: PlanStep) => Hitting | null,
): PlannedStep {
  const share = step.weight / spec.totalWeight
  const least = Math.max(step.minDurationMs / 1000, step.minRequests / (rps * share))
  let seconds: Hitting = { mean: least, p90: least }
  let slowest: Hypothesis | null = null
  for (const hypothesis of hypotheses) {
    if (!hypothesis.required) continue
    const pass = passOf(hypothesis, step)
    if (pass === null) {
      return { index, weight: step.weight, seconds: null, slowest: nameOf(hypothesis) }
    }
    if (pass.mean > seconds.mean) slowest = hypothesis
    seconds = {
      mean: Math.max(pass.mean, seconds.mean),
      p90: Math.max(pass.p90, seconds.p90),
    }
  }
  return { index, weight: step.weight, seconds, slowest: slowest === null ? null : nameOf(slowest) }
}

function nameOf({ guardrail, unit }: Hypothesis): NonNullable<PlannedStep['slowest']> {
  return { metric: guardrail.metric.name, limit: guardrail.written, cohort: unit.ref }
}

function passSeconds(
  spec: ReleaseSpec,
  { growth, requestsPerSecond }: Hypothesis,
  share: number,
  delaySeconds: number,
): Hitting | null {
  const hitting = requestsUntil(Math.log(1 / spec.risk.falsePass), growth.pass(share))
  if (hitting === null) return null
  const gate = Math.max(
    growth.fewest(share) / requestsPerSecond,
    growth.paired ? (PAIRED_BLOCKS * spec.blocks.lengthMs) / 1000 : 0,
  )
  if (!Number.isFinite(gate)) return null
  return {
    mean: Math.max(gate, hitting.mean / requestsPerSecond) + delaySeconds,
    p90: Math.max(gate, hitting.p90 / requestsPerSecond) + delaySeconds,
  }
}

/** By bisection, for the time to find a regression falls with its size. */
function smallestSeen(
  spec: ReleaseSpec,
  { growth, requestsPerSecond, logWeight }: Hypothesis,
  share: number,
  seconds: number,
): number | null {
  // The restart mixture takes half of the evidence's weight.
  const threshold = Math.log(1 / spec.risk.falseRollback) - logWeight + Math.LN2
  const found = (regression: number): boolean => {
    const hitting = requestsUntil(threshold, growth.breach(share, regression))
    return hitting !== null && hitting.p90 / requestsPerSecond <= seconds
  }
  if (!found(growth.largest)) return null
  let low = 0
  let high = growth.largest
  for (let i = 0; i < EFFECT_BISECTIONS; i++) {
    const middle = 0.5 * (low + high)
    if (found(middle)) high = middle
    else low = middle
  }
  return high
}
