import { describe, expect, it } from 'vitest'
import { HaldaneError } from '../../../src/domain/errors.ts'
import { publishDeadLetters } from '../../../src/pipeline/dead-letters.ts'
import type { Bus, OutgoingRecord } from '../../../src/ports.ts'

const TOPIC = 'events'
const BYTES_MAX = 1000

/** A topic that refuses a request with too large a record in it. */
function createTopic() {
  const records: OutgoingRecord[] = []
  const bus: Pick<Bus, 'produce'> = {
    async produce(topic, given) {
      expect(topic).toBe(`${TOPIC}.dlq`)
      if (given.some(({ value }) => (value?.byteLength ?? 0) > BYTES_MAX)) {
        throw new HaldaneError('too_large', 'a record is larger than the topic allows')
      }
      records.push(...given)
    },
  }
  return { records, bus: bus as Bus }
}

const rejected = (offset: number, bytes: number) => ({
  record: {
    ...{ partition: 3, offset, timestampMs: 1000, key: new Uint8Array([1]) },
    value: new Uint8Array(bytes),
    headers: { trace: new Uint8Array([7]) },
  },
  rejections: [{ field: 'latency_ms', code: 'range' as const, message: 'is negative' }],
})

describe('dead letters', () => {
  it('hold the record as it was, where it came from and why', async () => {
    const { bus, records } = createTopic()
    await publishDeadLetters(bus, TOPIC, [rejected(7, 10)])
    expect(records).toEqual([
      {
        key: new Uint8Array([1]),
        value: new Uint8Array(10),
        timestampMs: 1000,
        headers: {
          trace: new Uint8Array([7]),
          'x-src-topic': TOPIC,
          'x-src-partition': '3',
          'x-src-offset': '7',
          'x-src-timestamp': '1000',
          'x-error-code': 'range',
          'x-error-field': 'latency_ms',
          'x-error-message': 'latency_ms: is negative',
        },
      },
    ])
  })

  it('of a record larger than their topic takes hold its size, and its neighbours are whole', async () => {
    const { bus, records } = createTopic()
    await publishDeadLetters(bus, TOPIC, [rejected(1, 10), rejected(2, 5000), rejected(3, 20)])
    expect(records.map(({ value }) => value?.byteLength)).toEqual([10, 0, 20])
    expect(records[1]).toMatchObject({
      key: null,
      headers: { 'x-src-offset': '2', 'x-error-code': 'range', 'x-value-bytes': '5000' },
    })
    expect(records[1]?.headers).not.toHaveProperty('trace')
  })

  it('are not lost to any other failure', async () => {
    const failure = new HaldaneError('bus_unavailable', 'no answer', { retryable: true })
    const bus = { produce: () => Promise.reject(failure) } as unknown as Bus
    await expect(publishDeadLetters(bus, TOPIC, [rejected(1, 10)])).rejects.toBe(failure)
  })
})
