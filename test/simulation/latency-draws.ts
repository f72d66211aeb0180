import { binOf, upperEdge } from '../../src/domain/histogram.ts'
import type { ReleaseSpec } from '../../src/domain/release.ts'
import { latencyLimitsOf } from '../../src/domain/release.ts'
import type { LatencyShape } from './latency-model.ts'
import { shapedCdf, shapedQuantile } from './latency-model.ts'
import type { Random } from './random.ts'
import type { AliasTable } from './sampling.ts'
import { aliasTable, binomial, drawIndex } from './sampling.ts'
import type { Scenario } from './scenario.ts'

/** What a release reads of latencies. */
export interface LatencyNeeds {
  /** Absolute limits, ascending: what is above each is counted exactly. */
  readonly limitsMs: readonly number[]
  /** Latencies below are put into one bin: no threshold comes near it. Infinity: all of them. */
  readonly detailFromMs: number
}

/** Every bin, without limits. */
export const ALL_DETAIL: LatencyNeeds = { limitsMs: [], detailFromMs: 0 }

/** How much more of the latencies than a quantile leaves above it is kept in detail. */
const DETAIL = 4

/**
 * A relative limit on a quantile reads counts above the rolling quantile of at least 1,000 baseline
 * latencies, and above more than that. That it falls below the value that four times as many
 * latencies exceed has a chance below 1e-30, so what lies under that value may share one bin.
 */
export function latencyNeeds(spec: ReleaseSpec, scenario: Scenario): LatencyNeeds {
  const limitsMs = latencyLimitsOf(spec)
  const quantiles = spec.guardrails.flatMap(({ metric, limit }) =>
    metric.kind === 'latency' && limit.kind === 'max_increase' ? [metric.quantile] : [],
  )
  // Where the level of one arm jumps by itself, so does what lies below.
  if (scenario.shocks?.latencyLog !== undefined) return { limitsMs, detailFromMs: 0 }
  const shapes = scenario.cohorts.flatMap(({ stable }) => stable.latency ?? [])
  const edges = quantiles.flatMap((quantile) =>
    shapes.map((shape) =>
      shapedQuantile(shape, Math.max(quantile / 2, 1 - DETAIL * (1 - quantile))),
    ),
  )
  return { limitsMs, detailFromMs: Math.min(Number.POSITIVE_INFINITY, ...edges) }
}

/** Cells in ascending order: a bin, cut in two where an absolute limit lies inside of it. */
export interface LatencyCells {
  readonly bins: Int32Array
  /** Per cell: the number of limits its latencies are above. */
  readonly above: Uint8Array
  /** Per cell: its share of the latencies that are in no cell before it. */
  readonly shares: Float64Array
  /** The first cells, each of many bins. */
  readonly wide: number
  /** Of the cells after those. */
  readonly table: AliasTable
}

const NEGLIGIBLE = 1e-13
const LAST_MS: Readonly<Record<LatencyShape['family'], number>> = {
  lognormal: 1e5,
  heavy: upperEdge(2599),
}
const cached = new Map<string, LatencyCells>()

/** Bin probabilities of a shape, as much of them as is needed. */
export function latencyCells(shape: LatencyShape, needs: LatencyNeeds): LatencyCells {
  const key = JSON.stringify([shape, needs.limitsMs, String(needs.detailFromMs)])
  const known = cached.get(key)
  if (known !== undefined) return known
  const made = cellsOf(shape, needs)
  cached.set(key, made)
  return made
}

function cellsOf(shape: LatencyShape, { limitsMs, detailFromMs }: LatencyNeeds): LatencyCells {
  const bins: number[] = []
  const above: number[] = []
  const weights: number[] = []
  const add = (bin: number, from: number, to: number): void => {
    for (const [low, high] of partsOf(from, to, limitsMs)) {
      const weight = shapedCdf(shape, high) - shapedCdf(shape, low)
      if (weight < NEGLIGIBLE) continue
      bins.push(bin)
      weights.push(weight)
      above.push(limitsMs.filter((limit) => limit <= low).length)
    }
  }
  const last = binOf(LAST_MS[shape.family])
  const first = Math.min(last, binOf(Math.max(0.1, detailFromMs)))
  add(first - 1, 0, upperEdge(first - 1))
  const wide = bins.length
  for (let bin = first; bin <= last; bin++) add(bin, upperEdge(bin - 1), upperEdge(bin))
  return {
    bins: Int32Array.from(bins),
    above: Uint8Array.from(above),
    shares: remainingShares(weights),
    wide,
    table: aliasTable(weights.slice(wide)),
  }
}

/** An interval, cut at the limits inside of it. */
function partsOf(from: number, to: number, limitsMs: readonly number[]): [number, number][] {
  const cuts = [from, ...limitsMs.filter((limit) => limit > from && limit < to), to]
  return cuts.slice(1).map((cut, i) => [cuts[i]!, cut])
}

function remainingShares(weights: readonly number[]): Float64Array {
  const shares = new Float64Array(weights.length)
  let rest = 0
  for (let i = weights.length - 1; i >= 0; i--) {
    rest += weights[i]!
    shares[i] = weights[i]! / rest
  }
  return shares
}

/** A histogram as a block carries it. */
export interface LatencyDraw {
  readonly bins: readonly number[]
  readonly counts: readonly number[]
  readonly overLimit: readonly number[]
}

/** From so many latencies a cell on, drawing counts is cheaper than drawing latencies. */
const PER_CELL = 8
const scratch = new Uint32Array(4096)

/** `n` latencies; every bin moved by `binShift`. */
export function drawLatencies(
  random: Random,
  cells: LatencyCells,
  limits: number,
  n: number,
  binShift: number,
): LatencyDraw {
  if (binShift !== 0 && limits > 0) throw new Error('no exact limits at a moving level')
  const { bins: cellBins, above } = cells
  drawCounts(random, cells, n)
  const overLimit: number[] = []
  for (let limit = 0; limit < limits; limit++) overLimit.push(0)
  const bins: number[] = []
  const counts: number[] = []
  let lastBin = Number.NaN
  for (let cell = 0; cell < cellBins.length; cell++) {
    const count = scratch[cell]!
    if (count === 0) continue
    scratch[cell] = 0
    const bin = cellBins[cell]! + binShift
    if (bin === lastBin) counts[counts.length - 1]! += count
    else {
      bins.push(bin)
      counts.push(count)
      lastBin = bin
    }
    for (let limit = 0; limit < above[cell]!; limit++) overLimit[limit]! += count
  }
  return { bins, counts, overLimit }
}

/** Multinomial counts into `scratch`: many by one binomial a cell, few one by one. */
function drawCounts(random: Random, { bins, shares, wide, table }: LatencyCells, n: number): void {
  const size = bins.length
  let left = n
  for (let cell = 0; cell < size && left > 0; cell++) {
    if (cell === wide && left <= PER_CELL * (size - wide)) break
    const count = cell === size - 1 ? left : binomial(random, left, shares[cell]!)
    scratch[cell] = count
    left -= count
  }
  for (; left > 0; left--) scratch[wide + drawIndex(random, table)]!++
}

/** One latency: the cell it falls into. */
export function drawCell(random: Random, { shares, wide, table }: LatencyCells): number {
  for (let cell = 0; cell < wide; cell++) {
    if (table.size === 0 && cell === wide - 1) return cell
    if (random.next() < shares[cell]!) return cell
  }
  return wide + drawIndex(random, table)
}
