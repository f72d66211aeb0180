import { describe, expect, it } from 'vitest'
import { blockWatermarkOf, watermarkOf } from '../../../src/pipeline/watermark.ts'
import type { PartitionProgress } from '../../../src/ports.ts'

const NOW = 1_000_000
const IDLE = 30_000

function partition(overrides: Partial<PartitionProgress>): PartitionProgress {
  return {
    topic: 't',
    partition: 0,
    nextOffset: 1,
    maxEventTimeMs: 500,
    caughtUp: true,
    updatedAtMs: NOW,
    ...overrides,
  }
}

describe('watermarkOf', () => {
  it('is the smallest stored event time of the active partitions', () => {
    const rows = [partition({ maxEventTimeMs: 700 }), partition({ maxEventTimeMs: 600 })]
    expect(watermarkOf(rows, NOW, IDLE)).toMatchObject({ timeMs: 600, allIdle: false })
  })

  it('leaves out a partition that was read to its end and has been silent', () => {
    const idle = partition({ maxEventTimeMs: 100, updatedAtMs: NOW - IDLE - 1 })
    expect(watermarkOf([idle, partition({})], NOW, IDLE).timeMs).toBe(500)
  })

  it('waits for a silent partition that still has a backlog', () => {
    const stuck = partition({ maxEventTimeMs: 100, updatedAtMs: 0, caughtUp: false })
    expect(watermarkOf([stuck, partition({})], NOW, IDLE).timeMs).toBe(100)
  })

  it('says nothing while a partition has not shown its first event', () => {
    const fresh = partition({ maxEventTimeMs: 0 })
    expect(watermarkOf([fresh, partition({})], NOW, IDLE).timeMs).toBeNull()
  })

  it('stands still at the smallest when every partition is idle', () => {
    const idle = { updatedAtMs: NOW - IDLE - 1 }
    const rows = [partition({ ...idle, maxEventTimeMs: 300 }), partition(idle)]
    expect(watermarkOf(rows, NOW, IDLE)).toMatchObject({ timeMs: 300, allIdle: true })
  })

  it('has nothing to say without partitions', () => {
    expect(watermarkOf([], NOW, IDLE)).toEqual({
      timeMs: null,
      allIdle: true,
      newestProgressMs: null,
    })
  })
})

describe('blockWatermarkOf', () => {
  const of = (requests: PartitionProgress[], feedback: PartitionProgress[]) =>
    blockWatermarkOf(requests, feedback, NOW, IDLE).timeMs

  it('waits for feedback that is still coming in', () => {
    const behind = partition({ maxEventTimeMs: 400 })
    const stuck = partition({ maxEventTimeMs: 300, updatedAtMs: 0, caughtUp: false })
    expect(of([partition({})], [behind, partition({ maxEventTimeMs: 900 })])).toBe(400)
    expect(of([partition({})], [behind, stuck])).toBe(300)
    expect(of([partition({})], [partition({ maxEventTimeMs: 0 })])).toBeNull()
  })

  it('does not wait for feedback that never came or has stopped', () => {
    const silent = partition({ maxEventTimeMs: 100, updatedAtMs: NOW - IDLE - 1 })
    expect(of([partition({})], [])).toBe(500)
    expect(of([partition({})], [silent])).toBe(500)
  })

  it('is never moved on by feedback alone', () => {
    const idle = partition({ updatedAtMs: NOW - IDLE - 1 })
    const flowing = partition({ maxEventTimeMs: 9000 })
    expect(of([], [flowing])).toBeNull()
    expect(of([idle], [flowing])).toBe(500)
    expect(blockWatermarkOf([idle], [flowing], NOW, IDLE).allIdle).toBe(true)
  })

  it('says whether there ever was any feedback to look for', () => {
    expect(blockWatermarkOf([partition({})], [], NOW, IDLE).feedback).toBe(false)
    expect(blockWatermarkOf([partition({})], [partition({})], NOW, IDLE).feedback).toBe(true)
  })
})
