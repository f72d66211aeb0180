import { generateEvents, mulberry32, releaseFile } from '../../support/event-generator.ts'

export const START_MS = Date.parse('2026-11-23T10:00:00Z')

/** Limits wide enough that a stream of five minutes takes the release through its steps. */
export const MIXED_RELEASE = releaseFile({
  plan: '  - { weight: 10, min_duration: 30s, min_requests: 200 }\n  - { weight: 50, min_duration: 30s }',
  guardrails: `  - { metric: latency_p95, max: 250ms }
  - { metric: latency_p95, max_increase: 30% }
  - { metric: error_rate, max: 5% }
  - { metric: error_rate, max_increase: 2pp }
  - { metric: quality, max_drop: 0.04 }`,
  rest: 'heartbeat: 30s\n',
})

type WireEvent = Record<string, unknown> & { readonly occurred_at: string }

/** Rare kinds of events, each on so many of a thousand. */
const KINDS: readonly (readonly [perMille: number, change: Record<string, unknown>])[] = [
  [10, { model_name: 'translator' }],
  [10, { environment: 'staging' }],
  [8, { model_version: '1.3.0' }],
  [20, { model_version: null, variant: 'canary' }],
  [20, { model_version: null, variant: 'stable' }],
  [4, { model_version: null, variant: 'blue' }],
  [10, { is_synthetic: true }],
  [10, { device: 'bot' }],
  [10, { traffic: 'shadow' }],
  [10, { outcome: 'cancelled', latency_ms: null }],
  [3, { outcome: 'timeout', latency_ms: null }],
  [3, { outcome: 'rejected', latency_ms: 1 }],
  [10, { outcome: null, status_code: 200 }],
  [10, { locale: null, device: null }],
  [10, { locale: 'no such locale', device: 'fridge' }],
  [10, { quality_score: null }],
]

/** A recorded stream in time order, with everything in it that real traffic has beside requests. */
export function mixedEvents(seed: number, events: number, durationMs: number): WireEvent[] {
  const random = mulberry32(seed + 1)
  const stream = generateEvents({ seed, events, durationMs, startMs: START_MS, canaryShare: 0.3 })
  return Array.from(stream, (event) => {
    let at = random() * 1000
    for (const [perMille, change] of KINDS) {
      at -= perMille
      if (at < 0) return { ...event, ...change } as WireEvent
    }
    return event as WireEvent
  })
}

export function timeOf(event: { readonly occurred_at: string }): number {
  return Date.parse(event.occurred_at)
}

/** Lines in the order of the times they are given. */
export function inOrder(placed: readonly { readonly line: string; readonly atMs: number }[]) {
  return [...placed].sort((a, b) => a.atMs - b.atMs).map(({ line }) => line)
}
