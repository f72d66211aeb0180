import fc from 'fast-check'
import type { ReleaseSpec } from '../../../src/domain/release.ts'

/** The release file of the documentation. */
export const RELEASE_TEXT = `route: intent-classifier/production
stable: 1.4.2
canary: 1.5.0
plan:
  - { weight: 5,  min_duration: 10m, min_requests: 2000 }
  - { weight: 25, min_duration: 30m }
  - { weight: 50, min_duration: 1h }
guardrails:
  - { metric: latency_p95, max: 120ms }
  - { metric: latency_p95, max_increase: 10% }
  - { metric: error_rate,  max: 0.8% }
  - { metric: error_rate,  max_increase: 0.2pp }
  - { metric: quality,     max_drop: 0.01 }
cohorts: { by: [locale, device], key: [{ locale: en-US }, { locale: de-DE, device: mobile }] }
risk:    { false_rollback: 5%, false_pass: 5% }
blocks:  { length: 10s, watermark: 30s, duplicate_lookback: 60s }
warmup: 60s
heartbeat: 60s
max_duration: 24h
total_weight: 100
`

/** The least a release file can say. */
export const SMALL_TEXT = `route: m/e
stable: 1.0.0
canary: 1.1.0
plan: [{ weight: 5 }]
guardrails: [{ metric: error_rate, max: 1% }]
`

const word = fc.string({ unit: 'binary', minLength: 1, maxLength: 12 })
const value = fc
  .double({ min: 0, max: 1e6, noNaN: true, noDefaultInfinity: true })
  .map((x) => x + 0)
const count = fc.nat({ max: 1e9 })

const metric = fc.oneof(
  fc.constantFrom(
    { kind: 'latency', name: 'latency_p95', quantile: 0.95 } as const,
    { kind: 'error_rate', name: 'error_rate' } as const,
    { kind: 'quality', name: 'quality' } as const,
  ),
  fc.tuple(word, value, value).map(([key, low, width]) => ({
    kind: 'kpi' as const,
    name: `kpi.${key}` as const,
    key,
    bounds: [low, low + width + 1] as const,
  })),
)

const limit = fc.oneof(
  fc.record({ kind: fc.constantFrom('max', 'min', 'max_drop'), value }),
  fc.record({ kind: fc.constant('max_increase' as const), relative: fc.boolean(), value }),
)

/** Any release the domain can hold, whether or not a file could say it. */
export const anySpec: fc.Arbitrary<ReleaseSpec> = fc.record({
  route: word,
  modelName: word,
  environment: word,
  stable: word,
  canary: word,
  plan: fc.array(fc.record({ weight: count, minDurationMs: count, minRequests: count })),
  guardrails: fc.array(
    fc.record({
      metric,
      limit,
      written: word,
      importance: value,
      severity: fc.constantFrom('critical', 'signal'),
      dryRun: fc.boolean(),
      cohorts: fc.constantFrom('all', 'key', 'overall'),
    }),
  ),
  cohorts: fc.record({
    by: fc.subarray(['locale', 'device'] as const),
    key: fc.array(
      fc.record(
        { locale: word, device: fc.constantFrom('mobile', 'desktop') },
        { requiredKeys: [] },
      ),
    ),
  }),
  coverage: fc.record({ minRequestsPerKeyCohort: count }),
  risk: fc.record({ falseRollback: value, falsePass: value }),
  blocks: fc.record({ lengthMs: count, watermarkMs: count, duplicateLookbackMs: count }),
  warmupMs: count,
  heartbeatMs: count,
  maxDurationMs: count,
  totalWeight: count,
  mode: fc.constantFrom('enforced', 'dry_run'),
  includeSynthetic: fc.boolean(),
  policy: fc.record({ name: word, hash: word }),
})
