import { z } from 'zod'
import type {
  Action,
  Decision,
  Phase,
  Reason,
  StepStatus,
  TrafficShare,
} from '../domain/decision.ts'
import { HaldaneError } from '../domain/errors.ts'
import {
  cohortFromWire,
  cohortSchema,
  cohortToWire,
  evidenceFromWire,
  evidenceSchema,
  evidenceToWire,
  publishedCount,
} from './evidence.ts'
import { printable, rejectionsOf } from './rejection-text.ts'
import { formatTime, parseRfc3339 } from './rfc3339.ts'

const ACTIONS: Record<Action, Action> = { increase: 'increase', hold: 'hold', rollback: 'rollback' }
const PHASES: Record<Phase, Phase> = {
  pending: 'pending',
  shadow: 'shadow',
  ramping: 'ramping',
  paused: 'paused',
  promoted: 'promoted',
  rolled_back: 'rolled_back',
  aborted: 'aborted',
}

export const publishedTime = () =>
  z
    .string()
    .refine((text) => parseRfc3339(text) !== null, { error: 'no RFC 3339 time' })
    .meta({ format: 'date-time' })

export const trafficSchema = z.array(
  z.object({
    version: z.string().describe('Version of the model.'),
    role: z.enum(['stable', 'canary']).describe('Which of the two it is; both are always listed.'),
    weight: z.int().min(0).describe('Its share, in parts of total_weight.'),
  }),
)

export const phaseSchema = z
  .enum(PHASES)
  .describe('Where the release stands; promoted, rolled_back and aborted are its end.')

export const stepSchema = z.object({
  index: z.int().min(0).describe('From 0; equal to count after the last step.'),
  count: z.int().min(0).describe('Steps of the plan.'),
  weight: z.int().min(0).describe('Weight of the canary in this step.'),
  started_at: publishedTime().describe('When the step began.'),
  min_duration_s: z.number().min(0).describe('How long it lasts at least.'),
  min_requests: z.int().min(0).describe('Canary requests it needs at least.'),
})

export const reasonSchema = z.object({
  code: z.string().describe('A stable word, such as error_rate_breached or min_duration.'),
  severity: z
    .enum(['critical', 'signal', 'info'])
    .describe('critical rolls back, signal holds, info explains.'),
  metric: z.string().optional().describe('The metric it is about.'),
  cohort: cohortSchema.optional(),
  message: z.string().describe('The reason as a sentence, with numbers.'),
})

export const policySchema = z
  .object({
    name: z.string().describe('Name of the policy file, or default.'),
    hash: z.string().describe('SHA-256 of its text, or of the defaults.'),
  })
  .describe('The rules the release file extends.')

/** A decision in wire form; the fields come in this order. */
export const decisionSchema = z
  .object({
    decision_id: z.string().describe('The same for the same decision, however often it is sent.'),
    route: z.string().describe('<model_name>/<environment>'),
    release_id: z.string().describe('<route>/<canary_version>, with ~2, ~3, … for further tries.'),
    generation: z
      .int()
      .min(1)
      .describe(
        'Grows by one with every decision of a route; apply a decision only if its generation is larger than the last one applied.',
      ),
    decided_at: publishedTime().describe('When it was made; in a replay event time.'),
    expires_at: publishedTime()
      .nullable()
      .describe('After it keep the last applied weights; null after the last decision.'),
    action: z.enum(ACTIONS).describe('What happens to the traffic of the canary.'),
    phase: phaseSchema,
    model_name: z.string().describe('Name of the model.'),
    environment: z.string().describe('Where the model serves.'),
    stable_version: z.string().describe('Version the canary is compared with.'),
    canary_version: z.string().describe('Version under test.'),
    traffic: trafficSchema.describe('The complete desired state; the weights sum to total_weight.'),
    previous_traffic: trafficSchema.describe('The desired state before this decision.'),
    total_weight: z.int().min(1).describe('What the weights sum to.'),
    step: stepSchema.describe('The step of the plan.'),
    reasons: z
      .array(reasonSchema)
      .describe(
        'Why: at a rollback what was breached, at a hold everything that is still missing.',
      ),
    evidence: z
      .array(evidenceSchema)
      .describe(
        'Every guardrail overall and in the key cohorts, and other cohorts that are breached or weigh most; at a rollback also what else was found worse.',
      ),
    window: z
      .object({
        start: publishedTime().describe('Start of the first block judged.'),
        end: publishedTime().describe('End of the newest closed block.'),
        watermark: publishedTime().describe(
          'Event time that had been reached: end plus the watermark delay.',
        ),
      })
      .describe('Event time that was judged.'),
    counts: z
      .object({
        events: z.number().min(0).describe('Stored events of the route.'),
        duplicates: z.number().min(0).describe('Of events: duplicates, not judged.'),
        late: z.number().min(0).describe('Of events: late ones, not judged.'),
      })
      .describe('Of the closed blocks of this release.'),
    mode: z
      .enum(['enforced', 'dry_run'])
      .describe('dry_run: made and published, but not to be applied.'),
    decided_by: z
      .string()
      .describe('analyzer; user:<name> after a command; judge from a metrics file.'),
    policy: policySchema,
    judge_version: z.string().describe('Version of the statistics.'),
  })
  .meta({ title: 'Decision', description: 'The complete desired traffic of a route, and why.' })

export type WireDecision = z.output<typeof decisionSchema>

/** The published form: fixed field order, ISO times with milliseconds, numbers with 10 digits. */
export function decisionToWire(decision: Decision): WireDecision {
  return {
    decision_id: decision.decisionId,
    route: decision.route,
    release_id: decision.releaseId,
    generation: decision.generation,
    decided_at: formatTime(decision.decidedAtMs),
    expires_at: decision.expiresAtMs === null ? null : formatTime(decision.expiresAtMs),
    action: decision.action,
    phase: decision.phase,
    model_name: decision.modelName,
    environment: decision.environment,
    stable_version: decision.stableVersion,
    canary_version: decision.canaryVersion,
    traffic: decision.traffic.map(trafficToWire),
    previous_traffic: decision.previousTraffic.map(trafficToWire),
    total_weight: decision.totalWeight,
    step: stepToWire(decision.step),
    reasons: decision.reasons.map(reasonToWire),
    evidence: decision.evidence.map(evidenceToWire),
    window: {
      start: formatTime(decision.window.startMs),
      end: formatTime(decision.window.endMs),
      watermark: formatTime(decision.window.watermarkMs),
    },
    counts: {
      events: publishedCount(decision.counts.events),
      duplicates: publishedCount(decision.counts.duplicates),
      late: publishedCount(decision.counts.late),
    },
    mode: decision.mode,
    decided_by: decision.decidedBy,
    policy: { name: decision.policy.name, hash: decision.policy.hash },
    judge_version: decision.judgeVersion,
  }
}

/** The decision as one line of JSON; equal decisions give equal bytes. */
export function encodeDecision(decision: Decision): string {
  return JSON.stringify(decisionToWire(decision))
}

/** Inverse of `encodeDecision`; unknown fields are ignored. Throws `invalid_input`. */
export function decodeDecision(text: string): Decision {
  let raw: unknown
  try {
    raw = JSON.parse(text)
  } catch (cause) {
    throw new HaldaneError('invalid_input', `not a decision, not even JSON: ${printable(text)}`, {
      cause,
    })
  }
  const parsed = decisionSchema.safeParse(raw)
  if (parsed.success) return decisionFromWire(parsed.data)
  const problems = rejectionsOf(decisionSchema, parsed.error, raw)
  const listed = problems.map(({ field, message }) => `${field || 'value'} ${message}`).join('; ')
  throw new HaldaneError('invalid_input', `not a decision: ${listed}`)
}

function decisionFromWire(wire: WireDecision): Decision {
  return {
    decisionId: wire.decision_id,
    route: wire.route,
    releaseId: wire.release_id,
    generation: wire.generation,
    decidedAtMs: timeMs(wire.decided_at),
    expiresAtMs: wire.expires_at === null ? null : timeMs(wire.expires_at),
    action: wire.action,
    phase: wire.phase,
    modelName: wire.model_name,
    environment: wire.environment,
    stableVersion: wire.stable_version,
    canaryVersion: wire.canary_version,
    traffic: wire.traffic,
    previousTraffic: wire.previous_traffic,
    totalWeight: wire.total_weight,
    step: stepFromWire(wire.step),
    reasons: wire.reasons.map(reasonFromWire),
    evidence: wire.evidence.map(evidenceFromWire),
    window: {
      startMs: timeMs(wire.window.start),
      endMs: timeMs(wire.window.end),
      watermarkMs: timeMs(wire.window.watermark),
    },
    counts: wire.counts,
    mode: wire.mode,
    decidedBy: wire.decided_by,
    policy: wire.policy,
    judgeVersion: wire.judge_version,
  }
}

function timeMs(text: string): number {
  return parseRfc3339(text) ?? Number.NaN
}

function trafficToWire(share: TrafficShare): WireDecision['traffic'][number] {
  return { version: share.version, role: share.role, weight: share.weight }
}

function stepToWire(step: StepStatus): WireDecision['step'] {
  return {
    index: step.index,
    count: step.count,
    weight: step.weight,
    started_at: formatTime(step.startedAtMs),
    min_duration_s: step.minDurationMs / 1000,
    min_requests: step.minRequests,
  }
}

function stepFromWire(wire: WireDecision['step']): StepStatus {
  return {
    index: wire.index,
    count: wire.count,
    weight: wire.weight,
    startedAtMs: timeMs(wire.started_at),
    minDurationMs: Math.round(wire.min_duration_s * 1000),
    minRequests: wire.min_requests,
  }
}

function reasonToWire(reason: Reason): WireDecision['reasons'][number] {
  return {
    code: reason.code,
    severity: reason.severity,
    ...(reason.metric === undefined ? {} : { metric: reason.metric }),
    ...(reason.cohort === undefined ? {} : { cohort: cohortToWire(reason.cohort) }),
    message: reason.message,
  }
}

function reasonFromWire(wire: WireDecision['reasons'][number]): Reason {
  return {
    code: wire.code,
    severity: wire.severity,
    ...(wire.metric === undefined ? {} : { metric: wire.metric }),
    ...(wire.cohort === undefined ? {} : { cohort: cohortFromWire(wire.cohort) }),
    message: wire.message,
  }
}
