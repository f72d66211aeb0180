import type { ClosedBlock, HistoryCell } from './domain/block.ts'
import type { Decision } from './domain/decision.ts'
import type { FeedbackEvent } from './domain/feedback-event.ts'
import type { CounterName, GaugeName, HistogramName } from './domain/metric-names.ts'
import type { ReleaseSpec } from './domain/release.ts'
import type { RequestEvent } from './domain/request-event.ts'
import type { TopicSpec } from './domain/topics.ts'
import type { EvidenceRow } from './domain/verdict.ts'

export interface Clock {
  /** Unix ms. */
  now(): number
  /** Resolves after `ms`, or at once when the signal aborts; never rejects. */
  sleep(ms: number, signal?: AbortSignal): Promise<void>
}

export type LogLevel = 'debug' | 'info' | 'warn' | 'error' | 'silent'

/** Structured log; the first argument holds fields, never values of events. */
export interface Log {
  debug(fields: object, message: string): void
  info(fields: object, message: string): void
  warn(fields: object, message: string): void
  error(fields: object, message: string): void
  child(fields: object): Log
}

export interface BusRecord {
  readonly partition: number
  readonly offset: number
  /** Record timestamp, Unix ms. */
  readonly timestampMs: number
  readonly key: Uint8Array | null
  /** Null for a tombstone. */
  readonly value: Uint8Array | null
  readonly headers: Readonly<Record<string, Uint8Array>>
}

export interface RecordBatch {
  readonly topic: string
  readonly partition: number
  /** Grows with every assignment; a handler drops what it kept for an older one. */
  readonly assignment: number
  /** Ascending offsets; gaps are legal. */
  readonly records: readonly BusRecord[]
  /** Offset the next record written to the partition will get, as known at the fetch. */
  readonly highWatermark: number
}

export interface Committed {
  /** Next offset to consume; null when the group has none for the partition. */
  readonly offset: number | null
  readonly metadata: string
}

export interface Consumer {
  /**
   * Stores the next offset to consume, with metadata. Rejects with `fenced` when the partition now
   * belongs to another member of the group; the caller must then forget the partition.
   */
  commit(partition: number, nextOffset: number, metadata: string): Promise<void>
  committed(partition: number): Promise<Committed>
  /** Stops delivery of the partitions after the batch in hand; `resume` lifts it. */
  pause(partitions: readonly number[]): void
  resume(partitions: readonly number[]): void
  /** No more batches; awaits the handler in progress, then leaves the group. */
  stop(): Promise<void>
}

export interface ConsumeOptions {
  readonly topic: string
  readonly groupId: string
  /** Called with all partitions now owned, before any batch of the assignment. */
  onAssigned(partitions: readonly number[], assignment: number): void
  /**
   * Called with one batch at a time per partition. While it runs the member stays in its group
   * (heartbeats go on). A rejection stops the consumer and is reported through `onCrash`.
   */
  onBatch(batch: RecordBatch): Promise<void>
  /** The consumer cannot go on by itself. */
  onCrash(error: Error): void
}

export interface OutgoingRecord {
  readonly key: string | Uint8Array | null
  readonly value: Uint8Array | null
  readonly headers?: Readonly<Record<string, string | Uint8Array>>
  /** Unix ms; the bus sets the present time when missing. */
  readonly timestampMs?: number
  /** Chosen by the hash of the key when missing. */
  readonly partition?: number
}

export interface OffsetsKept {
  readonly first: number
  /** Equal to `first` when there is nothing; records of open transactions are not counted. */
  readonly end: number
}

export interface FencedProducer {
  /** All records or none; rejects with `fenced` when a younger producer has the same id. */
  produce(topic: string, records: readonly OutgoingRecord[]): Promise<void>
  close(): Promise<void>
}

/** Kafka, or the log inside the process: partitions, offsets, groups, record timestamps. */
export interface Bus {
  /**
   * Creates the topics that do not exist, and resolves when all their partitions take records;
   * existing ones are left as they are.
   */
  ensureTopics(topics: readonly TopicSpec[]): Promise<void>
  partitionCount(topic: string): Promise<number>
  /** Partition the bus picks for a key. */
  partitionFor(key: string, partitionCount: number): number
  /** Joins a consumer group. Starts at the committed offset, else at the beginning. */
  consume(options: ConsumeOptions): Promise<Consumer>
  /** Every record of every partition that is written from now on, without a group. */
  follow(topic: string, onRecord: (record: BusRecord) => void): Promise<{ close(): Promise<void> }>
  /** Every record of the partition up to its present end, committed transactions only. */
  readToEnd(topic: string, partition: number): Promise<BusRecord[]>
  /** Per partition the offset of the first record kept, and the one the next record will get. */
  offsetsKept(topic: string, partitions: readonly number[]): Promise<Map<number, OffsetsKept>>
  /**
   * Resolves when all replicas have the records. Never a record less, but where an answer is lost or
   * a leader moves meanwhile, records of the call may be there twice: readers know them by their ids.
   */
  produce(topic: string, records: readonly OutgoingRecord[]): Promise<void>
  /** A producer that shuts out any older one with the same id. */
  fencedProducer(id: string): Promise<FencedProducer>
  /** Resolves if the bus answers, else rejects with `bus_unavailable`. */
  ping(): Promise<void>
  close(): Promise<void>
}

/** Where a record stood in Kafka, stored in every row. */
export interface RecordPlace {
  readonly topic: string
  readonly partition: number
  readonly offset: number
  readonly timestampMs: number
  /**
   * Largest event time of the partition before this record, each capped by its record timestamp.
   * It decides, for any block length and delay, whether the event came late; being a property of
   * the partition's order alone it does not depend on batch sizes or on when a block was closed.
   */
  readonly arrivalWatermarkMs: number
}

/** Rows on their way into the store, already in the store's own format. */
export interface EventBatch<Event = RequestEvent> {
  readonly rows: number
  readonly bytes: number
  add(event: Event, place: RecordPlace): void
}

export interface PartitionProgress {
  readonly topic: string
  readonly partition: number
  /** Every record below it is stored, dead-lettered, or was never there. */
  readonly nextOffset: number
  /** Largest event time stored, capped by record timestamps; 0 before the first event. */
  readonly maxEventTimeMs: number
  /** True when nothing was waiting in the partition at the time of writing. */
  readonly caughtUp: boolean
  /** Wall time of writing, Unix ms. */
  readonly updatedAtMs: number
}

/** What a batch stands for, so that it is recognised when it is sent again. */
export interface BatchRange {
  readonly topic: string
  readonly partition: number
  /** First and last offset, both included. The same two always stand for the same records. */
  readonly from: number
  readonly to: number
  /** Rows of the range may be stored, or be on their way from a process that is gone or slow. */
  readonly sentBefore: boolean
}

/** The events of one kind, each with its place, and how far their topics are stored. */
export interface EventStore<Event = RequestEvent> {
  newBatch(): EventBatch<Event>
  /**
   * All rows or, after a failure, any part of them; never a row twice within the call. With a range
   * the rows must be all of it, and each is stored once however often and by however many processes
   * the range is sent, as long as all but the first say that it was sent before.
   */
  insertEvents(batch: EventBatch<Event>, range?: BatchRange): Promise<void>
  /** Offsets ≥ `from` that are stored for the partition, ascending. */
  presentOffsets(topic: string, partition: number, from: number): Promise<Float64Array>
  progress(topic: string): Promise<PartitionProgress[]>
  saveProgress(progress: readonly PartitionProgress[]): Promise<void>
}

export interface BlockRange {
  readonly releaseId: string
  readonly spec: ReleaseSpec
  /** Block boundaries, `fromMs` included, `toMs` not. */
  readonly fromMs: number
  readonly toMs: number
  /** False when it is known that no feedback was ever stored: then none is looked for. */
  readonly feedback?: boolean
  /**
   * Latency bins above which a request counts as slow when users are compared, one per relative
   * latency quantile of the guardrails; none until the judge knows its baseline.
   */
  readonly slowBins?: readonly number[]
}

export interface BlockStore {
  /**
   * Aggregates the raw events of every block in the range into `block_metrics`, in one statement,
   * empty blocks included. Blocks already recorded for the release stay as they are.
   */
  closeBlocks(range: BlockRange): Promise<void>
  /** End of the block of the range by which it has so many stored events; `toMs` when it has fewer. */
  endOfEvents(range: BlockRange, events: number): Promise<number>
  /** Recorded blocks of the range, ascending, each once. */
  readBlocks(range: BlockRange): Promise<ClosedBlock[]>
  /** End of the newest recorded block of the release; null without any. */
  newestBlockEndMs(releaseId: string, spec: ReleaseSpec): Promise<number | null>
  /**
   * Records the baseline's totals per cohort in the range, once per release (late events left out,
   * duplicates counted as they are: a day is too long to look for them; feedback counts for requests
   * of the last hour only, for the same reason). Repeating it changes nothing.
   */
  closeHistory(range: BlockRange): Promise<void>
  readHistory(releaseId: string, spec: ReleaseSpec): Promise<HistoryCell[]>
  /** Start of the earliest event of the route that did not come late; null without events. */
  earliestEventMs(spec: ReleaseSpec): Promise<number | null>
  /** Late events and duplicates among everything stored, whatever their route and block. */
  countAnomalies(spec: ReleaseSpec): Promise<{ duplicates: number; late: number }>
  /**
   * Scores of feedback about the route that can count for nothing: they came too late for the block
   * of their request, or no stored request of the version they name is there.
   */
  countFeedback(spec: ReleaseSpec): Promise<{ late: number; unknown: number }>
  /** What the judge said at a block end, for analysts; never read by the worker. */
  recordEvaluations(
    releaseId: string,
    evaluations: readonly { windowEndMs: number; rows: readonly EvidenceRow[] }[],
  ): Promise<void>
}

export interface ReleaseRecord {
  readonly releaseId: string
  readonly spec: ReleaseSpec
  /** The file as it was given. */
  readonly source: string
  /** Event time from which blocks are judged, Unix ms. */
  readonly startedAtMs: number
  readonly startedBy: string
  /** Partition of the control topic, for ownership. */
  readonly controlPartition: number
  readonly commandId: string
}

export interface CommandOutcome {
  readonly commandId: string
  readonly outcome: 'accepted' | 'rejected'
  readonly releaseId: string
  readonly message: string
}

export interface ReleaseStore {
  recordRelease(release: ReleaseRecord): Promise<void>
  /** In the order they were recorded. */
  releases(filter: { route?: string; releaseId?: string }): Promise<ReleaseRecord[]>
  recordOutcome(outcome: CommandOutcome): Promise<void>
  outcome(commandId: string): Promise<CommandOutcome | null>
}

export interface DecisionStore {
  recordDecision(decision: Decision): Promise<void>
  /** Decisions of a route or release with a larger generation, ascending. */
  decisions(filter: {
    route?: string
    releaseId?: string
    afterGeneration?: number
    limit?: number
  }): Promise<Decision[]>
  /** The newest decision of every route, or of one. */
  latestDecisions(route?: string): Promise<Decision[]>
}

export interface RouterAck {
  readonly route: string
  readonly routerId: string
  readonly appliedGeneration: number
  readonly appliedAtMs: number
}

export interface AckStore {
  recordAcks(acks: readonly RouterAck[]): Promise<void>
  /** The newest ack of each router of the route. */
  acks(route: string): Promise<RouterAck[]>
}

/** Answer to a query of a person: column names, and one array a row. */
export interface QueryAnswer {
  readonly columns: readonly string[]
  readonly rows: readonly (readonly unknown[])[]
}

export interface QueryStore {
  /** One statement that only reads; throws `invalid_input` with the engine's words otherwise. */
  query(sql: string): Promise<QueryAnswer>
}

export interface Store
  extends QueryStore,
    EventStore,
    BlockStore,
    ReleaseStore,
    DecisionStore,
    AckStore {
  readonly feedback: EventStore<FeedbackEvent>
  /** Brings the tables to the newest migration; safe to repeat. Returns the names applied. */
  migrate(): Promise<string[]>
  /** Names of the migrations that `migrate` would apply; none when the tables are as they should be. */
  pendingMigrations(): Promise<string[]>
  /** Resolves if the store answers, else rejects with `store_unavailable`. */
  ping(): Promise<void>
  close(): Promise<void>
}

/** A closed list of metrics; label values come from closed or configured sets, never from events. */
export interface Metrics {
  count(name: CounterName, labels: Readonly<Record<string, string>>, by?: number): void
  gauge(name: GaugeName, labels: Readonly<Record<string, string>>, value: number): void
  observe(name: HistogramName, value: number): void
}
