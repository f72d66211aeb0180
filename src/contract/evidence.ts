import { z } from 'zod'
import { type Cohort, type CohortRef, OVERALL } from '../domain/cohort.ts'
import type { Severity } from '../domain/release.ts'
import type { ArmValue, EvidenceRow, Method, Verdict } from '../domain/verdict.ts'

const SIGNIFICANT_DIGITS = 10
const LARGEST = 1e308

// Records, so that a word added to the domain cannot be forgotten here.
const METHODS: Record<Method, Method> = {
  T1: 'T1',
  T2: 'T2',
  T3: 'T3',
  T4: 'T4',
  'T2+T3': 'T2+T3',
  single_window: 'single_window',
  point: 'point',
}
const VERDICTS: Record<Verdict, Verdict> = {
  within_limit: 'within_limit',
  breached: 'breached',
  undecided: 'undecided',
  collecting: 'collecting',
  no_data: 'no_data',
}
const SEVERITIES: Record<Severity, Severity> = { critical: 'critical', signal: 'signal' }

export const cohortSchema = z
  .union([
    z.literal(OVERALL),
    z.object({
      locale: z.string().optional().describe('BCP 47 tag; und is a locale like any other.'),
      device: z.string().optional().describe('Kind of device; unknown is one like any other.'),
    }),
  ])
  .describe('"overall", or the values of the cohort dimensions; a missing one stands for all.')

const armSchema = z.object({
  value: z.number().nullable().describe('In ms for latencies, else 0…1 or the unit of the KPI.'),
  n: z.number().min(0).describe('Events behind the value.'),
})

export const evidenceSchema = z
  .object({
    metric: z.string().describe('Metric of the guardrail.'),
    limit: z.string().describe('As written in the release file.'),
    cohort: cohortSchema,
    stable: armSchema.describe('The stable version in the same blocks.'),
    canary: armSchema.describe('The canary.'),
    difference: z
      .number()
      .nullable()
      .describe('canary − stable in the unit of the limit: 10 % = 0.10, 0.2pp = 0.002.'),
    ci_low: z.number().nullable().describe('Lower end of the 95 % interval of difference.'),
    ci_high: z.number().nullable().describe('Upper end of the 95 % interval of difference.'),
    threshold: z.number().describe('The limit as a number: ms for latencies, 0…1 for rates.'),
    log_e_breach: z.number().describe('Natural logarithm of the evidence for a breach.'),
    log_e_pass: z
      .number()
      .describe('Natural logarithm of the evidence for being within the limit.'),
    weight: z.number().describe("Weight in the release's evidence; 0 when it decides nothing."),
    verdict: z.enum(VERDICTS).describe('What is known about the limit.'),
    method: z
      .enum(METHODS)
      .describe(
        'Which test spoke; single_window: on one window instead of many blocks; point: plain numbers were compared, no uncertainty is known.',
      ),
    needs: z
      .object({
        requests: z.number().describe('Further canary requests.'),
        seconds: z.number().describe('The same at the present rate.'),
      })
      .nullable()
      .describe('Further canary requests and seconds until a pass can be known.'),
    severity: z.enum(SEVERITIES).describe('critical may roll back, signal may only hold.'),
    dry_run: z.boolean().describe('Judged and shown, decides nothing.'),
    required: z.boolean().describe('Must pass before traffic may increase.'),
    contribution: z
      .number()
      .nullable()
      .describe("The cohort's part of the standardised difference; null for overall."),
  })
  .describe('One guardrail in one cohort.')

export type WireEvidence = z.output<typeof evidenceSchema>
export type WireCohort = z.output<typeof cohortSchema>

/**
 * A measured number as it is published: 10 significant digits, never −0, NaN or infinite. Infinity
 * becomes ±1e308, what is not a number becomes 0.
 */
export function publishedNumber(value: number): number {
  if (Number.isNaN(value)) return 0
  const finite = Math.min(Math.max(value, -LARGEST), LARGEST)
  return Number(finite.toPrecision(SIGNIFICANT_DIGITS)) + 0
}

/** A count keeps all its digits while it is whole. */
export function publishedCount(value: number): number {
  return Number.isSafeInteger(value) ? value + 0 : publishedNumber(value)
}

function publishedOrNull(value: number | null): number | null {
  return value === null || Number.isNaN(value) ? null : publishedNumber(value)
}

export function cohortToWire(cohort: CohortRef): WireCohort {
  return cohort === OVERALL ? OVERALL : copyOf(cohort)
}

export function cohortFromWire(wire: WireCohort): CohortRef {
  return wire === OVERALL ? OVERALL : copyOf(wire)
}

function copyOf(cohort: { locale?: string | undefined; device?: string | undefined }): Cohort {
  return {
    ...(cohort.locale === undefined ? {} : { locale: cohort.locale }),
    ...(cohort.device === undefined ? {} : { device: cohort.device }),
  }
}

export function evidenceToWire(row: EvidenceRow): WireEvidence {
  return {
    metric: row.metric,
    limit: row.limit,
    cohort: cohortToWire(row.cohort),
    stable: armToWire(row.stable),
    canary: armToWire(row.canary),
    difference: publishedOrNull(row.difference),
    ci_low: publishedOrNull(row.ciLow),
    ci_high: publishedOrNull(row.ciHigh),
    threshold: publishedNumber(row.threshold),
    log_e_breach: publishedNumber(row.logEBreach),
    log_e_pass: publishedNumber(row.logEPass),
    weight: publishedNumber(row.weight),
    verdict: row.verdict,
    method: row.method,
    needs:
      row.needs === null
        ? null
        : {
            requests: publishedCount(row.needs.requests),
            seconds: publishedNumber(row.needs.seconds),
          },
    severity: row.severity,
    dry_run: row.dryRun,
    required: row.required,
    contribution: publishedOrNull(row.contribution),
  }
}

export function evidenceFromWire(wire: WireEvidence): EvidenceRow {
  return {
    metric: wire.metric,
    limit: wire.limit,
    cohort: cohortFromWire(wire.cohort),
    stable: wire.stable,
    canary: wire.canary,
    difference: wire.difference,
    ciLow: wire.ci_low,
    ciHigh: wire.ci_high,
    threshold: wire.threshold,
    logEBreach: wire.log_e_breach,
    logEPass: wire.log_e_pass,
    weight: wire.weight,
    verdict: wire.verdict,
    method: wire.method,
    severity: wire.severity,
    dryRun: wire.dry_run,
    required: wire.required,
    needs: wire.needs,
    contribution: wire.contribution,
  }
}

function armToWire(arm: ArmValue): { value: number | null; n: number } {
  return { value: publishedOrNull(arm.value), n: publishedCount(arm.n) }
}
