import type { KafkaMessage } from 'kafkajs'
import { describe, expect, it } from 'vitest'
import { toBusRecords } from '../../../../src/adapters/kafka/record.ts'

const message = (offset: number, timestamp: number, headers: KafkaMessage['headers'] = {}) =>
  ({
    offset: String(offset),
    timestamp: String(timestamp),
    key: null,
    value: Buffer.from('v'),
    headers,
    attributes: 0,
  }) as KafkaMessage

describe('records from messages', () => {
  it('have the offsets and timestamps of the messages, as numbers', () => {
    const records = toBusRecords(4, [message(7, 1_000), message(8, 1_000), message(9, 2_000)])
    expect(
      records.map(({ partition, offset, timestampMs }) => [partition, offset, timestampMs]),
    ).toEqual([
      [4, 7, 1000],
      [4, 8, 1000],
      [4, 9, 2000],
    ])
  })

  it('keep the offsets of a batch with gaps', () => {
    const offsets = [3, 4, 9, 10]
    const records = toBusRecords(
      0,
      offsets.map((offset) => message(offset, 0)),
    )
    expect(records.map(({ offset }) => offset)).toEqual(offsets)
  })

  it('keep offsets exact up to the largest safe integer', () => {
    const top = Number.MAX_SAFE_INTEGER
    expect(toBusRecords(0, [message(top - 1, 0), message(top, 0)]).map((r) => r.offset)).toEqual([
      top - 1,
      top,
    ])
  })

  it('share one empty object when there are no headers', () => {
    const [one, two] = toBusRecords(0, [message(0, 0), message(1, 0)])
    expect(one?.headers).toEqual({})
    expect(one?.headers).toBe(two?.headers)
  })

  it('take the last value of a header that is given twice, and bytes for text', () => {
    const twice = [Buffer.from('first'), Buffer.from('last')]
    const [record] = toBusRecords(0, [message(0, 0, { twice, text: 'ü', none: undefined })])
    expect(record?.headers).toEqual({
      twice: Buffer.from('last'),
      text: Buffer.from('ü'),
      none: new Uint8Array(0),
    })
  })

  it('are none for no messages', () => {
    expect(toBusRecords(0, [])).toEqual([])
  })
})
