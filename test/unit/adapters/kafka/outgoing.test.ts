import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { cutRequests, partitionFor } from '../../../../src/adapters/kafka/outgoing.ts'
import { partitionOf } from '../../../../src/adapters/memory/murmur2.ts'

const ofBytes = (bytes: number) => ({ key: null, value: new Uint8Array(bytes) })

describe('requests', () => {
  const sizesOf = (bytes: number[], max: number) =>
    [...cutRequests(bytes.map(ofBytes), max, 0)].map((request) => request.length)

  it('stay below the bytes given, counting what a record needs beside its value', () => {
    expect(sizesOf([300, 300, 300, 300], 1000)).toEqual([2, 2])
    expect(sizesOf([460, 460], 1000)).toEqual([2])
    expect(sizesOf([461, 460], 1000)).toEqual([1, 1])
  })

  it('hold a record that is too large by itself, alone', () => {
    expect(sizesOf([10, 5000, 10], 1000)).toEqual([1, 1, 1])
  })

  it('hold at most 2000 records, and all of them in order', () => {
    const records = Array.from({ length: 4500 }, (_, index) => ({
      key: `${index}`,
      value: null,
    }))
    const requests = [...cutRequests(records, 1e9, 0)]
    expect(requests.map((request) => request.length)).toEqual([2000, 2000, 500])
    expect(requests.flat().map(({ key }) => String(key))).toEqual(records.map(({ key }) => key))
  })

  it('count keys and headers', () => {
    const record = { key: 'k'.repeat(300), value: null, headers: { h: 'x'.repeat(300) } }
    expect([...cutRequests([record, record], 1000, 0)]).toHaveLength(2)
  })

  it('carry the timestamp of a record or the present time, and bytes as they are', () => {
    const shared = Buffer.from('..bytes..')
    const bytes = new Uint8Array(shared.buffer, shared.byteOffset + 2, 5)
    const [request] = cutRequests(
      [
        { key: bytes, value: bytes, headers: { h: bytes }, timestampMs: 5, partition: 3 },
        { key: null, value: null },
      ],
      1000,
      1234,
    )
    expect(request).toEqual([
      {
        key: Buffer.from('bytes'),
        value: Buffer.from('bytes'),
        headers: { h: Buffer.from('bytes') },
        timestamp: '5',
        partition: 3,
      },
      { key: null, value: null, timestamp: '1234' },
    ])
  })
})

describe('the partition of a key', () => {
  it('is the same on Kafka and on the in-process bus', () => {
    fc.assert(
      fc.property(
        fc.string({ unit: 'binary' }),
        fc.integer({ min: 1, max: 1000 }),
        (key, count) => {
          expect(partitionFor(key, count)).toBe(partitionOf(Buffer.from(key), count))
        },
      ),
    )
  })
})
