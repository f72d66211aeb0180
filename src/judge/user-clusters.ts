import type { Arm, CellMetrics, Moments, UserBuckets } from '../domain/block.ts'
import type { Guardrail, ReleaseSpec } from '../domain/release.ts'
import { kpisOf, latencyLimitsOf } from '../domain/release.ts'
import type { ClusterSums } from './cluster-sums.ts'
import {
  addAllCounts,
  addCountsOf,
  addValuesOf,
  BUCKETS,
  createClusterSums,
  designEffectOf,
} from './cluster-sums.ts'
import type { Stratum } from './guardrail-test.ts'

/**
 * How far requests of one user go together, seen through hash buckets of their sessions: the design
 * effect of each metric over all traffic, with which every cohort's evidence is tempered.
 */
export interface UserClusters {
  fold(strata: readonly Stratum[]): void
  /** What is counted per step starts afresh. */
  startStep(): void
  /** Of the guardrail's metric, ≥ 1; 1 as long as no session or too little is known. */
  designEffect(guardrail: number): number
  /** Of "a request carries a value of the guardrail's metric", ≥ 1; 1 for metrics all requests have. */
  labelDesignEffect(guardrail: number): number
  /**
   * Of "a request went to the canary", within the present step, ≥ 1; 1 where no session is named. Null
   * as long as fewer users than would tell were sent to either version.
   */
  assignmentDesignEffect(): number | null
  /** Whether any judged request named a session. */
  readonly sessionsSeen: boolean
}

/** What a guardrail's metric is in a bucket. */
type Measure =
  | { readonly kind: 'counts'; readonly name: string; read(users: UserBuckets): Counted }
  | {
      readonly kind: 'values'
      readonly name: string
      read(users: UserBuckets): Counted
      moments(of: CellMetrics): Moments
    }

/** Per bucket: how many requests, and how many of them are bad or the sum of their values. */
interface Counted {
  readonly n: readonly number[]
  readonly amount: readonly number[]
}

const ARMS = ['stable', 'canary'] as const
/** Users (requests over their design effect) sent to the version that gets fewer. */
const FEWEST_USERS = 30
const NOTHING: readonly number[] = []

/** `quantiles`: relative latency quantiles in the order of the blocks' slow bins. */
export function createUserClusters(spec: ReleaseSpec, quantiles: readonly number[]): UserClusters {
  const measures: Measure[] = []
  /** By guardrail: what several guardrails are about is added up once. */
  const measureAt = spec.guardrails.map((guardrail) => {
    const measure = measureOf(guardrail, spec, quantiles)
    const known = measures.findIndex(({ name }) => name === measure.name)
    return known >= 0 ? known : measures.push(measure) - 1
  })
  const metrics = measures.map(bothArms)
  const labels = measures.map(bothArms)
  let assignment = createClusterSums()
  let sessionsSeen = false

  const foldArm = (arm: Arm, cell: CellMetrics, users: UserBuckets): void => {
    for (let index = 0; index < measures.length; index++) {
      const measure = measures[index] as Measure
      const { n, amount } = measure.read(users)
      const sums = (metrics[index] as Record<Arm, ClusterSums>)[arm]
      if (measure.kind === 'counts') addCountsOf(sums, users.buckets, n, amount)
      else {
        addValuesOf(sums, users.buckets, n, amount, measure.moments(cell))
        const labelled = (labels[index] as Record<Arm, ClusterSums>)[arm]
        addCountsOf(labelled, users.buckets, users.requests, n)
      }
    }
  }

  return {
    fold(strata) {
      for (const stratum of strata) {
        for (const arm of ARMS) {
          const { users } = stratum[arm]
          if (users === undefined || users.buckets.length === 0) continue
          sessionsSeen = true
          foldArm(arm, stratum[arm], users)
        }
        addAssigned(assignment, stratum)
      }
    },
    startStep() {
      assignment = createClusterSums()
    },
    designEffect: (guardrail) => meanOf(metrics[measureAt[guardrail] as number]),
    labelDesignEffect: (guardrail) => meanOf(labels[measureAt[guardrail] as number]),
    assignmentDesignEffect() {
      if (!sessionsSeen) return 1
      const effect = designEffectOf(assignment)
      if (effect === null || assignment.seen < FEWEST_USERS * effect) return null
      return Math.max(1, effect)
    },
    get sessionsSeen() {
      return sessionsSeen
    },
  }
}

function bothArms(): Record<Arm, ClusterSums> {
  return { stable: createClusterSums(), canary: createClusterSums() }
}

/** The mean of the arms that are known. */
function meanOf(arms: Record<Arm, ClusterSums> | undefined): number {
  const known = ARMS.flatMap((arm) => {
    const effect = arms === undefined ? null : designEffectOf(arms[arm])
    return effect === null ? [] : [effect]
  })
  const total = known.reduce((sum, effect) => sum + effect, 0)
  return known.length === 0 ? 1 : Math.max(1, total / known.length)
}

function measureOf(
  { metric, limit }: Guardrail,
  spec: ReleaseSpec,
  quantiles: readonly number[],
): Measure {
  switch (metric.kind) {
    case 'error_rate':
      return {
        kind: 'counts',
        name: metric.name,
        read: ({ requests, errors }) => ({ n: requests, amount: errors }),
      }
    case 'latency': {
      const exact = limit.kind === 'max'
      const at = exact
        ? latencyLimitsOf(spec).indexOf(limit.value)
        : quantiles.indexOf(metric.quantile)
      return {
        kind: 'counts',
        name: `${metric.name} ${exact} ${at}`,
        read(users) {
          const above = (exact ? users.overLimit : users.overSlowBin)[at]
          // A block that was closed before the slow bins were known tells nothing about them.
          return above === undefined
            ? { n: NOTHING, amount: NOTHING }
            : { n: users.latencies, amount: above }
        },
      }
    }
    case 'quality':
      return {
        kind: 'values',
        name: metric.name,
        read: ({ qualityN, qualitySum }) => ({ n: qualityN, amount: qualitySum }),
        moments: ({ quality }) => quality,
      }
    case 'kpi': {
      const at = kpisOf(spec).findIndex(({ key }) => key === metric.key)
      return {
        kind: 'values',
        name: metric.name,
        read: ({ kpiN, kpiSum }) => ({ n: kpiN[at] ?? NOTHING, amount: kpiSum[at] ?? NOTHING }),
        moments: ({ kpis }) => kpis[at] ?? { n: 0, sum: 0, sumSquares: 0 },
      }
    }
  }
}

const all = new Int32Array(BUCKETS)
const toCanary = new Int32Array(BUCKETS)

/** Adds the requests of both arms, of which the canary's count as bad, by bucket. */
function addAssigned(assignment: ClusterSums, { stable, canary }: Stratum): void {
  if (stable.users === undefined && canary.users === undefined) return
  all.fill(0)
  toCanary.fill(0)
  if (stable.users !== undefined) addRequests(all, stable.users)
  if (canary.users !== undefined) {
    addRequests(all, canary.users)
    addRequests(toCanary, canary.users)
  }
  addAllCounts(assignment, all, toCanary)
}

function addRequests(into: Int32Array, { buckets, requests }: UserBuckets): void {
  for (let i = 0; i < buckets.length; i++) {
    const bucket = buckets[i] as number
    into[bucket] = (into[bucket] as number) + (requests[i] as number)
  }
}
