import type { Question, SimulationCase } from '../case.ts'
import type { Routing } from '../scenario.ts'
import type { Published } from './guardrails.ts'
import { ERROR_MAX, published } from './guardrails.ts'
import {
  BLOCK_EVENTS,
  HISTORY_EVENTS,
  NULL_REPETITIONS,
  POWER_REPETITIONS,
  RAMP_SHARES,
  scenarioCase,
} from './scenario-case.ts'
import { errors } from './shapes.ts'

/** A step is 100,000 events, the last one 700,000. */
const STEP_BLOCKS = 100
const STEPS = RAMP_SHARES.map((_, step) => step * STEP_BLOCKS)
const PLAN = RAMP_SHARES.map((share) => `- { weight: ${100 * share} }`).join('\n')
const shareIn = (block: number): number =>
  RAMP_SHARES[Math.min(RAMP_SHARES.length - 1, Math.floor(block / STEP_BLOCKS))]!

/** The small ones are those whose requests go astray. */
const SHARES = [0.02, 0.05, 0.05, 0.4, 0.28, 0.2]
const COHORTS = SHARES.map((share, i) => ({
  cohort: { locale: `aa-0${i}`, device: 'mobile' },
  share,
  stable: errors(0.005),
  canary: errors(0.005),
}))

interface Routed {
  readonly name: string
  readonly what: string
  readonly routing: Routing
  /** Alarms of the reference, percent; null: not published. */
  readonly alarms: Published | null
  readonly wrong?: true
}

const ROUTED: readonly Routed[] = [
  {
    name: 'as planned',
    what: 'requests are sent as planned, each by itself',
    routing: { odds: 1 },
    alarms: [0.1, 0],
  },
  {
    name: 'users as planned',
    what: 'users are sent as planned, with 9 requests in a block each',
    routing: { odds: 1, userRequests: 9 },
    alarms: null,
  },
  {
    name: 'share odds ×1.1',
    what: 'the canary’s odds are a tenth higher than planned, in all cohorts',
    routing: { odds: 1.1 },
    alarms: [100, 0],
    wrong: true,
  },
  {
    name: 'share odds ×0.8',
    what: 'the canary’s odds are a fifth lower than planned, in all cohorts',
    routing: { odds: 0.8 },
    alarms: [100, 0],
    wrong: true,
  },
  {
    name: '2 % cohort routed half',
    what: 'the canary’s odds are half of what is planned in one cohort with 2 % of the traffic, by which the mixes differ by 1.3 %',
    routing: { odds: 1, cohortOdds: [0.5] },
    alarms: [100, 0],
    wrong: true,
  },
  {
    name: 'two 5 % cohorts shifted',
    what: 'the canary’s odds × 1.6 in one cohort with 5 % of the traffic and ÷ 1.6 in another',
    routing: { odds: 1, cohortOdds: [1, 1.6, 1 / 1.6] },
    alarms: [100, 0],
    wrong: true,
  },
]

/** Traffic split and cohort parity (statistics §10 D8). */
export const ROUTING_CASES: readonly SimulationCase[] = ROUTED.map((test): SimulationCase => {
  const { name, what, routing, alarms, wrong } = test
  const questions: readonly Question[] =
    wrong === undefined
      ? [{ asks: 'split_alarm', bar: 'rare', ...published(alarms) }]
      : [
          { asks: 'split_evidence', bar: 'most', ...published(alarms) },
          { asks: 'events_to_split_evidence', bar: 'none' },
          { asks: 'split_alarm', bar: 'most' },
          { asks: 'events_to_split_alarm', bar: 'none' },
        ]
  return scenarioCase({
    name: `routing, ${name}`,
    family: 'Users or requests on the wrong side',
    what: `${what}; ramp 1 → 5 → 25 → 50 %`,
    scenario: {
      blockEvents: BLOCK_EVENTS,
      cohorts: COHORTS,
      canaryShare: shareIn,
      routing,
      historyEvents: HISTORY_EVENTS,
    },
    guardrail: `${ERROR_MAX}, cohorts: overall`,
    questions,
    bare: null,
    horizonEvents: 1_000_000,
    until: 'split',
    plan: PLAN,
    steps: STEPS.slice(1),
    split: 'assigned',
    repetitions: { full: wrong === undefined ? NULL_REPETITIONS : POWER_REPETITIONS, quick: 0 },
  })
})
