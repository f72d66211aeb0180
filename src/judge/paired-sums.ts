import { emptySums, type PairedSums } from './paired.ts'

/** Numbers one cell's sums are when written one after the other. */
const WIDTH = 20

const NOTHING: Readonly<PairedSums> = emptySums()

/** The sums of all cells one after the other; a cell beyond its end had none. */
export function copySums(cells: readonly Readonly<PairedSums>[]): Float64Array {
  const copy = new Float64Array(cells.length * WIDTH)
  for (let index = 0; index < cells.length; index++) {
    const sums = cells[index] as PairedSums
    const at = index * WIDTH
    copy[at + 0] = sums.h
    copy[at + 1] = sums.h2
    copy[at + 2] = sums.excess
    copy[at + 3] = sums.excessSquares
    copy[at + 4] = sums.excessCross
    copy[at + 5] = sums.hStable
    copy[at + 6] = sums.hCanary
    copy[at + 7] = sums.nStable
    copy[at + 8] = sums.nCanary
    copy[at + 9] = sums.sumStable
    copy[at + 10] = sums.sumCanary
    copy[at + 11] = sums.squaresStable
    copy[at + 12] = sums.squaresCanary
    copy[at + 13] = sums.loadStable
    copy[at + 14] = sums.loadCanary
    copy[at + 15] = sums.base
    copy[at + 16] = sums.slope
    copy[at + 17] = sums.slopeAtMargin
    copy[at + 18] = sums.floor
    copy[at + 19] = sums.floorAtMargin
  }
  return copy
}

/** `into` becomes what came to a cell after a copy was made (null: since the start). */
export function fillSums(
  into: PairedSums,
  cells: readonly Readonly<PairedSums>[],
  cell: number,
  since: Float64Array | null,
): void {
  setSums(into, cells[cell] ?? NOTHING)
  const at = cell * WIDTH
  if (since === null || at >= since.length) return
  into.h -= since[at + 0] as number
  into.h2 -= since[at + 1] as number
  into.excess -= since[at + 2] as number
  into.excessSquares -= since[at + 3] as number
  into.excessCross -= since[at + 4] as number
  into.hStable -= since[at + 5] as number
  into.hCanary -= since[at + 6] as number
  into.nStable -= since[at + 7] as number
  into.nCanary -= since[at + 8] as number
  into.sumStable -= since[at + 9] as number
  into.sumCanary -= since[at + 10] as number
  into.squaresStable -= since[at + 11] as number
  into.squaresCanary -= since[at + 12] as number
  into.loadStable -= since[at + 13] as number
  into.loadCanary -= since[at + 14] as number
  into.base -= since[at + 15] as number
  into.slope -= since[at + 16] as number
  into.slopeAtMargin -= since[at + 17] as number
  into.floor -= since[at + 18] as number
  into.floorAtMargin -= since[at + 19] as number
}

/** `into` becomes a copy of `sums`, number by number. */
export function setSums(into: PairedSums, sums: Readonly<PairedSums>): void {
  into.h = sums.h
  into.h2 = sums.h2
  into.excess = sums.excess
  into.excessSquares = sums.excessSquares
  into.excessCross = sums.excessCross
  into.hStable = sums.hStable
  into.hCanary = sums.hCanary
  into.nStable = sums.nStable
  into.nCanary = sums.nCanary
  into.sumStable = sums.sumStable
  into.sumCanary = sums.sumCanary
  into.squaresStable = sums.squaresStable
  into.squaresCanary = sums.squaresCanary
  into.loadStable = sums.loadStable
  into.loadCanary = sums.loadCanary
  into.base = sums.base
  into.slope = sums.slope
  into.slopeAtMargin = sums.slopeAtMargin
  into.floor = sums.floor
  into.floorAtMargin = sums.floorAtMargin
}
