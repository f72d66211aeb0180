import { UNBOUNDED_BIN, ZERO_BIN } from '../domain/histogram.ts'
import { addBins, type LatencyHistogram, roomFor } from './latency-histogram.ts'

/** About how many of the newest latencies are kept … */
const WINDOW = 9000
/** … in portions of about this many, dropped as a whole. */
const PORTION = 1500

interface Portion {
  readonly size: number
  readonly bins: Int16Array
  readonly counts: Uint8Array | Uint16Array | Float64Array
}

/** The newest ~9,000 baseline latencies. */
export interface LatencyWindow {
  readonly total: number
  /** Adds the latencies of one closed block, whole counts. */
  add(bins: readonly number[], counts: readonly number[]): void
  /** Smallest bin that at least the share `quantile` of the values does not exceed. */
  quantileBin(quantile: number): number
  addTo(histogram: LatencyHistogram): void
}

/** Counts of the zero bin, the unbounded bin, and of `bins[i]` for bin `first + i`. */
interface Counts {
  total: number
  zero: number
  unbounded: number
  bins: Uint32Array
}

export function createLatencyWindow(): LatencyWindow {
  const kept = noCounts()
  /** Of what is kept the part that is in no portion yet: has the same bins. */
  const pending = noCounts()
  let first = 0
  const portions: Portion[] = []

  const reach = (bin: number): void => {
    const room = roomFor(bin, first, kept.bins.length)
    for (const counts of [kept, pending]) {
      const grown = new Uint32Array(room.length)
      if (counts.bins.length > 0) grown.set(counts.bins, first - room.first)
      counts.bins = grown
    }
    first = room.first
  }
  /** The loop runs over every bin of every cohort. */
  const addBoth = (bins: readonly number[], counts: readonly number[]): void => {
    let all = kept.bins
    let open = pending.bins
    let added = 0
    for (let i = 0; i < bins.length; i++) {
      const bin = bins[i] as number
      const count = counts[i] as number
      added += count
      if (bin <= ZERO_BIN) {
        kept.zero += count
        pending.zero += count
      } else if (bin >= UNBOUNDED_BIN) {
        kept.unbounded += count
        pending.unbounded += count
      } else {
        let at = bin - first
        if (at < 0 || at >= all.length) {
          reach(bin)
          all = kept.bins
          open = pending.bins
          at = bin - first
        }
        all[at] = (all[at] as number) + count
        open[at] = (open[at] as number) + count
      }
    }
    kept.total += added
    pending.total += added
  }
  const takeAway = ({ size, bins, counts }: Portion): void => {
    const all = kept.bins
    kept.total -= size
    for (let i = 0; i < bins.length; i++) {
      const bin = bins[i] as number
      const count = counts[i] as number
      if (bin === ZERO_BIN) kept.zero -= count
      else if (bin === UNBOUNDED_BIN) kept.unbounded -= count
      else all[bin - first] = (all[bin - first] as number) - count
    }
  }

  return {
    get total() {
      return kept.total
    },
    add(bins, counts) {
      addBoth(bins, counts)
      if (pending.total >= PORTION) portions.push(compact(pending, first))
      for (let oldest = portions[0]; oldest !== undefined; oldest = portions[0]) {
        if (kept.total - oldest.size < WINDOW) break
        takeAway(oldest)
        portions.shift()
      }
    },
    quantileBin: (quantile) => quantileBinOf(kept, first, quantile),
    addTo(histogram) {
      const size = listSparse(kept, first)
      addBins(histogram, listedBins.slice(0, size), listedCounts.slice(0, size))
    },
  }
}

/** From above, where the quantiles of latencies are. */
function quantileBinOf(
  { total, zero, unbounded, bins }: Counts,
  first: number,
  quantile: number,
): number {
  const needed = quantile * total
  if (zero >= needed && zero > 0) return ZERO_BIN
  let found = UNBOUNDED_BIN
  let below = total - unbounded
  for (let i = bins.length - 1; i >= 0 && below >= needed; i--) {
    const count = bins[i] as number
    if (count > 0) found = first + i
    below -= count
  }
  return found
}

function noCounts(): Counts {
  return { total: 0, zero: 0, unbounded: 0, bins: new Uint32Array(0) }
}

const listedBins: number[] = []
const listedCounts: number[] = []

/** Lists what is not 0; how much that is. */
function listSparse({ zero, unbounded, bins }: Counts, first: number): number {
  let size = 0
  if (zero > 0) {
    listedBins[size] = ZERO_BIN
    listedCounts[size++] = zero
  }
  for (let i = 0; i < bins.length; i++) {
    const count = bins[i] as number
    if (count === 0) continue
    listedBins[size] = first + i
    listedCounts[size++] = count
  }
  if (unbounded > 0) {
    listedBins[size] = UNBOUNDED_BIN
    listedCounts[size++] = unbounded
  }
  return size
}

/** A portion in the narrowest form: a release keeps six of them per cohort. Empties the counts. */
function compact(counts: Counts, first: number): Portion {
  const size = listSparse(counts, first)
  let largest = 0
  for (let i = 0; i < size; i++) largest = Math.max(largest, listedCounts[i] as number)
  const Narrow = largest < 256 ? Uint8Array : largest < 65_536 ? Uint16Array : Float64Array
  const bins = new Int16Array(size)
  const narrow = new Narrow(size)
  for (let i = 0; i < size; i++) {
    bins[i] = listedBins[i] as number
    narrow[i] = listedCounts[i] as number
  }
  const portion = { size: counts.total, bins, counts: narrow }
  counts.total = 0
  counts.zero = 0
  counts.unbounded = 0
  counts.bins.fill(0)
  return portion
}
