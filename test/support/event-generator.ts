/**
 * Seeded streams of request events in wire form, for replay, end-to-end tests and benchmarks:
 * lognormal latencies (p50 35 ms, p95 110 ms), a Beta-like quality score, a cohort mix, and effects
 * per arm, cohort and time. The same options give the same bytes.
 */
export interface ArmModel {
  errorRate: number
  /** Factor on every latency. */
  latencyScale: number
  qualityMean: number
}

export interface StreamCohort {
  readonly locale: string
  readonly device: string
  readonly share: number
}

export interface StreamOptions {
  readonly seed: number
  readonly events: number
  readonly startMs: number
  readonly durationMs: number
  readonly canaryShare: number | ((progress: number) => number)
  readonly cohorts?: readonly StreamCohort[]
  readonly modelName?: string
  /** Changes what the arm does; `progress` runs from 0 to 1. */
  effect?(
    arm: 'stable' | 'canary',
    cohort: StreamCohort,
    progress: number,
    model: ArmModel,
  ): Partial<ArmModel>
  /** Cohort mix per arm, when it differs. */
  mix?(arm: 'stable' | 'canary'): readonly StreamCohort[]
}

export const STABLE_VERSION = '1.4.2'
export const CANARY_VERSION = '1.5.0'

export const EVEN_COHORTS: readonly StreamCohort[] = [
  { locale: 'en-US', device: 'mobile', share: 0.3 },
  { locale: 'en-US', device: 'desktop', share: 0.25 },
  { locale: 'de-DE', device: 'mobile', share: 0.2 },
  { locale: 'de-DE', device: 'desktop', share: 0.12 },
  { locale: 'fr-FR', device: 'mobile', share: 0.08 },
  { locale: 'fr-FR', device: 'desktop', share: 0.05 },
]

const BASE: ArmModel = { errorRate: 0.005, latencyScale: 1, qualityMean: 0.86 }
const LN_MEDIAN = Math.log(35)
const LN_SIGMA = Math.log(110 / 35) / 1.6448536269514722

export function* generateEvents(options: StreamOptions): Generator<Record<string, unknown>> {
  const random = mulberry32(options.seed)
  const normal = () => Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random())
  const name = options.modelName ?? 'intent-classifier'
  for (let index = 0; index < options.events; index++) {
    const progress = index / options.events
    const share =
      typeof options.canaryShare === 'number' ? options.canaryShare : options.canaryShare(progress)
    const arm = random() < share ? 'canary' : 'stable'
    const cohort = pick(options.mix?.(arm) ?? options.cohorts ?? EVEN_COHORTS, random())
    const model = { ...BASE, ...options.effect?.(arm, cohort, progress, BASE) }
    const failed = random() < model.errorRate
    const latencyMs = Math.exp(LN_MEDIAN + LN_SIGMA * normal()) * model.latencyScale
    const quality = Math.min(1, Math.max(0, model.qualityMean + 0.12 * normal()))
    yield {
      request_id: `r${options.seed}-${index}`,
      occurred_at: new Date(
        options.startMs + Math.floor(progress * options.durationMs),
      ).toISOString(),
      model_name: name,
      model_version: arm === 'canary' ? CANARY_VERSION : STABLE_VERSION,
      outcome: failed ? 'error' : 'ok',
      latency_ms: Number(latencyMs.toFixed(3)),
      locale: cohort.locale,
      device: cohort.device,
      quality_score: Number(quality.toFixed(4)),
      session_id: `s${Math.floor(random() * 100_000)}`,
    }
  }
}

export function toLines(events: Iterable<unknown>): string[] {
  return Array.from(events, (event) => JSON.stringify(event))
}

/** Moves every line by less than `withinMs` of event time; lines must be in time order. */
export function shuffleWithin(lines: readonly string[], withinMs: number, seed: number): string[] {
  const random = mulberry32(seed)
  return lines
    .map((line) => {
      const { occurred_at } = JSON.parse(line) as { occurred_at: string }
      return { line, at: Date.parse(occurred_at) + random() * withinMs }
    })
    .sort((a, b) => a.at - b.at)
    .map(({ line }) => line)
}

export function doubleSome(lines: readonly string[], share: number, seed: number): string[] {
  const random = mulberry32(seed)
  return lines.flatMap((line) => (random() < share ? [line, line] : [line]))
}

export function mulberry32(seed: number): () => number {
  let state = seed >>> 0
  return () => {
    state = (state + 0x6d2b79f5) >>> 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296
  }
}

function pick(cohorts: readonly StreamCohort[], at: number): StreamCohort {
  let rest = at * cohorts.reduce((sum, cohort) => sum + cohort.share, 0)
  for (const cohort of cohorts) {
    rest -= cohort.share
    if (rest < 0) return cohort
  }
  return cohorts.at(-1) as StreamCohort
}

/** The release file of the generated streams; limits as in the published example. */
export function releaseFile(
  overrides: { plan?: string; guardrails?: string; rest?: string } = {},
): string {
  return `route: intent-classifier/production
stable: ${STABLE_VERSION}
canary: ${CANARY_VERSION}
plan:
${overrides.plan ?? '  - { weight: 10, min_duration: 1m, min_requests: 500 }\n  - { weight: 50, min_duration: 1m }'}
guardrails:
${
  overrides.guardrails ??
  `  - { metric: latency_p95, max: 200ms }
  - { metric: latency_p95, max_increase: 10% }
  - { metric: error_rate, max: 2% }
  - { metric: error_rate, max_increase: 0.5pp }
  - { metric: quality, max_drop: 0.01 }`
}
cohorts: { by: [locale, device] }
blocks: { length: 5s, watermark: 10s, duplicate_lookback: 60s }
warmup: 0s
${overrides.rest ?? ''}`
}

/**
 * The same for a worker that judges a recorded stream as it comes: both steps have the weight of the
 * stream's share of the canary (0…1), the second a thousandth more, as if a router followed it.
 */
export function releaseFileAt(canaryShare: number, rest = ''): string {
  const weight = Math.round(1000 * canaryShare)
  const plan = `  - { weight: ${weight}, min_duration: 1m, min_requests: 500 }
  - { weight: ${weight + 1}, min_duration: 1m }`
  return releaseFile({ plan, rest: `total_weight: 1000\n${rest}` })
}
