/** Sparse histograms in the order they came, oldest first, in two arrays that are used again. */
export interface Portions {
  /** How many values the oldest portion has; 0 without any. */
  readonly oldest: number
  /** Adds to the portion that is open. */
  push(bin: number, count: number): void
  /** Closes the open portion, of `size` values. */
  close(size: number): void
  /** Forgets the oldest portion and says what was in it. */
  drop(each: (bin: number, count: number) => void): void
}

const FIRST_ROOM = 256
const LARGEST_COUNT = 65_535

/** A release keeps six portions per cohort: four bytes a bin; a larger count is kept in parts. */
export function createPortions(): Portions {
  let bins = new Int16Array(FIRST_ROOM)
  let counts = new Uint16Array(FIRST_ROOM)
  let start = 0
  let end = 0
  let open = 0
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

  return {
    get oldest() {
      return sizes[0] ?? 0
    },
    push(bin, count) {
      for (let left = count; left > 0; left -= LARGEST_COUNT) {
        if (end === bins.length) makeRoom()
        bins[end] = bin
        counts[end++] = Math.min(left, LARGEST_COUNT)
        open++
      }
    },
    close(size) {
      sizes.push(size)
      lengths.push(open)
      open = 0
    },
    drop(each) {
      const length = lengths.shift() ?? 0
      sizes.shift()
      for (const to = start + length; start < to; start++) {
        each(bins[start] as number, counts[start] as number)
      }
    },
  }
}
