import { randomUUID } from 'node:crypto'
import type { ControlCommand } from '../contract/control-command.ts'
import { decodeDecision } from '../contract/decision.ts'
import { ackRecord, commandRecord } from '../contract/outgoing-events.ts'
import type { Policies } from '../contract/release-file.ts'
import type { ReleaseView, WorkerApi } from '../contract/worker-api.ts'
import type { Decision } from '../domain/decision.ts'
import { HaldaneError, toHaldaneError } from '../domain/errors.ts'
import type {
  BusRecord,
  Clock,
  CommandOutcome,
  Log,
  OutgoingRecord,
  ReleaseRecord,
  Store,
} from '../ports.ts'
import { type Analyzer, noSuchRelease, unfinished } from './analyze.ts'
import { activeReleaseConflict, readSpec } from './start-command.ts'
import type { Submit } from './submit.ts'

/** Events that may wait for the store at one time. */
const PENDING_EVENTS_MAX = 200_000
const COMMAND_TIMEOUT_MS = 30_000
const COMMAND_POLL_MS = 50

export interface ServiceOptions {
  readonly store: Store
  readonly clock: Clock
  readonly log: Log
  readonly analyzer: Analyzer | null
  /** Put events where ingest finds them; resolve when they are safe. */
  readonly submitEvents: Submit
  readonly submitFeedback: Submit
  sendCommand(record: OutgoingRecord): Promise<void>
  sendAck(record: OutgoingRecord): Promise<void>
  readonly policies: Policies
  checks: readonly { readonly name: string; check(): Promise<string> }[]
  exposeMetrics(): Promise<string>
}

export interface Service extends WorkerApi {
  /** Called with every record of the decisions topic from now on. */
  onDecisionRecord(record: BusRecord): void
}

/** What the doors offer, on top of the store and the topics; keeps nothing of its own. */
export function createService(options: ServiceOptions): Service {
  const { store, clock, log, analyzer } = options
  const listeners = new Set<(decision: Decision) => void>()
  let pendingEvents = 0

  const view = async (release: ReleaseRecord, newest: Decision | null): Promise<ReleaseView> => {
    const run = analyzer?.run(release.releaseId) ?? null
    const folded = run !== null && run.windowEndMs > run.firstBlockMs
    return {
      release,
      decision: newest,
      assessment: run?.assessment ?? null,
      windowEndMs: folded ? run.windowEndMs : null,
      acks: await store.acks(release.spec.route),
    }
  }

  const newestOf = async (release: ReleaseRecord): Promise<Decision | null> => {
    const latest = (await store.latestDecisions(release.spec.route))[0]
    if (latest?.releaseId === release.releaseId) return latest
    return (await store.decisions({ releaseId: release.releaseId })).at(-1) ?? null
  }

  const awaitOutcome = async (commandId: string): Promise<CommandOutcome> => {
    const untilMs = clock.now() + COMMAND_TIMEOUT_MS
    for (;;) {
      const outcome = await store.outcome(commandId)
      if (outcome !== null) return outcome
      if (clock.now() > untilMs) {
        throw new HaldaneError('bus_unavailable', 'no analyzer carried out the command in time', {
          retryable: true,
          remedy: 'it stays queued: look with haldane release list before you repeat it',
        })
      }
      await clock.sleep(COMMAND_POLL_MS)
    }
  }

  const send = async (command: ControlCommand): Promise<CommandOutcome> => {
    await options.sendCommand(commandRecord(command))
    const outcome = await awaitOutcome(command.commandId)
    if (outcome.outcome === 'rejected') throw new HaldaneError('conflict', outcome.message)
    return outcome
  }

  const releaseOf = async (releaseId: string): Promise<ReleaseRecord> => {
    const release = (await store.releases({ releaseId }))[0]
    if (release === undefined) throw noSuchRelease(releaseId)
    return release
  }

  const bounded =
    (submit: Submit): Submit =>
    async (values, receivedAtMs, headers) => {
      if (pendingEvents > 0 && pendingEvents + values.length > PENDING_EVENTS_MAX) {
        throw new HaldaneError('overloaded', `${pendingEvents} events are waiting for the store`, {
          retryable: true,
          remedy: 'send them again after a second, in the same order',
        })
      }
      pendingEvents += values.length
      try {
        return await submit(values, receivedAtMs, headers)
      } finally {
        pendingEvents -= values.length
      }
    }

  return {
    submitEvents: bounded(options.submitEvents),
    submitFeedback: bounded(options.submitFeedback),
    async startRelease(request) {
      const command: ControlCommand = {
        commandId: randomUUID(),
        kind: 'start',
        route: '',
        atMs: clock.now(),
        ...request,
      }
      // Everything that can be known now is said now, not through the topic.
      const { route } = readSpec(command, options.policies)
      const active = (await unfinished(store)).find((release) => release.spec.route === route)
      if (active !== undefined) throw activeReleaseConflict(active)
      return send({ ...command, route })
    },
    async commandRelease({ releaseId, kind, by, reason }) {
      const { spec } = await releaseOf(releaseId)
      const commandId = randomUUID()
      return send({ commandId, kind, route: spec.route, releaseId, atMs: clock.now(), by, reason })
    },
    async releases() {
      const views: ReleaseView[] = []
      for (const release of (await store.releases({})).reverse()) {
        views.push(await view(release, await newestOf(release)))
      }
      return views
    },
    async release(releaseId) {
      const release = (await store.releases({ releaseId }))[0]
      return release === undefined ? null : view(release, await newestOf(release))
    },
    decisionsAfter: (route, generation) => store.decisions({ route, afterGeneration: generation }),
    latestDecisions: ({ route }) => store.latestDecisions(route),
    onDecision(listener) {
      listeners.add(listener)
      return () => listeners.delete(listener)
    },
    acknowledge: (ack) => options.sendAck(ackRecord(ack, randomUUID())),
    async ready() {
      const checks = await Promise.all(
        options.checks.map(async ({ name, check }) => {
          try {
            return { name, ok: true, detail: await check() }
          } catch (thrown) {
            return { name, ok: false, detail: toHaldaneError(thrown).message }
          }
        }),
      )
      return { ok: checks.every((check) => check.ok), checks }
    },
    metrics: () => options.exposeMetrics(),
    onDecisionRecord(record) {
      if (record.value === null) return
      try {
        const decision = decodeDecision(new TextDecoder().decode(record.value))
        for (const listener of listeners) listener(decision)
      } catch (thrown) {
        const { partition, offset } = record
        log.warn({ partition, offset }, `unreadable decision: ${toHaldaneError(thrown).message}`)
      }
    },
  }
}
