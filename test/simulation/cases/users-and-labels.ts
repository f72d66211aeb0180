import type { SimulationCase } from '../case.ts'
import { BARE } from '../release-spec.ts'
import type { Clusters, Scenario } from '../scenario.ts'
import { DAY, ERROR_0, ROLLED_BACK_FALSELY, ramp, scenarioCase, single } from './scenario-case.ts'
import { errors, reference } from './shapes.ts'

const CLUSTERED: readonly {
  name: string
  clusters: Clusters
  rate: number
  refs: [number, number]
}[] = [
  {
    name: 'session, ICC 0.1',
    clusters: { kind: 'session', requests: 9, icc: 0.1, of: 'errors' },
    rate: 0.005,
    refs: [1.5, 0.6],
  },
  {
    name: 'session, ICC 0.3',
    clusters: { kind: 'session', requests: 9, icc: 0.3, of: 'errors' },
    rate: 0.05,
    refs: [1.2, 0.6],
  },
  {
    name: 'persistent, ICC 0.02',
    clusters: { kind: 'persistent', requests: 150, icc: 0.02, of: 'errors' },
    rate: 0.005,
    refs: [1.5, 0.6],
  },
  {
    name: 'persistent, ICC 0.05',
    clusters: { kind: 'persistent', requests: 150, icc: 0.05, of: 'errors' },
    rate: 0.05,
    refs: [1.0, 0.5],
  },
]

export const CLUSTER_CASES: readonly SimulationCase[] = CLUSTERED.map(
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
    canaryShare: ramp,
    blockEvents: 100,
    lateLabels: { badRate: { stable, canary }, inTime: IN_TIME },
  })

export const LABEL_CASES: readonly SimulationCase[] = [
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
