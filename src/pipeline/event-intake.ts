import { type EventFormat, FEEDBACK_EVENTS, REQUEST_EVENTS } from '../contract/event-format.ts'
import { CONSUMER_GROUPS } from '../domain/topics.ts'
import type { Bus, Clock, EventStore, Log, Metrics, Store } from '../ports.ts'
import type { BatchPolicy } from './batch-policy.ts'
import { createIngest, type Ingest } from './ingest.ts'
import { createStoredOffsets } from './stored-offsets.ts'
import { type PlacingLog, type Submit, submitThroughKafka, submitThroughLog } from './submit.ts'
import type { BlockTopics } from './watermark.ts'

/** Rejected records in a row after which a Kafka topic is taken to have another format. */
const DEAD_LETTER_RUN_MAX = 50_000

export interface EventIntakeOptions {
  readonly bus: Bus
  /** The log inside the process; null with Kafka. */
  readonly log: PlacingLog | null
  readonly store: Store
  readonly clock: Clock
  readonly logger: Log
  readonly metrics: Metrics
  readonly topics: BlockTopics
  readonly policy: BatchPolicy
  readonly idleTimeoutMs: number
  /** Ingest cannot go on; the process should end. */
  onFailure(error: Error): void
}

/** The way in of one kind of event: a door for senders that speak HTTP, and ingest behind it. */
export interface EventIntake {
  readonly name: string
  readonly submit: Submit
  readonly ingest: Ingest
  /** Tells everybody who waits for rows that they will not come. */
  fail(error: Error): void
}

export interface EventIntakes {
  readonly requests: EventIntake
  readonly feedback: EventIntake
}

export function createEventIntakes(options: EventIntakeOptions): EventIntakes {
  const { store } = options
  return {
    requests: createIntake(options, 'requests', CONSUMER_GROUPS.ingest, store, REQUEST_EVENTS),
    feedback: createIntake(
      options,
      'feedback',
      CONSUMER_GROUPS.feedback,
      store.feedback,
      FEEDBACK_EVENTS,
    ),
  }
}

function createIntake<Event>(
  options: EventIntakeOptions,
  name: keyof BlockTopics,
  groupId: string,
  store: EventStore<Event>,
  format: EventFormat<Event>,
): EventIntake {
  const { bus, log, clock, metrics, policy, idleTimeoutMs } = options
  const topic = options.topics[name]
  const stored = createStoredOffsets()
  const ingest = createIngest({
    ...{ bus, store, format, clock, log: options.logger, metrics, topic, groupId, policy },
    blockTopics: options.topics,
    idleTimeoutMs,
    deadLetters: log === null ? { runMax: DEAD_LETTER_RUN_MAX } : null,
    onRejected: ({ record, rejections }) => {
      const code = rejections[0]?.code ?? 'unknown'
      metrics.count('haldane_events_rejected_total', { topic, code })
      if (log !== null) stored.rejected(record.partition, record.offset, rejections)
    },
    onStored: (partition, nextOffset) => {
      if (log !== null) stored.stored(partition, nextOffset)
    },
    onFailure: options.onFailure,
  })
  return {
    name,
    ingest,
    submit:
      log === null ? submitThroughKafka(bus, topic, format) : submitThroughLog(log, topic, stored),
    fail: (error) => stored.fail(error),
  }
}
