import type { Decision } from '../domain/decision.ts'
import type { Rejection } from '../domain/request-event.ts'
import type { Assessment } from '../domain/verdict.ts'
import type { CommandOutcome, ReleaseRecord, RouterAck } from '../ports.ts'
import type { MessageHeaders } from './cloud-event.ts'

/** What happened to a list of events: every one is either accepted or named in `rejected`. */
export interface SubmitResult {
  readonly accepted: number
  readonly rejected: readonly {
    readonly index: number
    readonly rejections: readonly Rejection[]
  }[]
  /** True when the accepted rows are in the store; false when they are safe in Kafka. */
  readonly stored: boolean
}

/** One release as it stands now. */
export interface ReleaseView {
  readonly release: ReleaseRecord
  /** Null for a release whose first decision is not recorded yet (phase `pending`). */
  readonly decision: Decision | null
  /** What the judge says at the newest closed block; null when this worker does not analyse it. */
  readonly assessment: Assessment | null
  /** End of the newest closed block; null before the first. */
  readonly windowEndMs: number | null
  readonly acks: readonly RouterAck[]
}

export interface Health {
  readonly ok: boolean
  readonly checks: readonly {
    readonly name: string
    readonly ok: boolean
    readonly detail: string
  }[]
}

export interface DecisionFilter {
  readonly route?: string
}

/** What a worker offers to its doors (HTTP, command line). Errors are HaldaneErrors. */
export interface WorkerApi {
  /**
   * Judges and stores the events; resolves when the accepted ones are safe (`stored` says where).
   * `headers` are those of each as a record of its own, `NO_HEADERS` for bare JSON. Rejects with
   * `overloaded` when too many are waiting.
   */
  submitEvents(
    values: readonly Uint8Array[],
    receivedAtMs: number,
    headers: MessageHeaders,
  ): Promise<SubmitResult>
  /** The same for feedback events. */
  submitFeedback: WorkerApi['submitEvents']
  /** Rejects with `invalid_input` (all problems of the file in the message), `conflict` (active release). */
  startRelease(request: {
    readonly source: string
    readonly fileName: string
    readonly by: string
    readonly reason: string
    /** Event time from which to judge, Unix ms; missing: the time of the command. */
    readonly startAtMs?: number
  }): Promise<CommandOutcome>
  /** Rejects with `not_found`, `conflict`. */
  commandRelease(request: {
    readonly releaseId: string
    readonly kind: 'pause' | 'resume' | 'promote' | 'abort' | 'rollback'
    readonly by: string
    readonly reason: string
  }): Promise<CommandOutcome>
  /** All releases, newest first. */
  releases(): Promise<ReleaseView[]>
  release(releaseId: string): Promise<ReleaseView | null>
  /** Recorded decisions of a route with a larger generation, ascending. */
  decisionsAfter(route: string, generation: number): Promise<Decision[]>
  latestDecisions(filter: DecisionFilter): Promise<Decision[]>
  /** Calls back for every decision published from now on; the result ends it. */
  onDecision(listener: (decision: Decision) => void): () => void
  acknowledge(ack: RouterAck): Promise<void>
  ready(): Promise<Health>
  /** Prometheus text exposition. */
  metrics(): Promise<string>
}
