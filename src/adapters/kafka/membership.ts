import type { EachBatchPayload } from 'kafkajs'

/** What a member of a group owns between two joins. */
export interface Assignment {
  readonly number: number
  readonly partitions: ReadonlySet<number>
  /**
   * True when kafkajs had handed out everything fetched before the join. Otherwise batches of the
   * assignment before may still be on their way; see `rejoin`.
   */
  readonly clean: boolean
  /** The member must join again before it gets another batch. */
  rejoin: boolean
  /** The group has gone on without this member: nothing can be committed any more. */
  fenced: boolean
}

/** What a consumer knows about its place in the group; shared by its batches and its commits. */
export interface Membership {
  /** Null before the first join and while the broker is lost. */
  assignment: Assignment | null
  /** Next offset per partition, for what was handed out in this assignment. */
  readonly positions: Map<number, number>
  readonly paused: Set<number>
  /**
   * Sends one commit, once, in the name of the present assignment; kafkajs gives it out with every
   * batch. Null before the first one.
   */
  send: EachBatchPayload['commitOffsetsIfNecessary'] | null
  stopping: boolean
  /** Why the handler or the caller's callback ended the consumer. */
  failure: Error | null
}

export function createMembership(): Membership {
  return {
    assignment: null,
    positions: new Map(),
    paused: new Set(),
    send: null,
    stopping: false,
    failure: null,
  }
}
