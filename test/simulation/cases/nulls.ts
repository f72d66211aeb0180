import type { Question, SimulationCase } from '../case.ts'
import { HEAVY, type LatencyShape, LOGNORMAL } from '../latency-model.ts'
import type { ArmShape } from '../scenario.ts'
import type { Published } from './guardrails.ts'
import {
  ERROR_0,
  ERROR_20,
  ERROR_MAX,
  ERROR_PP,
  P95_0,
  P95_10,
  P95_MAX,
  published,
  QUALITY_0,
  QUALITY_1,
  RARE,
  revenue,
} from './guardrails.ts'
import type { SplitName } from './shapes.ts'
import {
  errors,
  latencies,
  QUALITY_MEAN,
  scores,
  shareOf,
  stationary,
  stationaryCase,
} from './shapes.ts'

/** 580 blocks instead of 10,000 are a million events; blocks and looks are dense where most is decided. */
const LATER_BLOCKS = [
  { fromBlock: 200, events: 1000 },
  { fromBlock: 380, events: 4000 },
]
const REPETITIONS = 2000
const QUICK = 60

interface Null {
  readonly name: string
  readonly what: string
  readonly guardrail: string
  readonly stable: ArmShape
  readonly canary: ArmShape
  /** False rollback of the reference, by split; null: not published. */
  readonly splits: Partial<Record<SplitName, Published | null>>
  /** False pass at a margin of the reference, by split; missing: a pass would be right. */
  readonly falsePass?: Partial<Record<SplitName, Published | null>>
  readonly quick?: readonly SplitName[]
}

const scaled = (by: number): LatencyShape => ({ ...LOGNORMAL, by })
const plain = latencies(LOGNORMAL)
/** p95 exactly 120 ms. */
const AT_LIMIT = latencies(scaled(120 / (35 * Math.exp(0.6962 * 1.6448536269514722))))

const OTHER_QUANTILES: readonly Null[] = ['p50', 'p90', 'p99'].flatMap((quantile) => [
  {
    name: `${quantile} 0 %`,
    what: 'lognormal latencies, the same in both arms, margin 0',
    guardrail: `metric: latency_${quantile}, max_increase: 0%`,
    stable: plain,
    canary: plain,
    splits: { '10/90': null },
  },
  {
    name: `${quantile} 10 %`,
    what: 'all latencies +10 %, exactly at the margin of 10 %',
    guardrail: `metric: latency_${quantile}, max_increase: 10%`,
    stable: plain,
    canary: latencies(scaled(1.1)),
    splits: { '10/90': null },
    falsePass: { '10/90': null },
  },
])

const NULLS: readonly Null[] = [
  {
    name: 'error 0 %',
    what: 'error 0.5 % in both arms, margin 0',
    guardrail: ERROR_0,
    stable: errors(0.005),
    canary: errors(0.005),
    splits: { '10/90': [2.9, 0.3], '50/50': [3.4, 0.3], '1/99': null },
    quick: ['10/90'],
  },
  {
    name: 'error 0.2 pp',
    what: 'error 0.5 → 0.7 %, exactly at the margin of 0.2 pp',
    guardrail: ERROR_PP,
    stable: errors(0.005),
    canary: errors(0.007),
    splits: { '10/90': [4.4, 0.6], '50/50': [1.6, 0.4], '1/99': [2.3, 0.3] },
    falsePass: { '10/90': [2.5, 0.3], '50/50': [4.1, 0.4], '1/99': [1.1, 0.2] },
    quick: ['10/90', '1/99'],
  },
  {
    name: 'p95 0 %',
    what: 'lognormal latencies, the same in both arms, margin 0',
    guardrail: P95_0,
    stable: plain,
    canary: plain,
    splits: { '10/90': [1.7, 0.3], '50/50': [2.9, 0.4], '1/99': null },
    quick: ['50/50'],
  },
  {
    name: 'p95 0 % heavy',
    what: 'heavy-tailed latencies, the same in both arms, margin 0',
    guardrail: P95_0,
    stable: latencies(HEAVY),
    canary: latencies(HEAVY),
    splits: { '10/90': [2.5, 0.4], '50/50': [1.8, 0.3] },
  },
  {
    name: 'p95 10 %',
    what: 'all latencies +10 %, exactly at the margin of 10 %',
    guardrail: P95_10,
    stable: plain,
    canary: latencies(scaled(1.1)),
    splits: { '10/90': [2.5, 0.5], '50/50': [2.2, 0.5], '1/99': null },
    falsePass: { '10/90': [3.2, 0.6], '50/50': [2.0, 0.4], '1/99': null },
    quick: ['10/90'],
  },
  {
    name: 'p95 10 % tail',
    what: 'only the tail above p80 longer, p95 +10 %, exactly at the margin',
    guardrail: P95_10,
    stable: plain,
    canary: latencies({ ...LOGNORMAL, change: 'tail', by: 1.1 }),
    splits: { '10/90': [2.4, 0.5], '50/50': null, '1/99': null },
    falsePass: { '10/90': null, '50/50': null, '1/99': null },
  },
  {
    name: 'p95 10 % heavy',
    what: 'heavy-tailed latencies +10 %, exactly at the margin of 10 %',
    guardrail: P95_10,
    stable: latencies(HEAVY),
    canary: latencies({ ...HEAVY, by: 1.1 }),
    splits: { '10/90': [3.1, 0.5], '50/50': null },
    falsePass: { '10/90': null, '50/50': null },
  },
  {
    name: 'quality 0',
    what: 'quality Beta(0.86, sd 0.12) in both arms, margin 0',
    guardrail: QUALITY_0,
    stable: scores(QUALITY_MEAN),
    canary: scores(QUALITY_MEAN),
    splits: { '10/90': [2.5, 0.5], '50/50': [2.7, 0.5], '1/99': null },
    quick: ['10/90'],
  },
  {
    name: 'quality 0.01',
    what: 'quality 0.86 → 0.85, exactly at the margin of 0.01',
    guardrail: QUALITY_1,
    stable: scores(QUALITY_MEAN),
    canary: scores(QUALITY_MEAN - 0.01),
    splits: { '10/90': [3.4, 0.8], '50/50': [3.2, 0.8], '1/99': null },
    falsePass: { '10/90': [5.6, 1.0], '50/50': [1.8, 0.6], '1/99': null },
    quick: ['10/90'],
  },
  ...OTHER_QUANTILES,
  {
    name: 'error 20 %',
    what: 'error 0.5 → 0.6 %, exactly at the relative margin of 20 %',
    guardrail: ERROR_20,
    stable: errors(0.005),
    canary: errors(0.006),
    splits: { '10/90': null, '50/50': null },
    falsePass: { '10/90': null, '50/50': null },
  },
  {
    name: 'rare error 0.2 pp',
    what: 'error 0.005 → 0.205 %, exactly at the margin of 0.2 pp: a baseline with almost no errors',
    guardrail: ERROR_PP,
    stable: errors(RARE),
    canary: errors(RARE + 0.002),
    splits: { '10/90': null, '50/50': null },
    falsePass: { '10/90': null, '50/50': null },
  },
  {
    name: 'KPI 0',
    what: 'a KPI from 0 to 100, Beta with mean 20 and sd 15 in both arms, margin 0',
    guardrail: 'metric: kpi.revenue, bounds: [0, 100], max_drop: 0',
    stable: revenue(20),
    canary: revenue(20),
    splits: { '10/90': null },
  },
  {
    name: 'KPI 1',
    what: 'the same KPI 20 → 19, exactly at the margin of 1',
    guardrail: 'metric: kpi.revenue, bounds: [0, 100], max_drop: 1',
    stable: revenue(20),
    canary: revenue(19),
    splits: { '10/90': null, '50/50': null },
    falsePass: { '10/90': null, '50/50': null },
  },
  {
    name: 'quality min',
    what: 'quality exactly at its limit of 0.86',
    guardrail: `metric: quality, min: ${QUALITY_MEAN}`,
    stable: scores(QUALITY_MEAN),
    canary: scores(QUALITY_MEAN),
    splits: { '10/90': null },
    falsePass: { '10/90': null },
  },
  {
    name: 'p95 max',
    what: 'p95 exactly at its limit of 120 ms',
    guardrail: P95_MAX,
    stable: plain,
    canary: AT_LIMIT,
    splits: { '10/90': [2.1, 0.2], '50/50': null, '1/99': null },
    falsePass: { '10/90': null, '50/50': null, '1/99': null },
  },
  {
    name: 'error max',
    what: 'error rate exactly at its limit of 0.8 %',
    guardrail: ERROR_MAX,
    stable: errors(0.005),
    canary: errors(0.008),
    splits: { '10/90': [3.2, 0.3], '50/50': null, '1/99': null },
    falsePass: { '10/90': [3.5, 0.3], '50/50': [2.6, 0.3], '1/99': null },
    quick: ['10/90'],
  },
]

/** Nothing is worse than allowed: rolled back is false. At a margin passed is false, too. */
export const NULL_CASES: readonly SimulationCase[] = NULLS.flatMap((test) =>
  (Object.keys(test.splits) as SplitName[]).map((split) => {
    const questions: Question[] = [
      { asks: 'rolled_back', bar: 'alpha', ...published(test.splits[split]) },
    ]
    if (test.falsePass !== undefined) {
      questions.push({ asks: 'passed', bar: 'alpha', ...published(test.falsePass[split]) })
    }
    return stationaryCase({
      name: `null, ${test.name}, ${split}`,
      family: test.falsePass === undefined ? 'Nothing is worse' : 'Exactly at the limit',
      what: test.what,
      scenario: {
        ...stationary(test.stable, test.canary, shareOf(split)),
        laterBlocks: LATER_BLOCKS,
      },
      guardrails: [test.guardrail],
      fewLooksAfter: 100_000,
      until: test.falsePass === undefined ? 'breach' : 'end',
      questions,
      repetitions: {
        full: REPETITIONS,
        quick: test.quick?.includes(split) === true ? QUICK : 0,
      },
    })
  }),
)
