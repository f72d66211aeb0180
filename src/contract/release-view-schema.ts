import { z } from 'zod'
import {
  decisionSchema,
  phaseSchema,
  policySchema,
  publishedTime,
  reasonSchema,
  stepSchema,
  trafficSchema,
} from './decision.ts'
import { cohortSchema, evidenceSchema } from './evidence.ts'

const specSchema = z.object({
  plan: z.array(
    z.object({ weight: z.number(), min_duration_s: z.number(), min_requests: z.number() }),
  ),
  guardrails: z.array(
    z.object({
      metric: z.string(),
      limit: z.string().describe('As written in the release file.'),
      severity: z.string(),
      dry_run: z.boolean(),
      cohorts: z.string(),
    }),
  ),
  key_cohorts: z.array(cohortSchema),
  min_requests_per_key_cohort: z.number(),
  false_rollback: z.number().describe('Probability, 0…1.'),
  false_pass: z.number().describe('Probability, 0…1.'),
  block_length_s: z.number(),
  watermark_s: z.number(),
  warmup_s: z.number(),
  max_duration_s: z.number(),
  total_weight: z.number(),
  mode: z.string(),
  policy: policySchema,
})

/** A release as `GET /v1/releases` shows it: what the newest decision says, and the evidence of now. */
export const releaseViewSchema = z
  .object({
    release_id: z.string().describe('<route>/<canary_version>, with ~2, ~3, … for further tries.'),
    route: z.string().describe('<model_name>/<environment>'),
    stable: z.string().describe('Version the canary is compared with.'),
    canary: z.string().describe('Version under test.'),
    phase: phaseSchema.describe('Of the newest decision; pending before the first.'),
    traffic: trafficSchema.describe('Of the newest decision; empty before the first.'),
    step: stepSchema.nullable().describe('Of the newest decision; null before the first.'),
    started_at: publishedTime().describe('Event time from which it is judged.'),
    started_by: z.string().describe('Who started it.'),
    generation: z.int().min(0).describe('Of the newest decision; 0 before the first.'),
    decision: decisionSchema.nullable().describe('The newest decision; null before the first.'),
    window_end: publishedTime().nullable().describe('End of the newest closed block.'),
    evidence: z
      .array(evidenceSchema)
      .describe(
        'Every guardrail in every cohort at window_end; of the decision when this worker does not judge the release.',
      ),
    coverage: z
      .number()
      .nullable()
      .describe(
        "Share of the baseline's traffic whose cohorts have canary data in this step, 0…1.",
      ),
    uncovered: z.array(cohortSchema).describe('Key cohorts without enough canary requests.'),
    canary_requests: z.number().nullable().describe('Canary requests within the step.'),
    sessions_seen: z
      .boolean()
      .nullable()
      .describe(
        'Whether requests name sessions; without, they are taken as independent (design effect 1).',
      ),
    acks: z
      .array(
        z.object({
          router_id: z.string(),
          applied_generation: z.int().min(0),
          applied_at: publishedTime(),
        }),
      )
      .describe('The newest ack of each router of the route.'),
    spec: specSchema.describe('The release file, with every default filled in.'),
  })
  .meta({ title: 'Release', description: 'A release as it stands now.' })

export type WireReleaseView = z.output<typeof releaseViewSchema>

/** The newest decision as a gate reads it: go on, wait, or go back. */
export const verdictSchema = z
  .object({
    data: z.object({
      ok: z.boolean().describe('True when the newest decision is increase.'),
      inconclusive: z.boolean().describe('True when it is hold, or when there is none yet.'),
      action: decisionSchema.shape.action,
      phase: phaseSchema,
      release_id: z.string(),
      generation: z.int().min(0).describe('0 before the first decision.'),
      decided_at: publishedTime().nullable(),
      reasons: z.array(reasonSchema),
    }),
  })
  .meta({ title: 'Verdict', description: 'The newest decision for gates: go on, wait or go back.' })

export type WireVerdict = z.output<typeof verdictSchema>['data']
