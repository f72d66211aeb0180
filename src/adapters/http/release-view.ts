import { decisionToWire, type WireDecision } from '../../contract/decision.ts'
import {
  cohortToWire,
  evidenceToWire,
  publishedNumber,
  type WireCohort,
  type WireEvidence,
} from '../../contract/evidence.ts'
import { formatTime } from '../../contract/rfc3339.ts'
import type { ReleaseView } from '../../contract/worker-api.ts'
import type { ReleaseSpec } from '../../domain/release.ts'
import type { RouterAck } from '../../ports.ts'

interface WireAck {
  readonly router_id: string
  readonly applied_generation: number
  readonly applied_at: string
}

interface WireSpec {
  readonly plan: readonly {
    readonly weight: number
    readonly min_duration_s: number
    readonly min_requests: number
  }[]
  readonly guardrails: readonly {
    readonly metric: string
    /** As written in the release file. */
    readonly limit: string
    readonly severity: string
    readonly dry_run: boolean
    readonly cohorts: string
  }[]
  readonly key_cohorts: readonly WireCohort[]
  readonly min_requests_per_key_cohort: number
  readonly false_rollback: number
  readonly false_pass: number
  readonly block_length_s: number
  readonly watermark_s: number
  readonly warmup_s: number
  readonly max_duration_s: number
  readonly total_weight: number
  readonly mode: string
  readonly policy: { readonly name: string; readonly hash: string }
}

/** A release as `GET /v1/releases` shows it: what the newest decision says, and the evidence of now. */
export interface WireReleaseView {
  readonly release_id: string
  readonly route: string
  readonly stable: string
  readonly canary: string
  /** `pending` before the first decision. */
  readonly phase: WireDecision['phase']
  readonly traffic: WireDecision['traffic']
  readonly step: WireDecision['step'] | null
  readonly started_at: string
  readonly started_by: string
  /** 0 before the first decision. */
  readonly generation: number
  readonly decision: WireDecision | null
  /** End of the newest closed block. */
  readonly window_end: string | null
  /** Every guardrail in every cohort at `window_end`; of the decision when this worker does not judge. */
  readonly evidence: readonly WireEvidence[]
  /** Share of the baseline's traffic whose cohorts have canary data in this step, 0…1. */
  readonly coverage: number | null
  readonly uncovered: readonly WireCohort[]
  /** Within the step. */
  readonly canary_requests: number | null
  readonly acks: readonly WireAck[]
  readonly spec: WireSpec
}

function encodeSpec(spec: ReleaseSpec): WireSpec {
  return {
    plan: spec.plan.map((step) => ({
      weight: step.weight,
      min_duration_s: step.minDurationMs / 1000,
      min_requests: step.minRequests,
    })),
    guardrails: spec.guardrails.map((guardrail) => ({
      metric: guardrail.metric.name,
      limit: guardrail.written,
      severity: guardrail.severity,
      dry_run: guardrail.dryRun,
      cohorts: guardrail.cohorts,
    })),
    key_cohorts: spec.cohorts.key.map(cohortToWire),
    min_requests_per_key_cohort: spec.coverage.minRequestsPerKeyCohort,
    false_rollback: spec.risk.falseRollback,
    false_pass: spec.risk.falsePass,
    block_length_s: spec.blocks.lengthMs / 1000,
    watermark_s: spec.blocks.watermarkMs / 1000,
    warmup_s: spec.warmupMs / 1000,
    max_duration_s: spec.maxDurationMs / 1000,
    total_weight: spec.totalWeight,
    mode: spec.mode,
    policy: { name: spec.policy.name, hash: spec.policy.hash },
  }
}

function encodeAck(ack: RouterAck): WireAck {
  return {
    router_id: ack.routerId,
    applied_generation: ack.appliedGeneration,
    applied_at: formatTime(ack.appliedAtMs),
  }
}

export function encodeReleaseView(view: ReleaseView): WireReleaseView {
  const { release, assessment, windowEndMs } = view
  const decision = view.decision === null ? null : decisionToWire(view.decision)
  return {
    release_id: release.releaseId,
    route: release.spec.route,
    stable: release.spec.stable,
    canary: release.spec.canary,
    phase: decision?.phase ?? 'pending',
    traffic: decision?.traffic ?? [],
    step: decision?.step ?? null,
    started_at: formatTime(release.startedAtMs),
    started_by: release.startedBy,
    generation: decision?.generation ?? 0,
    decision,
    window_end: windowEndMs === null ? null : formatTime(windowEndMs),
    evidence: assessment?.rows.map(evidenceToWire) ?? decision?.evidence ?? [],
    coverage: assessment === null ? null : publishedNumber(assessment.coverage),
    uncovered: assessment?.uncovered.map(cohortToWire) ?? [],
    canary_requests: assessment?.canaryRequests ?? null,
    acks: view.acks.map(encodeAck),
    spec: encodeSpec(release.spec),
  }
}

/** The newest decision as a gate reads it: go on, wait, or go back. */
interface WireVerdict {
  readonly ok: boolean
  readonly inconclusive: boolean
  readonly action: WireDecision['action']
  readonly phase: WireDecision['phase']
  readonly release_id: string
  readonly generation: number
  readonly decided_at: string | null
  readonly reasons: WireDecision['reasons']
}

/** A release without a decision holds. */
export function encodeVerdict(view: ReleaseView): WireVerdict {
  const decision = view.decision === null ? null : decisionToWire(view.decision)
  const action = decision?.action ?? 'hold'
  return {
    ok: action === 'increase',
    inconclusive: action === 'hold',
    action,
    phase: decision?.phase ?? 'pending',
    release_id: view.release.releaseId,
    generation: decision?.generation ?? 0,
    decided_at: decision?.decided_at ?? null,
    reasons: decision?.reasons ?? [],
  }
}
