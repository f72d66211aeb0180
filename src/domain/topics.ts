export interface TopicSpec {
  readonly name: string
  readonly partitions: number
  /** Keep only the newest record of a key. */
  readonly compacted: boolean
  /** Further settings by Kafka's names; of no meaning to the log in the process. */
  readonly settings?: Readonly<Record<string, string>>
}

const DAY_MS = 86_400_000

/** Settings of topics whose records are only needed for a while. */
const kept = (days: number, more: Readonly<Record<string, string>> = {}) => ({
  compacted: false,
  settings: { 'retention.ms': String(days * DAY_MS), ...more },
})

/** A rejected record is written without the compression it came with, and with headers. */
const DEAD_LETTERS = { partitions: 1, ...kept(30, { 'max.message.bytes': '8388608' }) }

/**
 * Topics of the published interface; partitions and settings are those they are created with. Events
 * older than seven days are refused, so there is no use in keeping them longer.
 */
export const TOPICS = {
  requests: { name: 'ml.inference.requests.v1', partitions: 6, ...kept(7) },
  requestsDeadLetters: { name: 'ml.inference.requests.v1.dlq', ...DEAD_LETTERS },
  feedback: { name: 'ml.inference.feedback.v1', partitions: 6, ...kept(7) },
  feedbackDeadLetters: { name: 'ml.inference.feedback.v1.dlq', ...DEAD_LETTERS },
  control: { name: 'ml.canary.control.v1', partitions: 6, ...kept(30) },
  decisions: {
    name: 'ml.canary.decisions.v1',
    partitions: 6,
    compacted: true,
    // Only closed segments are compacted, and who joins reads what is left.
    settings: { 'segment.ms': String(DAY_MS / 4) },
  },
  routing: { name: 'ml.canary.routing.v1', partitions: 6, ...kept(7) },
} as const

/** Consumer groups of the workers. */
export const CONSUMER_GROUPS = {
  ingest: 'haldane-ingest',
  feedback: 'haldane-ingest-feedback',
  control: 'haldane-analyze',
  acks: 'haldane-acks',
} as const
