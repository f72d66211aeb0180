import { expect, it } from 'vitest'
import { type FetchedEntry, withoutAborted } from '../../../../src/adapters/kafka/aborted.ts'

const MARKER = { abort: Buffer.from([0, 0, 0, 0]), commit: Buffer.from([0, 0, 0, 1]) }

const entry = (offset: number, producerId: string, more: object = {}): FetchedEntry => ({
  offset: String(offset),
  timestamp: '0',
  attributes: 0,
  key: null,
  value: null,
  headers: {},
  isControlRecord: false,
  batchContext: {
    producerId,
    inTransaction: producerId !== '-1',
    firstOffset: String(offset),
    lastOffsetDelta: 0,
  },
  ...more,
})
const marker = (offset: number, producerId: string, kind: keyof typeof MARKER) =>
  entry(offset, producerId, { isControlRecord: true, key: MARKER[kind] })
const offsetsOf = (entries: readonly FetchedEntry[]) => entries.map(({ offset }) => Number(offset))

it('leaves out what an aborted transaction wrote, and every marker', () => {
  const entries = [
    entry(0, '7'),
    entry(1, '-1'),
    entry(2, '8'),
    marker(3, '7', 'abort'),
    marker(4, '8', 'commit'),
    entry(5, '7'),
    marker(6, '7', 'commit'),
  ]
  const kept = withoutAborted(entries, [{ producerId: '7', firstOffset: '0' }])
  expect(offsetsOf(kept)).toEqual([1, 2, 5])
})

it('follows several aborted transactions, in whatever order the broker names them', () => {
  const entries = [
    entry(10, '7'),
    marker(11, '7', 'abort'),
    entry(12, '7'),
    marker(13, '7', 'commit'),
    entry(14, '7'),
    marker(15, '7', 'abort'),
  ]
  const aborted = [
    { producerId: '7', firstOffset: '14' },
    { producerId: '7', firstOffset: '10' },
  ]
  expect(offsetsOf(withoutAborted(entries, aborted))).toEqual([12])
})

it('knows a transaction that was aborted although it began before the fetch', () => {
  const kept = withoutAborted(
    [entry(50, '7'), marker(51, '7', 'abort'), entry(52, '7')],
    [{ producerId: '7', firstOffset: '3' }],
  )
  expect(offsetsOf(kept)).toEqual([52])
})

it('takes a record for a marker only when it is one', () => {
  const lookalike = entry(0, '7', { key: MARKER.abort })
  const kept = withoutAborted(
    [lookalike, entry(1, '7'), marker(2, '7', 'abort')],
    [{ producerId: '7', firstOffset: '0' }],
  )
  expect(offsetsOf(kept)).toEqual([])
})
