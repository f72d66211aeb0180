import { CONSUMER_GROUPS, TOPICS } from '../../src/domain/topics.ts'

export interface KafkaPermission {
  readonly resource: 'TOPIC' | 'GROUP' | 'TRANSACTIONAL_ID'
  readonly name: string
  readonly prefixed: boolean
  readonly operations: readonly ('READ' | 'WRITE' | 'DESCRIBE')[]
}

const topic = (
  name: keyof typeof TOPICS,
  ...operations: KafkaPermission['operations']
): KafkaPermission => ({
  ...{ resource: 'TOPIC', name: TOPICS[name].name, prefixed: false, operations },
})

/**
 * What a worker may do in Kafka, as docs/operate.md asks for it; `READ` and `WRITE` bring `DESCRIBE`
 * along. The manual and the test of a secured broker both go by this list.
 */
export const KAFKA_PERMISSIONS: readonly KafkaPermission[] = [
  topic('requests', 'READ', 'WRITE'),
  topic('requestsDeadLetters', 'WRITE'),
  topic('feedback', 'READ', 'WRITE'),
  topic('feedbackDeadLetters', 'WRITE'),
  topic('control', 'READ', 'WRITE'),
  topic('decisions', 'READ', 'WRITE'),
  topic('routing', 'READ', 'WRITE'),
  ...Object.values(CONSUMER_GROUPS).map((name) => ({
    ...{ resource: 'GROUP' as const, name, prefixed: false, operations: ['READ'] as const },
  })),
  {
    resource: 'TRANSACTIONAL_ID',
    name: 'haldane-decisions-',
    prefixed: true,
    operations: ['WRITE', 'DESCRIBE'],
  },
]
