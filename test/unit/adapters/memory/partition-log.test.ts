import { describe, expect, it } from 'vitest'
import { createPartitionLog } from '../../../../src/adapters/memory/partition-log.ts'

const record = (key: string | null, value: string | null) => ({
  partition: 0,
  timestampMs: 1,
  key: key === null ? null : Buffer.from(key),
  value: value === null ? null : Buffer.from(value),
  headers: {},
})
const everything = [0, Number.MAX_VALUE, Number.MAX_VALUE] as const

describe('a partition log', () => {
  it('begins at the offset it is given and never uses one twice', () => {
    const log = createPartitionLog(70, false)
    expect([log.firstOffset, log.endOffset]).toEqual([70, 70])
    log.append(record(null, 'a'))
    log.dropBelow(71)
    expect(log.append(record(null, 'b')).offset).toBe(71)
    expect([log.firstOffset, log.endOffset]).toEqual([71, 72])
  })

  it('reads from an offset on within both bounds, but at least one record', () => {
    const log = createPartitionLog(0, false)
    for (let index = 0; index < 10; index++) log.append(record(null, 'x'.repeat(1000)))
    const offsets = (from: number, count: number, bytes: number) =>
      log.read(from, count, bytes).map(({ offset }) => offset)
    expect(offsets(3, 2, 1e9)).toEqual([3, 4])
    expect(offsets(3, 100, 2500)).toEqual([3, 4, 5])
    expect(offsets(3, 100, 1)).toEqual([3])
    expect(offsets(9, 100, 1e9)).toEqual([9])
    expect(offsets(10, 100, 1e9)).toEqual([])
  })

  it('gives its memory back when records are dropped', () => {
    const log = createPartitionLog(0, false)
    for (let index = 0; index < 5000; index++) log.append(record('k', 'x'.repeat(100)))
    const full = log.bytes
    log.dropBelow(4000)
    expect(log.bytes).toBe(full / 5)
    expect(log.read(...everything)).toHaveLength(1000)
    expect(log.read(3990, 1, 1e9)[0]?.offset).toBe(4000)
    log.dropBelow(10)
    expect(log.firstOffset).toBe(4000)
    log.dropToBytes(log.bytes / 2)
    expect(log.firstOffset).toBe(4500)
    log.dropBelow(5000)
    expect([log.bytes, log.firstOffset, log.endOffset]).toEqual([0, 5000, 5000])
  })

  it('keeps the newest record of each key when compacted, at its offset, with bounded memory', () => {
    const log = createPartitionLog(0, true)
    for (let turn = 0; turn < 10_000; turn++) {
      log.append(record(`k${turn % 3}`, `${turn}`))
    }
    const kept = log.read(...everything)
    expect(kept.length).toBeLessThan(300)
    const newest = new Map(kept.map(({ key, offset }) => [String(key), offset]))
    expect(newest).toEqual(
      new Map([
        ['k0', 9999],
        ['k1', 9997],
        ['k2', 9998],
      ]),
    )
    const offsets = kept.map(({ offset }) => offset)
    expect(offsets).toEqual([...offsets].sort((a, b) => a - b))
  })

  it('drops a tombstone only after a whole compaction, and never records without a key', () => {
    const log = createPartitionLog(0, true)
    log.append(record(null, 'keyless'))
    log.append(record(null, 'keyless'))
    log.append(record('gone', 'value'))
    log.append(record('gone', null))
    const valuesOf = (key: string) =>
      log
        .read(...everything)
        .filter((kept) => String(kept.key) === key)
        .map(({ value }) => value)
    const fill = () => {
      const before = log.read(...everything).length
      do log.append(record('filler', 'x'))
      while (log.read(...everything).length > before)
    }
    fill()
    expect(valuesOf('gone')).toEqual([null])
    fill()
    expect(valuesOf('gone')).toEqual([])
    const keyless = log.read(...everything).filter(({ key }) => key === null)
    expect(keyless.map(({ offset }) => offset)).toEqual([0, 1])
  })

  it('tells binary keys apart', () => {
    const log = createPartitionLog(0, true)
    for (let turn = 0; turn < 1000; turn++) {
      const key = Uint8Array.of(0xff, turn % 2 === 0 ? 0xfe : 0xfd)
      log.append({ ...record(null, 'x'), key })
    }
    const last = log.read(...everything).slice(-2)
    expect(last.map(({ offset }) => offset)).toEqual([998, 999])
    expect(new Set(log.read(...everything).map(({ key }) => key?.[1]))).toEqual(
      new Set([0xfe, 0xfd]),
    )
  })
})
