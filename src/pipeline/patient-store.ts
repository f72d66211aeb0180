import type { Clock, Log, Store } from '../ports.ts'
import { PATIENT, retry } from './retry.ts'

/**
 * The store for what must not end because a server is away for a while: reading and recording of
 * releases, commands, decisions, blocks and acks is tried again until the signal. All of it may be
 * repeated, as the ports say. Events have their own way (`ingest.ts`); people are told at once.
 */
export function createPatientStore(
  store: Store,
  {
    clock,
    log,
    signal,
  }: { readonly clock: Clock; readonly log: Log; readonly signal: AbortSignal },
): Store {
  const patient =
    <Args extends unknown[], Result>(what: string, call: (...args: Args) => Promise<Result>) =>
    (...args: Args): Promise<Result> =>
      retry(() => call(...args), PATIENT, clock, {
        signal,
        onRetry: ({ code, message }, delayMs) =>
          log.warn({ delayMs, code }, `${what} failed, trying again: ${message}`),
      })
  return {
    ...store,
    progress: patient('reading progress', store.progress),
    recordRelease: patient('recording a release', store.recordRelease),
    releases: patient('reading releases', store.releases),
    recordOutcome: patient('recording what became of a command', store.recordOutcome),
    outcome: patient('reading what became of a command', store.outcome),
    recordDecision: patient('recording a decision', store.recordDecision),
    decisions: patient('reading decisions', store.decisions),
    latestDecisions: patient('reading decisions', store.latestDecisions),
    recordAcks: patient('recording router acks', store.recordAcks),
    acks: patient('reading router acks', store.acks),
    endOfEvents: patient('counting events', store.endOfEvents),
    closeBlocks: patient('closing blocks', store.closeBlocks),
    readBlocks: patient('reading blocks', store.readBlocks),
    newestBlockEndMs: patient('reading blocks', store.newestBlockEndMs),
    closeHistory: patient('closing the history', store.closeHistory),
    readHistory: patient('reading the history', store.readHistory),
    recordEvaluations: patient('recording evaluations', store.recordEvaluations),
  }
}
