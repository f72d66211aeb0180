import { describe, expect, it } from 'vitest'
import {
  CANARY_VERSION,
  generateEvents,
  releaseFile,
  toLines,
} from '../../support/event-generator.ts'
import { START_MS } from './mixed-stream.ts'
import { useReplay } from './replay-run.ts'

const HISTORY_MS = 60_000
const BLOCK_MS = 5000
/** Steps without minimum: any pass would be taken. */
const RELEASE = releaseFile({ plan: '  - { weight: 30 }\n  - { weight: 50 }' })
const LATENCY = releaseFile({
  plan: '  - { weight: 30 }\n  - { weight: 50 }',
  guardrails: '  - { metric: latency_p95, max_increase: 10% }',
})

type WireEvent = Record<string, unknown>

/** Four minutes at 50 a second; the first is the baseline's alone. */
function stream(change: (event: WireEvent, atMs: number) => WireEvent | null): string[] {
  const given = { seed: 51, events: 12_000, startMs: START_MS, durationMs: 4 * 60_000 }
  const canaryShare = (progress: number) => (progress < 0.25 ? 0 : 0.3)
  const events = [...generateEvents({ ...given, canaryShare })] as WireEvent[]
  return toLines(
    events
      .map((event) => change(event, Date.parse(String(event['occurred_at'])) - START_MS))
      .filter((event) => event !== null),
  )
}

const isCanary = (event: WireEvent) => event['model_version'] === CANARY_VERSION
const released = (atMs: number) => atMs >= HISTORY_MS

describe('a recording of bad input', () => {
  const { replay } = useReplay()
  const args = ['--start', new Date(START_MS + HISTORY_MS).toISOString()]

  it.each<[string, string, Parameters<typeof stream>[0], readonly string[]]>([
    [
      'has nothing of the stable version after the start',
      RELEASE,
      (event, atMs) => (released(atMs) && !isCanary(event) ? null : event),
      ['collecting'],
    ],
    [
      'has the canary in one block only',
      RELEASE,
      (event, atMs) => (isCanary(event) && atMs >= HISTORY_MS + BLOCK_MS ? null : event),
      ['stale_data', 'collecting'],
    ],
    [
      'has latencies of 0 ms alone',
      LATENCY,
      (event) => ({ ...event, latency_ms: 0 }),
      ['collecting'],
    ],
    [
      'has latencies of 1,000,000 ms alone',
      LATENCY,
      (event) => ({ ...event, latency_ms: 1_000_000 }),
      ['collecting'],
    ],
    ['has one score alone', RELEASE, (event) => ({ ...event, quality_score: 1 }), ['collecting']],
    ['has errors alone', LATENCY, (event) => ({ ...event, outcome: 'error' }), ['collecting']],
  ])('that %s holds', async (_, release, change, codes) => {
    const { decisions, stdout } = await replay({ events: stream(change), release, args })
    expect(new Set(decisions.map(({ action }) => action))).toEqual(new Set(['hold']))
    const last = new Set(decisions.at(-1)?.reasons.map(({ code }) => code))
    last.delete('undecided')
    expect([...last]).toEqual(codes)
    expect(stdout).not.toMatch(/NaN|Infinity/)
  })
})
