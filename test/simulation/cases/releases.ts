import type { Question, SimulationCase } from '../case.ts'
import { LOGNORMAL } from '../latency-model.ts'
import type { ArmShape, CohortTraffic, Level } from '../scenario.ts'
import { QUALITY_MEAN, QUALITY_SD } from './shapes.ts'

const FULL = 2000
/** A busy route: the evidence is there within minutes, and so are few decisions. */
const BLOCK_EVENTS = 20_000
const BLOCKS_PER_MINUTE = 6
const LAG_BLOCKS = 2 * BLOCKS_PER_MINUTE
const DRIFT_BLOCKS = 10 * BLOCKS_PER_MINUTE
const WORSE_FROM = 5 * BLOCKS_PER_MINUTE

const PLAN = [
  '- { weight: 5,  min_duration: 1m, min_requests: 2000 }',
  '- { weight: 25, min_duration: 1m }',
  '- { weight: 50, min_duration: 1m }',
].join('\n')

/** Limits a sound canary is well inside of. */
const INSIDE = [
  'metric: latency_p95, max: 120ms',
  'metric: latency_p95, max_increase: 10%',
  'metric: error_rate, max: 0.8%',
  'metric: error_rate, max_increase: 0.2pp',
  'metric: quality, max_drop: 0.01',
]
/** Limits an equal canary lies exactly at. */
const EDGE = [
  'metric: latency_p95, max_increase: 0%',
  'metric: error_rate, max: 0.5%',
  'metric: error_rate, max_increase: 0%',
  'metric: quality, max_drop: 0',
]

const FINE: ArmShape = {
  errorRate: 0.005,
  latency: LOGNORMAL,
  quality: { mean: QUALITY_MEAN, sd: QUALITY_SD },
}

const MIX = [
  { locale: 'en-US', device: 'mobile', share: 0.45 },
  { locale: 'en-US', device: 'desktop', share: 0.3 },
  { locale: 'de-DE', device: 'mobile', share: 0.25 },
]

function traffic(canary: ArmShape): CohortTraffic[] {
  return MIX.map(({ locale, device, share }) => ({
    cohort: { locale, device },
    share,
    stable: FINE,
    canary,
  }))
}

/** Errors and quality move up and down within ten minutes. */
const drift = (block: number): Level => {
  const at = Math.sin((2 * Math.PI * block) / DRIFT_BLOCKS)
  return { errorOdds: 1 + 0.8 * at, qualityShift: 0.03 * at }
}

interface Release {
  readonly name: string
  readonly what: string
  readonly guardrails: readonly string[]
  readonly canary?: ArmShape
  readonly level?: (block: number) => Level
  readonly change?: { readonly fromBlock: number; readonly canary: readonly ArmShape[] }
  readonly lagBlocks?: number
  readonly minutes: number
  readonly questions: readonly Question[]
  readonly quick?: number
  readonly full?: number
}

const FALSE_ROLLBACK: Question = { asks: 'rolled_back', bar: 'alpha' }
const FALSE_PROMOTION: Question = { asks: 'passed', bar: 'alpha' }
const PROMOTION: readonly Question[] = [
  { asks: 'passed', bar: 'most' },
  { asks: 'events_to_pass', bar: 'none' },
]

const RELEASES: readonly Release[] = [
  {
    name: 'sound',
    what: 'equal versions, five guardrails, three cohorts, two of them key',
    guardrails: INSIDE,
    minutes: 40,
    questions: [FALSE_ROLLBACK, ...PROMOTION],
    quick: 10,
  },
  {
    name: 'sound, router 2 minutes late',
    what: 'the same; what is decided is applied 2 minutes later',
    guardrails: INSIDE,
    lagBlocks: LAG_BLOCKS,
    minutes: 40,
    questions: [FALSE_ROLLBACK, ...PROMOTION],
    quick: 10,
  },
  {
    name: 'sound, drifting',
    what: 'the same; error rate ±80 % and quality ±0.03 within ten minutes',
    guardrails: INSIDE.filter((line) => !line.includes(' max: ')),
    level: drift,
    minutes: 40,
    questions: [FALSE_ROLLBACK, ...PROMOTION],
  },
  {
    name: 'at every limit',
    what: 'equal versions, margins 0, error limit at the true rate',
    guardrails: EDGE,
    minutes: 12,
    questions: [FALSE_ROLLBACK, FALSE_PROMOTION],
    quick: 10,
  },
  {
    name: 'one limit reached',
    what: 'error 0.5 → 0.7 %, at the margin of 0.2 pp, all else equal',
    guardrails: INSIDE.filter((line) => !line.includes('max: 0.8%')),
    canary: { ...FINE, errorRate: 0.007 },
    minutes: 12,
    questions: [FALSE_ROLLBACK, FALSE_PROMOTION],
  },
  {
    name: 'worse from the 5th minute on',
    what: 'error 0.5 → 2.0 % after 5 minutes; a rollback before that counts as none',
    guardrails: EDGE,
    change: { fromBlock: WORSE_FROM, canary: MIX.map(() => ({ ...FINE, errorRate: 0.02 })) },
    minutes: 12,
    questions: [
      { asks: 'rolled_back', bar: 'most' },
      { asks: 'events_to_rollback', bar: 'none', after: WORSE_FROM * BLOCK_EVENTS },
    ],
    full: 400,
  },
]

/** Whole releases: the shipped rollout asks the shipped judge and sets the traffic. */
export const RELEASE_CASES: readonly SimulationCase[] = RELEASES.map((release) => ({
  name: `release, ${release.name}`,
  family: 'Whole releases',
  what: release.what,
  scenario: {
    blockEvents: BLOCK_EVENTS,
    cohorts: traffic(release.canary ?? FINE),
    canaryShare: 0,
    randomSplit: true,
    historyEvents: 100_000,
    ...(release.level === undefined ? {} : { level: release.level }),
    ...(release.change === undefined ? {} : { change: release.change }),
  },
  guardrails: release.guardrails,
  bare: null,
  shipped:
    'cohorts: { by: [locale, device], key: [{ locale: en-US, device: mobile }, { locale: de-DE }] }',
  lookEvents: BLOCK_EVENTS,
  horizonEvents: release.minutes * BLOCKS_PER_MINUTE * BLOCK_EVENTS,
  until: 'end',
  rollout: { plan: PLAN, lagBlocks: release.lagBlocks ?? 0 },
  questions: release.questions,
  repetitions: { full: release.full ?? FULL, quick: release.quick ?? 0 },
}))
