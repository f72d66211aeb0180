import type { SimulationCase } from '../case.ts'
import { LOGNORMAL } from '../latency-model.ts'
import { withOdds } from '../routing.ts'
import type { ArmShape, Level } from '../scenario.ts'
import { ERROR_0, P95_0, QUALITY_0 } from './guardrails.ts'
import {
  DAY,
  DAY_BLOCK_EVENTS,
  RAMP_STEPS,
  ROLLED_BACK_FALSELY,
  ramp,
  scenarioCase,
  single,
  wave,
} from './scenario-case.ts'
import { errors, latencies, reference, scores } from './shapes.ts'

/** Error rate between 0.1 and 0.9 %. */
const errorWave = (block: number): Level => {
  const rate = 0.005 + 0.004 * wave(block)
  return { errorOdds: rate / (1 - rate) / (0.005 / 0.995) }
}
/** Latency scale ±40 %. */
const latencyWave = (block: number): Level => ({
  latencyBins: Math.round(Math.log(1 + 0.4 * wave(block)) / Math.log(1.01)),
})
const qualityWave = (block: number): Level => ({ qualityShift: 0.03 * wave(block) })

const DRIFT = {
  family: 'Ramp while the level drifts over the day',
  horizonEvents: DAY * DAY_BLOCK_EVENTS,
  steps: RAMP_STEPS,
}
/** Asked whether it ever passes, a judge keeps its pass evidence: no new steps. */
const ONE_STEP = { until: 'end', steps: [] } as const

const drifting = (shape: ArmShape, canary: ArmShape, level: (block: number) => Level, more = {}) =>
  single(shape, canary, { blockEvents: DAY_BLOCK_EVENTS, canaryShare: ramp, level, ...more })
const scaled = (by: number) => latencies({ ...LOGNORMAL, by })

export const DRIFT_CASES: readonly SimulationCase[] = [
  scenarioCase({
    ...DRIFT,
    name: 'drift, error 0 %',
    what: 'error 0.1–0.9 % over the day, equal versions, margin 0',
    guardrail: ERROR_0,
    scenario: drifting(errors(0.005), errors(0.005), errorWave),
    questions: [{ ...ROLLED_BACK_FALSELY, reference: reference(3.0, 0.4) }],
    quick: 60,
  }),
  scenarioCase({
    ...DRIFT,
    name: 'drift, error 0.2 pp',
    what: 'error 0.1–0.9 % over the day, canary 0.2 pp higher at all times, margin 0.2 pp',
    ...ONE_STEP,
    guardrail: 'metric: error_rate, max_increase: 0.2pp',
    scenario: drifting(errors(0.005), errors(0.005), (block) => ({
      ...errorWave(block),
      canaryErrorShift: 0.002,
    })),
    questions: [
      { ...ROLLED_BACK_FALSELY, reference: reference(2.7, 0.5) },
      { asks: 'passed', bar: 'alpha', reference: reference(3.5, 0.6) },
    ],
  }),
  scenarioCase({
    ...DRIFT,
    name: 'drift, p95 0 %',
    what: 'latencies ±40 % over the day, equal versions, margin 0',
    guardrail: P95_0,
    scenario: drifting(scaled(1), scaled(1), latencyWave),
    questions: [{ ...ROLLED_BACK_FALSELY, reference: reference(4.6, 0.9) }],
    quick: 60,
  }),
  scenarioCase({
    ...DRIFT,
    name: 'drift, p95 10 %',
    what: 'latencies ±40 % over the day, canary +10 %, margin 10 %',
    ...ONE_STEP,
    guardrail: 'metric: latency_p95, max_increase: 10%',
    scenario: drifting(scaled(1), scaled(1.1), latencyWave),
    questions: [
      { ...ROLLED_BACK_FALSELY, reference: reference(2.0, 0.6) },
      { asks: 'passed', bar: 'alpha' },
    ],
  }),
  scenarioCase({
    ...DRIFT,
    name: 'drift, quality 0',
    what: 'quality ±0.03 over the day, equal versions, margin 0',
    guardrail: QUALITY_0,
    scenario: drifting(scores(0.86), scores(0.86), qualityWave),
    questions: [{ ...ROLLED_BACK_FALSELY, reference: reference(3.2, 0.4) }],
  }),
  ...[1.5, 2].map((factor) =>
    scenarioCase({
      ...DRIFT,
      name: `drift, error odds ×${factor}`,
      what: `error 0.1–0.9 % over the day, odds ×${factor}`,
      guardrail: ERROR_0,
      scenario: drifting(errors(0.005), errors(withOdds(0.005, factor)), errorWave),
      questions: [
        { asks: 'rolled_back', bar: 'most' },
        { asks: 'events_to_rollback', bar: 'none' },
      ],
    }),
  ),
]

const SHOCKS = { ...DRIFT, family: 'Shocks of one arm' }

const QUALITY_SHOCKS: readonly SimulationCase[] = [
  { sd: 0.01, refs: reference(5.6, 0.5) },
  { sd: 0.03, refs: reference(4.9, 0.3) },
].map(({ sd, refs }) =>
  scenarioCase({
    ...SHOCKS,
    name: `shocks, quality sd ${sd}`,
    what: `quality of each arm moves by sd ${sd} from block to block, equal versions, ramp and drift`,
    guardrail: QUALITY_0,
    scenario: drifting(scores(0.86), scores(0.86), qualityWave, { shocks: { quality: sd } }),
    questions: [{ ...ROLLED_BACK_FALSELY, reference: refs }],
    quick: sd === 0.01 ? 60 : 0,
  }),
)

export const SHOCK_CASES: readonly SimulationCase[] = [
  ...QUALITY_SHOCKS,
  scenarioCase({
    ...SHOCKS,
    name: 'shocks, error ×e^±0.3',
    what: 'error rate of each arm times a lognormal factor of sd 0.3 in every block, equal versions, ramp and drift',
    guardrail: ERROR_0,
    scenario: drifting(errors(0.005), errors(0.005), errorWave, { shocks: { errorLog: 0.3 } }),
    questions: [ROLLED_BACK_FALSELY],
  }),
  scenarioCase({
    ...SHOCKS,
    name: 'shocks, latency ×e^±0.3',
    what: 'latencies of each arm times a lognormal factor of sd 0.3 in every block, equal versions, ramp and drift',
    guardrail: P95_0,
    scenario: drifting(scaled(1), scaled(1), latencyWave, { shocks: { latencyLog: 0.3 } }),
    questions: [ROLLED_BACK_FALSELY],
  }),
]
