import { decisionToWire } from '../../contract/decision.ts'
import { cohortToWire, evidenceToWire, publishedNumber } from '../../contract/evidence.ts'
import type { WireReleaseView, WireVerdict } from '../../contract/release-view-schema.ts'
import { formatTime } from '../../contract/rfc3339.ts'
import type { ReleaseView } from '../../contract/worker-api.ts'
import type { ReleaseSpec } from '../../domain/release.ts'
import type { RouterAck } from '../../ports.ts'

type WireSpec = WireReleaseView['spec']

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

function encodeAck(ack: RouterAck): WireReleaseView['acks'][number] {
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
    sessions_seen: assessment?.sessionsSeen ?? null,
    acks: view.acks.map(encodeAck),
    spec: encodeSpec(release.spec),
  }
}

/** A release without a decision holds. */
export function verdictOf(
  view: Pick<WireReleaseView, 'release_id' | 'generation' | 'phase' | 'decision'>,
): WireVerdict {
  const { release_id, generation, phase, decision } = view
  const action = decision?.action ?? 'hold'
  return {
    ok: action === 'increase',
    inconclusive: action === 'hold',
    action,
    phase,
    release_id,
    generation,
    decided_at: decision?.decided_at ?? null,
    reasons: decision?.reasons ?? [],
  }
}
