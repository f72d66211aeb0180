import type { CohortRef } from './cohort.ts'
import type { Severity } from './release.ts'

export type Verdict = 'within_limit' | 'breached' | 'undecided' | 'collecting' | 'no_data'

/**
 * Which test spoke: one-arm tilt (T1), conditional (T2), paired (T3), bounded mean (T4) or a mean of
 * two; `single_window`: the same between two versions, but on one window instead of many blocks;
 * `point`: none, two plain numbers were compared.
 */
export type Method = 'T1' | 'T2' | 'T3' | 'T4' | 'T2+T3' | 'single_window' | 'point'

export interface ArmValue {
  /** Null when there is nothing to compute it from. */
  readonly value: number | null
  readonly n: number
}

/** One guardrail × cohort, as read at a block end. Units: ms for latencies, 0…1 otherwise. */
export interface EvidenceRow {
  readonly metric: string
  /** As written in the release file. */
  readonly limit: string
  readonly cohort: CohortRef
  readonly stable: ArmValue
  readonly canary: ArmValue
  /** canary − stable in the unit of the limit (10 % = 0.10); null without data. */
  readonly difference: number | null
  readonly ciLow: number | null
  readonly ciHigh: number | null
  readonly threshold: number
  readonly logEBreach: number
  readonly logEPass: number
  /** Weight in the release's evidence; 0 for dry-run metrics. */
  readonly weight: number
  readonly verdict: Verdict
  readonly method: Method
  readonly severity: Severity
  readonly dryRun: boolean
  /** Must pass before traffic may increase. */
  readonly required: boolean
  /** Further canary requests, and seconds at the present rate, until a pass can be known; null if unknown. */
  readonly needs: { readonly requests: number; readonly seconds: number } | null
  /** This cohort's part of the standardised difference, π_g · θ̂_g; null for `overall`. */
  readonly contribution: number | null
}

/** How requests of the present step were shared out between the versions (T5). */
export interface SplitReading {
  /** The step's share of the canary, 0…1; null when each block's share is taken as given. */
  readonly planned: number | null
  /** Null without requests. */
  readonly observed: number | null
  readonly requests: number
  readonly logESampleRatio: number
  readonly sampleRatioBroken: boolean
  readonly logEParity: number
  /** Total variation distance between the versions' cohort mixes, 0…1. */
  readonly distance: number
  readonly parityBroken: boolean
  /** The cohort that differs most from what was planned, and the canary's share in it. */
  readonly cohort: { readonly cohort: CohortRef; readonly share: number } | null
}

/** A share of each version's requests (null without any), and the evidence that they differ. */
interface SharesReading {
  readonly stable: number | null
  readonly canary: number | null
  readonly logE: number
  readonly differs: boolean
}

/** Of events that came after their block was closed; `stable` is everything but the canary. */
export type LateReading = SharesReading

/** Of answered requests that carry a value of the metric. */
export interface LabelReading extends SharesReading {
  readonly metric: string
}

/** What would make comparisons of the present step doubtful, whatever they say. */
export interface TrafficReading {
  readonly split: SplitReading
  readonly late: LateReading
  /** Quality and KPIs of guardrails that decide. */
  readonly labels: readonly LabelReading[]
  /** Cohorts whose versions are logged at different rates in their newest block. */
  readonly sampledApart: readonly CohortRef[]
  /**
   * Whether requests name sessions. Without any those of one user cannot be told from those of many:
   * the design effect is 1.
   */
  readonly sessionsSeen: boolean
}

/** Everything the judge says at one block end. */
export interface Assessment extends TrafficReading {
  /** False while the first blocks only feed the baseline's history. */
  readonly started: boolean
  /**
   * Baseline requests that the weights rest on, when the history before the release was too short and
   * the first blocks had to complete it; null otherwise.
   */
  readonly weightsFrom: number | null
  /** Weighted average of breach evidence has reached 1/α, from at least two blocks. */
  readonly rollback: boolean
  /** ln Σ w·E over critical, enforced hypotheses. */
  readonly logEvidence: number
  /** All hypotheses; sorted: guardrail order, then overall, key cohorts, other cohorts by name. */
  readonly rows: readonly EvidenceRow[]
  /** Index into `rows` of the largest weighted evidence among critical ones; −1 if none. */
  readonly leading: number
  /**
   * At a rollback: indices into `rows` of the critical, enforced hypotheses that may be listed with a
   * false-discovery rate of `risk.falseRollback` (e-BH on current evidence), the largest first.
   */
  readonly discovered: readonly number[]
  /** Every required row passed on evidence of the present step. */
  readonly passed: boolean
  /** Share of the baseline's traffic whose cohorts have canary data in this step, 0…1. */
  readonly coverage: number
  /** Key cohorts without enough canary requests in this step. */
  readonly uncovered: readonly CohortRef[]
  /** Canary requests in this step (judged blocks). */
  readonly canaryRequests: number
  /** End of the newest block with canary requests in this release; null if none yet. */
  readonly newestCanaryEndMs: number | null
  readonly newestCanaryEndInStepMs: number | null
  /** The same for requests to the stable version in this release. */
  readonly newestStableEndMs: number | null
  /** Share of late events over the release so far, 0…1. */
  readonly lateShare: number
}
