import type { SimulationCase } from '../case.ts'
import { HEAVY, LOGNORMAL } from '../latency-model.ts'
import type { ArmShape } from '../scenario.ts'
import type { Published } from './guardrails.ts'
import { published } from './guardrails.ts'
import { POWER_REPETITIONS } from './scenario-case.ts'
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

/** What gets worse, and thousands of events to rollback of the recommended procedure, ± s.e. */
interface Row {
  readonly name: string
  readonly canary: ArmShape
  /** Missing: not published. */
  readonly '10/90'?: Published
  readonly '50/50'?: Published
  readonly quick?: true
}

interface Family {
  readonly name: string
  readonly guardrail: string
  readonly stable: ArmShape
  readonly rows: readonly Row[]
  readonly gateBlocks?: number
}

const error = (percent: number) => errors(percent / 100)
const scale = (by: number) => latencies({ ...LOGNORMAL, by })
const tail = (by: number) => latencies({ ...LOGNORMAL, change: 'tail', by })
const heavy = (by: number) => latencies({ ...HEAVY, by })
const drop = (by: number) => scores(QUALITY_MEAN - by)
/** p95 exactly so many ms. */
const p95 = (ms: number) => scale(ms / (35 * Math.exp(0.6962 * 1.6448536269514722)))

const FAMILIES: readonly Family[] = [
  {
    name: 'error, margin 0',
    guardrail: 'metric: error_rate, max_increase: 0%',
    stable: error(0.5),
    rows: [
      { name: '0.5→0.6 %', canary: error(0.6), '10/90': [436, 9.6], '50/50': [174, 4.1] },
      { name: '0.5→0.8 %', canary: error(0.8), '10/90': [57.4, 1.4], '50/50': [24.7, 0.5] },
      {
        name: '0.5→1.0 %',
        canary: error(1),
        '10/90': [25.8, 0.5],
        '50/50': [10.2, 0.2],
        quick: true,
      },
      { name: '0.5→2.0 %', canary: error(2), '10/90': [5.3, 0.1], '50/50': [2.5, 0.04] },
    ],
  },
  {
    name: 'error, +0.2 pp',
    guardrail: 'metric: error_rate, max_increase: 0.2pp',
    stable: error(0.5),
    rows: [
      { name: '0.5→0.8 %', canary: error(0.8), '10/90': [551, 15], '50/50': [221, 7] },
      {
        name: '0.5→1.0 %',
        canary: error(1),
        '10/90': [71.3, 2.2],
        '50/50': [28.7, 0.8],
        quick: true,
      },
      { name: '0.5→2.0 %', canary: error(2), '10/90': [8.4, 0.2], '50/50': [4.1, 0.1] },
    ],
  },
  {
    name: 'p95, margin 0',
    guardrail: 'metric: latency_p95, max_increase: 0%',
    stable: scale(1),
    rows: [
      { name: '+5 % scale', canary: scale(1.05), '10/90': [83.8, 2.8], '50/50': [31.8, 1] },
      { name: '+10 % scale', canary: scale(1.1), '10/90': [20.4, 0.4], '50/50': [7.9, 0.2] },
      {
        name: '+20 % scale',
        canary: scale(1.2),
        '10/90': [5.7, 0.1],
        '50/50': [2.5, 0.04],
        quick: true,
      },
      { name: '+50 % scale', canary: scale(1.5), '10/90': [1.5, 0.04], '50/50': [1, 0.02] },
      { name: '+5 % tail-only', canary: tail(1.05), '10/90': [98.6, 3.3], '50/50': [36.2, 1.2] },
      { name: '+10 % tail-only', canary: tail(1.1), '10/90': [27, 0.6], '50/50': [10.6, 0.2] },
      {
        name: '+20 % tail-only',
        canary: tail(1.2),
        '10/90': [9.5, 0.2],
        '50/50': [4.1, 0.1],
        quick: true,
      },
      { name: '+50 % tail-only', canary: tail(1.5), '10/90': [3.4, 0.1], '50/50': [1.6, 0.04] },
    ],
  },
  {
    name: 'p95 heavy, margin 0',
    guardrail: 'metric: latency_p95, max_increase: 0%',
    stable: heavy(1),
    rows: [
      { name: '+5 % scale', canary: heavy(1.05), '10/90': [88.2, 3], '50/50': [33.5, 1] },
      { name: '+10 % scale', canary: heavy(1.1), '10/90': [21.3, 0.5], '50/50': [8.4, 0.2] },
      { name: '+20 % scale', canary: heavy(1.2), '10/90': [5.9, 0.1], '50/50': [2.7, 0.04] },
      { name: '+50 % scale', canary: heavy(1.5), '10/90': [1.5, 0.04], '50/50': [1, 0.02] },
    ],
  },
  {
    name: 'p95, margin 10 %',
    guardrail: 'metric: latency_p95, max_increase: 10%',
    stable: scale(1),
    rows: [
      {
        name: '+20 % scale',
        canary: scale(1.2),
        '10/90': [25.1, 0.6],
        '50/50': [9.8, 0.2],
        quick: true,
      },
      { name: '+50 % scale', canary: scale(1.5), '10/90': [2.2, 0.04], '50/50': [1.2, 0.02] },
      { name: '+20 % tail-only', canary: tail(1.2), '10/90': [41.1, 0.9], '50/50': [16, 0.4] },
      { name: '+50 % tail-only', canary: tail(1.5), '10/90': [5.6, 0.1], '50/50': [2.5, 0.04] },
    ],
  },
  {
    name: 'p95 heavy, margin 10 %',
    guardrail: 'metric: latency_p95, max_increase: 10%',
    stable: heavy(1),
    rows: [
      { name: '+20 % scale', canary: heavy(1.2), '10/90': [26.2, 0.6], '50/50': [10.4, 0.2] },
      { name: '+50 % scale', canary: heavy(1.5), '10/90': [2.3, 0.04], '50/50': [1.2, 0.02] },
    ],
  },
  {
    name: 'quality, margin 0',
    guardrail: 'metric: quality, max_drop: 0',
    stable: drop(0),
    gateBlocks: QUALITY_GATE_BLOCKS,
    rows: [
      {
        name: '−0.005',
        canary: drop(0.005),
        '10/90': [50.8, 1.6],
        '50/50': [18.7, 0.6],
        quick: true,
      },
      { name: '−0.01', canary: drop(0.01), '10/90': [12.7, 0.3], '50/50': [5.4, 0.1] },
      { name: '−0.03', canary: drop(0.03), '10/90': [2.5, 0.04], '50/50': [1.2, 0.02] },
    ],
  },
  {
    name: 'quality, margin 0.01',
    guardrail: 'metric: quality, max_drop: 0.01',
    stable: drop(0),
    gateBlocks: QUALITY_GATE_BLOCKS,
    rows: [{ name: '−0.03', canary: drop(0.03), '10/90': [4.2, 0.1], '50/50': [1.8, 0.04] }],
  },
  {
    name: 'p95 ≤ 120 ms',
    guardrail: 'metric: latency_p95, max: 120ms',
    stable: scale(1),
    rows: [
      {
        name: 'true 132',
        canary: p95(132),
        '10/90': [18.4, 0.2],
        '50/50': [4.4, 0.04],
        quick: true,
      },
      { name: 'true 165', canary: p95(165), '10/90': [1.9, 0.04], '50/50': [1, 0.02] },
    ],
  },
  {
    name: 'error ≤ 0.8 %',
    guardrail: 'metric: error_rate, max: 0.8%',
    stable: error(0.5),
    rows: [
      { name: 'true 1.0 %', canary: error(1), '10/90': [171, 2.1], '50/50': [36.4, 0.4] },
      { name: 'true 2.0 %', canary: error(2), '10/90': [7.7, 0.1], '50/50': [2.1, 0.04] },
    ],
  },
  {
    name: 'error, +20 %',
    guardrail: 'metric: error_rate, max_increase: 20%',
    stable: error(0.5),
    rows: [{ name: '0.5→1.0 %', canary: error(1) }],
  },
  {
    name: 'rare error, +0.2 pp',
    guardrail: 'metric: error_rate, max_increase: 0.2pp',
    stable: error(0.005),
    rows: [{ name: '0.005→0.5 %', canary: error(0.5) }],
  },
  {
    name: 'p99, margin 0',
    guardrail: 'metric: latency_p99, max_increase: 0%',
    stable: scale(1),
    rows: [{ name: '+20 % scale', canary: scale(1.2) }],
  },
]

/** The detection rows of the bar (statistics §9) and, for heavy tails, of §10 B. */
export const DETECTION_CASES: readonly SimulationCase[] = FAMILIES.flatMap((family) =>
  family.rows.flatMap((row) =>
    (['10/90', '50/50'] satisfies SplitName[]).map((split) =>
      stationaryCase({
        name: `worse, ${family.name}, ${row.name}, ${split}`,
        family: 'Time to rollback',
        what: `${family.name}; ${row.name}${family.gateBlocks === undefined ? '' : '; counted from the first look after the gate'}`,
        scenario: stationary(family.stable, row.canary, shareOf(split)),
        guardrails: [family.guardrail],
        until: 'breach',
        questions: [
          {
            asks: 'events_to_rollback',
            bar: 'reference',
            ...published(row[split]),
            ...(family.gateBlocks === undefined ? {} : { gateBlocks: family.gateBlocks }),
          },
        ],
        repetitions: { full: POWER_REPETITIONS, quick: row.quick === true ? 120 : 0 },
      }),
    ),
  ),
)
