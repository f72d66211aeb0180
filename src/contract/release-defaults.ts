import { createHash } from 'node:crypto'

/** What a release file means when it does not say otherwise, in the words of the file. */
export const RELEASE_DEFAULTS = {
  blocks: { duplicate_lookback: '60s', length: '10s', watermark: '30s' },
  cohorts: { by: ['locale', 'device'], key: [] },
  coverage: { min_requests_per_key_cohort: 0 },
  guardrail: { cohorts: 'all', dry_run: false, importance: 1, severity: 'critical' },
  heartbeat: '60s',
  judge: { include_synthetic: false },
  max_duration: '24h',
  mode: 'enforced',
  risk: { false_pass: '5%', false_rollback: '5%' },
  step: { min_duration: '0s', min_requests: 0 },
  total_weight: 100,
  warmup: '60s',
} as const

/** The shortest and the longest of each duration, both allowed. */
export const DURATION_RANGES = {
  blocks: {
    duplicate_lookback: ['0s', '10m'],
    length: ['100ms', '1h'],
    watermark: ['0s', '1h'],
  },
  heartbeat: ['100ms', '24h'],
  max_duration: ['1s', '720h'],
  step: { min_duration: ['0s', '720h'] },
  warmup: ['0s', '24h'],
} as const

export const LARGEST_COUNT = 1_000_000_000

/** The policy of a release without policy file: its hash changes when a default does. */
export function defaultPolicy(): { readonly name: string; readonly hash: string } {
  return { name: 'default', hash: sha256(canonicalJson(RELEASE_DEFAULTS)) }
}

export function sha256(text: string): string {
  return createHash('sha256').update(text, 'utf8').digest('hex')
}

/** JSON without blanks, keys of every object in code-unit order. */
export function canonicalJson(value: unknown): string {
  return JSON.stringify(value, (_key, part: unknown) =>
    typeof part === 'object' && part !== null && !Array.isArray(part)
      ? Object.fromEntries(Object.entries(part).sort(([a], [b]) => (a < b ? -1 : 1)))
      : part,
  )
}
