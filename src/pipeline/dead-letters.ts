import type { Bus, OutgoingRecord } from '../ports.ts'
import type { RejectedRecord } from './partition-intake.ts'

/** Rejected records in a row after which something is wrong with the topic, not with the records. */
export interface DeadLetterLimit {
  readonly runMax: number
}

/** Writes rejected records, value and key untouched, with where they came from and why. */
export async function publishDeadLetters(
  bus: Bus,
  topic: string,
  rejected: readonly RejectedRecord[],
): Promise<void> {
  if (rejected.length === 0) return
  await bus.produce(
    deadLetterTopic(topic),
    rejected.map((letter) => toDeadLetter(topic, letter)),
  )
}

export function deadLetterTopic(topic: string): string {
  return `${topic}.dlq`
}

function toDeadLetter(topic: string, letter: RejectedRecord): OutgoingRecord {
  const { record, rejections } = letter
  const first = rejections[0]
  return {
    key: record.key,
    value: record.value,
    timestampMs: record.timestampMs,
    headers: {
      ...record.headers,
      'x-src-topic': topic,
      'x-src-partition': String(record.partition),
      'x-src-offset': String(record.offset),
      'x-src-timestamp': String(record.timestampMs),
      'x-error-code': first?.code ?? 'unknown',
      'x-error-field': first?.field ?? '',
      'x-error-message': rejections
        .slice(0, 5)
        .map(({ field, message }) => (field === '' ? message : `${field}: ${message}`))
        .join('; '),
    },
  }
}
