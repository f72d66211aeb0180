import { describe, expect, it } from 'vitest'
import { readToEnd } from '../../../../src/adapters/kafka/read-to-end.ts'
import type { Fetched, TopicReader } from '../../../../src/adapters/kafka/topic-reader.ts'
import type { Clock } from '../../../../src/ports.ts'

const clock: Clock = { now: () => 0, async sleep() {} }

type Answer = { readonly records: number[]; readonly nextOffset: number } | Error | null

/** A partition whose fetches answer by position; a list is answered one by one. */
function createReader(first: number[], end: number, answers: Record<number, Answer[]>) {
  const asked: number[] = []
  let refreshes = 0
  const reader: TopicReader = {
    partitions: () => [0],
    async refresh() {
      refreshes++
    },
    async offsets(which) {
      const low = first.length > 1 ? first.shift() : first[0]
      return new Map([[0, which === 'end' ? end : (low ?? 0)]])
    },
    async fetch(positions) {
      const position = positions.get(0) ?? -1
      asked.push(position)
      const list = answers[position] ?? []
      const answer = list.length > 1 ? list.shift() : list[0]
      if (answer instanceof Error) throw answer
      if (answer === null || answer === undefined) return []
      const records = answer.records.map((offset) => ({
        partition: 0,
        offset,
        timestampMs: 0,
        key: null,
        value: null,
        headers: {},
      }))
      return [{ partition: 0, records, nextOffset: answer.nextOffset } satisfies Fetched]
    },
    async close() {},
  }
  return { reader, asked, refreshes: () => refreshes }
}
const offsets = async (reader: TopicReader) =>
  (await readToEnd(reader, 0, clock)).map(({ offset }) => offset)

describe('reading a partition to its end', () => {
  it('asks for nothing when the partition is empty', async () => {
    const { reader, asked } = createReader([5], 5, {})
    expect(await offsets(reader)).toEqual([])
    expect(asked).toEqual([])
  })

  it('ends at the end it had at the call, although more was written', async () => {
    const { reader, asked } = createReader([0], 4, {
      0: [{ records: [0, 1], nextOffset: 2 }],
      2: [{ records: [2, 3, 4, 5], nextOffset: 6 }],
    })
    expect(await offsets(reader)).toEqual([0, 1, 2, 3])
    expect(asked).toEqual([0, 2])
  })

  it('passes fetches that hold only markers', async () => {
    const { reader } = createReader([0], 4, {
      0: [{ records: [0], nextOffset: 1 }],
      1: [{ records: [], nextOffset: 3 }],
      3: [{ records: [3], nextOffset: 4 }],
    })
    expect(await offsets(reader)).toEqual([0, 3])
  })

  it('ends when compaction has removed everything up to the end', async () => {
    const { reader, asked } = createReader([0], 9, {
      0: [{ records: [0, 3], nextOffset: 5 }],
      5: [{ records: [], nextOffset: 5 }],
    })
    expect(await offsets(reader)).toEqual([0, 3])
    expect(asked).toEqual([0, 5])
  })

  it('asks again when a quota kept the broker from answering', async () => {
    const { reader, asked } = createReader([0], 1, {
      0: [null, null, { records: [0], nextOffset: 1 }],
    })
    expect(await offsets(reader)).toEqual([0])
    expect(asked).toEqual([0, 0, 0])
  })

  it('looks at the cluster again and goes on when a leader has moved', async () => {
    const moved = Object.assign(new Error('moved'), { type: 'NOT_LEADER', retriable: true })
    const { reader, refreshes } = createReader([0], 1, {
      0: [moved, moved, { records: [0], nextOffset: 1 }],
    })
    expect(await offsets(reader)).toEqual([0])
    expect(refreshes()).toBe(2)
  })

  it('goes on at the first record kept when retention has overtaken it', async () => {
    const gone = Object.assign(new Error('gone'), { type: 'OFFSET_OUT_OF_RANGE' })
    // The end is asked for first, then where to begin, then again after the loss.
    const { reader } = createReader([0, 0, 3], 4, {
      0: [gone],
      3: [{ records: [3], nextOffset: 4 }],
    })
    expect(await offsets(reader)).toEqual([3])
  })

  it('throws what cannot pass', async () => {
    const { reader } = createReader([0], 1, { 0: [new Error('boom')] })
    await expect(offsets(reader)).rejects.toThrow('boom')
  })
})
