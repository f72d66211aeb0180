import type { Device, Outcome, RequestEvent, Traffic } from '../domain/request-event.ts'
import { deviceOfWord, outcomeOfStatus } from './event-words.ts'
import { canonicalLocale, UNDETERMINED } from './locale-tag.ts'
import { DEFAULT_ENVIRONMENT, EVENT_BOUNDS, type WireRequestEvent } from './request-event.ts'
import { isStorableTime, parseRfc3339 } from './rfc3339.ts'
import {
  ENVIRONMENT,
  isObject,
  KPI_NAME,
  MAX_SEMVER_LENGTH,
  MODEL_NAME,
  SEMVER,
} from './stored-text.ts'
import { isStoredText } from './wire-field.ts'

type Raw = Readonly<Record<keyof WireRequestEvent, unknown>>

const isModelName = remembering((text) => MODEL_NAME.test(text))
const isEnvironment = remembering((text) => ENVIRONMENT.test(text))
const isVersion = remembering((text) => text.length <= MAX_SEMVER_LENGTH && SEMVER.test(text))

// Set by a reader that meets something that is not allowed; reading is synchronous, so one is enough.
let sound = true

/**
 * The fast path: the normalised event of a parsed JSON value, or null when anything is off. It says
 * the same as `requestEventSchema` with `requestEventOf`, which explain what was wrong.
 */
export function readRequestEvent(
  raw: unknown,
  defaultOccurredAtMs: number | null,
): RequestEvent | null {
  if (!isObject(raw)) return null
  const wire = raw as Raw
  sound = true
  const modelVersion = readVersion(wire.model_version)
  const variant = readText(wire.variant, 1, 64)
  const statusCode = readInteger(wire.status_code, 100, 599)
  const outcome = readOutcome(wire.outcome, statusCode)
  const latencyMs = readNumber(wire.latency_ms, 0, EVENT_BOUNDS.durationMs)
  if (outcome === 'ok' && latencyMs === null) return null
  if (modelVersion === '' && variant === '') return null
  const locale = readLocale(wire.locale)
  const device = readDevice(wire.device)
  const event: RequestEvent = {
    requestId: readRequired(wire.request_id),
    occurredAtMs: readTime(wire.occurred_at, defaultOccurredAtMs),
    modelName: readModelName(wire.model_name),
    environment: readEnvironment(wire.environment),
    modelVersion,
    variant,
    traffic: readTraffic(wire.traffic),
    outcome,
    latencyMs,
    ttftMs: readNumber(wire.ttft_ms, 0, EVENT_BOUNDS.durationMs),
    statusCode,
    errorType: readText(wire.error_type, 0, 128),
    locale: locale ?? UNDETERMINED,
    device: device ?? 'other',
    region: readText(wire.region, 0, 64),
    qualityScore: readNumber(wire.quality_score, 0, 1),
    qualityMetric: readText(wire.quality_metric, 0, 128),
    predictionLabel: readText(wire.prediction_label, 0, 256),
    confidence: readNumber(wire.confidence, 0, 1),
    inputTokens: readInteger(wire.input_tokens, 0, EVENT_BOUNDS.tokens),
    outputTokens: readInteger(wire.output_tokens, 0, EVENT_BOUNDS.tokens),
    sampleRate: readSampleRate(wire.sample_rate),
    isSynthetic: readBoolean(wire.is_synthetic),
    sessionId: readText(wire.session_id, 0, 128),
    releaseId: readText(wire.release_id, 0, 256),
    decisionGeneration: readInteger(wire.decision_generation, 0, Number.MAX_SAFE_INTEGER),
    memoryBytes: readInteger(wire.memory_bytes, 0, Number.MAX_SAFE_INTEGER),
    memoryLimitBytes: readInteger(wire.memory_limit_bytes, 0, Number.MAX_SAFE_INTEGER),
    kpi: readKpi(wire.kpi),
    attributes: readAttributes(wire.attributes),
    localeReplaced: locale === null,
    deviceReplaced: device === null,
  }
  return sound ? event : null
}

/** The test of a text field with few distinct values: the last two accepted ones are not tested again. */
function remembering(test: (text: string) => boolean): (value: unknown) => boolean {
  let last: string | null = null
  let before: string | null = null
  return (value) => {
    if (value === last || value === before) return value !== null
    if (typeof value !== 'string' || !test(value)) return false
    before = last
    last = value
    return true
  }
}

function reject<T>(placeholder: T): T {
  sound = false
  return placeholder
}

function readNumber(value: unknown, low: number, high: number): number | null {
  if (value == null) return null
  if (typeof value === 'number' && value >= low && value <= high) return value + 0
  return reject(null)
}

function readInteger(value: unknown, low: number, high: number): number | null {
  const number = readNumber(value, low, high)
  return number === null || Number.isInteger(number) ? number : reject(null)
}

function readSampleRate(value: unknown): number {
  const rate = readNumber(value, 0, 1)
  if (rate === null) return 1
  return rate > 0 ? rate : reject(1)
}

function readBoolean(value: unknown): boolean {
  if (value == null) return false
  return typeof value === 'boolean' ? value : reject(false)
}

function readText(value: unknown, atLeast: number, atMost: number): string {
  if (value == null) return ''
  return isStoredText(value, atLeast, atMost) ? value : reject('')
}

function readRequired(value: unknown): string {
  return isStoredText(value, 1, 128) ? value : reject('')
}

function readTime(value: unknown, defaultMs: number | null): number {
  if (value == null) return defaultMs ?? reject(0)
  const timeMs = typeof value === 'string' ? parseRfc3339(value) : null
  return timeMs !== null && isStorableTime(timeMs) ? timeMs : reject(0)
}

function readModelName(value: unknown): string {
  return isModelName(value) ? (value as string) : reject('')
}

function readEnvironment(value: unknown): string {
  if (value == null) return DEFAULT_ENVIRONMENT
  return isEnvironment(value) ? (value as string) : reject('')
}

function readVersion(value: unknown): string {
  if (value == null) return ''
  return isVersion(value) ? (value as string) : reject('')
}

function readOutcome(value: unknown, statusCode: number | null): Outcome {
  if (value == null) return statusCode === null ? reject('error') : outcomeOfStatus(statusCode)
  const known =
    value === 'ok' ||
    value === 'error' ||
    value === 'timeout' ||
    value === 'cancelled' ||
    value === 'rejected'
  return known ? value : reject('error')
}

function readTraffic(value: unknown): Traffic {
  if (value == null || value === 'live') return 'live'
  return value === 'shadow' ? 'shadow' : reject('live')
}

/** Null for a tag that is not valid. */
function readLocale(value: unknown): string | null {
  if (value == null) return UNDETERMINED
  return typeof value === 'string' ? canonicalLocale(value) : reject(null)
}

/** Null for an unknown word. */
function readDevice(value: unknown): Device | null {
  if (value == null) return 'unknown'
  return typeof value === 'string' ? deviceOfWord(value) : reject(null)
}

function readKpi(value: unknown): Readonly<Record<string, number>> | null {
  if (value == null) return null
  if (!isObject(value)) return reject(null)
  const map: Record<string, number> = {}
  let names = 0
  for (const name of Object.keys(value)) {
    if (name === '__proto__') continue
    const number =
      value[name] == null ? reject(0) : readNumber(value[name], -EVENT_BOUNDS.kpi, EVENT_BOUNDS.kpi)
    if (!KPI_NAME.test(name) || number === null) return reject(null)
    map[name] = number
    names++
  }
  if (names > EVENT_BOUNDS.kpiNames) return reject(null)
  return names === 0 ? null : map
}

function readAttributes(value: unknown): Readonly<Record<string, string>> | null {
  if (value == null) return null
  if (!isObject(value)) return reject(null)
  const map: Record<string, string> = {}
  let names = 0
  for (const name of Object.keys(value)) {
    if (name === '__proto__') continue
    const text = value[name]
    if (!isStoredText(name, 1, 64) || !isStoredText(text, 0, 256)) return reject(null)
    map[name] = text
    names++
  }
  if (names > EVENT_BOUNDS.attributes) return reject(null)
  return names === 0 ? null : map
}
