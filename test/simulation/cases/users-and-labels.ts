import type { SimulationCase } from '../case.ts'
import { LOGNORMAL } from '../latency-model.ts'
import { BARE } from '../release-spec.ts'
import type { Clusters, Scenario } from '../scenario.ts'
import { ERROR_0, P95_0, QUALITY_0 } from './guardrails.ts'
import { dayOf, ROLLED_BACK_FALSELY, scenarioCase, single } from './scenario-case.ts'
import { errors, latencies, QUALITY_MEAN, reference, scores } from './shapes.ts'

/** A million requests; statistics §10 D6 looks every 10,000. */
const LONG = { horizonEvents: 1_000_000, lookEvents: 10_000 }
const LONG_BLOCK_EVENTS = 5000

/** 150 requests a user, one user in ten sent to the canary. */
const USERS = { stable: 6000, canary: 667 }

const CLUSTERED: readonly {
  name: string
  requests: number
  clusters: Clusters
  rate: number
  refs: [number, number]
}[] = [
  {
    name: 'session, ICC 0.1',
    requests: 9,
    clusters: { kind: 'session', requests: 9, icc: 0.1, of: 'errors' },
    rate: 0.005,
    refs: [1.5, 0.6],
  },
  {
    name: 'session, ICC 0.3',
    requests: 9,
    clusters: { kind: 'session', requests: 9, icc: 0.3, of: 'errors' },
    rate: 0.05,
    refs: [1.2, 0.6],
  },
  {
    name: 'persistent, ICC 0.02',
    requests: 150,
    clusters: { kind: 'persistent', users: USERS, icc: 0.02, of: 'errors' },
    rate: 0.005,
    refs: [1.5, 0.6],
  },
  {
    name: 'persistent, ICC 0.05',
    requests: 150,
    clusters: { kind: 'persistent', users: USERS, icc: 0.05, of: 'errors' },
    rate: 0.05,
    refs: [1.0, 0.5],
  },
]

const CLUSTERED_ERRORS: readonly SimulationCase[] = CLUSTERED.map(
  ({ name, requests, clusters, rate, refs }, index) =>
    scenarioCase({
      name: `users, ${name}`,
      family: 'Many requests of one user',
      what: `${requests} requests a user, errors of a user go together, equal versions, margin 0`,
      guardrail: ERROR_0,
      ...LONG,
      scenario: single(errors(rate), errors(rate), { blockEvents: LONG_BLOCK_EVENTS, clusters }),
      questions: [{ ...ROLLED_BACK_FALSELY, reference: reference(...refs) }],
      quick: index === 1 ? 60 : 0,
    }),
)

const ALIKE = [
  { name: 'p95', guardrail: P95_0, arm: latencies(LOGNORMAL), of: 'latency' },
  { name: 'quality', guardrail: QUALITY_0, arm: scores(QUALITY_MEAN), of: 'quality' },
] as const

export const CLUSTER_CASES: readonly SimulationCase[] = [
  ...CLUSTERED_ERRORS,
  ...ALIKE.map(({ name, guardrail, arm, of }) =>
    scenarioCase({
      name: `users, ${name}, session, ICC 0.3`,
      family: 'Many requests of one user',
      what: '9 requests a user, alike with correlation 0.3, equal versions, margin 0',
      guardrail,
      ...LONG,
      scenario: single(arm, arm, {
        blockEvents: LONG_BLOCK_EVENTS,
        clusters: { kind: 'session', requests: 9, icc: 0.3, of },
      }),
      questions: [ROLLED_BACK_FALSELY],
      quick: 40,
    }),
  ),
]

/** A release waits for labels as long as its watermark lets it. */
const WATERMARK_MINUTES = 60
/** Good labels come sooner than bad ones: the means are as 7 to 30. */
const inTime = (meanOfBad: number) => ({
  bad: 1 - Math.exp(-WATERMARK_MINUTES / meanOfBad),
  good: 1 - Math.exp(-WATERMARK_MINUTES / ((7 / 30) * meanOfBad)),
})
const DAY = dayOf(1000)
const LABEL_BLOCK_EVENTS = 100
const LABELS = {
  family: 'Labels that come late',
  guardrail: 'metric: quality, max_drop: 0.01',
  horizonEvents: LABEL_BLOCK_EVENTS * DAY.blocks,
  until: 'end',
  bare: `${BARE}blocks: { watermark: ${WATERMARK_MINUTES}m }\n`,
  shipped: `blocks: { watermark: ${WATERMARK_MINUTES}m }\n`,
} as const
const labelled = (stable: number, canary: number, meanOfBad: number): Scenario =>
  single(errors(0), errors(0), {
    canaryShare: DAY.ramp,
    blockEvents: LABEL_BLOCK_EVENTS,
    lateLabels: { badRate: { stable, canary }, inTime: inTime(meanOfBad) },
  })

/** No bar: shown to say how long to wait. */
const waitedTooShort = (times: string, mean: number, missing: string, seenPp: number) =>
  scenarioCase({
    ...LABELS,
    name: `labels, at the margin, waited ${times}`,
    what: `the same, but bad labels come after ${mean} minutes: ${missing} missing when the block is judged, so the difference seen is ${seenPp} pp and there are more passes; no bar, shown to say how long to wait`,
    scenario: labelled(0.05, 0.06, mean),
    questions: [
      { asks: 'rolled_back', bar: 'none' },
      { asks: 'passed', bar: 'none' },
    ],
  })

export const LABEL_CASES: readonly SimulationCase[] = [
  scenarioCase({
    ...LABELS,
    name: 'labels, at the margin',
    what: '5 % bad against 6 %, margin 1 pp, ramp; bad labels come after 15 minutes on average, four times as long is waited',
    scenario: labelled(0.05, 0.06, 15),
    questions: [
      { ...ROLLED_BACK_FALSELY, reference: reference(3.4, 0.8) },
      { asks: 'passed', bar: 'alpha', reference: reference(3.4, 0.8) },
    ],
    quick: 60,
  }),
  waitedTooShort('three times', 20, 'a twentieth of them is', 0.95),
  waitedTooShort('twice', 30, 'a seventh of them is', 0.87),
  scenarioCase({
    ...LABELS,
    name: 'labels, +2 pp',
    what: '5 % bad against 7 %, margin 1 pp, ramp; never to be passed',
    scenario: labelled(0.05, 0.07, 15),
    questions: [
      { asks: 'passed', bar: 'alpha', reference: reference(0, 0.1) },
      { asks: 'rolled_back', bar: 'most', reference: reference(99.8, 0.2) },
    ],
  }),
]
