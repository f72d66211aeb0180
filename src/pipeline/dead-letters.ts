import { toHaldaneError } from '../domain/errors.ts'
import type { Bus, OutgoingRecord } from '../ports.ts'
import type { RejectedRecord } from './partition-intake.ts'

/** Rejected records in a row after which something is wrong with the topic, not with the records. */
export interface DeadLetterLimit {
  readonly runMax: number
}

/**
 * Writes rejected records, value and key untouched, with where they came from and why. A record may
 * have been compressed on its way in, so it can be larger than its dead-letter topic takes; of such a
 * one only the place, the reason and the size are kept, and its neighbours are written whole.
 */
export async function publishDeadLetters(
  bus: Bus,
  topic: string,
  rejected: readonly RejectedRecord[],
): Promise<void> {
  if (rejected.length === 0) return
  const target = deadLetterTopic(topic)
  const letters = rejected.map((letter) => toDeadLetter(topic, letter))
  if (await isTaken(bus, target, letters)) return
  for (const [index, letter] of rejected.entries()) {
    if (await isTaken(bus, target, letters.slice(index, index + 1))) continue
    await bus.produce(target, [withoutContent(topic, letter)])
  }
}

/** False when Kafka refuses one of them for its size. */
async function isTaken(
  bus: Bus,
  topic: string,
  letters: readonly OutgoingRecord[],
): Promise<boolean> {
  try {
    await bus.produce(topic, letters)
    return true
  } catch (thrown) {
    if (toHaldaneError(thrown).code === 'too_large') return false
    throw thrown
  }
}

export function deadLetterTopic(topic: string): string {
  return `${topic}.dlq`
}

function toDeadLetter(topic: string, letter: RejectedRecord): OutgoingRecord {
  const { record } = letter
  return {
    key: record.key,
    value: record.value,
    timestampMs: record.timestampMs,
    headers: { ...record.headers, ...reasonOf(topic, letter) },
  }
}

function withoutContent(topic: string, letter: RejectedRecord): OutgoingRecord {
  const { value, timestampMs } = letter.record
  const size = String(value?.byteLength ?? 0)
  return {
    ...{ key: null, value: new Uint8Array(), timestampMs },
    headers: { ...reasonOf(topic, letter), 'x-value-bytes': size },
  }
}

function reasonOf(
  topic: string,
  { record, rejections }: RejectedRecord,
): Readonly<Record<string, string>> {
  const first = rejections[0]
  const message = rejections
    .slice(0, 5)
    .map(({ field, message: why }) => (field === '' ? why : `${field}: ${why}`))
    .join('; ')
  return {
    'x-src-topic': topic,
    'x-src-partition': String(record.partition),
    'x-src-offset': String(record.offset),
    'x-src-timestamp': String(record.timestampMs),
    'x-error-code': first?.code ?? 'unknown',
    'x-error-field': first?.field ?? '',
    'x-error-message': message,
  }
}
