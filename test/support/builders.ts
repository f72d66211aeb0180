import type { ReleaseSpec } from '../../src/domain/release.ts'
import type { Assessment, EvidenceRow, TrafficReading } from '../../src/domain/verdict.ts'

/** A release of model `m` in `production`: 1.0.0 beside 1.1.0, steps 5 → 25 → 50, 10 s blocks. */
export function buildSpec(overrides: Partial<ReleaseSpec> = {}): ReleaseSpec {
  return {
    route: 'm/production',
    modelName: 'm',
    environment: 'production',
    stable: '1.0.0',
    canary: '1.1.0',
    plan: [
      { weight: 5, minDurationMs: 60_000, minRequests: 100 },
      { weight: 25, minDurationMs: 60_000, minRequests: 0 },
      { weight: 50, minDurationMs: 60_000, minRequests: 0 },
    ],
    guardrails: [
      {
        metric: { kind: 'error_rate', name: 'error_rate' },
        limit: { kind: 'max', value: 0.02 },
        written: 'max: 2%',
        importance: 1,
        severity: 'critical',
        dryRun: false,
        cohorts: 'all',
      },
    ],
    cohorts: { by: ['locale', 'device'], key: [] },
    coverage: { minRequestsPerKeyCohort: 0 },
    risk: { falseRollback: 0.05, falsePass: 0.05 },
    blocks: { lengthMs: 10_000, watermarkMs: 30_000, duplicateLookbackMs: 60_000 },
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

export function buildRow(overrides: Partial<EvidenceRow> = {}): EvidenceRow {
  return {
    metric: 'error_rate',
    limit: 'max: 2%',
    cohort: 'overall',
    stable: { value: 0.005, n: 10_000 },
    canary: { value: 0.005, n: 500 },
    difference: 0,
    ciLow: -0.01,
    ciHigh: 0.01,
    threshold: 0.02,
    logEBreach: -1,
    logEPass: 4,
    weight: 0.5,
    verdict: 'within_limit',
    method: 'T1',
    severity: 'critical',
    dryRun: false,
    required: true,
    needs: null,
    contribution: null,
    ...overrides,
  }
}

/** Requests are split as planned, and both versions' events and scores come alike. */
export const BALANCED_TRAFFIC: TrafficReading = {
  split: {
    planned: 0.05,
    observed: 0.05,
    requests: 10_000,
    logESampleRatio: -2,
    sampleRatioBroken: false,
    logEParity: -2,
    distance: 0.001,
    parityBroken: false,
    cohort: null,
  },
  late: { stable: 0, canary: 0, logE: 0, differs: false },
  labels: [],
  sampledApart: [],
  sessionsSeen: true,
}

/** All is well: one required row within its limit, plenty of fresh canary requests. */
export function buildAssessment(overrides: Partial<Assessment> = {}): Assessment {
  return {
    ...BALANCED_TRAFFIC,
    started: true,
    weightsFrom: null,
    rollback: false,
    logEvidence: -2,
    rows: [buildRow()],
    leading: 0,
    discovered: [],
    passed: true,
    coverage: 1,
    uncovered: [],
    canaryRequests: 500,
    newestCanaryEndMs: 0,
    newestStableEndMs: 0,
    newestCanaryEndInStepMs: 0,
    lateShare: 0,
    ...overrides,
  }
}
