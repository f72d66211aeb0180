import { DEVICES } from '../domain/request-event.ts'
import { DURATION_RANGES, LARGEST_COUNT, RELEASE_DEFAULTS } from './release-defaults.ts'
import { guardrailSchema } from './release-guardrail-schema.ts'
import { LARGEST_TOTAL_WEIGHT, STEP_KEYS } from './release-plan.ts'
import { DIMENSIONS, MODES, RELEASE_KEYS } from './release-schema.ts'
import {
  closed,
  described,
  duration,
  type JsonSchema,
  percent,
  wholeNumber,
} from './schema-parts.ts'
import { MAX_SEMVER_LENGTH, ROUTE, SEMVER } from './stored-text.ts'
import { ROUTE_WORDS } from './wire-field.ts'

const count = wholeNumber(0, LARGEST_COUNT)

function version(about: string): JsonSchema {
  const text = `${about}: a semantic version such as 1.5.0, at most ${MAX_SEMVER_LENGTH} characters.`
  return described({ type: 'string', maxLength: MAX_SEMVER_LENGTH, pattern: SEMVER.source }, text)
}

const step = {
  ...closed(STEP_KEYS, {
    weight: described(
      wholeNumber(1, LARGEST_TOTAL_WEIGHT),
      'Share of the canary, in parts of total_weight; grows from step to step and stays below it.',
    ),
    min_duration: duration(
      'The step lasts at least this long',
      DURATION_RANGES.step.min_duration,
      RELEASE_DEFAULTS.step.min_duration,
    ),
    min_requests: described(
      count,
      'Canary requests within the step before traffic may increase.',
      RELEASE_DEFAULTS.step.min_requests,
    ),
  }),
  required: ['weight'],
}

const cohort = {
  ...closed(DIMENSIONS, {
    locale: described({ type: 'string', minLength: 1 }, 'A BCP 47 tag such as de-DE.'),
    device: described({ enum: DEVICES }, 'A kind of device.'),
  }),
  minProperties: 1,
}

const probability = (about: string, fallback: string): JsonSchema =>
  described(percent, `${about}: above 0% and up to 50%.`, fallback)

const { blocks, cohorts, coverage, judge, risk } = RELEASE_DEFAULTS

const PROPERTIES: Readonly<Record<string, JsonSchema>> = {
  extends: described(
    { type: 'string', minLength: 1 },
    'Organisation policy, a file of the same form whose top-level keys stand in for those missing here: a path relative to this file; for a worker the name of a file beside its HALDANE_POLICY.',
  ),
  route: described({ type: 'string', pattern: ROUTE.source }, `The route: ${ROUTE_WORDS}.`),
  stable: version('Version that serves now'),
  canary: version('Version under test; another one than stable'),
  plan: described(
    { type: 'array', minItems: 1, items: step },
    'Steps of the ramp; after the last one comes promotion.',
  ),
  guardrails: described(
    { type: 'array', minItems: 1, items: guardrailSchema },
    'What must hold, one limit each.',
  ),
  cohorts: described(
    closed(['by', 'key'], {
      by: described(
        { type: 'array', items: { enum: DIMENSIONS }, uniqueItems: true },
        'Dimensions that split requests into cohorts.',
        cohorts.by,
      ),
      key: described(
        { type: 'array', items: cohort, uniqueItems: true },
        'Cohorts that must pass by themselves; a dimension left out means all its values.',
        cohorts.key,
      ),
    }),
    'Cohorts to look into.',
  ),
  coverage: described(
    closed(['min_requests_per_key_cohort'], {
      min_requests_per_key_cohort: described(
        count,
        'Canary requests that each key cohort needs in a step before traffic may increase.',
        coverage.min_requests_per_key_cohort,
      ),
    }),
    'How much must have been seen.',
  ),
  risk: described(
    closed(['false_rollback', 'false_pass'], {
      false_rollback: probability(
        'Probability of rolling back a canary that keeps every limit, over the whole release',
        risk.false_rollback,
      ),
      false_pass: probability(
        'Probability of taking a canary that breaks a limit for one that keeps it',
        risk.false_pass,
      ),
    }),
    'Accepted probabilities of error.',
  ),
  blocks: described(
    closed(['length', 'watermark', 'duplicate_lookback'], {
      length: duration(
        'Requests that start in the same block are compared with each other',
        DURATION_RANGES.blocks.length,
        blocks.length,
      ),
      watermark: duration(
        'How long after its end a block is closed; events that come later are late and not judged',
        DURATION_RANGES.blocks.watermark,
        blocks.watermark,
      ),
      duplicate_lookback: duration(
        'How far before its block the first event of a duplicate is looked for',
        DURATION_RANGES.blocks.duplicate_lookback,
        blocks.duplicate_lookback,
      ),
    }),
    'Stretches of event time that are judged as a whole.',
  ),
  warmup: duration(
    'Nothing is judged for so long after the first request of the canary',
    DURATION_RANGES.warmup,
    RELEASE_DEFAULTS.warmup,
  ),
  heartbeat: duration(
    'A decision is made at least this often, even when nothing changes',
    DURATION_RANGES.heartbeat,
    RELEASE_DEFAULTS.heartbeat,
  ),
  max_duration: duration(
    'After it the release is held and says so',
    DURATION_RANGES.max_duration,
    RELEASE_DEFAULTS.max_duration,
  ),
  total_weight: described(
    wholeNumber(2, LARGEST_TOTAL_WEIGHT),
    'What the weights of all versions sum to; 10000 allows steps of 0.01 %.',
    RELEASE_DEFAULTS.total_weight,
  ),
  mode: described(
    { enum: MODES },
    'dry_run: decisions are made and published, marked as not to be applied.',
    RELEASE_DEFAULTS.mode,
  ),
  judge: described(
    closed(['include_synthetic'], {
      include_synthetic: described(
        { type: 'boolean' },
        'Also judge requests marked is_synthetic.',
        judge.include_synthetic,
      ),
    }),
    'What is judged.',
  ),
}

const REQUIRED = ['route', 'stable', 'canary', 'plan', 'guardrails']
const { extends: _extends, ...POLICY_PROPERTIES } = PROPERTIES

/**
 * A release file. What the reader accepts is valid; what it rejects for an unknown key, word or unit
 * is not. The reader checks more: ranges of quantities, growing weights, limits written twice.
 */
export function releaseFileSchema(): JsonSchema {
  return {
    title: 'Release file',
    description:
      'What a release must keep, and how its traffic grows. Required: route, stable, canary, plan, guardrails, here or in the file it extends.',
    ...closed(RELEASE_KEYS, PROPERTIES),
    if: { required: ['extends'] },
    // biome-ignore lint/suspicious/noThenProperty: a keyword of JSON Schema
    then: true,
    else: { required: REQUIRED },
  }
}

/** An organisation policy: top-level keys for the release files that extend it, none required. */
export function releasePolicySchema(): JsonSchema {
  const keys = RELEASE_KEYS.filter((key) => key !== 'extends')
  return {
    title: 'Organisation policy',
    description: 'Top-level keys for the release files that extend it; none is required.',
    ...closed(keys, POLICY_PROPERTIES),
  }
}
