import type { SimulationCase } from '../case.ts'
import { BARE } from '../release-spec.ts'
import { ERROR_0 } from './guardrails.ts'
import {
  BLOCK_EVENTS,
  NULL_REPETITIONS,
  POWER_REPETITIONS,
  ROLLED_BACK_FALSELY,
  single,
} from './scenario-case.ts'
import { errors, reference, stationaryCase } from './shapes.ts'

/** Tenths of the maximal duration are tenths of the million events, a thousand of them a block. */
const RESTARTS = 'max_duration: 10000s'
const LATE: readonly { rate: number; fromBlock: number; refs: readonly [number, number] }[] = [
  { rate: 0.01, fromBlock: 300, refs: [51.2, 3] },
  { rate: 0.02, fromBlock: 300, refs: [20.7, 3] },
  { rate: 0.02, fromBlock: 600, refs: [16.4, 2] },
]

const WORSE_LATER: readonly SimulationCase[] = LATE.map(({ rate, fromBlock, refs }) =>
  stationaryCase({
    name: `late, error ${100 * rate} % from ${fromBlock}k`,
    family: 'A regression that starts late',
    what: `error 0.5 → ${100 * rate} % after ${fromBlock},000 events, margin 0; delay, with the restarts of the shipped judge`,
    scenario: single(errors(0.005), errors(0.005), {
      change: { fromBlock, canary: [errors(rate)] },
    }),
    guardrails: [ERROR_0],
    until: 'breach',
    questions: [
      {
        asks: 'events_to_rollback',
        bar: 'reference',
        reference: reference(...refs),
        after: BLOCK_EVENTS * fromBlock,
      },
    ],
    repetitions: { full: POWER_REPETITIONS, quick: rate === 0.02 && fromBlock === 300 ? 60 : 0 },
    bare: null,
    shipped: `${BARE}${RESTARTS}`,
  }),
)

const RESTART_NULL: SimulationCase = stationaryCase({
  name: 'late, never',
  family: 'A regression that starts late',
  what: 'error 0.5 % in both arms, margin 0, with the restarts of the shipped judge',
  scenario: single(errors(0.005), errors(0.005), {}),
  guardrails: [ERROR_0],
  until: 'breach',
  questions: [{ ...ROLLED_BACK_FALSELY, reference: reference(2.5, 0.5) }],
  repetitions: { full: NULL_REPETITIONS, quick: 0 },
  bare: null,
  shipped: `${BARE}${RESTARTS}`,
})

export const LATE_CASES: readonly SimulationCase[] = [RESTART_NULL, ...WORSE_LATER]
