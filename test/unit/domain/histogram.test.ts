import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import {
  binAtOrAbove,
  binAtOrBelow,
  binOf,
  UNBOUNDED_BIN,
  upperEdge,
  ZERO_BIN,
} from '../../../src/domain/histogram.ts'

const latency = fc.double({ min: 1e-5, max: 8.64e7, noNaN: true })

describe('latency histogram', () => {
  it('puts every latency above the edge below its bin and at or under its own', () => {
    fc.assert(
      fc.property(latency, (latencyMs) => {
        const bin = binOf(latencyMs)
        expect(latencyMs).toBeLessThanOrEqual(upperEdge(bin))
        expect(latencyMs).toBeGreaterThan(upperEdge(bin - 1))
      }),
    )
  })

  it('puts an edge into the bin it closes, whatever the logarithm says', () => {
    for (let bin = -1000; bin <= 2000; bin++) expect(binOf(upperEdge(bin))).toBe(bin)
  })

  it('has edges one percent apart, with 1 ms as an edge', () => {
    expect(upperEdge(0)).toBe(1)
    expect(upperEdge(1)).toBe(1.01)
    expect(upperEdge(1337) / upperEdge(1336)).toBeCloseTo(1.01, 12)
  })

  it('keeps 0 ms and timeouts without a latency apart from all others', () => {
    expect(binOf(0)).toBe(ZERO_BIN)
    expect(upperEdge(ZERO_BIN)).toBe(0)
    expect(upperEdge(UNBOUNDED_BIN)).toBe(Number.POSITIVE_INFINITY)
    expect(binOf(1e-5)).toBeGreaterThan(ZERO_BIN)
    expect(binOf(8.64e7)).toBeLessThan(UNBOUNDED_BIN)
  })

  it('brackets a limit between the edges that are conservative for each test', () => {
    fc.assert(
      fc.property(latency, (limitMs) => {
        expect(upperEdge(binAtOrBelow(limitMs))).toBeLessThanOrEqual(limitMs)
        expect(upperEdge(binAtOrAbove(limitMs))).toBeGreaterThanOrEqual(limitMs)
        expect(binAtOrAbove(limitMs) - binAtOrBelow(limitMs)).toBeLessThanOrEqual(1)
      }),
    )
    expect(binAtOrBelow(1.01)).toBe(1)
    expect(binAtOrAbove(1.01)).toBe(1)
  })
})
