import type { Question, SimulationCase } from '../case.ts'
import { LOGNORMAL } from '../latency-model.ts'
import type { ArmShape, CohortTraffic } from '../scenario.ts'
import { QUALITY_MEAN, QUALITY_SD, reference } from './shapes.ts'

const REPETITIONS = 400
const LOCALES = 45
const DEVICES = ['mobile', 'desktop']
const BLOCK_EVENTS = 10_000
const HORIZON_EVENTS = 1_000_000
/** The cohort that is worse, with 2 % of the traffic. */
const WORSE = { locale: 'aa-20', device: 'mobile', share: 0.02 }
const WORSE_NAME = `${WORSE.locale}/${WORSE.device}`

const FINE: ArmShape = {
  errorRate: 0.005,
  latency: LOGNORMAL,
  quality: { mean: QUALITY_MEAN, sd: QUALITY_SD },
}

/** All at the edge of their nulls: the same versions with margin 0, and a limit that is the rate. */
const GUARDRAILS = [
  'metric: error_rate, max_increase: 0%',
  'metric: latency_p95, max_increase: 0%',
  'metric: quality, max_drop: 0',
  'metric: error_rate, max: 0.5%',
]

/** Shares fall by 4 % from cohort to cohort; all but the worse one together have 98 %. */
function cohorts(worse: ArmShape, everywhere = false): CohortTraffic[] {
  const named = Array.from({ length: LOCALES }, (_, i) => `aa-${String(i).padStart(2, '0')}`)
  const all = named.flatMap((locale) => DEVICES.map((device) => ({ locale, device })))
  const isWorse = ({ locale, device }: { locale: string; device: string }) =>
    locale === WORSE.locale && device === WORSE.device
  const sizes = all.map((cohort, i) => (isWorse(cohort) ? 0 : 0.96 ** i))
  const total = sizes.reduce((sum, size) => sum + size, 0)
  return all.map((cohort, i) => ({
    cohort,
    share: isWorse(cohort) ? WORSE.share : ((1 - WORSE.share) * sizes[i]!) / total,
    stable: FINE,
    canary: everywhere || isWorse(cohort) ? worse : FINE,
  }))
}

function manyCohorts(
  name: string,
  what: string,
  traffic: readonly CohortTraffic[],
  questions: readonly Question[],
  repetitions: SimulationCase['repetitions'],
): SimulationCase {
  return {
    name: `90 cohorts, ${name}`,
    family: '90 cohorts × 4 metrics',
    what,
    scenario: {
      blockEvents: BLOCK_EVENTS,
      cohorts: traffic,
      canaryShare: 0.1,
      historyEvents: 200_000,
    },
    guardrails: GUARDRAILS,
    bare: null,
    shipped: '',
    lookEvents: BLOCK_EVENTS,
    horizonEvents: HORIZON_EVENTS,
    until: 'breach',
    worse: WORSE_NAME,
    questions,
    repetitions,
  }
}

const named: Question = { asks: 'named', bar: 'none' }

export const MANY_COHORT_CASES: readonly SimulationCase[] = [
  manyCohorts(
    'equal versions',
    'equal versions, margins 0, error limit at the true rate',
    cohorts(FINE),
    [{ asks: 'rolled_back', bar: 'alpha', reference: reference(0.8, 0.3) }],
    { full: REPETITIONS, quick: 8 },
  ),
  manyCohorts(
    'one error 0.5→2.0 %',
    'error 0.5 → 2.0 % in one cohort with 2 % of the traffic; the warm-up alone is 60,000 events',
    cohorts({ ...FINE, errorRate: 0.02 }),
    [
      { asks: 'rolled_back', bar: 'none', reference: reference(96.2, 0.9) },
      { asks: 'events_to_rollback', bar: 'none', reference: reference(494, 12) },
      named,
    ],
    { full: REPETITIONS, quick: 0 },
  ),
  manyCohorts(
    'one p95 +50 %',
    'p95 +50 % in one cohort with 2 % of the traffic; the warm-up alone is 60,000 events',
    cohorts({ ...FINE, latency: { ...LOGNORMAL, by: 1.5 } }),
    [
      { asks: 'rolled_back', bar: 'most', reference: reference(100, 0.1) },
      { asks: 'events_to_rollback', bar: 'none', reference: reference(104, 3) },
      named,
    ],
    { full: REPETITIONS, quick: 12 },
  ),
  manyCohorts(
    'all error 0.5→1.0 %',
    'error 0.5 → 1.0 % in every cohort; the warm-up alone is 60,000 events',
    cohorts({ ...FINE, errorRate: 0.01 }, true),
    [
      { asks: 'rolled_back', bar: 'most', reference: reference(100, 0.1) },
      { asks: 'events_to_rollback', bar: 'none', reference: reference(41.6, 1.2) },
    ],
    { full: REPETITIONS, quick: 0 },
  ),
]
