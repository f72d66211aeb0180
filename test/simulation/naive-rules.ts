import type { CellMetrics, ClosedBlock } from '../../src/domain/block.ts'
import { upperEdge } from '../../src/domain/histogram.ts'
import type { Guardrail } from '../../src/domain/release.ts'

/** Plain thresholds people write into dashboards (statistics §10), whatever the guardrail's margin. */
const ERROR_MAX = 0.008
const P95_FACTOR = 1.1
const QUALITY_DROP = 0.01
export const WINDOW_EVENTS = 10_000
const IN_A_ROW = 3

export interface NaiveRules {
  fold(block: ClosedBlock): void
  /** To be called at every look, with the events of both arms so far. */
  look(events: number): void
  /** Events at which the last 10,000 were over the threshold for the first time. */
  readonly window: number | null
  /** The same for three windows of 10,000 in a row that do not overlap. */
  readonly three: number | null
}

interface ArmSums {
  requests: number
  errors: number
  latencies: number
  over: number
  scores: number
  scoreSum: number
  readonly bins: Map<number, number>
}

interface Slice {
  readonly stable: ArmSums
  readonly canary: ArmSums
}

export function createNaiveRules(guardrail: Guardrail): NaiveRules {
  const slices: Slice[] = []
  const window = emptySlice()
  let slice = emptySlice()
  let firstAt: number | null = null
  let threeAt: number | null = null
  let row = 0
  let previousEvents = 0

  return {
    fold(block) {
      for (const { arm, metrics } of block.cells) add(slice[arm], metrics)
    },
    look(events) {
      const kept = Math.max(1, Math.round(WINDOW_EVENTS / (events - previousEvents)))
      previousEvents = events
      slices.push(slice)
      merge(window, slice, 1)
      slice = emptySlice()
      if (slices.length > kept) merge(window, slices.shift()!, -1)
      if (slices.length < kept) return
      const ends = events % WINDOW_EVENTS === 0
      if (firstAt !== null && (threeAt !== null || !ends)) return
      const over = isOver(guardrail, window)
      if (over) firstAt ??= events
      if (!ends) return
      row = over ? row + 1 : 0
      if (row >= IN_A_ROW) threeAt ??= events
    },
    get window() {
      return firstAt
    },
    get three() {
      return threeAt
    },
  }
}

function isOver({ metric, limit }: Guardrail, { stable, canary }: Slice): boolean {
  if (metric.kind === 'error_rate') {
    return canary.requests > 0 && canary.errors / canary.requests > ERROR_MAX
  }
  if (metric.kind === 'latency') {
    if (limit.kind === 'max') return canary.over > (1 - metric.quantile) * canary.latencies
    return quantileOf(canary, metric.quantile) > P95_FACTOR * quantileOf(stable, metric.quantile)
  }
  if (canary.scores === 0 || stable.scores === 0) return false
  return canary.scoreSum / canary.scores < stable.scoreSum / stable.scores - QUALITY_DROP
}

function quantileOf(arm: ArmSums, quantile: number): number {
  let above = (1 - quantile) * arm.latencies
  for (const bin of [...arm.bins.keys()].sort((a, b) => b - a)) {
    above -= arm.bins.get(bin)!
    if (above < 0) return upperEdge(bin)
  }
  return 0
}

function emptySlice(): Slice {
  const arm = (): ArmSums => ({
    requests: 0,
    errors: 0,
    latencies: 0,
    over: 0,
    scores: 0,
    scoreSum: 0,
    bins: new Map(),
  })
  return { stable: arm(), canary: arm() }
}

function add(sums: ArmSums, metrics: CellMetrics): void {
  sums.requests += metrics.requests
  sums.errors += metrics.errors
  sums.latencies += metrics.latencies
  sums.over += metrics.overLimit[0] ?? 0
  sums.scores += metrics.quality.n
  sums.scoreSum += metrics.quality.sum
  for (const [i, bin] of metrics.bins.entries()) {
    sums.bins.set(bin, (sums.bins.get(bin) ?? 0) + metrics.counts[i]!)
  }
}

function merge(into: Slice, other: Slice, sign: 1 | -1): void {
  for (const arm of ['stable', 'canary'] as const) {
    const [sums, part] = [into[arm], other[arm]]
    sums.requests += sign * part.requests
    sums.errors += sign * part.errors
    sums.latencies += sign * part.latencies
    sums.over += sign * part.over
    sums.scores += sign * part.scores
    sums.scoreSum += sign * part.scoreSum
    for (const [bin, count] of part.bins) {
      sums.bins.set(bin, (sums.bins.get(bin) ?? 0) + sign * count)
    }
  }
}
