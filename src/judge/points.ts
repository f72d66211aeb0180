import type { Arm } from '../domain/block.ts'
import { type Cohort, type CohortRef, cohortKey, covers, OVERALL } from '../domain/cohort.ts'
import type { Guardrail, ReleaseSpec } from '../domain/release.ts'
import type { ArmValue, Assessment, EvidenceRow, Verdict } from '../domain/verdict.ts'

/** What is known of one version in one cohort as plain values: given without counts, or from counts. */
export interface PointCell {
  readonly arm: Arm
  readonly cohort: Cohort
  /** By name of the metric; `n` 0 for a value without counts. */
  readonly values: ReadonlyMap<string, { readonly value: number; readonly n: number }>
}

/** Plain values of a window, beside counts. */
export interface Points {
  /** Every version and cohort of the window. */
  readonly points: readonly PointCell[]
  /** False when no row says how many requests it is of. */
  readonly sizesKnown: boolean
  /** Whether points decide; else they only hold. */
  readonly trustPoints: boolean
}

/**
 * The assessment with a row of its own for every comparison that counts cannot make and plain values
 * can. Of several cohorts there is no common quantile, so they must all say the same.
 */
export function withPoints(spec: ReleaseSpec, assessment: Assessment, given: Points): Assessment {
  const rows = assessment.rows.map((row) => {
    const guardrail = spec.guardrails.find(
      ({ metric, written }) => metric.name === row.metric && written === row.limit,
    )
    return guardrail === undefined ? row : pointRow(row, guardrail, given)
  })
  const breached = rows.findIndex(
    ({ method, verdict, severity, dryRun }) =>
      method === 'point' && verdict === 'breached' && severity === 'critical' && !dryRun,
  )
  const sized = given.sizesKnown ? assessment : bySight(spec, assessment, given)
  const required = rows.filter((row) => row.required)
  return {
    ...sized,
    rows,
    rollback: assessment.rollback || breached >= 0,
    leading: assessment.rollback || breached < 0 ? assessment.leading : breached,
    passed:
      sized.newestCanaryEndInStepMs !== null &&
      !rows.some(({ dryRun, verdict }) => !dryRun && verdict === 'breached') &&
      required.every(({ verdict }) => verdict === 'within_limit'),
  }
}

/** Without sizes: a cohort was seen when the file has a row of it. */
function bySight(spec: ReleaseSpec, assessment: Assessment, { points }: Points): Assessment {
  const canary = points.filter(({ arm }) => arm === 'canary')
  const stable = points.filter(({ arm }) => arm === 'stable')
  const seen = new Set(canary.map(({ cohort }) => cohortKey(cohort)))
  const both = stable.filter(({ cohort }) => seen.has(cohortKey(cohort)))
  const enough = spec.coverage.minRequestsPerKeyCohort === 0
  return {
    ...assessment,
    coverage: stable.length === 0 ? 0 : both.length / stable.length,
    uncovered: spec.cohorts.key.filter(
      (key) => !enough || !canary.some(({ cohort }) => covers(key, cohort)),
    ),
  }
}

interface Pair {
  readonly stable: ArmValue
  readonly canary: ArmValue
}

function pointRow(row: EvidenceRow, guardrail: Guardrail, given: Points): EvidenceRow {
  const relative = guardrail.limit.kind !== 'max'
  const counted = row.canary.n > 0 && (!relative || row.stable.n > 0)
  const { kind } = guardrail.metric
  if (counted || (kind !== 'latency' && kind !== 'error_rate')) return row
  const pairs = pairsOf(row.cohort, row.metric, given.points)
  const comparable = (pair: Pair) => isWithin(guardrail, pair.stable.value, pair.canary.value)
  if (pairs.every((pair) => comparable(pair) === null)) return row
  const only = pairs.length === 1 ? pairs[0] : undefined
  const none = { value: null, n: 0 }
  const { stable, canary } = only ?? { stable: none, canary: none }
  return {
    ...row,
    stable,
    canary,
    difference: differenceOf(guardrail, stable.value, canary.value),
    ciLow: null,
    ciHigh: null,
    logEBreach: 0,
    logEPass: 0,
    weight: 0,
    verdict: given.trustPoints ? verdictOf(guardrail, pairs) : 'undecided',
    method: 'point',
    needs: null,
    contribution: null,
  }
}

/** The canary's cohorts that a row is about, each with stable's values. */
function pairsOf(ref: CohortRef, metric: string, points: readonly PointCell[]): Pair[] {
  const armOf = (cell: PointCell | undefined): ArmValue =>
    cell?.values.get(metric) ?? { value: null, n: 0 }
  const stable = new Map(
    points
      .filter(({ arm }) => arm === 'stable')
      .map((cell) => [cohortKey(cell.cohort), cell] as const),
  )
  return points
    .filter(({ arm, cohort }) => arm === 'canary' && (ref === OVERALL || covers(ref, cohort)))
    .map((cell) => ({
      stable: armOf(stable.get(cohortKey(cell.cohort))),
      canary: armOf(cell),
    }))
}

function verdictOf(guardrail: Guardrail, pairs: readonly Pair[]): Verdict {
  const within = pairs.map(({ stable, canary }) => isWithin(guardrail, stable.value, canary.value))
  if (within.every((one) => one === true)) return 'within_limit'
  return within.every((one) => one === false) ? 'breached' : 'undecided'
}

/** Null when a value is missing. */
function isWithin(
  { limit }: Guardrail,
  stable: number | null,
  canary: number | null,
): boolean | null {
  if (canary === null) return null
  if (limit.kind === 'max') return canary <= limit.value
  if (stable === null) return null
  const relative = limit.kind === 'max_increase' && limit.relative
  return canary <= (relative ? (1 + limit.value) * stable : stable + limit.value)
}

function differenceOf(
  { limit }: Guardrail,
  stable: number | null,
  canary: number | null,
): number | null {
  if (stable === null || canary === null) return null
  if (limit.kind !== 'max_increase' || !limit.relative) return canary - stable
  const increase = canary / stable - 1
  return Number.isFinite(increase) ? increase : null
}
