import { z } from 'zod'
import {
  DEVICES,
  OUTCOMES,
  type Outcome,
  type RequestEvent,
  TRAFFICS,
} from '../domain/request-event.ts'
import { deviceOfWord, outcomeOfStatus } from './event-words.ts'
import { canonicalLocale, UNDETERMINED } from './locale-tag.ts'
import { parseRfc3339 } from './rfc3339.ts'
import {
  ENVIRONMENT,
  isObject,
  KPI_NAME,
  MAX_SEMVER_LENGTH,
  MODEL_NAME,
  SEMVER,
} from './stored-text.ts'
import { characters, documented, requiredTime, storedText, TIME_WORDS } from './wire-field.ts'

/** Bounds of the numbers of an event; equal to what the store's columns hold without wrapping. */
export const EVENT_BOUNDS = {
  durationMs: 86_400_000,
  tokens: 4_294_967_295,
  kpi: 1e9,
  kpiNames: 8,
  attributes: 16,
} as const

export const DEFAULT_ENVIRONMENT = 'production'

const duration = () => z.number().min(0).max(EVENT_BOUNDS.durationMs).nullish()
const share = () => z.number().min(0).max(1).nullish()
const integer = (atMost: number) => z.int().min(0).max(atMost).nullish()
const text = (atLeast: number, atMost: number) => storedText(atLeast, atMost).nullish()

const DURATION = `a number of milliseconds from 0 to ${EVENT_BOUNDS.durationMs}`
const SHARE = 'a number from 0 to 1'
const TOKENS = `a whole number from 0 to ${EVENT_BOUNDS.tokens}`
const COUNT = `a whole number from 0 to ${Number.MAX_SAFE_INTEGER}`
const identity = {
  request_id: documented(
    storedText(1, 128),
    'Identifies the request; the same id in the same version is one request',
    characters(1, 128),
  ),
  occurred_at: documented(
    requiredTime().nullish(),
    'Start of the request. Required in files; elsewhere the time of the record stands in',
    TIME_WORDS,
    { format: 'date-time' },
  ),
  model_name: documented(
    z.string().regex(MODEL_NAME),
    'Name of the model',
    '1 to 128 of the characters A-Z a-z 0-9 . _ / -',
  ),
  model_version: documented(
    z.string().max(MAX_SEMVER_LENGTH, { abort: true }).regex(SEMVER).nullish(),
    'Version that answered; this or variant is required',
    `a semantic version such as 1.5.0, at most ${MAX_SEMVER_LENGTH} characters`,
  ),
  variant: documented(
    text(1, 64),
    'Arm that answered, resolved to a version through the active release',
    `stable, canary or another word of ${characters(1, 64)}`,
  ),
  environment: documented(
    z.string().regex(ENVIRONMENT).nullish(),
    'Where the model serves',
    '1 to 64 of the characters A-Z a-z 0-9 . _ -',
    { default: DEFAULT_ENVIRONMENT },
  ),
  traffic: documented(
    z.enum(TRAFFICS).nullish(),
    'Whether the answer reached the caller',
    TRAFFICS.join(' or '),
    { default: 'live' },
  ),
}

const result = {
  outcome: documented(
    z.enum(OUTCOMES).nullish(),
    'How the request ended; derived from status_code when missing, one of the two is required',
    OUTCOMES.join(', '),
  ),
  status_code: documented(
    z.int().min(100).max(599).nullish(),
    'HTTP status. Without outcome: below 400 ok, 408 and 504 timeout, 429 rejected, 499 cancelled, others error',
    'a whole number from 100 to 599',
  ),
  error_type: documented(text(0, 128), 'Kind of error, few distinct values', characters(0, 128)),
  latency_ms: documented(
    duration(),
    'Duration of the whole request, measured by the server, in milliseconds; required when the outcome is ok',
    DURATION,
  ),
  ttft_ms: documented(duration(), 'Time to the first token, in milliseconds', DURATION),
  quality_score: documented(share(), 'Quality of the answer, larger is better', SHARE),
  quality_metric: documented(text(0, 128), 'Name of the quality score', characters(0, 128)),
  prediction_label: documented(text(0, 256), 'What the model answered', characters(0, 256)),
  confidence: documented(share(), 'Confidence of the model in its answer', SHARE),
  input_tokens: documented(integer(EVENT_BOUNDS.tokens), 'Tokens read', TOKENS),
  output_tokens: documented(integer(EVENT_BOUNDS.tokens), 'Tokens written', TOKENS),
  kpi: documented(
    z
      .record(z.string().regex(KPI_NAME), z.number().min(-EVENT_BOUNDS.kpi).max(EVENT_BOUNDS.kpi))
      .refine((map) => Object.keys(map).length <= EVENT_BOUNDS.kpiNames, {
        params: { code: 'range' },
      })
      .nullish(),
    'Business numbers of the request',
    `a map of at most ${EVENT_BOUNDS.kpiNames} names, each 1 to 64 of the characters A-Z a-z 0-9 _ . -, to numbers from -1e9 to 1e9`,
    { maxProperties: EVENT_BOUNDS.kpiNames },
  ),
}

const circumstances = {
  locale: documented(
    z.string().nullish(),
    'Language and region of the user; made canonical, an invalid one is kept as und',
    'a BCP 47 tag such as de-DE',
  ),
  device: documented(
    z.string().nullish(),
    'Kind of device in any case; an unknown word is kept as other',
    DEVICES.join(', '),
    { examples: DEVICES },
  ),
  region: documented(text(0, 64), 'Where the request was served', characters(0, 64)),
  session_id: documented(
    text(0, 128),
    'Hashed unit of randomisation, such as user or session',
    characters(0, 128),
  ),
  release_id: documented(text(0, 256), 'Release the router had applied', characters(0, 256)),
  decision_generation: documented(
    integer(Number.MAX_SAFE_INTEGER),
    'Generation of the decision the router had applied',
    COUNT,
  ),
  memory_bytes: documented(
    integer(Number.MAX_SAFE_INTEGER),
    'Resident memory of the serving process, in bytes',
    COUNT,
  ),
  memory_limit_bytes: documented(
    integer(Number.MAX_SAFE_INTEGER),
    'Memory limit of the serving process, in bytes',
    COUNT,
  ),
  sample_rate: documented(
    z.number().gt(0).max(1).nullish(),
    'Share of the traffic that is logged',
    'a number above 0 and at most 1',
    { default: 1 },
  ),
  is_synthetic: documented(
    z.boolean().nullish(),
    'Request of a probe or a load test; stored, not judged',
    'true or false',
    { default: false },
  ),
  attributes: documented(
    z
      .record(storedText(1, 64), storedText(0, 256))
      .refine((map) => Object.keys(map).length <= EVENT_BOUNDS.attributes, {
        params: { code: 'range' },
      })
      .nullish(),
    'Further facts for analysts',
    `a map of at most ${EVENT_BOUNDS.attributes} names of ${characters(1, 64)} to texts of ${characters(0, 256)}`,
    { maxProperties: EVENT_BOUNDS.attributes },
  ),
}

// The rules between fields are checked even when another field is wrong, so that an event is
// rejected with all its reasons at once; until then the fields may hold anything.
const always = { when: ({ value }: { value: unknown }) => isObject(value) }

/**
 * A request event in wire form. Unknown fields are ignored, `null` in an optional field counts as
 * absent, a map entry named `__proto__` is ignored. Text must be free of NUL and lone surrogates.
 */
export const requestEventSchema = z
  .object({ ...identity, ...result, ...circumstances })
  .refine((event) => event.model_version != null || event.variant != null, {
    ...always,
    path: ['model_version'],
    params: { code: 'missing' },
  })
  .refine((event) => event.outcome != null || event.status_code != null, {
    ...always,
    path: ['outcome'],
    params: { code: 'missing' },
  })
  .refine((event) => wireOutcome(event) !== 'ok' || event.latency_ms != null, {
    ...always,
    path: ['latency_ms'],
    params: { code: 'missing' },
  })
  .meta({ title: 'Request event', description: 'One answered request, one event.' })

export type WireRequestEvent = z.output<typeof requestEventSchema>

function wireOutcome(event: {
  outcome?: Outcome | null | undefined
  status_code?: number | null | undefined
}): Outcome | null {
  if (event.outcome != null) return event.outcome
  return typeof event.status_code === 'number' ? outcomeOfStatus(event.status_code) : null
}

/**
 * The domain's form of a valid wire event: defaults filled in, locale and device canonical.
 * Null when neither the event nor the caller knows when it occurred.
 */
export function requestEventOf(
  wire: WireRequestEvent,
  defaultOccurredAtMs: number | null,
): RequestEvent | null {
  const occurredAtMs =
    wire.occurred_at == null ? defaultOccurredAtMs : parseRfc3339(wire.occurred_at)
  const outcome = wireOutcome(wire)
  if (occurredAtMs === null || outcome === null) return null
  const locale = wire.locale == null ? UNDETERMINED : canonicalLocale(wire.locale)
  const device = wire.device == null ? 'unknown' : deviceOfWord(wire.device)
  return {
    requestId: wire.request_id,
    occurredAtMs,
    modelName: wire.model_name,
    environment: wire.environment ?? DEFAULT_ENVIRONMENT,
    modelVersion: wire.model_version ?? '',
    variant: wire.variant ?? '',
    traffic: wire.traffic ?? 'live',
    outcome,
    latencyMs: unsigned(wire.latency_ms),
    ttftMs: unsigned(wire.ttft_ms),
    statusCode: unsigned(wire.status_code),
    errorType: wire.error_type ?? '',
    locale: locale ?? UNDETERMINED,
    device: device ?? 'other',
    region: wire.region ?? '',
    qualityScore: unsigned(wire.quality_score),
    qualityMetric: wire.quality_metric ?? '',
    predictionLabel: wire.prediction_label ?? '',
    confidence: unsigned(wire.confidence),
    inputTokens: unsigned(wire.input_tokens),
    outputTokens: unsigned(wire.output_tokens),
    sampleRate: wire.sample_rate ?? 1,
    isSynthetic: wire.is_synthetic ?? false,
    sessionId: wire.session_id ?? '',
    releaseId: wire.release_id ?? '',
    decisionGeneration: unsigned(wire.decision_generation),
    memoryBytes: unsigned(wire.memory_bytes),
    memoryLimitBytes: unsigned(wire.memory_limit_bytes),
    kpi: filled(wire.kpi, (value) => value + 0),
    attributes: filled(wire.attributes, (value) => value),
    localeReplaced: locale === null,
    deviceReplaced: device === null,
  }
}

/** Null for an absent number; `-0`, which JSON can write, becomes 0. */
function unsigned(value: number | null | undefined): number | null {
  return value == null ? null : value + 0
}

function filled<T>(
  map: Readonly<Record<string, T>> | null | undefined,
  convert: (value: T) => T,
): Readonly<Record<string, T>> | null {
  if (map == null) return null
  const entries = Object.entries(map)
  if (entries.length === 0) return null
  return Object.fromEntries(entries.map(([key, value]) => [key, convert(value)]))
}
