import type { WireDecision } from './decision.ts'

/** One story told by every example: the canary 1.5.0 of a classifier at 5 % breaks its error limit. */
const ROUTE = 'intent-classifier/production'

export const REQUEST_EVENT_EXAMPLE = {
  request_id: 'r-1',
  occurred_at: '2026-11-23T10:00:00.123Z',
  model_name: 'intent-classifier',
  environment: 'production',
  model_version: '1.5.0',
  outcome: 'ok',
  latency_ms: 41.2,
  locale: 'de-DE',
  device: 'mobile',
  quality_score: 0.93,
} as const

export const FEEDBACK_EVENT_EXAMPLE = {
  request_id: 'r-1',
  observed_at: '2026-11-23T10:00:20.000Z',
  model_name: 'intent-classifier',
  quality_metric: 'agreed',
  quality_score: 0,
  label: 'cancel_order',
  annotator_kind: 'HUMAN',
} as const

const EVIDENCE = {
  metric: 'error_rate',
  limit: 'max: 0.8%',
  cohort: 'overall',
  stable: { value: 0.0044, n: 27_000 },
  canary: { value: 0.0187, n: 1420 },
  difference: 0.0143,
  ci_low: 0.0061,
  ci_high: 0.0258,
  threshold: 0.008,
  log_e_breach: 6.2,
  log_e_pass: -9.1,
  weight: 0.1,
  verdict: 'breached',
  method: 'T1',
  needs: null,
  severity: 'critical',
  dry_run: false,
  required: true,
  contribution: null,
} as const

export const DECISION_EXAMPLE: WireDecision = {
  decision_id: `${ROUTE}/1.5.0#7`,
  route: ROUTE,
  release_id: `${ROUTE}/1.5.0`,
  generation: 7,
  decided_at: '2026-11-23T10:04:40.000Z',
  expires_at: null,
  action: 'rollback',
  phase: 'rolled_back',
  model_name: 'intent-classifier',
  environment: 'production',
  stable_version: '1.4.2',
  canary_version: '1.5.0',
  traffic: [
    { version: '1.4.2', role: 'stable', weight: 100 },
    { version: '1.5.0', role: 'canary', weight: 0 },
  ],
  previous_traffic: [
    { version: '1.4.2', role: 'stable', weight: 95 },
    { version: '1.5.0', role: 'canary', weight: 5 },
  ],
  total_weight: 100,
  step: {
    index: 0,
    count: 3,
    weight: 5,
    started_at: '2026-11-23T10:00:00.000Z',
    min_duration_s: 600,
    min_requests: 2000,
  },
  reasons: [
    {
      code: 'error_rate_breached',
      severity: 'critical',
      metric: 'error_rate',
      cohort: 'overall',
      message:
        'error_rate of 1.5.0 breaks max: 0.8% for overall: 1.87 % (n 1420) against 0.44 % (n 27000) of 1.4.2',
    },
  ],
  evidence: [EVIDENCE],
  window: {
    start: '2026-11-23T10:00:00.000Z',
    end: '2026-11-23T10:04:10.000Z',
    watermark: '2026-11-23T10:04:40.000Z',
  },
  counts: { events: 28_420, duplicates: 12, late: 3 },
  mode: 'enforced',
  decided_by: 'analyzer',
  policy: { name: 'default', hash: '5f2b1c' },
  judge_version: '1',
}

export const ROUTER_ACK_EXAMPLE = {
  route: ROUTE,
  router_id: 'edge-1',
  applied_generation: 7,
  applied_traffic: [
    { version: '1.4.2', weight: 100 },
    { version: '1.5.0', weight: 0 },
  ],
  applied_at: '2026-11-23T10:04:41.250Z',
} as const

export const CONTROL_COMMAND_EXAMPLE = {
  command_id: 'c-2026-11-23-1',
  kind: 'pause',
  route: ROUTE,
  release_id: `${ROUTE}/1.5.0`,
  at: '2026-11-23T10:03:00.000Z',
  by: 'mia',
  reason: 'marketing mail goes out at 11',
} as const

export const RELEASE_FILE_EXAMPLE = `route: intent-classifier/production
stable: 1.4.2
canary: 1.5.0
plan:
  - { weight: 5,  min_duration: 10m, min_requests: 2000 }
  - { weight: 25, min_duration: 30m }
guardrails:
  - { metric: latency_p95, max: 120ms }
  - { metric: error_rate,  max: 0.8% }
  - { metric: quality,     max_drop: 0.01 }
`
