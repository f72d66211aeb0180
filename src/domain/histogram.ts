/**
 * The latency histogram every statistic shares: bin i holds γ^(i−1) < x ≤ γ^i milliseconds, γ = 1.01.
 * The bin of a value is computed once, at ingest, and stored; edges come from one table made by
 * repeated multiplication, so that every machine puts a value into the same bin.
 */
const GAMMA = 1.01
const BIN_MIN = -1400
const BIN_MAX = 2600

/** Latency not counted: the request was not `ok` or `timeout`. */
export const NO_LATENCY_BIN = -32_768
/** Latency of exactly 0 ms: below every edge. */
export const ZERO_BIN = -32_767
/** A timeout that carries no latency: above every limit. */
export const UNBOUNDED_BIN = 32_767

const edges = new Float64Array(BIN_MAX - BIN_MIN + 1)
edges[-BIN_MIN] = 1
for (let bin = 1; bin <= BIN_MAX; bin++) {
  edges[bin - BIN_MIN] = (edges[bin - 1 - BIN_MIN] as number) * GAMMA
}
for (let bin = -1; bin >= BIN_MIN; bin--) {
  edges[bin - BIN_MIN] = (edges[bin + 1 - BIN_MIN] as number) / GAMMA
}

const LN_GAMMA = Math.log(GAMMA)

/** Upper edge γ^bin in ms; 0 for the zero bin, Infinity for the unbounded one. */
export function upperEdge(bin: number): number {
  if (bin <= ZERO_BIN) return 0
  if (bin > BIN_MAX) return Number.POSITIVE_INFINITY
  return edges[Math.max(bin, BIN_MIN) - BIN_MIN] as number
}

/** Bin of a finite latency ≥ 0 ms. Values beyond the table fall into its first or last bin. */
export function binOf(latencyMs: number): number {
  if (latencyMs <= 0) return ZERO_BIN
  let bin = Math.ceil(Math.log(latencyMs) / LN_GAMMA)
  if (bin < BIN_MIN) return BIN_MIN
  if (bin > BIN_MAX) return BIN_MAX
  // The logarithm can be off by one bin at an edge; the table decides.
  while (bin > BIN_MIN && latencyMs <= (edges[bin - 1 - BIN_MIN] as number)) bin--
  while (bin < BIN_MAX && latencyMs > (edges[bin - BIN_MIN] as number)) bin++
  return bin
}

/** Largest bin whose upper edge is at most `valueMs`: `#(bin > it)` counts a superset of x > value. */
export function binAtOrBelow(valueMs: number): number {
  const bin = binOf(valueMs)
  if (bin === ZERO_BIN) return ZERO_BIN
  return upperEdge(bin) === valueMs ? bin : bin === BIN_MIN ? ZERO_BIN : bin - 1
}

/** Smallest bin whose upper edge is at least `valueMs`: `#(bin > it)` counts a subset of x > value. */
export function binAtOrAbove(valueMs: number): number {
  return binOf(valueMs)
}
