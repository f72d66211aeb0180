import { type Decision, type DecisionDraft, TERMINAL_PHASES } from '../domain/decision.ts'
import type { ReleaseSpec } from '../domain/release.ts'
import { JUDGE_VERSION } from '../judge/judge.ts'

/** A decision stays valid for this many heartbeats; after that a router keeps its last weights. */
const EXPIRY_HEARTBEATS = 3

/** The same version tried again on a route gets `~2`, `~3`, …; tries count from 1. */
export function releaseIdOf(
  { route, canary }: Pick<ReleaseSpec, 'route' | 'canary'>,
  attempt: number,
): string {
  return `${route}/${canary}${attempt === 1 ? '' : `~${attempt}`}`
}

/** Which try of its version a release is; the inverse of `releaseIdOf`. */
export function attemptOf(releaseId: string): number {
  return Number(/~(\d+)$/.exec(releaseId)?.[1] ?? 1)
}

/** Gives a draft its place in the history of its route. `by` is `analyzer`, `judge` or `user:<name>`. */
export function identify(
  spec: ReleaseSpec,
  draft: DecisionDraft,
  place: {
    readonly releaseId: string
    readonly generation: number
    readonly decidedAtMs: number
    readonly by: string
  },
): Decision {
  const { releaseId, generation, decidedAtMs, by } = place
  const last = TERMINAL_PHASES.includes(draft.phase)
  return {
    ...draft,
    decisionId: `${releaseId}#${generation}`,
    route: spec.route,
    releaseId,
    generation,
    decidedAtMs,
    expiresAtMs: last ? null : decidedAtMs + EXPIRY_HEARTBEATS * spec.heartbeatMs,
    modelName: spec.modelName,
    environment: spec.environment,
    stableVersion: spec.stable,
    canaryVersion: spec.canary,
    totalWeight: spec.totalWeight,
    mode: spec.mode,
    decidedBy: by,
    policy: spec.policy,
    judgeVersion: JUDGE_VERSION,
  }
}
