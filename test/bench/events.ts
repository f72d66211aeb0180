import { generateEvents, type StreamCohort } from '../support/event-generator.ts'

/** Ten locales on six devices; bots are stored but not judged, so they are left out. */
const LOCALES = 'en-US,de-DE,fr-FR,es-ES,it-IT,pt-BR,ja-JP,ko-KR,nl-NL,pl-PL'.split(',')
const DEVICES = ['mobile', 'desktop', 'tablet', 'tv', 'other', 'unknown']

export const SIXTY_COHORTS: readonly StreamCohort[] = LOCALES.flatMap((locale, i) =>
  DEVICES.map((device, j) => ({ locale, device, share: 1 / ((i + 2) * (j + 2)) })),
)

export const BLOCK_MS = 10_000

export interface BenchStream {
  readonly events: number
  readonly eventsPerBlock: number
  readonly startMs: number
  readonly seed?: number
}

/** JSON events of about 260 bytes in time order, a tenth of them on the canary, in sixty cohorts. */
export function* eventLines(stream: BenchStream): Generator<string> {
  const options = {
    seed: stream.seed ?? 1,
    events: stream.events,
    startMs: stream.startMs,
    durationMs: (stream.events / stream.eventsPerBlock) * BLOCK_MS,
    canaryShare: 0.1,
    cohorts: SIXTY_COHORTS,
  }
  for (const event of generateEvents(options)) {
    yield JSON.stringify({ ...event, environment: 'production' })
  }
}

/** A block boundary so long ago that the stream ends about now. */
export function startOf(events: number, eventsPerBlock: number): number {
  const durationMs = (events / eventsPerBlock) * BLOCK_MS
  return Math.floor((Date.now() - durationMs) / BLOCK_MS - 6) * BLOCK_MS
}
