import { describe, expect, it } from 'vitest'
import { binOf, UNBOUNDED_BIN, upperEdge, ZERO_BIN } from '../../../src/domain/histogram.ts'
import { BIN_SCALE, edgeScale } from '../../../src/judge/latency-scale.ts'

describe('the edges of a histogram that was counted elsewhere', () => {
  const scale = edgeScale([50, 100, 200])

  it('bound a limit from both sides, and an edge is its own bound', () => {
    expect([scale.atOrBelow(120), scale.atOrAbove(120)]).toEqual([1, 2])
    expect([scale.atOrBelow(100), scale.atOrAbove(100)]).toEqual([1, 1])
    expect([scale.atOrBelow(40), scale.atOrAbove(300)]).toEqual([ZERO_BIN, UNBOUNDED_BIN])
  })

  it('show a value within its bin, and the last edge for what lies above it', () => {
    expect(scale.valueIn(1, 0.5)).toBe(75)
    expect(scale.valueIn(0, 1)).toBe(50)
    expect(scale.valueIn(ZERO_BIN, 0.5)).toBe(0)
    expect(scale.valueIn(UNBOUNDED_BIN, 0.5)).toBe(200)
    expect(edgeScale([]).valueIn(UNBOUNDED_BIN, 1)).toBeNull()
  })

  it('end an interval at edges that are excluded, and nowhere where none is', () => {
    expect([scale.intervalFrom(1), scale.intervalTo(2)]).toEqual([100, 100])
    expect([scale.intervalFrom(-16), scale.intervalTo(0)]).toEqual([0, 0])
    expect([scale.intervalFrom(UNBOUNDED_BIN), scale.intervalTo(UNBOUNDED_BIN)]).toEqual([
      200,
      null,
    ])
    expect(scale.upperEdge(UNBOUNDED_BIN)).toBe(Number.POSITIVE_INFINITY)
  })
})

describe('the bins of single events', () => {
  it('are shown by their upper edge, and nothing where there is none', () => {
    const bin = binOf(120)
    expect(BIN_SCALE.valueIn(bin, 0.1)).toBe(upperEdge(bin))
    expect(BIN_SCALE.valueIn(UNBOUNDED_BIN, 1)).toBeNull()
    expect([BIN_SCALE.intervalFrom(bin), BIN_SCALE.intervalTo(bin)]).toEqual([
      ...[upperEdge(bin), upperEdge(bin)],
    ])
  })
})
