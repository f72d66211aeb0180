import { addDifference, type SeriesSums } from './paired.ts'

/** For each unit of several cells, the differences of whole blocks as a series. */
export interface BlockSeries {
  /** A pair's difference, reduced by its margin, with information weight `h`; of the open block. */
  add(unit: number, h: number, excess: number): void
  endBlock(): void
  clear(): void
  snapshot(): SeriesSnapshot
  /** What came since a snapshot (null: since the start), until the next call. */
  since(unit: number, snapshot: SeriesSnapshot | null): Readonly<SeriesSums>
}

/** The sums of all units one after the other; a unit beyond its end had none. */
export type SeriesSnapshot = Float64Array

const WIDTH = 5

interface Series extends SeriesSums {
  blockH: number
  blockExcess: number
}

const emptySeries = (): SeriesSums => ({
  h: 0,
  h2: 0,
  excess: 0,
  excessSquares: 0,
  excessCross: 0,
})
const newSeries = (): Series => ({
  h: 0,
  h2: 0,
  excess: 0,
  excessSquares: 0,
  excessCross: 0,
  blockH: 0,
  blockExcess: 0,
})
const NOTHING: Readonly<SeriesSums> = emptySeries()
const difference = emptySeries()

/** One series per unit index, made when first added to. */
export function createBlockSeries(): BlockSeries {
  const all: Series[] = []
  return {
    add(unit, h, excess) {
      while (all.length <= unit) all.push(newSeries())
      const series = all[unit] as Series
      series.blockH += h
      series.blockExcess += h * excess
    },
    endBlock() {
      for (let unit = 0; unit < all.length; unit++) {
        const series = all[unit] as Series
        if (!(series.blockH > 0)) continue
        addDifference(series, series.blockH, series.blockExcess / series.blockH)
        series.blockH = 0
        series.blockExcess = 0
      }
    },
    clear() {
      all.length = 0
    },
    snapshot() {
      const copy = new Float64Array(all.length * WIDTH)
      for (let unit = 0; unit < all.length; unit++) {
        const { h, h2, excess, excessSquares, excessCross } = all[unit] as Series
        copy.set([h, h2, excess, excessSquares, excessCross], unit * WIDTH)
      }
      return copy
    },
    since(unit, snapshot) {
      const sums = all[unit] ?? NOTHING
      const at = unit * WIDTH
      difference.h = sums.h
      difference.h2 = sums.h2
      difference.excess = sums.excess
      difference.excessSquares = sums.excessSquares
      difference.excessCross = sums.excessCross
      if (snapshot === null || at >= snapshot.length) return difference
      difference.h -= snapshot[at] as number
      difference.h2 -= snapshot[at + 1] as number
      difference.excess -= snapshot[at + 2] as number
      difference.excessSquares -= snapshot[at + 3] as number
      difference.excessCross -= snapshot[at + 4] as number
      return difference
    },
  }
}
