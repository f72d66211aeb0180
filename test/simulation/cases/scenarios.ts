import type { Question, SimulationCase } from '../case.ts'
import { LOGNORMAL } from '../latency-model.ts'
import { BARE } from '../release-spec.ts'
import type { ArmShape, Clusters, CohortTraffic, Level, Scenario } from '../scenario.ts'
import { errors, latencies, reference, scores, stationaryCase } from './shapes.ts'

const NULL_REPETITIONS = 2000
const POWER_REPETITIONS = 500
const BLOCK_EVENTS = 1000
const HISTORY_EVENTS = 50_000
/** A day of the level, in blocks. */
const DAY = 1000

const ERROR_0 = 'metric: error_rate, max_increase: 0%'
const P95_0 = 'metric: latency_p95, max_increase: 0%'
const QUALITY_0 = 'metric: quality, max_drop: 0'

const ROLLED_BACK_FALSELY: Question = { asks: 'rolled_back', bar: 'alpha' }

interface Parts {
  readonly name: string
  readonly family: string
  readonly what: string
  readonly scenario: Scenario
  readonly guardrail: string
  readonly horizonBlocks: number
  readonly questions: readonly Question[]
  readonly quick?: number
}

/** Blocks of 1,000 requests, a look at each; nulls are asked about rollback only. */
function scenarioCase(parts: Parts & Partial<SimulationCase>): SimulationCase {
  const { guardrail, questions, quick, ...rest } = parts
  const isNull = questions.some(({ bar }) => bar === 'alpha')
  return {
    guardrails: [guardrail],
    bare: BARE,
    shipped: '',
    lookEveryBlocks: 1,
    until: 'breach',
    questions,
    repetitions: { full: isNull ? NULL_REPETITIONS : POWER_REPETITIONS, quick: quick ?? 0 },
    ...rest,
  }
}

/** 1 → 5 → 25 → 50 %, 100 blocks each but the last. */
const RAMP_STEPS = [100, 200, 300]
const ramp = (block: number): number =>
  block < 100 ? 0.01 : block < 200 ? 0.05 : block < 300 ? 0.25 : 0.5
const wave = (block: number): number => Math.sin((2 * Math.PI * block) / DAY)

function single(stable: ArmShape, canary: ArmShape, rest: Partial<Scenario>): Scenario {
  return {
    blockEvents: BLOCK_EVENTS,
    cohorts: [{ cohort: {}, share: 1, stable, canary }],
    canaryShare: 0.1,
    historyEvents: HISTORY_EVENTS,
    ...rest,
  }
}

/** `rate` with its odds multiplied. */
function timesOdds(rate: number, factor: number): number {
  const odds = (factor * rate) / (1 - rate)
  return odds / (1 + odds)
}

const MIX: readonly { locale: string; device: string; share: number; canary: number }[] = [
  { locale: 'en-US', device: 'mobile', share: 0.3, canary: 0.45 },
  { locale: 'en-US', device: 'desktop', share: 0.3, canary: 0.2 },
  { locale: 'de-DE', device: 'mobile', share: 0.12, canary: 0.18 },
  { locale: 'de-DE', device: 'desktop', share: 0.13, canary: 0.07 },
  { locale: 'fr-FR', device: 'mobile', share: 0.07, canary: 0.06 },
  { locale: 'fr-FR', device: 'desktop', share: 0.08, canary: 0.04 },
]

/** Phones fail and wait more; `towards` is where the canary's mix leans. */
function mixed(
  shape: (device: string, worse: boolean) => ArmShape,
  towards: 'same' | 'mobile',
): CohortTraffic[] {
  return MIX.map(({ locale, device, share, canary }) => ({
    cohort: { locale, device },
    share,
    canaryShare: towards === 'same' ? share : canary,
    stable: shape(device, false),
    canary: shape(device, true),
  }))
}

const mixError = (factor: number) => (device: string, worse: boolean) =>
  errors(timesOdds(device === 'mobile' ? 0.008 : 0.003, worse ? factor : 1))
const mixLatency = (factor: number) => (device: string, worse: boolean) =>
  latencies({ ...LOGNORMAL, by: (device === 'mobile' ? 1.3 : 0.9) * (worse ? factor : 1) })

const STRATIFIED = { bare: 'cohorts: { by: [locale, device] }\nwarmup: 0s', horizonBlocks: 300 }
const OVERALL = ', cohorts: overall'

const MIX_CASES: readonly SimulationCase[] = [
  { name: 'error', guardrail: ERROR_0, shape: mixError(1), refs: [2.3, 0.3, 2.4, 0.3] as const },
  { name: 'p95', guardrail: P95_0, shape: mixLatency(1), refs: [1.8, 0.3, 1.9, 0.3] as const },
].flatMap(({ name, guardrail, shape, refs }) =>
  (['same', 'mobile'] as const).map((towards, index) =>
    scenarioCase({
      ...STRATIFIED,
      name: `mix, ${name}, ${towards === 'same' ? 'same mix' : 'canary mobile-heavy'}`,
      family: 'Other cohorts in the canary',
      what: `six cohorts, equal versions, ${towards === 'same' ? 'the same mix' : 'more phones in the canary'}`,
      guardrail: `${guardrail}${OVERALL}`,
      scenario: {
        blockEvents: BLOCK_EVENTS,
        cohorts: mixed(shape, towards),
        canaryShare: 0.1,
        historyEvents: HISTORY_EVENTS,
      },
      questions: [
        { ...ROLLED_BACK_FALSELY, reference: reference(refs[2 * index]!, refs[2 * index + 1]!) },
      ],
      quick: towards === 'mobile' ? 20 : 0,
    }),
  ),
)

const MIX_WORSE: readonly SimulationCase[] = [
  { name: 'error odds ×2', guardrail: ERROR_0, shape: mixError(2) },
  { name: 'p95 +20 %', guardrail: P95_0, shape: mixLatency(1.2) },
].map(({ name, guardrail, shape }) =>
  scenarioCase({
    ...STRATIFIED,
    name: `mix, ${name} everywhere`,
    family: 'Other cohorts in the canary',
    what: `six cohorts, ${name} in each, more phones in the canary`,
    guardrail: `${guardrail}${OVERALL}`,
    scenario: {
      blockEvents: BLOCK_EVENTS,
      cohorts: mixed(shape, 'mobile'),
      canaryShare: 0.1,
      historyEvents: HISTORY_EVENTS,
    },
    questions: [
      { asks: 'rolled_back', bar: 'most' },
      { asks: 'events_to_rollback', bar: 'none' },
    ],
  }),
)

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

const RAMPED = { canaryShare: ramp }
const DRIFT = {
  family: 'Ramp while the level drifts over the day',
  horizonBlocks: DAY,
  steps: RAMP_STEPS,
}
/** Asked whether it ever passes, a judge keeps its pass evidence: no new steps. */
const ONE_STEP = { until: 'end', steps: [] } as const

const drifting = (shape: ArmShape, canary: ArmShape, level: (block: number) => Level, more = {}) =>
  single(shape, canary, { ...RAMPED, level, ...more })
const scaled = (by: number) => latencies({ ...LOGNORMAL, by })

const DRIFT_CASES: readonly SimulationCase[] = [
  scenarioCase({
    ...DRIFT,
    name: 'drift, error 0 %',
    what: 'error 0.1–0.9 % over the day, equal versions, margin 0',
    guardrail: ERROR_0,
    scenario: drifting(errors(0.005), errors(0.005), errorWave),
    questions: [{ ...ROLLED_BACK_FALSELY, reference: reference(3.0, 0.4) }],
    quick: 30,
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
    quick: 15,
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
      scenario: drifting(errors(0.005), errors(timesOdds(0.005, factor)), errorWave),
      questions: [
        { asks: 'rolled_back', bar: 'most' },
        { asks: 'events_to_rollback', bar: 'none' },
      ],
    }),
  ),
]

const SHOCK_CASES: readonly SimulationCase[] = [
  { sd: 0.01, refs: reference(5.6, 0.5) },
  { sd: 0.03, refs: reference(4.9, 0.3) },
].map(({ sd, refs }) =>
  scenarioCase({
    ...DRIFT,
    name: `shocks, quality sd ${sd}`,
    family: 'Shocks of one arm',
    what: `quality of each arm moves by sd ${sd} from block to block, equal versions, ramp and drift`,
    guardrail: QUALITY_0,
    scenario: drifting(scores(0.86), scores(0.86), qualityWave, { qualityShock: sd }),
    questions: [{ ...ROLLED_BACK_FALSELY, reference: refs }],
    quick: sd === 0.01 ? 20 : 0,
  }),
)

const CLUSTERED: readonly {
  name: string
  clusters: Clusters
  rate: number
  refs: [number, number]
}[] = [
  {
    name: 'session, ICC 0.1',
    clusters: { kind: 'session', requests: 9, icc: 0.1 },
    rate: 0.005,
    refs: [1.5, 0.6],
  },
  {
    name: 'session, ICC 0.3',
    clusters: { kind: 'session', requests: 9, icc: 0.3 },
    rate: 0.05,
    refs: [1.2, 0.6],
  },
  {
    name: 'persistent, ICC 0.02',
    clusters: { kind: 'persistent', requests: 150, icc: 0.02 },
    rate: 0.005,
    refs: [1.5, 0.6],
  },
  {
    name: 'persistent, ICC 0.05',
    clusters: { kind: 'persistent', requests: 150, icc: 0.05 },
    rate: 0.05,
    refs: [1.0, 0.5],
  },
]

const CLUSTER_CASES: readonly SimulationCase[] = CLUSTERED.map(
  ({ name, clusters, rate, refs }, index) =>
    scenarioCase({
      name: `users, ${name}`,
      family: 'Many requests of one user',
      what: `${clusters.requests} requests a user, errors of a user go together, equal versions, margin 0`,
      guardrail: ERROR_0,
      horizonBlocks: 1000,
      lookEveryBlocks: 10,
      scenario: single(errors(rate), errors(rate), { clusters }),
      questions: [{ ...ROLLED_BACK_FALSELY, reference: reference(...refs) }],
      quick: index === 1 ? 20 : 0,
    }),
)

/** Bad labels come after half an hour on average, good ones after 7 minutes; twice as long is waited. */
const WATERMARK_MINUTES = 60
const IN_TIME = {
  bad: 1 - Math.exp(-WATERMARK_MINUTES / 30),
  good: 1 - Math.exp(-WATERMARK_MINUTES / 7),
}
const LABELS = {
  family: 'Labels that come late',
  guardrail: 'metric: quality, max_drop: 0.01',
  horizonBlocks: DAY,
  lookEveryBlocks: 10,
  until: 'end',
  bare: `${BARE}blocks: { watermark: ${WATERMARK_MINUTES}m }\n`,
  shipped: `blocks: { watermark: ${WATERMARK_MINUTES}m }\n`,
} as const
const labelled = (stable: number, canary: number): Scenario =>
  single(errors(0), errors(0), {
    ...RAMPED,
    blockEvents: 100,
    lateLabels: { badRate: { stable, canary }, inTime: IN_TIME },
  })

const LABEL_CASES: readonly SimulationCase[] = [
  scenarioCase({
    ...LABELS,
    name: 'labels, at the margin',
    what: '5 % bad against 6 %, margin 1 pp, ramp; a seventh of the bad labels comes too late',
    scenario: labelled(0.05, 0.06),
    questions: [
      { ...ROLLED_BACK_FALSELY, reference: reference(3.4, 0.8) },
      { asks: 'passed', bar: 'alpha', reference: reference(3.4, 0.8) },
    ],
    quick: 20,
  }),
  scenarioCase({
    ...LABELS,
    name: 'labels, +2 pp',
    what: '5 % bad against 7 %, margin 1 pp, ramp; never to be passed',
    scenario: labelled(0.05, 0.07),
    questions: [
      { asks: 'passed', bar: 'alpha', reference: reference(0, 0.1) },
      { asks: 'rolled_back', bar: 'most' },
    ],
  }),
]

/** Tenths of the maximal duration are tenths of the million events. */
const RESTARTS = 'max_duration: 100000s'
const LATE: readonly { rate: number; fromBlock: number; refs: readonly [number, number] }[] = [
  { rate: 0.01, fromBlock: 3000, refs: [51.2, 3] },
  { rate: 0.02, fromBlock: 3000, refs: [20.7, 3] },
  { rate: 0.02, fromBlock: 6000, refs: [16.4, 2] },
]

const LATE_CASES: readonly SimulationCase[] = LATE.map(({ rate, fromBlock, refs }) =>
  stationaryCase({
    name: `late, error ${100 * rate} % from ${fromBlock / 10}k`,
    family: 'A regression that starts late',
    what: `error 0.5 → ${100 * rate} % after ${fromBlock / 10},000 events, margin 0; delay, with the restarts of the shipped judge`,
    scenario: {
      ...single(errors(0.005), errors(0.005), {
        change: { fromBlock, canary: [errors(rate)] },
        blockEvents: 100,
      }),
    },
    guardrails: [ERROR_0],
    until: 'breach',
    questions: [
      {
        asks: 'events_to_rollback',
        bar: 'reference',
        reference: reference(...refs),
        after: 100 * fromBlock,
      },
    ],
    repetitions: { full: 1000, quick: rate === 0.02 && fromBlock === 3000 ? 30 : 0 },
    bare: null,
    shipped: `${BARE}${RESTARTS}`,
  }),
)

const RESTART_NULL: SimulationCase = stationaryCase({
  name: 'late, never',
  family: 'A regression that starts late',
  what: 'error 0.5 % in both arms, margin 0, with the restarts of the shipped judge',
  scenario: single(errors(0.005), errors(0.005), { blockEvents: 100 }),
  guardrails: [ERROR_0],
  until: 'breach',
  questions: [{ ...ROLLED_BACK_FALSELY, reference: reference(2.5, 0.5) }],
  repetitions: { full: NULL_REPETITIONS, quick: 0 },
  bare: null,
  shipped: `${BARE}${RESTARTS}`,
})

export const SCENARIO_CASES: readonly SimulationCase[] = [
  ...MIX_CASES,
  ...MIX_WORSE,
  ...DRIFT_CASES,
  ...SHOCK_CASES,
  ...CLUSTER_CASES,
  ...LABEL_CASES,
  RESTART_NULL,
  ...LATE_CASES,
]
