import type { SimulationCase } from '../case.ts'
import { LOGNORMAL } from '../latency-model.ts'
import { withOdds } from '../routing.ts'
import type { ArmShape, CohortTraffic } from '../scenario.ts'
import { ERROR_0, P95_0 } from './guardrails.ts'
import { BLOCK_EVENTS, HISTORY_EVENTS, ROLLED_BACK_FALSELY, scenarioCase } from './scenario-case.ts'
import { errors, latencies, reference } from './shapes.ts'

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
  errors(withOdds(device === 'mobile' ? 0.008 : 0.003, worse ? factor : 1))
const mixLatency = (factor: number) => (device: string, worse: boolean) =>
  latencies({ ...LOGNORMAL, by: (device === 'mobile' ? 1.3 : 0.9) * (worse ? factor : 1) })

const STRATIFIED = { bare: 'cohorts: { by: [locale, device] }\nwarmup: 0s', horizonEvents: 300_000 }
const LATER_BLOCKS = [{ fromBlock: 50, events: 5000 }]
const OVERALL = ', cohorts: overall'

const EQUAL: readonly SimulationCase[] = [
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
        laterBlocks: LATER_BLOCKS,
      },
      questions: [
        { ...ROLLED_BACK_FALSELY, reference: reference(refs[2 * index]!, refs[2 * index + 1]!) },
      ],
      quick: towards === 'mobile' ? 60 : 0,
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
      laterBlocks: LATER_BLOCKS,
    },
    questions: [
      { asks: 'rolled_back', bar: 'most' },
      { asks: 'events_to_rollback', bar: 'none' },
    ],
  }),
)

export const MIX_CASES: readonly SimulationCase[] = [...EQUAL, ...MIX_WORSE]
