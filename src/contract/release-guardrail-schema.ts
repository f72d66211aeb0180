import type { Limit, Metric } from '../domain/release.ts'
import { RELEASE_DEFAULTS } from './release-defaults.ts'
import {
  GUARDRAIL_KEYS,
  LARGEST_IMPORTANCE,
  LARGEST_KPI,
  LIMIT_KINDS,
  LIMITS_OF,
  QUANTILES,
  SCOPES,
  SEVERITIES,
} from './release-guardrail.ts'
import { LATENCY_UNITS } from './release-units.ts'
import { closed, described, type JsonSchema, number, pattern, percent } from './schema-parts.ts'
import { PLAIN_NUMBER } from './source-reader.ts'
import { KPI_NAME } from './stored-text.ts'

const METRIC_OF_KIND: Readonly<Record<Metric['kind'], JsonSchema>> = {
  latency: { enum: Object.keys(QUANTILES) },
  error_rate: { const: 'error_rate' },
  quality: { const: 'quality' },
  kpi: {
    type: 'string',
    pattern: `^kpi\\.(?!__proto__$)${KPI_NAME.source.slice(1)}`,
  },
}

/** How a limit of a metric is written, and in words. */
function limitOf(metric: Metric['kind'], kind: Limit['kind']): JsonSchema {
  switch (metric) {
    case 'latency':
      return kind === 'max'
        ? described(pattern(LATENCY_UNITS), 'Such as 120ms or 1.5s.')
        : described(percent, 'Relative to stable, such as 10%.')
    case 'error_rate':
      return kind === 'max'
        ? described(percent, 'Such as 0.8%.')
        : described(pattern(['%', 'pp']), '0.2pp in percentage points, or 10% relative to stable.')
    case 'quality':
      return described(number(0, 1), 'A plain number from 0 to 1.')
    case 'kpi':
      return described(
        number(-2 * LARGEST_KPI, 2 * LARGEST_KPI),
        'In the unit of the KPI: min within bounds, changes from 0 to their distance.',
      )
  }
}

/** The limits a kind of metric takes; exactly one of them stands in a guardrail. */
function limitsOf(kind: Metric['kind']): JsonSchema {
  const allowed = LIMITS_OF[kind]
  const limits = LIMIT_KINDS.map((limit): [string, JsonSchema | false] => [
    limit,
    allowed.includes(limit) && limitOf(kind, limit),
  ])
  return {
    if: { properties: { metric: METRIC_OF_KIND[kind] }, required: ['metric'] },
    // biome-ignore lint/suspicious/noThenProperty: a keyword of JSON Schema
    then: {
      properties: {
        ...Object.fromEntries(limits),
        ...(kind === 'kpi' ? {} : { bounds: false }),
      },
      oneOf: allowed.map((limit) => ({ required: [limit] })),
      ...(kind === 'kpi' ? { required: ['bounds'] } : {}),
    },
  }
}

const KINDS: readonly Metric['kind'][] = ['latency', 'error_rate', 'quality', 'kpi']
const { guardrail: GUARDRAIL } = RELEASE_DEFAULTS

/** One guardrail of a release file. */
export const guardrailSchema: JsonSchema = {
  ...closed(GUARDRAIL_KEYS, {
    metric: described(
      { anyOf: KINDS.map((kind) => METRIC_OF_KIND[kind]) },
      'What is limited: a latency quantile, error_rate, quality (mean quality_score) or kpi.<name> (mean of a number in the events).',
    ),
    max: described({}, 'Largest value of the canary.'),
    min: described({}, 'Smallest value of the canary.'),
    max_increase: described({}, 'Largest increase against stable.'),
    max_drop: described({}, 'Largest decrease against stable.'),
    bounds: described(
      { type: 'array', items: number(-LARGEST_KPI, LARGEST_KPI), minItems: 2, maxItems: 2 },
      '[low, high] of a KPI; values outside count as the nearer one. The same wherever the KPI is named.',
    ),
    importance: described(
      {
        anyOf: [
          { type: 'number', exclusiveMinimum: 0, maximum: LARGEST_IMPORTANCE },
          { type: 'string', pattern: PLAIN_NUMBER.source },
        ],
      },
      'Its part in the false_rollback probability, relative to the other guardrails.',
      GUARDRAIL.importance,
    ),
    severity: described(
      { enum: SEVERITIES },
      'critical may roll back, signal may only hold.',
      GUARDRAIL.severity,
    ),
    dry_run: described(
      { type: 'boolean' },
      'Judged and shown, decides nothing.',
      GUARDRAIL.dry_run,
    ),
    cohorts: described(
      { enum: SCOPES },
      'Where it is judged: all (overall and in every cohort), key (in the key cohorts only) or overall (all cohorts together only).',
      GUARDRAIL.cohorts,
    ),
  }),
  required: ['metric'],
  allOf: KINDS.map(limitsOf),
}
