import { describe, expect, it } from 'vitest'
import { REQUEST_EVENTS } from '../../../src/contract/event-format.ts'
import { createLane, type Lane, makeRoom } from '../../../src/pipeline/ingest-lane.ts'
import { createPartitionIntake } from '../../../src/pipeline/partition-intake.ts'
import type { BusRecord, EventBatch } from '../../../src/ports.ts'

const POLICY = { rowsMax: 1e9, bytesMax: 1e9, pendingBytesMax: 0, ageMaxMs: 1e9 }

function recordOf(partition: number, offset: number, valueBytes: number): BusRecord {
  const value = new Uint8Array(valueBytes)
  return { partition, offset, timestampMs: 0, key: null, value, headers: {} }
}

function emptyRows(): EventBatch {
  return { rows: 0, bytes: 0, add: () => undefined }
}

/** Lanes that take only invalid records; `written` lists the lanes in the order of their writes. */
function openLanes(count: number) {
  const written: number[] = []
  const lanes = new Map<number, Lane>()
  for (let partition = 0; partition < count; partition++) {
    const present = new Float64Array(0)
    const place = {
      format: REQUEST_EVENTS,
      topic: 't',
      partition,
      nextOffset: 0,
      maxEventTimeMs: 0,
      present,
    }
    const lane = createLane({
      partition,
      assignment: 1,
      intake: createPartitionIntake(place),
      policy: POLICY,
      pendingTo: null,
      newRows: emptyRows,
      now: () => 0,
      async write() {
        await Promise.resolve()
        written.push(partition)
      },
    })
    lanes.set(partition, lane)
  }
  const take = (partition: number, offset: number, bytes: number) =>
    lanes.get(partition)?.take(recordOf(partition, offset, bytes), 0)
  const pending = () => [...lanes.values()].map((lane) => lane.pendingBytes)
  return { lanes, written, take, pending }
}

describe('what all partitions hold together', () => {
  it('counts rejected records, from the first moment until they are stored', async () => {
    const { lanes, take, pending } = openLanes(1)
    take(0, 0, 300)
    take(0, 1, 40)
    expect(pending()).toEqual([340])
    const lane = lanes.get(0) as Lane
    await lane.flush()
    expect(pending()).toEqual([340])
    take(0, 2, 5)
    expect(pending()).toEqual([345])
    await lane.drain()
    expect(pending()).toEqual([5])
  })

  it('is stored from the largest on, and no more of it than is needed', async () => {
    const { lanes, written, take, pending } = openLanes(4)
    for (const [partition, bytes] of [100, 500, 300, 200].entries()) take(partition, 0, bytes)
    await makeRoom(lanes, 1100)
    expect(written).toEqual([])
    await makeRoom(lanes, 300)
    expect(written).toEqual([1, 2])
    expect(pending()).toEqual([100, 0, 0, 200])
  })

  it('is not waited for when a batch cannot be stored', async () => {
    const { lanes, take } = openLanes(1)
    take(0, 0, 10)
    const broken = createLane({
      partition: 1,
      assignment: 1,
      intake: createPartitionIntake({
        format: REQUEST_EVENTS,
        ...{ topic: 't', partition: 1, nextOffset: 0, maxEventTimeMs: 0 },
        present: new Float64Array(0),
      }),
      policy: POLICY,
      pendingTo: null,
      newRows: emptyRows,
      now: () => 0,
      write: () => Promise.reject(new Error('the disk is full')),
    })
    broken.take(recordOf(1, 0, 20), 0)
    lanes.set(1, broken)
    await expect(makeRoom(lanes, 5)).rejects.toThrow('the disk is full')
  })
})

describe('a batch that was begun by an earlier owner', () => {
  const open = (pendingTo: number) => {
    const batches: { from: number; next: number; records: number; sentBefore: boolean }[] = []
    const lane = createLane({
      partition: 0,
      assignment: 1,
      intake: createPartitionIntake({
        ...{ topic: 't', partition: 0, nextOffset: 5, maxEventTimeMs: 0, format: REQUEST_EVENTS },
        present: new Float64Array(0),
      }),
      policy: { rowsMax: 2, bytesMax: 1, pendingBytesMax: 0, ageMaxMs: 0 },
      pendingTo,
      newRows: emptyRows,
      now: () => 1e9,
      async write(_, { fromOffset, nextOffset, records, sentBefore }) {
        batches.push({ from: fromOffset, next: nextOffset, records, sentBefore })
      },
    })
    const feed = async (offset: number) => {
      const record = recordOf(0, offset, 10)
      if (lane.endsBefore(record)) await lane.flush()
      lane.take(record, 100)
      if (lane.full || lane.aged) await lane.flush()
      await lane.drain()
    }
    return { lane, batches, feed }
  }

  it('is made again to its last record, whatever the policy says, and only then stored', async () => {
    const { lane, batches, feed } = open(8)
    for (const offset of [5, 6, 7]) await feed(offset)
    await lane.flush()
    await makeRoom(new Map([[0, lane]]), 0)
    expect(batches).toEqual([])
    expect(lane.collecting).toBe(true)
    for (const offset of [8, 9]) await feed(offset)
    expect(batches).toEqual([
      { from: 5, next: 9, records: 4, sentBefore: true },
      { from: 9, next: 10, records: 1, sentBefore: false },
    ])
  })

  it('ends where it ended when the topic has its last records no more', async () => {
    const { batches, feed } = open(8)
    for (const offset of [5, 12]) await feed(offset)
    expect(batches).toEqual([
      { from: 5, next: 9, records: 1, sentBefore: true },
      { from: 12, next: 13, records: 1, sentBefore: false },
    ])
  })

  it('is forgotten when the topic has none of its records', async () => {
    const { batches, feed } = open(8)
    await feed(12)
    expect(batches).toEqual([{ from: 12, next: 13, records: 1, sentBefore: false }])
  })
})
