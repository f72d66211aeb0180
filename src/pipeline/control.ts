import { type ControlCommand, decodeControlCommand } from '../contract/control-command.ts'
import type { Policies } from '../contract/release-file.ts'
import { toHaldaneError } from '../domain/errors.ts'
import type { Bus, BusRecord, Clock, Consumer, Log, Store } from '../ports.ts'
import { type Analyzer, noSuchRelease, unfinished } from './analyze.ts'
import { commitOrLeave } from './commit-or-leave.ts'
import { activeReleaseConflict, impossibleCommand, readSpec, toRelease } from './start-command.ts'

export interface ControlOptions {
  readonly bus: Bus
  readonly store: Store
  readonly clock: Clock
  readonly log: Log
  readonly analyzer: Analyzer
  readonly topic: string
  readonly groupId: string
  readonly policies: Policies
  onFailure(error: Error): void
}

export interface Control {
  start(): Promise<void>
  stop(): Promise<void>
}

/**
 * Carries out the commands of the control topic. A route's commands are in one partition, so they
 * come in order and to one worker; each is carried out once, its outcome is recorded under its id,
 * and a command that is delivered again after a crash finds that outcome.
 */
export function createControl(options: ControlOptions): Control {
  const { bus, store, log, analyzer, topic } = options
  let consumer: Promise<Consumer> | null = null
  let owning: Promise<void> = Promise.resolve()

  const carryOut = async (command: ControlCommand, record: BusRecord) => {
    if ((await store.outcome(command.commandId)) !== null) return
    const { commandId } = command
    try {
      const { releaseId, message } =
        command.kind === 'start'
          ? await begin(command, record)
          : await operate(command, command.kind)
      await store.recordOutcome({ commandId, outcome: 'accepted', releaseId, message })
    } catch (thrown) {
      const error = toHaldaneError(thrown)
      if (error.retryable || error.code === 'internal' || error.code === 'fenced') throw error
      log.warn({ commandId, code: error.code }, `command rejected: ${error.message}`)
      const releaseId = command.releaseId ?? ''
      const { message } = error
      await store.recordOutcome({ commandId, outcome: 'rejected', releaseId, message })
    }
  }

  const begin = async (command: ControlCommand, record: BusRecord) => {
    const spec = readSpec(command, options.policies)
    const all = await store.releases({ route: spec.route })
    const known = all.find((release) => release.commandId === command.commandId)
    const release = known ?? toRelease(command, record, spec, all)
    if (known === undefined) {
      const active = (await unfinished(store)).find((other) => other.spec.route === spec.route)
      if (active !== undefined) throw activeReleaseConflict(active)
      await store.recordRelease(release)
    }
    if (analyzer.run(release.releaseId) === null) await analyzer.adopt(release)
    return { releaseId: release.releaseId, message: `${release.releaseId} started` }
  }

  const operate = async (
    command: ControlCommand,
    kind: Exclude<ControlCommand['kind'], 'start'>,
  ) => {
    const releaseId = command.releaseId ?? ''
    const known = await store.releases({ releaseId })
    if (known.length === 0) throw noSuchRelease(releaseId)
    const done = await analyzer.command(releaseId, kind, command.by, command.reason)
    if (!done) throw impossibleCommand(releaseId, kind)
    return { releaseId, message: `${releaseId}: ${kind}` }
  }

  return {
    async start() {
      consumer = bus.consume({
        topic,
        groupId: options.groupId,
        onAssigned: (partitions) => {
          owning = owning.then(() => analyzer.own(partitions))
          owning.catch(options.onFailure)
        },
        onBatch: async (batch) => {
          await owning
          for (const record of batch.records) {
            const command = decodeControlCommand(record.value, record.headers)
            if (Array.isArray(command)) {
              const { partition, offset } = record
              const why = command.map(({ field, message }) => `${field}: ${message}`).join('; ')
              log.warn({ topic, partition, offset }, `unreadable command skipped: ${why}`)
            } else await carryOut(command, record)
            const ours = await commitOrLeave(await consumer, batch.partition, record.offset + 1)
            if (!ours) return
          }
        },
        onCrash: options.onFailure,
      })
      await consumer
    },
    async stop() {
      await (await consumer)?.stop()
    },
  }
}
