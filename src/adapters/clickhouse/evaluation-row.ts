import { type Cohort, type CohortRef, OVERALL } from '../../domain/cohort.ts'
import type { EvidenceRow } from '../../domain/verdict.ts'
import type { SqlValue } from './sql-connection.ts'
import { sqlTime } from './sql-text.ts'

export const NULLABLE_EVALUATION_COLUMNS = [
  'stable_value',
  'canary_value',
  'difference',
  'ci_low',
  'ci_high',
  'needs_requests',
  'needs_seconds',
  'contribution',
]

/** One row of `evaluations`. */
export function evaluationRow(
  releaseId: string,
  windowEndMs: number,
  row: EvidenceRow,
  recordedAt: string,
): Record<string, SqlValue> {
  const cohort = valuesOf(row.cohort)
  return {
    release_id: releaseId,
    window_end: sqlTime(windowEndMs),
    metric: row.metric,
    metric_limit: row.limit,
    locale: cohort.locale ?? '',
    device: cohort.device ?? '',
    verdict: row.verdict,
    method: row.method,
    severity: row.severity,
    dry_run: row.dryRun,
    required: row.required,
    stable_value: floatOf(row.stable.value),
    stable_n: floatOf(row.stable.n),
    canary_value: floatOf(row.canary.value),
    canary_n: floatOf(row.canary.n),
    difference: floatOf(row.difference),
    ci_low: floatOf(row.ciLow),
    ci_high: floatOf(row.ciHigh),
    threshold: floatOf(row.threshold),
    log_e_breach: floatOf(row.logEBreach),
    log_e_pass: floatOf(row.logEPass),
    weight: floatOf(row.weight),
    needs_requests: floatOf(row.needs?.requests ?? null),
    needs_seconds: floatOf(row.needs?.seconds ?? null),
    contribution: floatOf(row.contribution),
    recorded_at: recordedAt,
  }
}

function valuesOf(cohort: CohortRef): Cohort {
  return cohort === OVERALL ? {} : cohort
}

/** JSON has no infinity; the engine reads the word. */
function floatOf(value: number | null): number | string | null {
  if (value === null || Number.isFinite(value)) return value
  if (Number.isNaN(value)) return 'nan'
  return value > 0 ? 'inf' : '-inf'
}
