import type { Arm, BlockCell } from '../../src/domain/block.ts'
import { EMPTY_MOMENTS } from '../../src/domain/block.ts'
import type { Random } from './random.ts'
import { binomial, multinomial } from './sampling.ts'
import type { CohortTraffic, Routing } from './scenario.ts'
import { bucketOf, emptyBuckets, errorsOnly } from './users.ts'

const ARMS = ['stable', 'canary'] as const

/**
 * The cells of a block whose requests are sent one by one, or user by user, to a version: how many
 * each gets is chance, and not always the planned one. Requests carry errors only.
 */
export function routedCells(
  random: Random,
  cohorts: readonly CohortTraffic[],
  routing: Routing,
  requests: number,
  plannedShare: number,
): BlockCell[] {
  const counts: number[] = []
  multinomial(
    random,
    requests,
    cohorts.map(({ share }) => share),
    counts,
  )
  return cohorts.flatMap((cohort, index) => {
    const odds = routing.odds * (routing.cohortOdds?.[index] ?? 1)
    const share = withOdds(plannedShare, odds)
    const n = counts[index]!
    return routing.userRequests === undefined
      ? requestsOneByOne(random, cohort, n, share)
      : usersOneByOne(random, cohort, n, share, routing.userRequests)
  })
}

function requestsOneByOne(
  random: Random,
  { cohort, stable, canary }: CohortTraffic,
  n: number,
  share: number,
): BlockCell[] {
  const toCanary = binomial(random, n, share)
  const of = { stable: n - toCanary, canary: toCanary }
  const rates = { stable: stable.errorRate, canary: canary.errorRate }
  return ARMS.filter((arm) => of[arm] > 0).map((arm) => ({
    arm,
    cohort,
    metrics: {
      requests: of[arm],
      errors: binomial(random, of[arm], rates[arm]),
      latencies: 0,
      overLimit: [],
      bins: [],
      counts: [],
      quality: EMPTY_MOMENTS,
      kpis: [],
    },
  }))
}

/** All requests of a user's session go to one version. */
function usersOneByOne(
  random: Random,
  cohort: CohortTraffic,
  n: number,
  share: number,
  userRequests: number,
): BlockCell[] {
  const sums = { stable: emptyBuckets(), canary: emptyBuckets() }
  const of: Record<Arm, number> = { stable: 0, canary: 0 }
  for (let left = n; left > 0; left -= userRequests) {
    const arm = random.next() < share ? 'canary' : 'stable'
    const count = Math.min(left, userRequests)
    const bucket = bucketOf(random)
    of[arm] += count
    sums[arm].requests[bucket]! += count
    sums[arm].errors[bucket]! += binomial(random, count, cohort[arm].errorRate)
  }
  return ARMS.filter((arm) => of[arm] > 0).map((arm) => ({
    arm,
    cohort: cohort.cohort,
    metrics: errorsOnly(sums[arm], of[arm]),
  }))
}

/** A probability with its odds multiplied. */
export function withOdds(rate: number, factor: number): number {
  if (factor === 1) return rate
  const odds = (factor * rate) / (1 - rate)
  return odds / (1 + odds)
}
