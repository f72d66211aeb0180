import type { TrafficShare } from '../domain/decision.ts'
import type { Models } from './models.ts'
import { type Population, sessionIdOf, type User } from './population.ts'
import { createArrivals, createRandom } from './random.ts'
import type { Snippets } from './snippets.ts'

/** Requests served since the last call of `takeCounts`. */
interface FleetCounts {
  readonly requests: number
  /** Model calls that threw. */
  readonly errors: number
  /** Arrivals that were dropped because the process was held up for too long. */
  readonly skipped: number
  readonly byVersion: Readonly<Record<string, number>>
}

export interface Fleet {
  start(): void
  /** No more requests; those of the slice in hand are finished. */
  stop(): void
  takeCounts(): FleetCounts
}

export interface FleetParts {
  readonly models: Models
  readonly population: Population
  readonly snippets: Snippets
  readonly router: {
    assign(user: number): TrafficShare
    state(): { readonly appliedGeneration: number | null }
  }
  /** Takes each event as one line of JSON. */
  readonly sink: (line: string) => void
}

export interface FleetOptions {
  readonly modelName: string
  readonly environment: string
  readonly ratePerSecond: number
  /** Fixes arrivals, users and texts, not the latencies. */
  readonly seed: number
  /** Part of every request id; a value never used before, so that ids stay unique across restarts. */
  readonly runId: string
  readonly sliceMs?: number
}

/** Arrivals that waited longer are dropped: after a pause the fleet goes on, it does not catch up. */
const BACKLOG_MAX_MS = 250

/**
 * Users come as a Poisson process and are served at the next slice: the router names the version,
 * the version's model is really called, and the call alone is timed.
 */
export function createFleet(parts: FleetParts, options: FleetOptions): Fleet {
  const { population, router, sink } = parts
  const random = createRandom(options.seed)
  const nextArrival = createArrivals(options.ratePerSecond, random)
  const serve = createServer(parts, options)
  let counts = emptyCounts()
  let startedAt = 0
  let arrivalMs = nextArrival()
  let served = 0
  let timer: NodeJS.Timeout | null = null

  const slice = (): void => {
    const nowMs = performance.now() - startedAt
    const { appliedGeneration } = router.state()
    for (; arrivalMs <= nowMs; arrivalMs = nextArrival()) {
      const user = population.user(Math.floor(random() * population.size))
      const pickText = random()
      if (nowMs - arrivalMs > BACKLOG_MAX_MS) {
        counts.skipped++
        continue
      }
      const share = router.assign(user.number)
      const event = serve({
        user,
        share,
        pickText,
        generation: appliedGeneration,
        number: ++served,
      })
      counts.requests++
      counts.byVersion[share.version] = (counts.byVersion[share.version] ?? 0) + 1
      if (event.outcome === 'error') counts.errors++
      sink(JSON.stringify(event))
    }
  }

  return {
    start() {
      if (timer !== null) return
      startedAt = performance.now()
      timer = setInterval(slice, options.sliceMs ?? 20)
    },
    stop() {
      if (timer !== null) clearInterval(timer)
      timer = null
    },
    takeCounts() {
      const taken = counts
      counts = emptyCounts()
      return taken
    },
  }
}

interface Request {
  readonly user: User
  readonly share: TrafficShare
  /** 0 ≤ value < 1: which of the locale's texts. */
  readonly pickText: number
  readonly generation: number | null
  /** 1, 2, 3, … within the run. */
  readonly number: number
}

interface ServedEvent extends Readonly<Record<string, unknown>> {
  readonly outcome: 'ok' | 'error'
}

/** Serves one request and returns its event, in the words of the request event. */
function createServer(
  { models, snippets }: FleetParts,
  { modelName, environment, runId }: FleetOptions,
): (request: Request) => ServedEvent {
  return ({ user, share, pickText, generation, number }) => {
    const texts = snippets.get(user.locale) ?? []
    const text = texts[Math.floor(pickText * texts.length)] ?? ''
    const occurredAtMs = Date.now()
    const before = process.hrtime.bigint()
    let predicted: string | null = null
    let failure: unknown = null
    try {
      predicted = models.predict(share.version, text)
    } catch (error) {
      failure = error
    }
    const latencyMs = Number(process.hrtime.bigint() - before) / 1e6
    return {
      request_id: `${runId}-${number}`,
      occurred_at: new Date(occurredAtMs).toISOString(),
      model_name: modelName,
      environment,
      model_version: share.version,
      variant: share.role,
      latency_ms: latencyMs,
      locale: user.locale,
      device: user.device,
      session_id: sessionIdOf(user.number),
      ...(generation === null ? {} : { decision_generation: generation }),
      ...(predicted === null
        ? { outcome: 'error', error_type: failure instanceof Error ? failure.name : 'unknown' }
        : {
            outcome: 'ok',
            prediction_label: predicted,
            quality_score: predicted === user.language ? 1 : 0,
            quality_metric: 'language_correct',
          }),
    }
  }
}

function emptyCounts(): {
  requests: number
  errors: number
  skipped: number
  byVersion: Record<string, number>
} {
  return { requests: 0, errors: 0, skipped: 0, byVersion: {} }
}
