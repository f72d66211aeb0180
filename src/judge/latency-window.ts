import { UNBOUNDED_BIN, ZERO_BIN } from '../domain/histogram.ts'
import type { LatencyHistogram } from './latency-histogram.ts'
import { addBins, emptyHistogram } from './latency-histogram.ts'

/** About how many of the newest latencies are kept … */
const WINDOW = 9000
/** … in portions of about this many, dropped as a whole. */
const PORTION = 1500

interface Portion {
  readonly size: number
  readonly bins: Int16Array
  readonly counts: Uint8Array | Uint16Array | Float64Array
}

/** The newest ~9,000 baseline latencies: the histogram is the sum of the portions kept. */
export interface LatencyWindow {
  readonly histogram: LatencyHistogram
  /** Adds the latencies of one closed block. */
  add(bins: readonly number[], counts: readonly number[]): void
}

export function createLatencyWindow(): LatencyWindow {
  const histogram = emptyHistogram(true)
  const portions: Portion[] = []
  let pending = emptyHistogram(true)

  return {
    histogram,
    add(bins, counts) {
      addBins(histogram, bins, counts)
      addBins(pending, bins, counts)
      if (pending.total >= PORTION) {
        portions.push(compact(pending))
        pending = emptyHistogram(true)
      }
      for (let oldest = portions[0]; oldest !== undefined; oldest = portions[0]) {
        if (histogram.total - oldest.size < WINDOW) break
        addBins(histogram, oldest.bins, oldest.counts, -1)
        portions.shift()
      }
    },
  }
}

/** A portion in the narrowest form: a release keeps six of them per cohort. */
function compact(histogram: LatencyHistogram): Portion {
  const bins: number[] = []
  const counts: number[] = []
  const push = (bin: number, count: number): void => {
    if (count === 0) return
    bins.push(bin)
    counts.push(count)
  }
  push(ZERO_BIN, histogram.zero)
  for (const [i, count] of histogram.counts.entries()) push(histogram.first + i, count)
  push(UNBOUNDED_BIN, histogram.unbounded)
  const largest = counts.reduce((most, count) => Math.max(most, count), 0)
  const narrow = largest < 256 ? Uint8Array : largest < 65_536 ? Uint16Array : Float64Array
  return { size: histogram.total, bins: Int16Array.from(bins), counts: narrow.from(counts) }
}
