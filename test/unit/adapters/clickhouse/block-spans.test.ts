import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import {
  type BlockSpan,
  cutByEvents,
  missingSpans,
  readingSpans,
} from '../../../../src/adapters/clickhouse/block-spans.ts'
import { buildSpec } from '../../../support/builders.ts'

const MIDNIGHT = Date.UTC(2026, 10, 21)
const DAY = 86_400_000

const rangeOf = (lengthMs: number, first: number, blocks: number) => ({
  releaseId: 'r',
  spec: buildSpec({ blocks: { lengthMs, watermarkMs: 0, duplicateLookbackMs: 0 } }),
  fromMs: first * lengthMs,
  toMs: (first + blocks) * lengthMs,
})
const blocksOf = (spans: Iterable<BlockSpan>, lengthMs: number) => {
  const starts = []
  for (const { fromMs, toMs } of spans) {
    for (let at = fromMs; at < toMs; at += lengthMs) starts.push(at)
  }
  return starts
}

describe('the blocks to close', () => {
  it('are every one that is not recorded, each in one span, ascending', () => {
    const anyRange = fc.record({
      lengthMs: fc.constantFrom(1000, 7000, 10_000, 3_600_000),
      blocks: fc.nat(3000),
      recorded: fc.array(fc.nat(3000), { maxLength: 30 }),
    })
    fc.assert(
      fc.property(anyRange, ({ lengthMs, blocks, recorded }) => {
        const first = Math.floor(MIDNIGHT / lengthMs) - 1500
        const range = rangeOf(lengthMs, first, blocks)
        const done = new Set(recorded.map((index) => (first + index) * lengthMs))
        const spans = missingSpans(range, done)
        const all = blocksOf([range], lengthMs)
        expect(blocksOf(spans, lengthMs)).toEqual(all.filter((start) => !done.has(start)))
        for (const { fromMs, toMs } of spans) {
          expect(toMs - fromMs).toBeLessThanOrEqual(1000 * lengthMs)
          const days = blocksOf([{ fromMs, toMs }], lengthMs).map((at) => Math.floor(at / DAY))
          expect(new Set(days).size).toBe(1)
        }
      }),
    )
  })

  it('are one span when they lie in one day', () => {
    const range = rangeOf(10_000, MIDNIGHT / 10_000, 500)
    expect(missingSpans(range, new Set())).toEqual([{ fromMs: range.fromMs, toMs: range.toMs }])
  })

  it('are none when the range is empty or all of it is recorded', () => {
    const range = rangeOf(10_000, 100, 2)
    expect(missingSpans({ ...range, toMs: range.fromMs }, new Set())).toEqual([])
    expect(missingSpans(range, new Set([1_000_000, 1_010_000]))).toEqual([])
  })

  it('are cut where there are too many events for one statement, a block never', () => {
    const span = { fromMs: 0, toMs: 5000 }
    const counts = [50_000, 75_000, 1, 900_000, 0]
    const eventsOf = new Map(counts.map((events, index) => [index * 1000, events]))
    expect(cutByEvents(span, 1000, eventsOf)).toEqual([
      { fromMs: 0, toMs: 2000 },
      { fromMs: 2000, toMs: 3000 },
      { fromMs: 3000, toMs: 5000 },
    ])
    expect(cutByEvents(span, 1000, new Map())).toEqual([span])
  })
})

describe('the blocks to read', () => {
  it('are the whole range in pieces', () => {
    const range = rangeOf(10_000, 7, 300)
    const spans = [...readingSpans(range)]
    expect(spans).toHaveLength(3)
    expect(blocksOf(spans, 10_000)).toEqual(blocksOf([range], 10_000))
  })
})
