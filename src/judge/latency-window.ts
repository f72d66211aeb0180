import { UNBOUNDED_BIN, ZERO_BIN } from '../domain/histogram.ts'
import { addBins, boundedPart, type LatencyHistogram, roomFor } from './latency-histogram.ts'
import { type BinCounts, createPortions } from './latency-portions.ts'

/** About how many of the newest latencies are kept … */
const WINDOW = 9000
/** … in portions of about this many, dropped as a whole. */
const PORTION = 1500

/** The newest ~9,000 baseline latencies. */
export interface LatencyWindow {
  readonly total: number
  /** Adds the latencies of one closed block, bins ascending, whole counts. */
  add(bins: readonly number[], counts: readonly number[]): void
  /** Smallest bin that at least the share `quantile` of the values does not exceed. */
  quantileBin(quantile: number): number
  addTo(histogram: LatencyHistogram): void
}

/** Empty; forgets the oldest of about six portions once it has more than 9,000 latencies. */
export function createLatencyWindow(): LatencyWindow {
  const kept = noCounts()
  /** Of what is kept the part that is in no portion yet: has the same bins. */
  const pending = noCounts()
  let first = 0
  const portions = createPortions()

  const reach = (bin: number): void => {
    if (bin >= first && bin < first + kept.bins.length) return
    const room = roomFor(bin, first, kept.bins.length)
    for (const counts of [kept, pending]) {
      const grown = new Int32Array(room.length)
      if (counts.bins.length > 0) grown.set(counts.bins, first - room.first)
      counts.bins = grown
    }
    first = room.first
  }
  const addBoth = (bins: readonly number[], counts: readonly number[]): void => {
    const { from, to } = boundedPart(bins)
    let total = 0
    for (let i = 0; i < counts.length; i++) total += counts[i] as number
    let zero = 0
    for (let i = 0; i < from; i++) zero += counts[i] as number
    let unbounded = 0
    for (let i = to; i < counts.length; i++) unbounded += counts[i] as number
    for (const into of [kept, pending]) {
      into.total += total
      into.zero += zero
      into.unbounded += unbounded
    }
    if (from === to) return
    reach(bins[from] as number)
    reach(bins[to - 1] as number)
    // Every bin of every cohort goes through this loop, and it is fast as long as its arrays are two.
    const [all, open, begin] = [kept.bins, pending.bins, first]
    for (let i = from; i < to; i++) {
      const at = (bins[i] as number) - begin
      const count = counts[i] as number
      all[at] = (all[at] as number) + count
      open[at] = (open[at] as number) + count
    }
  }
  return {
    get total() {
      return kept.total
    },
    add(bins, counts) {
      addBoth(bins, counts)
      if (pending.total >= PORTION) portions.add(pending, first)
      while (portions.oldest > 0 && kept.total - portions.oldest >= WINDOW) {
        portions.dropFrom(kept, first)
      }
    },
    quantileBin: (quantile) => quantileBinOf(kept, first, quantile),
    addTo(histogram) {
      const { zero, unbounded, bins } = kept
      const listed = [...bins.entries()].filter(([, count]) => count > 0)
      const all = [ZERO_BIN, ...listed.map(([i]) => first + i), UNBOUNDED_BIN]
      addBins(histogram, all, [zero, ...listed.map(([, count]) => count), unbounded])
    },
  }
}

/** From above, where the quantiles of latencies are. */
function quantileBinOf(
  { total, zero, unbounded, bins }: BinCounts,
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

function noCounts(): BinCounts {
  return { total: 0, zero: 0, unbounded: 0, bins: new Int32Array(0) }
}
