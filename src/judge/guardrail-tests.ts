import { HaldaneError } from '../domain/errors.ts'
import type { Guardrail, Metric, ReleaseSpec } from '../domain/release.ts'
import { kpisOf, latencyLimitsOf } from '../domain/release.ts'
import { createAbsoluteMeanTest } from './absolute-mean.ts'
import { createAbsoluteProportionTest } from './absolute-proportion.ts'
import type { Baseline } from './baseline.ts'
import type { CohortUnits } from './cohort-units.ts'
import { errorMargin } from './error-margin.ts'
import type { GuardrailTest } from './guardrail-test.ts'
import type { JudgeMode } from './judge-mode.ts'
import type { LatencyTotals } from './latency-totals.ts'
import { createMeanDifferenceTest } from './mean-difference.ts'
import { meanScaleOf } from './mean-scale.ts'
import { createRelativeErrorTest } from './relative-error.ts'
import { createRelativeLatencyTest } from './relative-latency.ts'

/** Values per arm before a difference of means is tested; unknown distributions need more. */
const QUALITY_REQUESTS = 100
const KPI_REQUESTS = 400

/** What tests share: the release and what is known of its baseline. */
export interface TestContext {
  readonly spec: ReleaseSpec
  readonly units: CohortUnits
  readonly baseline: Baseline
  readonly latencies: LatencyTotals
  /** R of the restart mixture: how often breach evidence may start once more. */
  readonly restarts: number
  readonly mode: JudgeMode
}

/** Quantiles whose rolling baseline value is needed, each once. */
export function relativeQuantilesOf(spec: ReleaseSpec): number[] {
  const quantiles = spec.guardrails.flatMap(({ metric, limit }) =>
    metric.kind === 'latency' && limit.kind === 'max_increase' ? [metric.quantile] : [],
  )
  return [...new Set(quantiles)]
}

/** The test a guardrail asks for. Throws `invalid_input` for a limit the metric has no test for. */
export function createGuardrailTest(guardrail: Guardrail, context: TestContext): GuardrailTest {
  const { metric } = guardrail
  switch (metric.kind) {
    case 'latency':
      return latencyTest(guardrail, metric, context)
    case 'error_rate':
      return errorTest(guardrail, metric, context)
    case 'quality':
    case 'kpi':
      return meanTest(guardrail, metric, context)
  }
}

function latencyTest(
  guardrail: Guardrail,
  metric: Extract<Metric, { kind: 'latency' }>,
  { spec, latencies, restarts, mode }: TestContext,
): GuardrailTest {
  const { limit } = guardrail
  if (limit.kind === 'max') {
    const index = latencyLimitsOf(spec).indexOf(limit.value)
    return createAbsoluteProportionTest(metric, limit.value, index, latencies, restarts)
  }
  if (limit.kind === 'max_increase' && limit.relative) {
    return createRelativeLatencyTest(metric.quantile, limit.value, {
      quantileAt: relativeQuantilesOf(spec).indexOf(metric.quantile),
      ...{ latencies, restarts, mode },
    })
  }
  throw unsupported(guardrail, '`max` in ms or s, or `max_increase` in %')
}

function errorTest(
  guardrail: Guardrail,
  metric: Extract<Metric, { kind: 'error_rate' }>,
  { baseline, units, latencies, restarts, mode }: TestContext,
): GuardrailTest {
  const { limit } = guardrail
  if (limit.kind === 'max') {
    return createAbsoluteProportionTest(metric, limit.value, -1, latencies, restarts)
  }
  if (limit.kind === 'max_increase') {
    const margin = errorMargin(limit.value, limit.relative)
    return createRelativeErrorTest(margin, { baseline, units, restarts, mode })
  }
  throw unsupported(guardrail, '`max` in %, or `max_increase` in pp or %')
}

function meanTest(
  guardrail: Guardrail,
  metric: Extract<Metric, { kind: 'quality' | 'kpi' }>,
  { spec, restarts, mode }: TestContext,
): GuardrailTest {
  const { limit } = guardrail
  const kpiIndex =
    metric.kind === 'kpi' ? kpisOf(spec).findIndex(({ key }) => key === metric.key) : 0
  const scale = meanScaleOf(metric, kpiIndex)
  const requests = metric.kind === 'kpi' ? KPI_REQUESTS : QUALITY_REQUESTS
  const hasCohorts = spec.cohorts.by.length > 0
  const options = { margin: limit.value, requests, restarts, mode, hasCohorts }
  if (limit.kind === 'min') return createAbsoluteMeanTest(scale, limit.value, restarts)
  if (limit.kind === 'max_drop') {
    return createMeanDifferenceTest(scale, { sign: -1, ...options })
  }
  if (limit.kind === 'max_increase' && !limit.relative && metric.kind === 'kpi') {
    return createMeanDifferenceTest(scale, { sign: 1, ...options })
  }
  throw unsupported(
    guardrail,
    '`min` or `max_drop`, for KPIs also `max_increase` as a plain number',
  )
}

function unsupported(guardrail: Guardrail, allowed: string): HaldaneError {
  const { metric, written } = guardrail
  return new HaldaneError('invalid_input', `guardrail ${metric.name}: no test for \`${written}\``, {
    remedy: `Use ${allowed}.`,
  })
}
