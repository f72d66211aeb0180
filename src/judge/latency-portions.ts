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

  /** At the end, for so many more. */
  const makeRoom = (more: number): void => {
    if (end + more <= bins.length) return
    const kept = end - start
    if (5 * (kept + more) > 4 * bins.length) {
      const [oldBins, oldCounts] = [bins, counts]
      const room = Math.ceil(1.25 * (kept + more))
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
  const push = (bin: number, count: number): void => {
    for (let left = count; left > 0; left -= LARGEST_COUNT) {
      makeRoom(1)
      bins[end] = bin
      counts[end++] = Math.min(left, LARGEST_COUNT)
    }
  }
  /** All counts of an array that begins with bin `first`, which are taken out of it. */
  const pushAll = (from: Int32Array, first: number): void => {
    let parts = 0
    for (let i = 0; i < from.length; i++) parts += Math.ceil((from[i] as number) / LARGEST_COUNT)
    makeRoom(parts)
    const [ofBins, ofCounts] = [bins, counts]
    let to = end
    for (let i = 0; i < from.length; i++) {
      for (let left = from[i] as number; left > 0; left -= LARGEST_COUNT) {
        ofBins[to] = first + i
        ofCounts[to++] = Math.min(left, LARGEST_COUNT)
      }
      from[i] = 0
    }
    end = to
  }

  return {
    get oldest() {
      return sizes[0] ?? 0
    },
    add(from, first) {
      const before = end - start
      push(ZERO_BIN, from.zero)
      pushAll(from.bins, first)
      push(UNBOUNDED_BIN, from.unbounded)
      sizes.push(from.total)
      lengths.push(end - start - before)
      from.total = 0
      from.zero = 0
      from.unbounded = 0
    },
    dropFrom(from, first) {
      const [all, ofBins, ofCounts] = [from.bins, bins, counts]
      let to = start + (lengths.shift() as number)
      const next = to
      from.total -= sizes.shift() as number
      for (; start < to && ofBins[start] === ZERO_BIN; start++) {
        from.zero -= ofCounts[start] as number
      }
      for (; to > start && ofBins[to - 1] === UNBOUNDED_BIN; to--) {
        from.unbounded -= ofCounts[to - 1] as number
      }
      for (let i = start; i < to; i++) {
        const at = (ofBins[i] as number) - first
        all[at] = (all[at] as number) - (ofCounts[i] as number)
      }
      start = next
    },
  }
}
