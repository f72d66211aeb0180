import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { createBlockSeries } from '../../../src/judge/block-series.ts'
import { addDifference, emptySums, type SeriesSums } from '../../../src/judge/paired.ts'

const UNITS = 3
/** Pairs of one block: unit, information weight, difference. */
const block = fc.array(
  fc.tuple(
    fc.nat(UNITS - 1),
    fc.double({ min: 0.5, max: 50, noNaN: true }),
    fc.double({ min: -1, max: 1, noNaN: true }),
  ),
  { maxLength: 6 },
)
type Pairs = readonly (readonly [unit: number, h: number, excess: number])[]

const partsOf = ({ h, h2, excess, excessSquares, excessCross }: Readonly<SeriesSums>) => [
  ...[h, h2, excess, excessSquares, excessCross],
]

function fold(series: ReturnType<typeof createBlockSeries>, blocks: readonly Pairs[]): void {
  for (const pairs of blocks) {
    for (const [unit, h, excess] of pairs) series.add(unit, h, excess)
    series.endBlock()
  }
}

/** One difference a block: the weighted mean of the unit's pairs in it. */
function expectedParts(blocks: readonly Pairs[], unit: number): number[] {
  const sums = emptySums()
  for (const pairs of blocks) {
    const own = pairs.filter(([of]) => of === unit)
    const h = own.reduce((sum, [, weight]) => sum + weight, 0)
    const mean = own.reduce((sum, [, weight, excess]) => sum + weight * excess, 0) / h
    if (own.length > 0) addDifference(sums, h, mean)
  }
  return partsOf(sums)
}

function expectClose(found: readonly number[], expected: readonly number[]): void {
  for (const [i, value] of expected.entries()) {
    expect(Math.abs(found[i]! - value)).toBeLessThan(1e-9 * (1 + Math.abs(value)))
  }
}

describe('a series of blocks', () => {
  it('has one difference a block and unit, of the whole and since any snapshot', () => {
    fc.assert(
      fc.property(
        fc.array(block, { maxLength: 12 }),
        fc.array(block, { maxLength: 12 }),
        (before, after) => {
          const series = createBlockSeries()
          fold(series, before)
          const snapshot = series.snapshot()
          fold(series, after)
          for (let unit = 0; unit < UNITS; unit++) {
            expectClose(
              partsOf(series.since(unit, null)),
              expectedParts([...before, ...after], unit),
            )
            const left = expectedParts([...before, ...after], unit).map(
              (value, i) => value - expectedParts(before, unit)[i]!,
            )
            expectClose(partsOf(series.since(unit, snapshot)), left)
          }
        },
      ),
    )
  })

  it('is nothing for a unit that was never seen, and after it was cleared', () => {
    const series = createBlockSeries()
    expect(partsOf(series.since(7, null))).toEqual([0, 0, 0, 0, 0])
    fold(series, [[[1, 2, 0.5]]])
    expect(partsOf(series.since(0, null))).toEqual([0, 0, 0, 0, 0])
    series.clear()
    expect(partsOf(series.since(1, null))).toEqual([0, 0, 0, 0, 0])
  })

  it('counts a block only when it ends', () => {
    const series = createBlockSeries()
    series.add(0, 2, 0.5)
    expect(partsOf(series.since(0, null))).toEqual([0, 0, 0, 0, 0])
    series.endBlock()
    series.endBlock()
    expect(partsOf(series.since(0, null))).toEqual([2, 4, 1, 1, 2])
  })
})
