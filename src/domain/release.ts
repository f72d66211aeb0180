import type { Cohort, CohortDimension } from './cohort.ts'

export type QuantileName = 'latency_p50' | 'latency_p90' | 'latency_p95' | 'latency_p99'

export type Metric =
  | { readonly kind: 'latency'; readonly name: QuantileName; readonly quantile: number }
  | { readonly kind: 'error_rate'; readonly name: 'error_rate' }
  | { readonly kind: 'quality'; readonly name: 'quality' }
  | {
      readonly kind: 'kpi'
      readonly name: `kpi.${string}`
      /** Name inside the event's `kpi` map. */
      readonly key: string
      /** Values outside are set to the nearer bound before anything is computed. */
      readonly bounds: readonly [low: number, high: number]
    }

/**
 * `value` is in the metric's own unit: ms for latencies, 0…1 for rates and quality.
 * Relative increases are fractions (10 % = 0.1), pp increases are differences (0.2pp = 0.002).
 */
export type Limit =
  | { readonly kind: 'max'; readonly value: number }
  | { readonly kind: 'min'; readonly value: number }
  | { readonly kind: 'max_increase'; readonly relative: boolean; readonly value: number }
  | { readonly kind: 'max_drop'; readonly value: number }

export type Severity = 'critical' | 'signal'
export type CohortScope = 'all' | 'key' | 'overall'

export interface Guardrail {
  readonly metric: Metric
  readonly limit: Limit
  /** The limit as the release file writes it, e.g. `max_increase: 0.2pp`. */
  readonly written: string
  readonly importance: number
  readonly severity: Severity
  readonly dryRun: boolean
  readonly cohorts: CohortScope
}

export interface PlanStep {
  readonly weight: number
  readonly minDurationMs: number
  /** Canary requests within the step. */
  readonly minRequests: number
}

/** A release file after validation, every default filled in. */
export interface ReleaseSpec {
  readonly route: string
  readonly modelName: string
  readonly environment: string
  readonly stable: string
  readonly canary: string
  readonly plan: readonly PlanStep[]
  readonly guardrails: readonly Guardrail[]
  readonly cohorts: {
    readonly by: readonly CohortDimension[]
    readonly key: readonly Cohort[]
  }
  readonly coverage: { readonly minRequestsPerKeyCohort: number }
  /** Probabilities for the whole release. */
  readonly risk: { readonly falseRollback: number; readonly falsePass: number }
  readonly blocks: {
    readonly lengthMs: number
    readonly watermarkMs: number
    readonly duplicateLookbackMs: number
  }
  readonly warmupMs: number
  readonly heartbeatMs: number
  readonly maxDurationMs: number
  readonly totalWeight: number
  readonly mode: 'enforced' | 'dry_run'
  readonly includeSynthetic: boolean
  readonly policy: { readonly name: string; readonly hash: string }
}

/** Absolute latency limits in ms, each once, in the order their exact counters are stored. */
export function latencyLimitsOf(spec: ReleaseSpec): number[] {
  const limits = spec.guardrails
    .filter((guardrail) => guardrail.metric.kind === 'latency' && guardrail.limit.kind === 'max')
    .map((guardrail) => guardrail.limit.value)
  return [...new Set(limits)].sort((a, b) => a - b)
}

/** KPI metrics of the guardrails, each name once, in the order their sums are stored. */
export function kpisOf(spec: ReleaseSpec): Extract<Metric, { kind: 'kpi' }>[] {
  const kpis = new Map<string, Extract<Metric, { kind: 'kpi' }>>()
  for (const { metric } of spec.guardrails) {
    if (metric.kind === 'kpi' && !kpis.has(metric.key)) kpis.set(metric.key, metric)
  }
  return [...kpis.values()]
}
