import type { Arm } from '../../src/domain/block.ts'
import type { Cohort } from '../../src/domain/cohort.ts'
import type { LatencyShape } from './latency-model.ts'
import type { QualityShape } from './quality-model.ts'

/** How one version behaves in one cohort. */
export interface ArmShape {
  readonly errorRate: number
  /** Null: requests carry no latency (cheaper where no guardrail asks for it). */
  readonly latency: LatencyShape | null
  readonly quality: QualityShape | null
  /** Value of the only KPI of the release, as a part of its range from 0. */
  readonly kpi?: QualityShape & { readonly range: number }
}

export interface CohortTraffic {
  readonly cohort: Cohort
  /** Share of the arm's requests; the canary's is the same unless given. Each sums to 1. */
  readonly share: number
  readonly canaryShare?: number
  readonly stable: ArmShape
  readonly canary: ArmShape
  /** Before this block, and before the release, nobody is in the cohort. */
  readonly fromBlock?: number
}

/** What is different for both versions in a block. */
export interface Level {
  /** Factor on the odds of an error. */
  readonly errorOdds?: number
  /** Added to the canary's error rate after that. */
  readonly canaryErrorShift?: number
  /** Latencies are multiplied by γ to this (whole) power, γ of the shared histogram. */
  readonly latencyBins?: number
  readonly qualityShift?: number
}

/** Requests of one user go together; the correlation is between two requests of one user. */
export type Clusters =
  | {
      /** The `requests` of a user come in one block. */
      readonly kind: 'session'
      readonly requests: number
      readonly icc: number
      readonly of: 'errors' | 'latency' | 'quality'
    }
  | {
      /** Every request is of any of so many users of its arm. */
      readonly kind: 'persistent'
      readonly users: Readonly<Record<Arm, number>>
      readonly icc: number
      readonly of: 'errors'
    }

/** Standard deviations of a shift of one arm in one block, by itself. */
export interface Shocks {
  readonly quality?: number
  /** Of ln of a factor on the error rate (cut at 1). */
  readonly errorLog?: number
  /** Of ln of a factor on the latencies, rounded to whole bins. */
  readonly latencyLog?: number
}

/** Who sends requests to which version, not exactly as planned. Requests carry errors only. */
export interface Routing {
  /** Factor on the odds of the canary, over what is planned. */
  readonly odds: number
  /** The same for a cohort alone, in the order of `cohorts`. */
  readonly cohortOdds?: readonly number[]
  /** Requests of a user in a block, all sent to the same version. */
  readonly userRequests?: number
}

/** Scores are 0 or 1 and arrive late; what is not there when its block closes is not judged. */
export interface LateLabels {
  readonly badRate: { readonly stable: number; readonly canary: number }
  /** Probability that the label of a bad and of a good request is there in time. */
  readonly inTime: { readonly bad: number; readonly good: number }
}

/** Traffic as data; everything random about it comes from the repetition's stream of numbers. */
export interface Scenario {
  /** Requests of both arms in a block. */
  readonly blockEvents: number
  /** The same in the blocks from these numbers on, ascending. */
  readonly laterBlocks?: readonly { readonly fromBlock: number; readonly events: number }[]
  readonly cohorts: readonly CohortTraffic[]
  /** Canary's share of the requests by block number from 0. */
  readonly canaryShare: number | ((block: number) => number)
  /** Draw each request's arm instead of splitting every block exactly. */
  readonly randomSplit?: boolean
  readonly level?: (block: number) => Level
  readonly shocks?: Shocks
  /** From this block on the canary's cohorts behave like these, in the order of `cohorts`. */
  readonly change?: { readonly fromBlock: number; readonly canary: readonly ArmShape[] }
  readonly clusters?: Clusters
  readonly routing?: Routing
  readonly lateLabels?: LateLabels
  /** Baseline requests before the release. */
  readonly historyEvents: number
}

type Blocks = Pick<Scenario, 'blockEvents' | 'laterBlocks'>

/** Requests of both arms in a block. */
export function eventsOf({ blockEvents, laterBlocks = [] }: Blocks, block: number): number {
  return laterBlocks.findLast(({ fromBlock }) => block >= fromBlock)?.events ?? blockEvents
}

/** Requests of both arms in the first so many blocks. */
export function eventsUntil({ blockEvents, laterBlocks = [] }: Blocks, blocks: number): number {
  let sum = 0
  let [from, events] = [0, blockEvents]
  for (const later of laterBlocks) {
    sum += events * (Math.min(blocks, later.fromBlock) - Math.min(blocks, from))
    ;[from, events] = [later.fromBlock, later.events]
  }
  return sum + events * Math.max(0, blocks - from)
}
