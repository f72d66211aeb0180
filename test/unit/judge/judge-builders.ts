import type { Arm, BlockCell, CellMetrics, ClosedBlock } from '../../../src/domain/block.ts'
import type { Cohort } from '../../../src/domain/cohort.ts'
import type { Guardrail, Limit, Metric, ReleaseSpec } from '../../../src/domain/release.ts'
import type { Assessment, EvidenceRow } from '../../../src/domain/verdict.ts'

/** Start of the streams of the block generator, and of the blocks built here. */
export const START_MS = 1_795_428_000_000
export const BLOCK_MS = 10_000

export const P95: Metric = { kind: 'latency', name: 'latency_p95', quantile: 0.95 }
const ERRORS: Metric = { kind: 'error_rate', name: 'error_rate' }
export const QUALITY: Metric = { kind: 'quality', name: 'quality' }
export const KPI: Metric = { kind: 'kpi', name: 'kpi.sales', key: 'sales', bounds: [0, 1] }

export function guardrail(
  metric: Metric,
  limit: Limit,
  overrides: Partial<Guardrail> = {},
): Guardrail {
  return {
    metric,
    limit,
    written: `${limit.kind}: ${limit.value}`,
    importance: 1,
    severity: 'critical',
    dryRun: false,
    cohorts: 'all',
    ...overrides,
  }
}

export const P95_MAX = guardrail(P95, { kind: 'max', value: 120 })
export const P95_INCREASE = guardrail(P95, { kind: 'max_increase', relative: true, value: 0.1 })
export const ERROR_MAX = guardrail(ERRORS, { kind: 'max', value: 0.008 })
export const ERROR_PP = guardrail(ERRORS, { kind: 'max_increase', relative: false, value: 0.002 })
export const ERROR_RELATIVE = guardrail(ERRORS, {
  kind: 'max_increase',
  relative: true,
  value: 0.2,
})
export const QUALITY_DROP = guardrail(QUALITY, { kind: 'max_drop', value: 0.01 })
export const QUALITY_MIN = guardrail(QUALITY, { kind: 'min', value: 0.84 })
export const KPI_DROP = guardrail(KPI, { kind: 'max_drop', value: 0.01 })

export const ALL_KINDS: readonly Guardrail[] = [
  P95_MAX,
  P95_INCREASE,
  ERROR_MAX,
  ERROR_PP,
  ERROR_RELATIVE,
  QUALITY_DROP,
  QUALITY_MIN,
  KPI_DROP,
]

export function specOf(
  guardrails: readonly Guardrail[],
  overrides: Partial<ReleaseSpec> = {},
): ReleaseSpec {
  return {
    route: 'm/production',
    modelName: 'm',
    environment: 'production',
    stable: '1.0.0',
    canary: '1.1.0',
    plan: [{ weight: 10, minDurationMs: 0, minRequests: 0 }],
    guardrails,
    cohorts: { by: ['locale', 'device'], key: [] },
    coverage: { minRequestsPerKeyCohort: 0 },
    risk: { falseRollback: 0.05, falsePass: 0.05 },
    blocks: { lengthMs: BLOCK_MS, watermarkMs: 30_000, duplicateLookbackMs: 60_000 },
    warmupMs: 0,
    heartbeatMs: 60_000,
    maxDurationMs: 86_400_000,
    totalWeight: 100,
    mode: 'enforced',
    includeSynthetic: false,
    policy: { name: 'default', hash: 'x' },
    ...overrides,
  }
}

export const EN: Cohort = { locale: 'en-US', device: 'mobile' }
export const DE: Cohort = { locale: 'de-DE', device: 'mobile' }

/** Metrics of one cell; latencies of 10 ms (bin 232) and scores of 0.9 unless told otherwise. */
export function metricsOf(
  requests: number,
  errors = 0,
  overrides: Partial<CellMetrics> = {},
): CellMetrics {
  const latencies = requests - errors
  return {
    requests,
    errors,
    latencies,
    overLimit: [0],
    bins: latencies > 0 ? [232] : [],
    counts: latencies > 0 ? [latencies] : [],
    quality: { n: requests, sum: 0.9 * requests, sumSquares: 0.82 * requests },
    kpis: [{ n: requests, sum: 0.1 * requests, sumSquares: 0.1 * requests }],
    ...overrides,
  }
}

export function cellOf(arm: Arm, cohort: Cohort, metrics: CellMetrics): BlockCell {
  return { arm, cohort, metrics }
}

/** The `index`-th block of a release that starts at START_MS. */
export function blockOf(index: number, cells: readonly BlockCell[]): ClosedBlock {
  const startMs = START_MS + index * BLOCK_MS
  const events = cells.reduce((sum, { metrics }) => sum + metrics.requests, 0)
  return {
    startMs,
    endMs: startMs + BLOCK_MS,
    cells,
    events,
    duplicates: 0,
    late: 0,
    lateCanary: 0,
  }
}

export function rowOf(
  assessment: Assessment,
  metric: string,
  cohort: EvidenceRow['cohort'] = 'overall',
): EvidenceRow {
  const found = assessment.rows.find(
    (row) => row.metric === metric && JSON.stringify(row.cohort) === JSON.stringify(cohort),
  )
  if (found === undefined) throw new Error(`no row for ${metric} ${JSON.stringify(cohort)}`)
  return found
}

/** Every number of an assessment with its place, for checks on all of them. */
export function numbersOf(value: unknown, path = ''): [string, number][] {
  if (typeof value === 'number') return [[path, value]]
  if (value === null || typeof value !== 'object') return []
  return Object.entries(value).flatMap(([key, part]) => numbersOf(part, `${path}.${key}`))
}
