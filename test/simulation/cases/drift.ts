import type { SimulationCase } from '../case.ts'
import { LOGNORMAL } from '../latency-model.ts'
import { withOdds } from '../routing.ts'
import type { ArmShape, Level } from '../scenario.ts'
import { ERROR_0, P95_0, QUALITY_0 } from './guardrails.ts'
import type { Day } from './scenario-case.ts'
import { dayOf, ROLLED_BACK_FALSELY, scenarioCase, single } from './scenario-case.ts'
import { errors, latencies, reference, scores } from './shapes.ts'

type LevelOf = (block: number) => Level
/** Error rate between 0.1 and 0.9 %. */
const errorWave =
  ({ wave }: Day): LevelOf =>
  (block) => {
    const rate = 0.005 + 0.004 * wave(block)
    return { errorOdds: rate / (1 - rate) / (0.005 / 0.995) }
  }
/** Latency scale ±40 %. */
const latencyWave =
  ({ wave }: Day): LevelOf =>
  (block) => ({ latencyBins: Math.round(Math.log(1 + 0.4 * wave(block)) / Math.log(1.01)) })
const qualityWave =
  ({ wave }: Day): LevelOf =>
  (block) => ({ qualityShift: 0.03 * wave(block) })

const DAY_EVENTS = 1_000_000
const DAY = dayOf(500)
/** How well shocks are known depends on how many there are: as many as in the reference. */
const SHOCK_DAY = dayOf(1000)

const DRIFT = {
  family: 'Ramp while the level drifts over the day',
  horizonEvents: DAY_EVENTS,
  steps: DAY.steps,
}
/** Asked whether it ever passes, a judge keeps its pass evidence: no new steps. */
const ONE_STEP = { until: 'end', steps: [] } as const

const drifting = (day: Day, shape: ArmShape, canary: ArmShape, level: LevelOf, more = {}) =>
  single(shape, canary, {
    blockEvents: DAY_EVENTS / day.blocks,
    canaryShare: day.ramp,
    level,
    ...more,
  })
const scaled = (by: number) => latencies({ ...LOGNORMAL, by })

export const DRIFT_CASES: readonly SimulationCase[] = [
  scenarioCase({
    ...DRIFT,
    name: 'drift, error 0 %',
    what: 'error 0.1–0.9 % over the day, equal versions, margin 0',
    guardrail: ERROR_0,
    scenario: drifting(DAY, errors(0.005), errors(0.005), errorWave(DAY)),
    questions: [{ ...ROLLED_BACK_FALSELY, reference: reference(3.0, 0.4) }],
    quick: 60,
  }),
  scenarioCase({
    ...DRIFT,
    name: 'drift, error 0.2 pp',
    what: 'error 0.1–0.9 % over the day, canary 0.2 pp higher at all times, margin 0.2 pp',
    ...ONE_STEP,
    guardrail: 'metric: error_rate, max_increase: 0.2pp',
    scenario: drifting(DAY, errors(0.005), errors(0.005), (block) => ({
      ...errorWave(DAY)(block),
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
    scenario: drifting(DAY, scaled(1), scaled(1), latencyWave(DAY)),
    questions: [{ ...ROLLED_BACK_FALSELY, reference: reference(4.6, 0.9) }],
    quick: 60,
  }),
  scenarioCase({
    ...DRIFT,
    name: 'drift, p95 10 %',
    what: 'latencies ±40 % over the day, canary +10 %, margin 10 %',
    ...ONE_STEP,
    guardrail: 'metric: latency_p95, max_increase: 10%',
    scenario: drifting(DAY, scaled(1), scaled(1.1), latencyWave(DAY)),
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
    scenario: drifting(DAY, scores(0.86), scores(0.86), qualityWave(DAY)),
    questions: [{ ...ROLLED_BACK_FALSELY, reference: reference(3.2, 0.4) }],
  }),
  ...[1.5, 2].map((factor) =>
    scenarioCase({
      ...DRIFT,
      name: `drift, error odds ×${factor}`,
      what: `error 0.1–0.9 % over the day, odds ×${factor}`,
      guardrail: ERROR_0,
      scenario: drifting(DAY, errors(0.005), errors(withOdds(0.005, factor)), errorWave(DAY)),
      questions: [
        { asks: 'rolled_back', bar: 'most' },
        { asks: 'events_to_rollback', bar: 'none' },
      ],
    }),
  ),
]

const SHOCKS = { ...DRIFT, family: 'Shocks of one arm', steps: SHOCK_DAY.steps }

const QUALITY_SHOCKS: readonly SimulationCase[] = [
  { sd: 0.01, refs: reference(5.6, 0.5) },
  { sd: 0.03, refs: reference(4.9, 0.3) },
].map(({ sd, refs }) =>
  scenarioCase({
    ...SHOCKS,
    name: `shocks, quality sd ${sd}`,
    what: `quality of each arm moves by sd ${sd} from block to block, equal versions, ramp and drift`,
    guardrail: QUALITY_0,
    scenario: drifting(SHOCK_DAY, scores(0.86), scores(0.86), qualityWave(SHOCK_DAY), {
      shocks: { quality: sd },
    }),
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
    scenario: drifting(SHOCK_DAY, errors(0.005), errors(0.005), errorWave(SHOCK_DAY), {
      shocks: { errorLog: 0.3 },
    }),
    questions: [ROLLED_BACK_FALSELY],
  }),
  scenarioCase({
    ...SHOCKS,
    name: 'shocks, latency ×e^±0.3',
    what: 'latencies of each arm times a lognormal factor of sd 0.3 in every block, equal versions, ramp and drift; as shipped only: of a first block nobody can tell whether it was a shock, which is why no release is judged by one',
    bare: null,
    guardrail: P95_0,
    scenario: drifting(SHOCK_DAY, scaled(1), scaled(1), latencyWave(SHOCK_DAY), {
      shocks: { latencyLog: 0.3 },
    }),
    questions: [ROLLED_BACK_FALSELY],
  }),
]
