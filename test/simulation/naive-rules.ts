import type { Arm, BlockCell, ClosedBlock } from '../../src/domain/block.ts'
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

/** Bins of a histogram from this one on, in a dense array. */
const FIRST_BIN = -1500
const DENSE_BINS = 4200

interface ArmSums {
  requests: number
  errors: number
  latencies: number
  over: number
  scores: number
  scoreSum: number
  readonly bins: Float64Array
}

type Window = Readonly<Record<Arm, ArmSums>>

/** Whether people write such a threshold for it. */
export function hasNaiveRule({ metric, limit }: Guardrail): boolean {
  return metric.kind !== 'kpi' && limit.kind !== 'min'
}

export function createNaiveRules(guardrail: Guardrail): NaiveRules {
  /** What came between two looks, the oldest first. */
  const slices: { readonly cells: readonly BlockCell[]; readonly events: number }[] = []
  let inWindow = 0
  const window: Window = { stable: emptySums(), canary: emptySums() }
  let slice: BlockCell[] = []
  let firstAt: number | null = null
  let threeAt: number | null = null
  let row = 0
  let previousEvents = 0

  return {
    fold(block) {
      if (firstAt !== null && threeAt !== null) return
      for (const cell of block.cells) slice.push(cell)
    },
    look(events) {
      if (firstAt !== null && threeAt !== null) return
      const ends = Math.floor(events / WINDOW_EVENTS) > Math.floor(previousEvents / WINDOW_EVENTS)
      slices.push({ cells: slice, events: events - previousEvents })
      inWindow += events - previousEvents
      previousEvents = events
      add(window, slice, 1)
      slice = []
      while (inWindow - slices[0]!.events >= WINDOW_EVENTS) {
        const oldest = slices.shift()!
        add(window, oldest.cells, -1)
        inWindow -= oldest.events
      }
      if (inWindow < WINDOW_EVENTS) return
      if (firstAt !== null && !ends) return
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

function isOver({ metric, limit }: Guardrail, { stable, canary }: Window): boolean {
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
  for (let at = DENSE_BINS - 1; at >= 0; at--) {
    above -= arm.bins[at]!
    if (above < 0) return upperEdge(at + FIRST_BIN)
  }
  return 0
}

function emptySums(): ArmSums {
  return {
    requests: 0,
    errors: 0,
    latencies: 0,
    over: 0,
    scores: 0,
    scoreSum: 0,
    bins: new Float64Array(DENSE_BINS),
  }
}

function add(window: Window, cells: readonly BlockCell[], sign: 1 | -1): void {
  for (const { arm, metrics } of cells) {
    const sums = window[arm]
    sums.requests += sign * metrics.requests
    sums.errors += sign * metrics.errors
    sums.latencies += sign * metrics.latencies
    sums.over += sign * (metrics.overLimit[0] ?? 0)
    sums.scores += sign * metrics.quality.n
    sums.scoreSum += sign * metrics.quality.sum
    const { bins, counts } = metrics
    for (let i = 0; i < bins.length; i++) {
      const at = Math.min(DENSE_BINS - 1, Math.max(0, bins[i]! - FIRST_BIN))
      sums.bins[at]! += sign * counts[i]!
    }
  }
}
