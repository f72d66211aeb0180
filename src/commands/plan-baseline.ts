import type { MetricsFile } from '../contract/metrics-file.ts'
import type { WindowLatency } from '../contract/metrics-latency.ts'
import type { Moments } from '../domain/block.ts'
import type { ReleaseSpec } from '../domain/release.ts'
import type { BaselineFacts, Spread } from '../judge/baseline-facts.ts'
import { logScaledNormalCdf } from '../judge/log-space.ts'

const P50_MS = 35
const P95_MS = 110
const ERROR_RATE = 0.005
const QUALITY = { mean: 0.86, deviation: 0.12 }
/** How far inside an absolute limit the baseline is taken to be. */
const LATENCY_ROOM = 110 / 120
const ERROR_ROOM = 5 / 8
const QUALITY_ROOM = 0.02
/** The 95 % point of the standard normal distribution. */
const Z95 = 1.6448536269514722

export interface PlanBaseline {
  readonly facts: readonly BaselineFacts[]
  /** Whether the shares of the cohorts are known. */
  readonly cohorts: boolean
  /** To both versions together; null when nothing tells. */
  readonly requestsPerSecond: number | null
  /** In words, for people who must know what a table rests on. */
  readonly words: string
}

/** A plausible baseline inside the limits of the release, for plans made without any measurement. */
export function assumeBaseline(spec: ReleaseSpec): PlanBaseline {
  const limits = (kind: 'max' | 'min', name: string) =>
    spec.guardrails
      .filter(({ metric, limit }) => metric.name === name && limit.kind === kind)
      .map(({ limit }) => limit.value)
  const p95Ms = Math.min(P95_MS, ...limits('max', 'latency_p95').map((ms) => LATENCY_ROOM * ms))
  const p50Ms = (P50_MS / P95_MS) * p95Ms
  const errorRate = Math.min(ERROR_RATE, ...limits('max', 'error_rate').map((p) => ERROR_ROOM * p))
  const quality = Math.max(
    QUALITY.mean,
    ...limits('min', 'quality').map((q) => Math.min(1, q + QUALITY_ROOM)),
  )
  const sigma = Math.log(p95Ms / p50Ms) / Z95
  const bounds = new Map(
    spec.guardrails.flatMap(({ metric }) =>
      metric.kind === 'kpi' ? [[metric.key, metric.bounds] as const] : [],
    ),
  )
  const digits = (value: number) => Number(value.toPrecision(3))
  return {
    facts: [
      {
        cohort: {},
        requests: 1,
        errorRate,
        latencyAbove: (ms) => (ms <= 0 ? 1 : normalTail(Math.log(ms / p50Ms) / sigma)),
        quality: { mean: quality, variance: QUALITY.deviation ** 2 },
        kpi(key) {
          const [low, high] = bounds.get(key) ?? [0, 1]
          return { mean: 0.5 * (low + high), variance: (0.25 * (high - low)) ** 2 }
        },
      },
    ],
    cohorts: false,
    requestsPerSecond: null,
    words:
      `assumed of the baseline, for want of --baseline: error rate ${digits(100 * errorRate)} %, lognormal latencies with p50 ${digits(p50Ms)} ms and p95 ${digits(p95Ms)} ms, ` +
      `quality ${digits(quality)} with standard deviation ${QUALITY.deviation}`,
  }
}

function normalTail(z: number): number {
  return Math.exp(logScaledNormalCdf(-z) - 0.5 * z * z)
}

/** The baseline as the stable version's rows of a metrics file show it. */
export function measuredBaseline(file: MetricsFile, path: string): PlanBaseline {
  const facts = file.stable.map(
    ({ cohort, requests, errors, errorRate, latency, quality, kpis }): BaselineFacts => ({
      cohort,
      requests: requests ?? 0,
      errorRate:
        requests === null || requests === 0 || errors === null ? errorRate : errors / requests,
      latencyAbove: (ms) => shareAbove(latency, ms),
      quality: spreadOf(quality),
      kpi: (key) => spreadOf(kpis.get(key) ?? null),
    }),
  )
  const all = [...file.stable, ...file.canary].reduce((sum, row) => sum + (row.requests ?? 0), 0)
  const seconds = (file.window.endMs - file.window.startMs) / 1000
  return {
    facts,
    cohorts: true,
    requestsPerSecond: all === 0 ? null : all / seconds,
    words: `baseline: ${path}, ${facts.length} cohorts from ${new Date(file.window.startMs).toISOString()} to ${new Date(file.window.endMs).toISOString()}`,
  }
}

function spreadOf(moments: Moments | null): Spread | null {
  if (moments === null || moments.n === 0) return null
  const mean = moments.sum / moments.n
  return { mean, variance: Math.max(0, moments.sumSquares / moments.n - mean ** 2) }
}

/**
 * Values inside a bin are taken to be spread evenly over the logarithm; above the last edge nothing is
 * known, and the share above it stands for all that is higher.
 */
function shareAbove(latency: WindowLatency | null, ms: number): number | null {
  if (latency?.kind !== 'histogram' || latency.total === 0) return null
  const { edgesMs, atMost, total } = latency
  const above = (index: number) => (total - (atMost[index] ?? 0)) / total
  const next = edgesMs.findIndex((edge) => edge >= ms)
  if (next < 0) return edgesMs.length === 0 ? null : above(edgesMs.length - 1)
  const high = edgesMs[next] as number
  if (high === ms) return above(next)
  const low = edgesMs[next - 1]
  if (low === undefined || low <= 0) return 1 + (above(next) - 1) * Math.max(0, ms / high)
  const way = Math.log(ms / low) / Math.log(high / low)
  return above(next - 1) + way * (above(next) - above(next - 1))
}
