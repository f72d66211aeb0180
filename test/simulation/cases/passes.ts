import type { SimulationCase } from '../case.ts'
import { LOGNORMAL } from '../latency-model.ts'
import type { ArmShape } from '../scenario.ts'
import type { Published } from './guardrails.ts'
import {
  ERROR_20,
  ERROR_MAX,
  ERROR_PP,
  P95_10,
  P95_MAX,
  published,
  QUALITY_1,
  RARE,
  revenue,
} from './guardrails.ts'
import { NULL_REPETITIONS } from './scenario-case.ts'
import type { SplitName } from './shapes.ts'
import {
  errors,
  latencies,
  QUALITY_GATE_BLOCKS,
  QUALITY_MEAN,
  scores,
  shareOf,
  stationary,
  stationaryCase,
} from './shapes.ts'

const plain = latencies(LOGNORMAL)

interface Passing {
  readonly name: string
  readonly what: string
  readonly guardrail: string
  readonly arm: ArmShape
  /** Null: not published. */
  readonly splits: Partial<Record<SplitName, Published | null>>
  readonly gateBlocks?: number
}

/** Times to pass of the reference (statistics §9, last paragraph). */
const PASSING: readonly Passing[] = [
  {
    name: 'error 0.2 pp',
    what: 'error 0.5 % in both arms, margin 0.2 pp',
    guardrail: ERROR_PP,
    arm: errors(0.005),
    splits: { '10/90': [133, 3], '50/50': [37.9, 0.8] },
  },
  {
    name: 'p95 10 %',
    what: 'the same latencies in both arms, margin 10 %',
    guardrail: P95_10,
    arm: plain,
    splits: { '10/90': [25.0, 0.5], '50/50': [9.4, 0.2] },
  },
  {
    name: 'quality 0.01',
    what: 'the same quality in both arms, margin 0.01; counted from the first look after the gate',
    guardrail: QUALITY_1,
    arm: scores(QUALITY_MEAN),
    splits: { '10/90': [12.4, 0.4], '50/50': [5.2, 0.1] },
    gateBlocks: QUALITY_GATE_BLOCKS,
  },
  {
    name: 'p95 max',
    what: 'p95 110 ms, limit 120 ms',
    guardrail: P95_MAX,
    arm: plain,
    splits: { '10/90': [26.5, 0.3], '50/50': [6.0, 0.1] },
  },
  {
    name: 'error max',
    what: 'error rate 0.5 %, limit 0.8 %',
    guardrail: ERROR_MAX,
    arm: errors(0.005),
    splits: { '10/90': [56.6, 0.6], '50/50': [12.8, 0.1] },
  },
  {
    name: 'error 20 %',
    what: 'error 0.5 % in both arms, relative margin 20 %',
    guardrail: ERROR_20,
    arm: errors(0.005),
    splits: { '50/50': null },
  },
  {
    name: 'rare error 0.2 pp',
    what: 'error 0.005 % in both arms, margin 0.2 pp',
    guardrail: ERROR_PP,
    arm: errors(RARE),
    splits: { '10/90': null, '50/50': null },
  },
  {
    name: 'KPI 1',
    what: 'the same KPI in both arms, margin 1 of 100',
    guardrail: 'metric: kpi.revenue, bounds: [0, 100], max_drop: 1',
    arm: revenue(20),
    splits: { '10/90': null },
  },
]

/** All is well: how long until that is known. */
export const PASS_CASES: readonly SimulationCase[] = PASSING.flatMap((test) =>
  (Object.keys(test.splits) as SplitName[]).map((split) =>
    stationaryCase({
      name: `pass, ${test.name}, ${split}`,
      family: 'Time to pass',
      what: test.what,
      scenario: stationary(test.arm, test.arm, shareOf(split)),
      guardrails: [test.guardrail],
      until: 'pass',
      questions: [
        {
          asks: 'events_to_pass',
          bar: 'reference',
          ...published(test.splits[split]),
          ...(test.gateBlocks === undefined ? {} : { gateBlocks: test.gateBlocks }),
        },
        { asks: 'rolled_back', bar: 'alpha' },
      ],
      repetitions: {
        full: NULL_REPETITIONS,
        quick: split === '10/90' && test.splits[split] !== null ? 100 : 0,
      },
    }),
  ),
)
