import { UNBOUNDED_BIN, ZERO_BIN } from '../domain/histogram.ts'
import type { ProportionLimit } from './proportion.ts'
import { criticalAbove, criticalBelow } from './proportion.ts'

/** Counts per bin: the zero bin, `counts[i]` of bin `first + i`, and the unbounded bin. */
export interface LatencyHistogram {
  total: number
  zero: number
  unbounded: number
  first: number
  counts: Float64Array
}

const MARGIN = 16

/** Without values and without room; it grows to the bins that are added. */
export function emptyHistogram(): LatencyHistogram {
  return { total: 0, zero: 0, unbounded: 0, first: 0, counts: new Float64Array(0) }
}

/** Takes everything away; the room stays. */
export function clear(histogram: LatencyHistogram): void {
  histogram.total = 0
  histogram.zero = 0
  histogram.unbounded = 0
  histogram.counts.fill(0)
}

/** Adds a sparse histogram, bins ascending. */
export function addBins(
  histogram: LatencyHistogram,
  bins: readonly number[],
  counts: readonly number[],
): void {
  const { from, to } = boundedPart(bins)
  for (let i = 0; i < from; i++) histogram.zero += counts[i] as number
  for (let i = to; i < bins.length; i++) histogram.unbounded += counts[i] as number
  for (const count of counts) histogram.total += count
  if (from === to) return
  reach(histogram, bins[from] as number)
  reach(histogram, bins[to - 1] as number)
  // Every bin of every cohort goes through this loop, and it is fast as long as its array is one.
  const { first, counts: into } = histogram
  for (let i = from; i < to; i++) {
    const at = (bins[i] as number) - first
    into[at] = (into[at] as number) + (counts[i] as number)
  }
}

/** Where, of bins in ascending order, those begin and end that are neither zero nor unbounded. */
export function boundedPart(bins: readonly number[]): {
  readonly from: number
  readonly to: number
} {
  let from = 0
  let to = bins.length
  while (from < to && (bins[from] as number) <= ZERO_BIN) from++
  while (to > from && (bins[to - 1] as number) >= UNBOUNDED_BIN) to--
  return { from, to }
}

/** Adds `factor` times another histogram. */
export function addHistogram(
  into: LatencyHistogram,
  other: Readonly<LatencyHistogram>,
  factor = 1,
): void {
  into.total += factor * other.total
  into.zero += factor * other.zero
  into.unbounded += factor * other.unbounded
  if (other.counts.length === 0) return
  reach(into, other.first)
  reach(into, other.first + other.counts.length - 1)
  const offset = other.first - into.first
  const [from, to] = [other.counts, into.counts]
  for (let i = 0; i < from.length; i++) {
    to[offset + i] = (to[offset + i] as number) + factor * (from[i] as number)
  }
}

/** Makes room for a bin. */
function reach(histogram: LatencyHistogram, bin: number): void {
  const { first, counts } = histogram
  if (bin >= first && bin < first + counts.length) return
  const room = roomFor(bin, first, counts.length)
  const grown = new Float64Array(room.length)
  if (counts.length > 0) grown.set(counts, first - room.first)
  histogram.first = room.first
  histogram.counts = grown
}

/** The bins kept when `bin` lies outside of the present ones, with some more beside it. */
export function roomFor(
  bin: number,
  first: number,
  length: number,
): { readonly first: number; readonly length: number } {
  const from = length === 0 || bin < first ? bin - MARGIN : first
  const to = length === 0 || bin >= first + length ? bin + MARGIN : first + length - 1
  return { first: from, length: to - from + 1 }
}

/** Smallest bin that at least the share `quantile` of the values does not exceed; null if empty. */
export function quantileBin(histogram: LatencyHistogram, quantile: number): number | null {
  return placeOf(histogram, quantile)?.bin ?? null
}

/** The same, and what part of the bin's own values the quantile does not exceed. */
export function placeOf(
  { total, zero, first, counts }: LatencyHistogram,
  quantile: number,
): { readonly bin: number; readonly fraction: number } | null {
  if (total <= 0) return null
  const needed = quantile * total
  if (zero >= needed && zero > 0) return { bin: ZERO_BIN, fraction: 1 }
  let below = zero
  for (let i = 0; i < counts.length; i++) {
    const count = counts[i] as number
    const upTo = below + count
    if (count > 0 && upTo >= needed) {
      return { bin: first + i, fraction: Math.min(1, Math.max(0, (needed - below) / count)) }
    }
    below = upTo
  }
  return { bin: UNBOUNDED_BIN, fraction: 1 }
}

/** Values of a sparse histogram, bins ascending, that lie above the upper edge of `bin`. */
export function countAbove(
  bins: readonly number[],
  counts: readonly number[],
  bin: number,
): number {
  let above = 0
  for (let i = bins.length - 1; i >= 0 && (bins[i] as number) > bin; i--) {
    above += counts[i] as number
  }
  return above
}

/**
 * Confidence sequence of a quantile as two bins: below the upper edge of `lower` the true quantile
 * is excluded, above that of `upper` too. `limit` is the one for p₀ = 1 − quantile, `level` the
 * evidence that excludes, ln(2/α).
 */
export function quantileInterval(
  histogram: LatencyHistogram,
  limit: ProportionLimit,
  level: number,
): { lower: number; upper: number } {
  const least = criticalAbove(limit, histogram.total, level)
  const most = criticalBelow(limit, histogram.total, level)
  const { first, counts, unbounded } = histogram
  let lower: number | null = unbounded >= least ? UNBOUNDED_BIN : null
  let upper = unbounded > most ? UNBOUNDED_BIN : first + counts.length
  let above = unbounded
  for (let i = counts.length - 1; i >= 0 && (lower === null || above <= most); i--) {
    if (lower === null && above >= least) lower = first + i
    above += counts[i] as number
    if (above <= most) upper = first + i
  }
  return { lower: lower ?? ZERO_BIN, upper }
}
