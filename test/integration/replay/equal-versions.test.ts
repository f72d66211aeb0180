import { describe, expect, it } from 'vitest'
import {
  CANARY_VERSION,
  EVEN_COHORTS,
  generateEvents,
  releaseFile,
  STABLE_VERSION,
  type StreamOptions,
  toLines,
} from '../../support/event-generator.ts'
import { START_MS } from './mixed-stream.ts'
import { type Replayed, useReplay } from './replay-run.ts'

/** Thousands of such releases are simulated (`npm run sim`); these go the whole way, from a file. */
const SEEDS = 8
const GIVEN = { seed: 1, events: 60_000, startMs: START_MS, durationMs: 600_000 }
const TIMEOUT_MS = 240_000
/** One long step, so that all of a stream is judged, and the absolute limits out of the way. */
const RELATIVE_RELEASE = releaseFile({
  plan: '  - { weight: 10, min_duration: 20m }',
  guardrails: `  - { metric: latency_p95, max: 2s }
  - { metric: latency_p95, max_increase: 10% }
  - { metric: error_rate, max: 10% }
  - { metric: error_rate, max_increase: 0.5pp }
  - { metric: quality, max_drop: 0.01 }`,
})

const TIGHT_RELEASE = releaseFile({
  plan: '  - { weight: 10, min_duration: 20m }',
  guardrails: `  - { metric: latency_p95, max: 112ms }
  - { metric: latency_p50, max_increase: 0.5% }
  - { metric: latency_p95, max_increase: 0.5% }
  - { metric: error_rate, max: 0.52% }
  - { metric: error_rate, max_increase: 0.02pp }
  - { metric: quality, max_drop: 0.0005 }`,
})

describe('two versions that do the same', () => {
  const { replay } = useReplay()
  const run = (options: Partial<StreamOptions>, release: string): Promise<Replayed> => {
    const lines = toLines(generateEvents({ ...GIVEN, canaryShare: 0.3, ...options }))
    return replay({ events: lines, release })
  }
  const phases = (runs: readonly Replayed[]) =>
    runs.map(({ decisions }) => decisions.at(-1)?.phase ?? '')

  it(`are not rolled back in any of ${SEEDS} streams, however tight the limits`, {
    timeout: TIMEOUT_MS,
  }, async () => {
    const runs: Replayed[] = []
    for (let seed = 101; seed < 101 + SEEDS; seed++) runs.push(await run({ seed }, TIGHT_RELEASE))
    expect(phases(runs)).not.toContain('rolled_back')
    // Close to the edge, or there is nothing to be seen: some comparison looks bad in most streams.
    const worst = runs.map(({ decisions }) =>
      Math.max(...decisions.flatMap(({ evidence }) => evidence.map((row) => row.log_e_breach))),
    )
    expect(worst.filter((logE) => logE > 1).length).toBeGreaterThan(SEEDS / 4)
  })

  it('are promoted when the limits leave room', async () => {
    const runs = [await run({ seed: 101 }, releaseFile()), await run({ seed: 102 }, releaseFile())]
    expect(phases(runs)).toEqual(['promoted', 'promoted'])
  })

  it('are not rolled back when the canary gets mostly users of a slow and faulty locale', async () => {
    const slow = (locale: string) => (locale === 'fr-FR' ? 5 : 1)
    const shifted = EVEN_COHORTS.map((one) => ({ ...one, share: one.share * slow(one.locale) }))
    const mixOf = (seed: number): Partial<StreamOptions> => ({
      seed,
      mix: (arm) => (arm === 'canary' ? shifted : EVEN_COHORTS),
      effect: (_, { locale }) =>
        locale === 'fr-FR' ? { latencyScale: 2.2, errorRate: 0.02, qualityMean: 0.7 } : {},
    })
    for (const seed of [201, 202]) {
      expect(phases([await run(mixOf(seed), RELATIVE_RELEASE)])).not.toContain('rolled_back')
    }
    // Who does not look at the locales takes it for a regression.
    const blind = RELATIVE_RELEASE.replace('by: [locale, device]', 'by: []')
    expect(phases([await run(mixOf(201), blind)])).toEqual(['rolled_back'])
  })

  it('are not rolled back while both become three times as slow and the canary share grows', async () => {
    const rampOf = (seed: number): Partial<StreamOptions> => ({
      seed,
      canaryShare: (progress) => 0.05 + 0.45 * progress,
      effect: (_, __, progress) => ({ latencyScale: 1 + 2 * progress }),
    })
    for (const seed of [301, 302]) {
      expect(phases([await run(rampOf(seed), RELATIVE_RELEASE)])).not.toContain('rolled_back')
    }
    // Who compares all requests with all requests takes it for a regression.
    const events = [...generateEvents({ ...GIVEN, canaryShare: 0.3, ...rampOf(301) })]
    expect(p95Of(events, CANARY_VERSION)).toBeGreaterThan(1.1 * p95Of(events, STABLE_VERSION))
  })
})

function p95Of(events: readonly Record<string, unknown>[], version: string): number {
  const latencies = events
    .filter(({ model_version }) => model_version === version)
    .map(({ latency_ms }) => Number(latency_ms))
    .sort((a, b) => a - b)
  return latencies[Math.floor(0.95 * latencies.length)] ?? 0
}
