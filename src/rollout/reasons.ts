import { type CohortRef, describeCohort, OVERALL } from '../domain/cohort.ts'
import type { DecisionDraft, Reason } from '../domain/decision.ts'
import type { ReleaseSpec } from '../domain/release.ts'
import { describeDuration } from '../domain/time.ts'
import type { ArmValue, Assessment, EvidenceRow } from '../domain/verdict.ts'
import { describeDiscovered, percent } from './notes.ts'
import type { Laggards } from './traffic-reasons.ts'
import { trafficReasons } from './traffic-reasons.ts'

/** Baseline share that must have canary data in the step before traffic may grow. */
const COVERAGE_MIN = 0.9
const STALE_BLOCKS = 3
const ORIGINS_NAMED = 4

/**
 * Why traffic goes back: breached critical comparisons, the one with the most evidence first; it also
 * names what was found beside them.
 */
export function breachReasons(spec: ReleaseSpec, assessment: Assessment): Reason[] {
  const leading = assessment.rows[assessment.leading]
  const breached = assessment.rows.filter(
    (row) =>
      row !== leading && row.verdict === 'breached' && counts(row) && row.severity === 'critical',
  )
  const rows = [...(leading === undefined ? [] : [leading]), ...breached]
  return rows.map((row, index) => {
    const reason = breachReason(spec, row, assessment.rows)
    if (index > 0) return reason
    return { ...reason, message: reason.message + describeDiscovered(spec, assessment, rows) }
  })
}

/** Every reason that keeps the traffic where it is, in a fixed order; empty when it may grow. */
export function holdReasons(
  spec: ReleaseSpec,
  state: DecisionDraft,
  assessment: Assessment,
  at: { endMs: number; releaseStartMs: number; laggards?: Laggards | null },
): Reason[] {
  return [
    ...assessment.rows
      .filter((row) => row.verdict === 'breached' && counts(row))
      .map((row) => breachReason(spec, row, assessment.rows)),
    ...dataReasons(spec, state, assessment, at.endMs),
    ...trafficReasons(spec, state, assessment, at),
    ...stepReasons(state, assessment, at.endMs),
    ...evidenceReasons(assessment),
    ...durationReasons(spec, at),
  ]
}

/** What a person ordered, and why. */
export function manualReason(command: string, by: string, reason: string): Reason {
  const because = reason === '' ? '' : `: ${reason}`
  return { code: 'manual', severity: 'info', message: `${command} by ${by}${because}` }
}

/** `silentMs`: how long nothing has come. */
export function idleReason(code: 'no_traffic' | 'stale_data', silentMs: number): Reason {
  const message =
    code === 'no_traffic'
      ? `no canary request in this step, and nothing arrived for ${describeDuration(silentMs)}`
      : `nothing arrived for ${describeDuration(silentMs)}`
  return { code, severity: 'info', message }
}

function dataReasons(
  spec: ReleaseSpec,
  state: DecisionDraft,
  assessment: Assessment,
  endMs: number,
): Reason[] {
  const reasons: Reason[] = []
  const newest = assessment.newestCanaryEndInStepMs
  const staleMs = spec.blocks.watermarkMs + STALE_BLOCKS * spec.blocks.lengthMs
  if (newest === null) {
    if (endMs > state.step.startedAtMs) {
      reasons.push(info('no_traffic', `no request to ${spec.canary} in this step yet`))
    }
  } else if (endMs - newest > staleMs) {
    const silence = describeDuration(endMs - newest)
    // A quiet night is told from a canary that is down.
    const { newestStableEndMs } = assessment
    const both = newestStableEndMs === null || endMs - newestStableEndMs > staleMs
    const other = both ? `, nor to ${spec.stable}` : `, while ${spec.stable} has some`
    reasons.push(info('stale_data', `no request to ${spec.canary} for ${silence}${other}`))
  }
  return reasons
}

function stepReasons(state: DecisionDraft, assessment: Assessment, endMs: number): Reason[] {
  const reasons: Reason[] = []
  const { step } = state
  const elapsedMs = Math.max(0, endMs - step.startedAtMs)
  if (elapsedMs < step.minDurationMs) {
    const left = describeDuration(step.minDurationMs - elapsedMs)
    reasons.push(
      info(
        'min_duration',
        `the step lasts at least ${describeDuration(step.minDurationMs)}; ${left} left`,
      ),
    )
  }
  if (assessment.canaryRequests < step.minRequests) {
    reasons.push(
      info(
        'min_requests',
        `${assessment.canaryRequests} of ${step.minRequests} canary requests in this step`,
      ),
    )
  }
  return reasons
}

function evidenceReasons(assessment: Assessment): Reason[] {
  if (!assessment.started) {
    return [
      info(
        'collecting',
        'collecting 1,000 requests to the stable version before anything is judged',
      ),
    ]
  }
  const reasons: Reason[] = []
  if (assessment.coverage < COVERAGE_MIN || assessment.uncovered.length > 0) {
    reasons.push(info('coverage_missing', coverageMessage(assessment)))
  }
  const required = assessment.rows.filter((row) => row.required)
  const collecting = required.filter(
    (row) => row.verdict === 'collecting' || row.verdict === 'no_data',
  )
  const undecided = required.filter((row) => row.verdict === 'undecided')
  for (const [code, rows] of [
    ['collecting', collecting],
    ['undecided', undecided],
  ] as const) {
    const slowest = slowestOf(rows)
    if (slowest !== undefined) reasons.push(waitingReason(code, slowest, rows.length - 1))
  }
  return reasons
}

function durationReasons(
  spec: ReleaseSpec,
  at: { endMs: number; releaseStartMs: number },
): Reason[] {
  if (at.endMs - at.releaseStartMs < spec.maxDurationMs) return []
  const limit = describeDuration(spec.maxDurationMs)
  return [
    info(
      'max_duration',
      `the release is older than ${limit}: a person must promote it or roll it back`,
    ),
  ]
}

function coverageMessage({ uncovered, coverage, canaryRequests }: Assessment): string {
  const parts: string[] = []
  if (canaryRequests === 0) parts.push('nothing of the canary was judged in this step yet')
  else if (coverage < COVERAGE_MIN) {
    parts.push(`the canary was seen in cohorts with ${percent(coverage)} of the traffic only`)
  }
  if (uncovered.length > 0) {
    const cohorts = uncovered.map((cohort) => describeCohort(cohort)).join(', ')
    parts.push(`key cohorts without enough canary requests in this step: ${cohorts}`)
  }
  return parts.join('; ')
}

function waitingReason(code: 'collecting' | 'undecided', row: EvidenceRow, others: number): Reason {
  const where = describeCohort(row.cohort)
  const more =
    row.needs === null
      ? ''
      : `: about ${row.needs.requests} more canary requests, ${describeDuration(row.needs.seconds * 1000)}`
  const rest = others === 0 ? '' : ` (and ${others} more)`
  const state =
    row.method === 'point'
      ? 'is a plain number whose uncertainty is not known'
      : code === 'collecting'
        ? 'has too little data'
        : 'is not decided'
  return {
    code,
    severity: 'info',
    metric: row.metric,
    cohort: row.cohort,
    message: `${row.metric} (${row.limit}) for ${where} ${state}${more}${rest}`,
  }
}

/** The row that will take longest; one whose end cannot be told counts as longest. */
function slowestOf(rows: readonly EvidenceRow[]): EvidenceRow | undefined {
  let slowest: EvidenceRow | undefined
  for (const row of rows) {
    if (slowest === undefined || secondsOf(row) > secondsOf(slowest)) slowest = row
  }
  return slowest
}

function secondsOf(row: EvidenceRow): number {
  return row.needs === null ? Number.POSITIVE_INFINITY : row.needs.seconds
}

function counts(row: EvidenceRow): boolean {
  return !row.dryRun
}

function breachReason(spec: ReleaseSpec, row: EvidenceRow, all: readonly EvidenceRow[]): Reason {
  return {
    code: `${row.metric}_breached`,
    severity: row.severity,
    metric: row.metric,
    cohort: row.cohort,
    message:
      `${row.metric} of ${spec.canary} breaks ${row.limit} for ${describeCohort(row.cohort)}: ` +
      `${describeArm(row.metric, row.canary)} against ` +
      `${describeArm(row.metric, row.stable)} of ${spec.stable}` +
      describeOrigins(spec, row, all),
  }
}

/**
 * The cohorts that make up most of a difference over all of them, worst first, whether or not each
 * can be judged alone yet.
 */
function describeOrigins(spec: ReleaseSpec, row: EvidenceRow, all: readonly EvidenceRow[]): string {
  if (row.cohort !== OVERALL) return ''
  const worse = row.limit.startsWith('max_drop') || row.limit.startsWith('min') ? -1 : 1
  const harm = (other: EvidenceRow) => worse * (other.contribution ?? 0)
  const origins = all
    .filter((other) => other.metric === row.metric && other.limit === row.limit)
    .filter((other) => harm(other) > 0 && isCell(spec, other.cohort))
    .sort((a, b) => harm(b) - harm(a))
    .slice(0, ORIGINS_NAMED)
  if (origins.length === 0) return ''
  const named = origins.map(
    ({ cohort, metric, stable, canary }) =>
      `${describeCohort(cohort)} (${describeValue(metric, canary.value)} against ${describeValue(metric, stable.value)})`,
  )
  return `; most of it comes from ${named.join(', ')}`
}

/** The finest cohorts only, so that none is named twice. */
function isCell(spec: ReleaseSpec, cohort: CohortRef): boolean {
  return cohort !== OVERALL && spec.cohorts.by.every((dimension) => cohort[dimension] !== undefined)
}

/** A value and how many requests it is of; a value without counts alone. */
function describeArm(metric: string, { value, n }: ArmValue): string {
  const described = describeValue(metric, value)
  return value !== null && n === 0 ? described : `${described} (n ${n})`
}

/** A metric's value with its unit, three significant digits. */
function describeValue(metric: string, value: number | null): string {
  if (value === null) return 'no value'
  if (metric.startsWith('latency_')) return `${Number(value.toPrecision(3))} ms`
  if (metric === 'error_rate') return percent(value)
  return String(Number(value.toPrecision(4)))
}

function info(code: string, message: string): Reason {
  return { code, severity: 'info', message }
}
