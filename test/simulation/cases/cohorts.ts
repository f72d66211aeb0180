import type { SimulationCase } from '../case.ts'
import { LOGNORMAL } from '../latency-model.ts'
import type { ArmShape, CohortTraffic } from '../scenario.ts'
import { ERROR_0, P95_0 } from './guardrails.ts'
import { HISTORY_EVENTS, ROLLED_BACK_FALSELY, scenarioCase } from './scenario-case.ts'
import { errors, latencies, QUALITY_MEAN, scores } from './shapes.ts'

const ALL_COHORTS = 'cohorts: { by: [locale, device] }\n'
const LATE_BLOCK_EVENTS = 2500
/** Block with which the cohort comes. */
const LATE_FROM = 40
const LATE = { locale: 'ja-JP', device: 'mobile' }

/** Two cohorts from the start, and one with 15 % of the traffic that comes later and is different. */
function withLate(usual: ArmShape, late: { stable: ArmShape; canary: ArmShape }): CohortTraffic[] {
  const arms = { stable: usual, canary: usual }
  return [
    { cohort: { locale: 'de-DE', device: 'mobile' }, share: 0.5, ...arms },
    { cohort: { locale: 'en-US', device: 'mobile' }, share: 0.35, ...arms },
    { cohort: LATE, share: 0.15, ...late, fromBlock: LATE_FROM },
  ]
}

const late = (cohorts: readonly CohortTraffic[]) => ({
  family: 'Cohorts that come late or are small',
  scenario: {
    blockEvents: LATE_BLOCK_EVENTS,
    cohorts,
    canaryShare: 0.1,
    historyEvents: HISTORY_EVENTS,
  },
  bare: null,
  shipped: ALL_COHORTS,
  horizonEvents: 500_000,
})

const SLOW: ArmShape = latencies({ ...LOGNORMAL, by: 1.5 })
const BAD: ArmShape = errors(0.02)

const LATE_CASES: readonly SimulationCase[] = [
  scenarioCase({
    ...late(withLate(errors(0.005), { stable: BAD, canary: BAD })),
    name: 'late cohort, error',
    what: 'after 100,000 events a cohort comes that fails four times as often in both versions, margin 0',
    guardrail: ERROR_0,
    questions: [ROLLED_BACK_FALSELY],
  }),
  scenarioCase({
    ...late(withLate(latencies(LOGNORMAL), { stable: SLOW, canary: SLOW })),
    name: 'late cohort, p95',
    what: 'after 100,000 events a cohort comes that is slower by half in both versions, margin 0',
    guardrail: P95_0,
    questions: [ROLLED_BACK_FALSELY],
  }),
  scenarioCase({
    ...late(withLate(errors(0.005), { stable: errors(0.005), canary: BAD })),
    name: 'late cohort, worse',
    what: 'a cohort that comes after 100,000 events fails four times as often in the canary; delay from then on',
    guardrail: ERROR_0,
    worse: `${LATE.locale}/${LATE.device}`,
    questions: [
      { asks: 'rolled_back', bar: 'none', after: LATE_BLOCK_EVENTS * LATE_FROM },
      { asks: 'events_to_rollback', bar: 'none', after: LATE_BLOCK_EVENTS * LATE_FROM },
      { asks: 'named', bar: 'none' },
    ],
  }),
]

const SPARSE_COHORTS = 6
/** Of each cohort ten requests, one of them to the canary. */
const SPARSE_BLOCK_EVENTS = 10 * SPARSE_COHORTS

/** Each block brings each cohort about one canary request. */
function sparse(stable: ArmShape, canary: ArmShape): CohortTraffic[] {
  return Array.from({ length: SPARSE_COHORTS }, (_, i) => ({
    cohort: { locale: `aa-0${i}`, device: 'mobile' },
    share: 1 / SPARSE_COHORTS,
    stable,
    canary,
  }))
}

const sparseCase = (stable: ArmShape, canary: ArmShape) => ({
  family: 'Cohorts that come late or are small',
  scenario: {
    blockEvents: SPARSE_BLOCK_EVENTS,
    cohorts: sparse(stable, canary),
    canaryShare: 0.1,
    historyEvents: HISTORY_EVENTS,
  },
  bare: null,
  shipped: ALL_COHORTS,
  lookEvents: 10 * SPARSE_BLOCK_EVENTS,
  horizonEvents: 400 * SPARSE_BLOCK_EVENTS,
})

const FINE: ArmShape = { ...scores(QUALITY_MEAN), errorRate: 0.005, latency: LOGNORMAL }

const SPARSE_CASES: readonly SimulationCase[] = [
  scenarioCase({
    ...sparseCase(FINE, FINE),
    name: 'small cohorts, equal versions',
    what: 'six cohorts with one canary request a block each, margins 0 on error rate, p95 and quality',
    guardrail: ERROR_0,
    guardrails: [ERROR_0, P95_0, 'metric: quality, max_drop: 0'],
    questions: [ROLLED_BACK_FALSELY],
  }),
  scenarioCase({
    ...sparseCase(scores(QUALITY_MEAN), scores(QUALITY_MEAN - 0.01)),
    name: 'small cohorts, quality at the margin',
    what: 'six cohorts with one canary request a block each, quality 0.86 → 0.85, margin 0.01',
    guardrail: 'metric: quality, max_drop: 0.01',
    until: 'end',
    questions: [ROLLED_BACK_FALSELY, { asks: 'passed', bar: 'alpha' }],
  }),
  scenarioCase({
    ...sparseCase(errors(0.005), errors(0.007)),
    name: 'small cohorts, error at the margin',
    what: 'six cohorts with one canary request a block each, error 0.5 → 0.7 %, margin 0.2 pp',
    guardrail: 'metric: error_rate, max_increase: 0.2pp',
    until: 'end',
    questions: [ROLLED_BACK_FALSELY, { asks: 'passed', bar: 'alpha' }],
  }),
]

export const COHORT_CASES: readonly SimulationCase[] = [...LATE_CASES, ...SPARSE_CASES]
