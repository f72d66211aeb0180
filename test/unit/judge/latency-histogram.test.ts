import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { binOf, UNBOUNDED_BIN, ZERO_BIN } from '../../../src/domain/histogram.ts'
import {
  addBins,
  addHistogram,
  countAbove,
  emptyHistogram,
  type LatencyHistogram,
  quantileBin,
  quantileInterval,
} from '../../../src/judge/latency-histogram.ts'
import { createLatencyWindow, type LatencyWindow } from '../../../src/judge/latency-window.ts'
import { logEAbove, logEBelow, proportionLimit } from '../../../src/judge/proportion.ts'

const anyBin = fc.oneof(
  fc.integer({ min: -1400, max: 2600 }),
  fc.constantFrom(ZERO_BIN, UNBOUNDED_BIN),
)
const samples = fc.array(anyBin, { minLength: 1, maxLength: 60 })

function histogramOf(bins: readonly number[]) {
  const histogram = emptyHistogram()
  addBins(
    histogram,
    ascending(bins),
    bins.map(() => 1),
  )
  return histogram
}

/** As blocks list them. */
function ascending(bins: readonly number[]): number[] {
  return [...bins].sort((a, b) => a - b)
}

describe('a latency histogram', () => {
  it('gives the quantile of the sorted values', () => {
    fc.assert(
      fc.property(samples, fc.constantFrom(0.5, 0.9, 0.95, 0.99), (bins, quantile) => {
        const sorted = ascending(bins)
        const expected = sorted[Math.ceil(quantile * sorted.length) - 1]
        expect(quantileBin(histogramOf(bins), quantile)).toBe(expected)
      }),
    )
  })

  it('is the same however it is put together', () => {
    fc.assert(
      fc.property(samples, samples, (a, b) => {
        const sum = histogramOf(a)
        addHistogram(sum, histogramOf(b))
        const whole = histogramOf([...b, ...a])
        const oneByOne = emptyHistogram()
        for (const bin of [...a, ...b]) addBins(oneByOne, [bin], [1])
        for (const each of [sum, oneByOne]) {
          for (const quantile of [0.1, 0.5, 0.95]) {
            expect(quantileBin(each, quantile)).toBe(quantileBin(whole, quantile))
          }
          expect(each.total).toBe(a.length + b.length)
        }
      }),
    )
  })

  it('has no quantile without values', () => {
    expect(quantileBin(emptyHistogram(), 0.95)).toBeNull()
  })

  it('brackets a quantile between the edges that evidence excludes', () => {
    const limit = proportionLimit(0.05)
    const bins = Array.from({ length: 4000 }, (_, i) => binOf(1 + i))
    const histogram = histogramOf(bins)
    const { lower, upper } = quantileInterval(histogram, limit, Math.log(80))
    const above = (bin: number) => bins.filter((other) => other > bin).length
    expect(logEAbove(limit, 4000, above(lower))).toBeGreaterThanOrEqual(Math.log(80))
    expect(logEAbove(limit, 4000, above(lower + 1))).toBeLessThan(Math.log(80))
    expect(logEBelow(limit, 4000, above(upper - 1))).toBeGreaterThanOrEqual(Math.log(80))
    expect(logEBelow(limit, 4000, above(upper - 2))).toBeLessThan(Math.log(80))
    expect(lower).toBeLessThan(quantileBin(histogram, 0.95)!)
    expect(upper).toBeGreaterThan(quantileBin(histogram, 0.95)!)
  })

  it('is unbounded on the side that few values say nothing about', () => {
    const { lower, upper } = quantileInterval(histogramOf([100, 110]), proportionLimit(0.05), 4)
    expect(lower).toBe(ZERO_BIN)
    expect(upper).toBe(UNBOUNDED_BIN)
  })
})

describe('countAbove', () => {
  it('counts timeouts above everything and zeros above nothing', () => {
    const bins = [ZERO_BIN, 5, 7, UNBOUNDED_BIN]
    expect(countAbove(bins, [1, 2, 4, 8], 5)).toBe(12)
    expect(countAbove(bins, [1, 2, 4, 8], ZERO_BIN)).toBe(14)
    expect(countAbove(bins, [1, 2, 4, 8], UNBOUNDED_BIN)).toBe(0)
  })
})

function contentOf(window: LatencyWindow): LatencyHistogram {
  const histogram = emptyHistogram()
  window.addTo(histogram)
  return histogram
}

describe('the rolling window of latencies', () => {
  it('has the quantile of what it keeps', () => {
    fc.assert(
      fc.property(samples, fc.constantFrom(0.1, 0.5, 0.9, 0.95, 0.99), (bins, quantile) => {
        const window = createLatencyWindow()
        for (const bin of bins) window.add([bin], [1])
        expect(window.quantileBin(quantile)).toBe(quantileBin(histogramOf(bins), quantile))
      }),
    )
  })

  it('keeps the newest nine thousand or a little more', () => {
    const window = createLatencyWindow()
    for (let block = 0; block < 400; block++) window.add([block], [100])
    const { total, first, counts } = contentOf(window)
    expect(window.total).toBe(total)
    expect(total).toBeGreaterThanOrEqual(9000)
    expect(total).toBeLessThan(12_000)
    const kept = [...counts.entries()].filter(([, count]) => count > 0).map(([i]) => first + i)
    expect(kept[0]).toBe(400 - total / 100)
    expect(kept.at(-1)).toBe(399)
  })

  it('is the newest blocks, whatever has gone through it before', () => {
    const blocks = fc.array(
      fc.tuple(
        fc.integer({ min: 1, max: 400 }),
        fc.array(anyBin, { minLength: 1, maxLength: 8 }).map(ascending),
      ),
      { minLength: 40, maxLength: 200 },
    )
    fc.assert(
      fc.property(blocks, (added) => {
        const window = createLatencyWindow()
        for (const [count, bins] of added)
          window.add(
            bins,
            bins.map(() => count),
          )
        const { total, counts, zero, unbounded } = contentOf(window)
        const newest = emptyHistogram()
        for (const [count, bins] of [...added].reverse()) {
          if (newest.total >= total) break
          addBins(
            newest,
            bins,
            bins.map(() => count),
          )
        }
        expect(newest).toMatchObject({ total, zero, unbounded })
        expect([...counts].filter((count) => count > 0)).toEqual(
          [...newest.counts].filter((count) => count > 0),
        )
      }),
      { numRuns: 50 },
    )
  })

  it('keeps a block larger than itself until the next one of that size', () => {
    const window = createLatencyWindow()
    window.add([10, UNBOUNDED_BIN], [9_000_000, 1_000_000])
    expect(contentOf(window).total).toBe(10_000_000)
    window.add([ZERO_BIN, 20], [70_000, 10])
    expect(contentOf(window)).toMatchObject({ total: 70_010, zero: 70_000, unbounded: 0 })
  })
})
