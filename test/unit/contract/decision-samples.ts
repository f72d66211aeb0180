import fc from 'fast-check'
import type { Decision } from '../../../src/domain/decision.ts'
import type { EvidenceRow } from '../../../src/domain/verdict.ts'

const NOON = Date.UTC(2026, 10, 23, 12)

export const ROW: EvidenceRow = {
  metric: 'error_rate',
  limit: 'max_increase: 0.2pp',
  cohort: { device: 'mobile', locale: 'de-DE' },
  stable: { value: 0.0051, n: 27_000 },
  canary: { value: 0.0049, n: 3000 },
  difference: -0.0002,
  ciLow: -0.003,
  ciHigh: 0.0021,
  threshold: 0.002,
  logEBreach: -0.75,
  logEPass: 2.5,
  weight: 0.125,
  verdict: 'undecided',
  method: 'T2+T3',
  severity: 'critical',
  dryRun: false,
  required: true,
  needs: { requests: 1200, seconds: 540.5 },
  contribution: -0.00005,
}

export const DECISION: Decision = {
  decisionId: 'intent-classifier/production/7',
  route: 'intent-classifier/production',
  releaseId: 'intent-classifier/production/1.5.0~2',
  generation: 7,
  decidedAtMs: NOON,
  expiresAtMs: NOON + 180_000,
  action: 'hold',
  phase: 'ramping',
  modelName: 'intent-classifier',
  environment: 'production',
  stableVersion: '1.4.2',
  canaryVersion: '1.5.0',
  traffic: [
    { version: '1.4.2', role: 'stable', weight: 95 },
    { version: '1.5.0', role: 'canary', weight: 5 },
  ],
  previousTraffic: [
    { version: '1.4.2', role: 'stable', weight: 100 },
    { version: '1.5.0', role: 'canary', weight: 0 },
  ],
  totalWeight: 100,
  step: {
    index: 0,
    count: 3,
    weight: 5,
    startedAtMs: NOON - 60_000,
    minDurationMs: 600_000,
    minRequests: 2000,
  },
  reasons: [
    { code: 'undecided', severity: 'info', message: 'about 1,200 more requests' },
    {
      code: 'error_rate_breached',
      severity: 'signal',
      metric: 'error_rate',
      cohort: { locale: 'de-DE' },
      message: 'too many errors',
    },
  ],
  evidence: [{ ...ROW, cohort: 'overall', needs: null, contribution: null }, ROW],
  window: { startMs: NOON - 70_000, endMs: NOON - 30_000, watermarkMs: NOON },
  counts: { events: 30_123, duplicates: 12, late: 3 },
  mode: 'enforced',
  decidedBy: 'analyzer',
  policy: { name: 'default', hash: 'abc' },
  judgeVersion: '1',
}

const word = fc.string({ unit: 'binary', maxLength: 10 })
const count = fc.nat()
const timeMs = fc.integer({ min: 0, max: Date.UTC(2106, 0, 1) - 1 })
const exact = fc.double({ noDefaultInfinity: true, noNaN: true, min: -1e300, max: 1e300 })
/** Numbers as they are published: 10 significant digits, no −0. */
const measured = exact.map((value) => Number(value.toPrecision(10)) + 0)
const maybe = fc.option(measured)

const cohort = fc.oneof(
  fc.constant('overall' as const),
  fc.record({ locale: word, device: word }, { requiredKeys: [], noNullPrototype: true }),
)

const traffic = fc.array(
  fc.record({ version: word, role: fc.constantFrom('stable', 'canary'), weight: count }),
  { maxLength: 3 },
)

const evidence: fc.Arbitrary<EvidenceRow> = fc.record({
  metric: word,
  limit: word,
  cohort,
  stable: fc.record({ value: maybe, n: count }),
  canary: fc.record({ value: maybe, n: count }),
  difference: maybe,
  ciLow: maybe,
  ciHigh: maybe,
  threshold: measured,
  logEBreach: measured,
  logEPass: measured,
  weight: measured,
  verdict: fc.constantFrom('within_limit', 'breached', 'undecided', 'collecting', 'no_data'),
  method: fc.constantFrom('T1', 'T2', 'T3', 'T4', 'T2+T3'),
  severity: fc.constantFrom('critical', 'signal'),
  dryRun: fc.boolean(),
  required: fc.boolean(),
  needs: fc.option(fc.record({ requests: count, seconds: measured })),
  contribution: maybe,
})

/** Any decision whose numbers are already as they are published. */
export const anyDecision: fc.Arbitrary<Decision> = fc.record({
  decisionId: word,
  route: word,
  releaseId: word,
  generation: fc.integer({ min: 1, max: Number.MAX_SAFE_INTEGER }),
  decidedAtMs: timeMs,
  expiresAtMs: fc.option(timeMs),
  action: fc.constantFrom('increase', 'hold', 'rollback'),
  phase: fc.constantFrom('pending', 'ramping', 'paused', 'promoted', 'rolled_back', 'aborted'),
  modelName: word,
  environment: word,
  stableVersion: word,
  canaryVersion: word,
  traffic,
  previousTraffic: traffic,
  totalWeight: fc.integer({ min: 1, max: 1_000_000 }),
  step: fc.record({
    index: count,
    count,
    weight: count,
    startedAtMs: timeMs,
    minDurationMs: count,
    minRequests: count,
  }),
  reasons: fc.array(
    fc.record(
      {
        code: word,
        severity: fc.constantFrom('critical', 'signal', 'info'),
        metric: word,
        cohort,
        message: word,
      },
      { requiredKeys: ['code', 'severity', 'message'] },
    ),
    { maxLength: 3 },
  ),
  evidence: fc.array(evidence, { maxLength: 3 }),
  window: fc.record({ startMs: timeMs, endMs: timeMs, watermarkMs: timeMs }),
  counts: fc.record({ events: count, duplicates: count, late: count }),
  mode: fc.constantFrom('enforced', 'dry_run'),
  decidedBy: word,
  policy: fc.record({ name: word, hash: word }),
  judgeVersion: word,
})

/** The same with numbers no JSON can hold, and more digits than are published. */
export const wildNumber = fc.oneof(fc.double(), fc.constantFrom(-0, Number.NaN, 1e308, -1e308))
