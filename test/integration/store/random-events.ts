import { UNBOUNDED_BIN, ZERO_BIN } from '../../../src/domain/histogram.ts'
import type { ReleaseSpec } from '../../../src/domain/release.ts'
import { DEVICES, OUTCOMES, type RequestEvent } from '../../../src/domain/request-event.ts'
import { buildSpec } from '../../support/builders.ts'
import { mulberry32 } from '../../support/event-generator.ts'
import type { Stored } from './naive-blocks.ts'

export const MIDNIGHT = Date.UTC(2026, 10, 21)
const BURSTS = [MIDNIGHT - 5_400_000, MIDNIGHT - 20_000, MIDNIGHT + 1_800_000]
const LOCALES = ['de-DE', 'en-US', 'fr-FR', 'und', 'zh-Hant-TW']

export function plainEvent(overrides: Partial<RequestEvent> = {}): RequestEvent {
  return {
    requestId: 'r-1',
    occurredAtMs: MIDNIGHT,
    modelName: 'm',
    environment: 'production',
    modelVersion: '1.0.0',
    variant: '',
    traffic: 'live',
    outcome: 'ok',
    latencyMs: 41.2,
    ttftMs: null,
    statusCode: null,
    errorType: '',
    locale: 'en-US',
    device: 'mobile',
    region: '',
    qualityScore: null,
    qualityMetric: '',
    predictionLabel: '',
    confidence: null,
    inputTokens: null,
    outputTokens: null,
    sampleRate: 1,
    isSynthetic: false,
    sessionId: '',
    releaseId: '',
    decisionGeneration: null,
    memoryBytes: null,
    memoryLimitBytes: null,
    kpi: null,
    attributes: null,
    localeReplaced: false,
    deviceReplaced: false,
    ...overrides,
  }
}

const latency = (quantile: 'latency_p50' | 'latency_p95', value: number) =>
  ({
    metric: { kind: 'latency', name: quantile, quantile: 0.5 },
    limit: { kind: 'max', value },
  }) as const
const kpi = (key: string, low: number, high: number) =>
  ({
    metric: { kind: 'kpi', name: `kpi.${key}`, key, bounds: [low, high] },
    limit: { kind: 'max_drop', value: 1 },
  }) as const

/** A release of a model of its own; what it watches and how it cuts time depends on the seed. */
export function randomSpec(seed: number): ReleaseSpec {
  const random = mulberry32(seed + 1)
  const pick = <T>(values: readonly T[]): T => values[Math.floor(random() * values.length)] as T
  const modelName = `random-${seed}`
  const guardrails = [
    ...pick([
      [],
      [latency('latency_p95', 100)],
      [latency('latency_p95', 300.3), latency('latency_p50', 0.1 + 0.2)],
    ]),
    ...pick([[], [kpi('revenue', -1, 2.5)], [kpi('clicks', 0, 1e6), kpi('revenue', 0, 1)]]),
  ]
  return buildSpec({
    route: `${modelName}/production`,
    modelName,
    guardrails: guardrails.map((guardrail) => ({
      ...guardrail,
      written: '',
      importance: 1,
      severity: 'critical',
      dryRun: false,
      cohorts: 'all',
    })),
    cohorts: { by: pick([[], ['locale'], ['device'], ['locale', 'device']]), key: [] },
    blocks: {
      lengthMs: pick([7000, 10_000, 60_000]),
      watermarkMs: pick([0, 30_000]),
      duplicateLookbackMs: pick([0, 60_000]),
    },
    includeSynthetic: random() < 0.3,
  })
}

/** Bins that a block may be closed with: none, or some among and beyond the latencies. */
export function slowBinsOf(seed: number): number[] {
  return [[], [464], [574, ZERO_BIN], [UNBOUNDED_BIN, 0, 120]][seed % 4] ?? []
}

/**
 * Events of the route and of others around three moments, one of them midnight: all outcomes, arms
 * named by version or variant, late ones up to the exact millisecond, and every third a repetition
 * of an earlier one with something changed.
 */
export function randomEvents(seed: number, spec: ReleaseSpec, count: number): Stored[] {
  const random = mulberry32(seed)
  const pick = <T>(values: readonly T[]): T => values[Math.floor(random() * values.length)] as T
  const rows: Stored[] = []
  for (let offset = 0; offset < count; offset++) {
    const before = rows.length > 0 && random() < 0.33 ? pick(rows).event : null
    const event = before === null ? fresh(offset) : { ...before, ...changed(before) }
    rows.push({ event, place: placeOf(event, offset) })
  }
  return rows

  function fresh(offset: number): RequestEvent {
    const version = pick([spec.stable, spec.stable, spec.canary, '', '0.9.0'])
    return plainEvent({
      requestId: `r-${offset}`,
      occurredAtMs: pick(BURSTS) + Math.floor(random() * 90_000),
      modelName: random() < 0.95 ? spec.modelName : 'other',
      environment: random() < 0.95 ? 'production' : 'staging',
      modelVersion: version,
      variant: version === '' ? pick(['stable', 'canary', 'blue']) : pick(['', 'canary']),
      traffic: random() < 0.9 ? 'live' : 'shadow',
      ...outcomeAndLatency(),
      locale: pick(LOCALES),
      device: pick(DEVICES),
      qualityScore: pick([null, 0, 1, random()]),
      isSynthetic: random() < 0.1,
      sampleRate: pick([1, 1, 1, 1, 1, 1, 0.5, random() || 1]),
      sessionId: pick([
        '',
        '',
        '',
        `user-${offset}`,
        `user ${pick([1, 2, 3])}`,
        'é€😀',
        'twelve bytes',
      ]),
      kpi: pick([
        null,
        { revenue: random() * 6 - 3 },
        { revenue: -1e9, clicks: 1e9, other: 1 },
        { clicks: Math.floor(random() * 5) },
      ]),
    })
  }

  function outcomeAndLatency(): Pick<RequestEvent, 'outcome' | 'latencyMs'> {
    const outcome = pick(OUTCOMES)
    const latencyMs = pick([0, 100, 300.3, 0.1 + 0.2, random() * 500, 1e-9])
    return { outcome, latencyMs: outcome === 'ok' || random() < 0.5 ? latencyMs : null }
  }

  function changed(event: RequestEvent): Partial<RequestEvent> {
    const shiftMs = pick([0, 1, 5000, 45_000, 61_000, 75_000, 140_000])
    return {
      occurredAtMs: event.occurredAtMs + shiftMs,
      locale: pick(LOCALES),
      ...pick([
        {},
        {},
        { modelVersion: '', variant: 'canary' },
        { modelVersion: spec.canary, variant: '' },
        { modelVersion: spec.stable },
        { traffic: 'shadow' as const },
        outcomeAndLatency(),
      ]),
    }
  }

  function placeOf(event: RequestEvent, offset: number): Stored['place'] {
    const { lengthMs, watermarkMs } = spec.blocks
    const blockEndMs = (Math.floor(event.occurredAtMs / lengthMs) + 1) * lengthMs
    const arrivalWatermarkMs = pick([
      0,
      event.occurredAtMs - 1000,
      event.occurredAtMs + 1,
      blockEndMs + watermarkMs - 1,
      random() < 0.5 ? blockEndMs + watermarkMs : event.occurredAtMs,
      random() < 0.3 ? blockEndMs + watermarkMs + Math.floor(random() * 200_000) : 0,
    ])
    return {
      topic: 'requests',
      partition: Math.floor(random() * 3),
      offset,
      timestampMs: event.occurredAtMs,
      arrivalWatermarkMs,
    }
  }
}

/** Every block that any of the events can be counted in, and two empty ones on either side. */
export function rangeOf(
  rows: readonly Stored[],
  spec: ReleaseSpec,
): { fromMs: number; toMs: number } {
  const { lengthMs } = spec.blocks
  const times = rows.flatMap(({ event, place }) =>
    place.arrivalWatermarkMs === 0
      ? [event.occurredAtMs]
      : [event.occurredAtMs, place.arrivalWatermarkMs],
  )
  const first = Math.floor(Math.min(...times) / lengthMs)
  const last = Math.floor(Math.max(...times) / lengthMs)
  return { fromMs: (first - 2) * lengthMs, toMs: (last + 3) * lengthMs }
}
