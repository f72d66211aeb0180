import { describeCohort } from '../domain/cohort.ts'
import type { DecisionDraft, Reason } from '../domain/decision.ts'
import type { ReleaseSpec } from '../domain/release.ts'
import { describeDuration } from '../domain/time.ts'
import type { Assessment, SplitReading } from '../domain/verdict.ts'
import { percent } from './notes.ts'

/** Late events above this share of all make the picture incomplete (statistics, block rules). */
const LATE_SHARE_MAX = 0.01
/** After a step's start and the watermark delay: how long routers may take to say that they follow. */
const BLOCKS_TO_ACK = 3
const NAMED = 3

/** Routers of the route that have not said that they apply the step's weights. */
export interface Laggards {
  readonly routers: readonly string[]
  /** Generation they are to apply at least. */
  readonly generation: number
}

/**
 * Why the comparison itself is in doubt. All of these hold and none stops a rollback: a canary that
 * breaks a limit does so on the requests it got.
 */
export function trafficReasons(
  spec: ReleaseSpec,
  state: DecisionDraft,
  assessment: Assessment,
  at: { readonly endMs: number; readonly laggards?: Laggards | null },
): Reason[] {
  return [
    ...lateReasons(spec, assessment),
    ...routerReasons(spec, state, at),
    ...splitReasons(spec, state, assessment.split),
    ...parityReasons(spec, assessment.split),
    ...labelReasons(spec, assessment),
    ...samplingReasons(assessment),
  ]
}

function lateReasons(spec: ReleaseSpec, { lateShare, late }: Assessment): Reason[] {
  const parts: string[] = []
  if (lateShare > LATE_SHARE_MAX) {
    parts.push(
      `${percent(lateShare)} of the events came after their block was closed and are not judged`,
    )
  }
  if (late.differs && late.stable !== null && late.canary !== null) {
    parts.push(
      `${percent(late.canary)} of the events of ${spec.canary} came late, of all others ${percent(late.stable)}`,
    )
  }
  return parts.length === 0 ? [] : [info('late_events', parts.join('; '))]
}

function routerReasons(
  spec: ReleaseSpec,
  { step }: DecisionDraft,
  { endMs, laggards }: { readonly endMs: number; readonly laggards?: Laggards | null },
): Reason[] {
  if (laggards === undefined || laggards === null || laggards.routers.length === 0) return []
  const { lengthMs, watermarkMs } = spec.blocks
  const waitedMs = endMs - step.startedAtMs
  if (waitedMs <= watermarkMs + BLOCKS_TO_ACK * lengthMs) return []
  const { routers, generation } = laggards
  const more = routers.length > NAMED ? ` and ${routers.length - NAMED} more` : ''
  const who = `${routers.slice(0, NAMED).join(', ')}${more}`
  return [
    info(
      'router_not_applied',
      `no ack of generation ${generation} or later from ${who}, ${describeDuration(waitedMs)} into the step`,
    ),
  ]
}

function splitReasons(spec: ReleaseSpec, state: DecisionDraft, split: SplitReading): Reason[] {
  const { planned, observed, requests, sampleRatioBroken } = split
  if (!sampleRatioBroken || planned === null || observed === null) return []
  const seen = `${spec.canary} got ${percent(observed)} of ${requests} requests in this step, where ${percent(planned)} are planned`
  const before = (spec.plan[state.step.index - 1]?.weight ?? 0) / spec.totalWeight
  if (Math.abs(observed - before) < Math.abs(observed - planned)) {
    return [info('router_not_applied', `${seen}: nearer to the ${percent(before)} before it`)]
  }
  const why =
    observed < planned
      ? 'instances that crash send no events, or the router does not follow the weights'
      : 'the router does not follow the weights, or events of the stable version are missing'
  return [info('sample_ratio_mismatch', `${seen}: ${why}`)]
}

function parityReasons(spec: ReleaseSpec, split: SplitReading): Reason[] {
  const { parityBroken, cohort, distance, observed, planned } = split
  if (!parityBroken || cohort === null) return []
  const overall = (planned ?? observed) as number
  return [
    {
      ...info(
        'cohort_parity_broken',
        `${spec.canary} gets another mix of cohorts than ${spec.stable} (${percent(distance)} of the requests differ), most of all in ${describeCohort(cohort.cohort)}: ${percent(cohort.share)} of it instead of ${percent(overall)}`,
      ),
      cohort: cohort.cohort,
    },
  ]
}

function labelReasons(spec: ReleaseSpec, { labels }: Assessment): Reason[] {
  return labels.flatMap(({ metric, differs, stable, canary }) =>
    differs && stable !== null && canary !== null
      ? [
          {
            ...info(
              'label_rate_differs',
              `${percent(canary)} of the answers of ${spec.canary} carry ${metric}, of ${spec.stable} ${percent(stable)}: those without may be the bad ones`,
            ),
            metric,
          },
        ]
      : [],
  )
}

function samplingReasons({ sampledApart }: Assessment): Reason[] {
  const [first] = sampledApart
  if (first === undefined) return []
  const more = sampledApart.length > 1 ? ` and ${sampledApart.length - 1} more` : ''
  return [
    {
      ...info(
        'sample_rate_differs',
        `the two versions are logged at different sample rates in ${describeCohort(first)}${more}; give both the same`,
      ),
      cohort: first,
    },
  ]
}

function info(code: string, message: string): Reason {
  return { code, severity: 'info', message }
}
