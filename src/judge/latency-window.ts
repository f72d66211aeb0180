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
  const pending = emptyHistogram(true)

  return {
    histogram,
    add(bins, counts) {
      addBins(histogram, bins, counts)
      addBins(pending, bins, counts)
      if (pending.total >= PORTION) {
        portions.push(compact(pending))
        clear(pending)
      }
      for (let oldest = portions[0]; oldest !== undefined; oldest = portions[0]) {
        if (histogram.total - oldest.size < WINDOW) break
        takeAway(histogram, oldest)
        portions.shift()
      }
    },
  }
}

/** Of what was added before: there is room for all of it. */
function takeAway(histogram: LatencyHistogram, { size, bins, counts }: Portion): void {
  const { first, counts: from } = histogram
  histogram.total -= size
  for (let i = 0; i < bins.length; i++) {
    const bin = bins[i] as number
    const count = counts[i] as number
    if (bin === ZERO_BIN) histogram.zero -= count
    else if (bin === UNBOUNDED_BIN) histogram.unbounded -= count
    else from[bin - first] = (from[bin - first] as number) - count
  }
}

/** Keeps its room: the next portion has about the same bins. */
function clear(histogram: LatencyHistogram): void {
  histogram.total = 0
  histogram.zero = 0
  histogram.unbounded = 0
  histogram.counts.fill(0)
}

const scratchBins: number[] = []
const scratchCounts: number[] = []

/** A portion in the narrowest form: a release keeps six of them per cohort. */
function compact({ total, zero, unbounded, first, counts }: LatencyHistogram): Portion {
  let size = 0
  let largest = 0
  const push = (bin: number, count: number): void => {
    scratchBins[size] = bin
    scratchCounts[size++] = count
    if (count > largest) largest = count
  }
  if (zero > 0) push(ZERO_BIN, zero)
  for (let i = 0; i < counts.length; i++) {
    const count = counts[i] as number
    if (count > 0) push(first + i, count)
  }
  if (unbounded > 0) push(UNBOUNDED_BIN, unbounded)
  const Narrow = largest < 256 ? Uint8Array : largest < 65_536 ? Uint16Array : Float64Array
  const bins = new Int16Array(size)
  const narrow = new Narrow(size)
  for (let i = 0; i < size; i++) {
    bins[i] = scratchBins[i] as number
    narrow[i] = scratchCounts[i] as number
  }
  return { size: total, bins, counts: narrow }
}
