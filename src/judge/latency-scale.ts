import {
  binAtOrAbove,
  binAtOrBelow,
  UNBOUNDED_BIN,
  upperEdge,
  ZERO_BIN,
} from '../domain/histogram.ts'

/** What the bins of a histogram mean. Bin numbers ascend with their edges. */
export interface LatencyScale {
  /** Upper edge of a bin in ms; Infinity for the unbounded one. */
  upperEdge(bin: number): number
  /** Smallest bin whose upper edge is at least the value: what lies above it lies above the value. */
  atOrAbove(valueMs: number): number
  /** Largest bin whose upper edge is at most the value: what lies above the value lies above it. */
  atOrBelow(valueMs: number): number
  /**
   * The latency people are shown for a quantile that falls into a bin, `fraction` of the way through
   * its values; null where there is none.
   */
  valueIn(bin: number, fraction: number): number | null
  /** Ends in ms of a quantile interval that reaches from bin to bin; null where there is none. */
  intervalFrom(bin: number): number | null
  intervalTo(bin: number): number | null
}

function finite(edgeMs: number): number | null {
  return Number.isFinite(edgeMs) ? edgeMs : null
}

/** The fine bins that every event is put into: an upper edge is off by 1 % at most. */
export const BIN_SCALE: LatencyScale = {
  upperEdge,
  atOrAbove: binAtOrAbove,
  atOrBelow: binAtOrBelow,
  valueIn: (bin) => finite(upperEdge(bin)),
  intervalFrom: (bin) => finite(upperEdge(bin)),
  intervalTo: (bin) => finite(upperEdge(bin)),
}

/**
 * The edges of a histogram that was counted elsewhere, ascending, in ms: bin i lies between edge i−1
 * (0 for the first) and edge i, and what is above the last edge is unbounded. Within a bin values are
 * taken to be spread evenly, and an unbounded quantile is shown as the last edge, as Prometheus does.
 */
export function edgeScale(edgesMs: readonly number[]): LatencyScale {
  const last = edgesMs.at(-1) ?? null
  const upperEdgeOf = (bin: number): number =>
    bin < 0 ? 0 : (edgesMs[bin] ?? Number.POSITIVE_INFINITY)
  return {
    upperEdge: upperEdgeOf,
    atOrAbove(valueMs) {
      const bin = edgesMs.findIndex((edge) => edge >= valueMs)
      return bin < 0 ? UNBOUNDED_BIN : bin
    },
    atOrBelow(valueMs) {
      const bin = edgesMs.findLastIndex((edge) => edge <= valueMs)
      return bin < 0 ? ZERO_BIN : bin
    },
    valueIn(bin, fraction) {
      const upper = upperEdgeOf(bin)
      if (!Number.isFinite(upper)) return last
      const lower = upperEdgeOf(bin - 1)
      return lower + fraction * (upper - lower)
    },
    intervalFrom: (bin) => finite(upperEdgeOf(bin)) ?? last,
    // What lies in this bin and above is little enough: the quantile is at most its lower edge. That
    // is a whole bin of difference here, and 1 % in the fine bins.
    intervalTo: (bin) => (bin >= UNBOUNDED_BIN ? null : finite(upperEdgeOf(bin - 1))),
  }
}
