import { UNBOUNDED_BIN, ZERO_BIN } from '../domain/histogram.ts'

/** Whole counts of the zero bin, the unbounded bin, and of bin `first + i` in `bins[i]`. */
export interface BinCounts {
  total: number
  zero: number
  unbounded: number
  bins: Int32Array
}

/** Sparse histograms in the order they came, oldest first, in two arrays that are used again. */
export interface Portions {
  /** How many values the oldest portion has; 0 without any. */
  readonly oldest: number
  /** What is in `counts` becomes the newest portion, and `counts` empty. */
  add(counts: BinCounts, first: number): void
  /** Forgets the oldest portion and takes it away from `counts`, which contains it. */
  dropFrom(counts: BinCounts, first: number): void
}

const FIRST_ROOM = 256
const LARGEST_COUNT = 65_535

/** A release keeps six portions per cohort: four bytes a bin; a larger count is kept in parts. */
export function createPortions(): Portions {
  let bins = new Int16Array(FIRST_ROOM)
  let counts = new Uint16Array(FIRST_ROOM)
  let start = 0
  let end = 0
  const sizes: number[] = []
  const lengths: number[] = []

  const makeRoom = (): void => {
    const kept = end - start
    if (5 * kept > 4 * bins.length) {
      const [oldBins, oldCounts] = [bins, counts]
      const room = Math.ceil(1.25 * bins.length)
      bins = new Int16Array(room)
      counts = new Uint16Array(room)
      bins.set(oldBins.subarray(start, end))
      counts.set(oldCounts.subarray(start, end))
    } else {
      bins.copyWithin(0, start, end)
      counts.copyWithin(0, start, end)
    }
    start = 0
    end = kept
  }
  const push = (bin: number, count: number): number => {
    let pushed = 0
    for (let left = count; left > 0; left -= LARGEST_COUNT) {
      if (end === bins.length) makeRoom()
      bins[end] = bin
      counts[end++] = Math.min(left, LARGEST_COUNT)
      pushed++
    }
    return pushed
  }

  return {
    get oldest() {
      return sizes[0] ?? 0
    },
    add(from, first) {
      const { total, zero, unbounded, bins: all } = from
      let length = push(ZERO_BIN, zero)
      for (let i = 0; i < all.length; i++) {
        const count = all[i] as number
        if (count === 0) continue
        length += push(first + i, count)
        all[i] = 0
      }
      length += push(UNBOUNDED_BIN, unbounded)
      sizes.push(total)
      lengths.push(length)
      from.total = 0
      from.zero = 0
      from.unbounded = 0
    },
    dropFrom(from, first) {
      const all = from.bins
      const to = start + (lengths.shift() as number)
      from.total -= sizes.shift() as number
      for (let i = start; i < to; i++) {
        const bin = bins[i] as number
        const count = counts[i] as number
        if (bin === ZERO_BIN) from.zero -= count
        else if (bin === UNBOUNDED_BIN) from.unbounded -= count
        else all[bin - first] = (all[bin - first] as number) - count
      }
      start = to
    },
  }
}
