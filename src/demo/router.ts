import { createEventStreamParser, type StreamMessage } from '../contract/event-stream-parser.ts'
import type { TrafficShare } from '../domain/decision.ts'
import { createAckSender } from './ack-sender.ts'
import { createAssignment } from './assignment.ts'
import { pause } from './pause.ts'
import { authorizationOf, backOffMs, causeOf, type WorkerDoor } from './post.ts'
import { parseRoutingDecision, type RoutingDecision } from './routing-decision.ts'

export interface RouterOptions {
  readonly door: WorkerDoor
  readonly route: string
  readonly routerId: string
  /** Serves everybody until the first decision. */
  readonly stableVersion: string
  /** Versions this fleet can serve; a decision that names another one is not applied. */
  readonly versions: readonly string[]
  /** Called before a version gets its first traffic; the weights change when it has resolved. */
  readonly prepare?: (version: string) => Promise<void>
  readonly reconnect?: { readonly firstMs: number; readonly maxMs: number }
  /** A connection without a byte for so long is given up; the worker sends a comment every 15 s. */
  readonly silenceMs?: number
}

export interface RouterState {
  readonly connected: boolean
  readonly releaseId: string | null
  /** Null before the first applied decision. */
  readonly appliedGeneration: number | null
  readonly traffic: readonly TrafficShare[]
  readonly totalWeight: number
  /** Until when the worker stood by the weights in use; after it they stay as they are. */
  readonly expiresAtMs: number | null
  /** Why the last decision or connection was of no use; null when all is well. */
  readonly problem: string | null
}

export interface Router {
  /** Version and role that serve the user (a whole number) now. */
  assign(user: number): TrafficShare
  state(): RouterState
  start(): void
  stop(): Promise<void>
}

/**
 * Follows the decisions of a route and splits users by their weights. A decision is applied only if
 * its generation is larger than the last one applied. Weights never go back by themselves: without a
 * connection, after `expires_at` and on a decision that cannot be read, the last ones stay.
 */
export function createRouter(options: RouterOptions): Router {
  const { door, route } = options
  const stopping = new AbortController()
  const acks = createAckSender({ door, route, routerId: options.routerId })
  let state: RouterState = {
    connected: false,
    releaseId: null,
    appliedGeneration: null,
    traffic: [{ version: options.stableVersion, role: 'stable', weight: 100 }],
    totalWeight: 100,
    expiresAtMs: null,
    problem: null,
  }
  let unreachable: string | null = null
  let assign = createAssignment({ ...state, salt: route })
  let running: Promise<void> | null = null

  const apply = async (decision: RoutingDecision): Promise<void> => {
    await prepareNewcomers(options, state.traffic, decision.traffic)
    if (stopping.signal.aborted) return
    const { traffic, totalWeight, releaseId, generation, expiresAtMs } = decision
    assign = createAssignment({ traffic, totalWeight, salt: releaseId })
    const applied = { traffic, totalWeight, releaseId, appliedGeneration: generation, expiresAtMs }
    state = { ...state, ...applied, problem: null }
    acks.acknowledge({ generation, traffic, appliedAtMs: Date.now() })
  }

  const receive = async (json: string): Promise<void> => {
    const decision = parseRoutingDecision(json)
    const problem = typeof decision === 'string' ? decision : problemWith(decision, options)
    if (problem !== null) state = { ...state, problem }
    else if (typeof decision !== 'string' && isNewer(decision, state)) await apply(decision)
  }

  return {
    assign: (user) => assign(user),
    state: () => ({ ...state, problem: unreachable ?? state.problem ?? acks.problem() }),
    start() {
      running ??= follow({
        options,
        signal: stopping.signal,
        onMessage: receive,
        onConnection: (connected, problem) => {
          state = { ...state, connected }
          unreachable = problem
        },
      })
    },
    async stop() {
      stopping.abort()
      await Promise.all([running, acks.stop()])
    },
  }
}

function isNewer(decision: RoutingDecision, state: RouterState): boolean {
  if (!decision.enforced) return false
  return state.appliedGeneration === null || decision.generation > state.appliedGeneration
}

function problemWith(decision: RoutingDecision, options: RouterOptions): string | null {
  if (decision.route !== options.route) return `a decision for ${decision.route} came in`
  const unknown = decision.traffic.find(({ version }) => !options.versions.includes(version))
  if (unknown === undefined) return null
  return `generation ${decision.generation} names version ${unknown.version}, which is not here`
}

async function prepareNewcomers(
  options: RouterOptions,
  before: readonly TrafficShare[],
  after: readonly TrafficShare[],
): Promise<void> {
  if (options.prepare === undefined) return
  const serving = new Set(before.filter(({ weight }) => weight > 0).map(({ version }) => version))
  for (const { version, weight } of after) {
    if (weight > 0 && !serving.has(version)) await options.prepare(version)
  }
}

interface Follower {
  readonly options: RouterOptions
  readonly signal: AbortSignal
  readonly onMessage: (json: string) => Promise<void>
  readonly onConnection: (connected: boolean, problem: string | null) => void
}

/** Connects again and again until the signal aborts; resumes after the last message seen. */
async function follow({ options, signal, onMessage, onConnection }: Follower): Promise<void> {
  const limits = options.reconnect ?? { firstMs: 100, maxMs: 3000 }
  let lastEventId = ''
  let failures = 0
  while (!signal.aborted) {
    let problem = 'the decision stream ended'
    try {
      for await (const message of connect(options, lastEventId, signal, () => {
        failures = 0
        onConnection(true, null)
      })) {
        if (message.event === 'decision') await onMessage(message.data)
        if (message.id !== '') lastEventId = message.id
      }
    } catch (error) {
      problem = causeOf(error)
    }
    onConnection(false, problem)
    failures++
    await pause(backOffMs(failures, limits), signal)
  }
}

/** One connection; ends when the worker ends it, rejects when it breaks or falls silent. */
async function* connect(
  options: RouterOptions,
  lastEventId: string,
  signal: AbortSignal,
  onOpen: () => void,
): AsyncGenerator<StreamMessage> {
  const { door, route } = options
  const silence = new AbortController()
  const silenceMs = options.silenceMs ?? 45_000
  const giveUp = () => silence.abort(new Error('the decision stream fell silent'))
  const watchdog = setTimeout(giveUp, silenceMs)
  try {
    const address = `${door.url}/v1/decisions/stream?route=${encodeURIComponent(route)}`
    const response = await fetch(address, {
      headers: {
        accept: 'text/event-stream',
        ...(lastEventId === '' ? {} : { 'last-event-id': lastEventId }),
        ...authorizationOf(door),
      },
      signal: AbortSignal.any([signal, silence.signal]),
    })
    if (!response.ok || response.body === null) {
      await response.body?.cancel()
      throw new Error(`the decision stream answered ${response.status}`)
    }
    onOpen()
    const parser = createEventStreamParser()
    for await (const chunk of response.body) {
      watchdog.refresh()
      yield* parser.push(chunk)
    }
  } finally {
    clearTimeout(watchdog)
  }
}
