/** Topics of the published interface; the partition counts are those a worker creates by itself. */
export const TOPICS = {
  requests: { name: 'ml.inference.requests.v1', partitions: 6, compacted: false },
  requestsDeadLetters: { name: 'ml.inference.requests.v1.dlq', partitions: 1, compacted: false },
  feedback: { name: 'ml.inference.feedback.v1', partitions: 6, compacted: false },
  feedbackDeadLetters: { name: 'ml.inference.feedback.v1.dlq', partitions: 1, compacted: false },
  control: { name: 'ml.canary.control.v1', partitions: 6, compacted: false },
  decisions: { name: 'ml.canary.decisions.v1', partitions: 6, compacted: true },
  routing: { name: 'ml.canary.routing.v1', partitions: 6, compacted: false },
} as const

/** Consumer groups of the workers. */
export const CONSUMER_GROUPS = {
  ingest: 'haldane-ingest',
  feedback: 'haldane-ingest-feedback',
  control: 'haldane-analyze',
  acks: 'haldane-acks',
} as const
