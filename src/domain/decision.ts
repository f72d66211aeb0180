import type { CohortRef } from './cohort.ts'
import type { EvidenceRow } from './verdict.ts'

export type Action = 'increase' | 'hold' | 'rollback'

export type Phase =
  | 'pending'
  | 'shadow'
  | 'ramping'
  | 'paused'
  | 'promoted'
  | 'rolled_back'
  | 'aborted'

export const TERMINAL_PHASES: readonly Phase[] = ['promoted', 'rolled_back', 'aborted']

/** `<metric>_breached` or one of the fixed words of the published interface. */
export type ReasonCode = string

export interface Reason {
  readonly code: ReasonCode
  readonly severity: 'critical' | 'signal' | 'info'
  readonly metric?: string
  readonly cohort?: CohortRef
  readonly message: string
}

export interface TrafficShare {
  readonly version: string
  readonly role: 'stable' | 'canary'
  readonly weight: number
}

export interface StepStatus {
  /** From 0; equals `count` after the last step. */
  readonly index: number
  readonly count: number
  readonly weight: number
  readonly startedAtMs: number
  readonly minDurationMs: number
  readonly minRequests: number
}

/** What the rollout decides at a block end, before it gets a place in the route's history. */
export interface DecisionDraft {
  readonly action: Action
  readonly phase: Phase
  readonly traffic: readonly TrafficShare[]
  readonly previousTraffic: readonly TrafficShare[]
  readonly step: StepStatus
  readonly reasons: readonly Reason[]
  readonly evidence: readonly EvidenceRow[]
  /** Unix ms; watermark = end + the release's watermark delay. */
  readonly window: {
    readonly startMs: number
    readonly endMs: number
    readonly watermarkMs: number
  }
  readonly counts: { readonly events: number; readonly duplicates: number; readonly late: number }
}

/** A decision: a draft with identity. `generation` grows by one per decision of a route, forever. */
export interface Decision extends DecisionDraft {
  readonly decisionId: string
  readonly route: string
  readonly releaseId: string
  readonly generation: number
  readonly decidedAtMs: number
  /** Null after the last decision of a release. */
  readonly expiresAtMs: number | null
  readonly modelName: string
  readonly environment: string
  readonly stableVersion: string
  readonly canaryVersion: string
  readonly totalWeight: number
  readonly mode: 'enforced' | 'dry_run'
  readonly decidedBy: string
  readonly policy: { readonly name: string; readonly hash: string }
  readonly judgeVersion: string
}
