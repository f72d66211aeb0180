import { binOf, upperEdge } from '../../src/domain/histogram.ts'
import type { AliasTable } from './sampling.ts'
import { aliasTable } from './sampling.ts'

/** What happens to a latency: nothing, all of them × `by`, or only the tail above p80. */
export interface LatencyShape {
  /** `heavy`: 2 % are Pareto with exponent 1.5, infinite variance; both have p50 35, p95 110 ms. */
  readonly family: 'lognormal' | 'heavy'
  /** `tail`: quantiles above p80 stretched linearly so that p95 is × `by`, nothing below changes. */
  readonly change: 'scale' | 'tail'
  readonly by: number
}

export const LOGNORMAL: LatencyShape = { family: 'lognormal', change: 'scale', by: 1 }
export const HEAVY: LatencyShape = { family: 'heavy', change: 'scale', by: 1 }

/** Probability that an unchanged latency is at most x ms (statistics §10). */
export function latencyCdf(family: LatencyShape['family'], x: number): number {
  if (x <= 0) return 0
  if (family === 'lognormal') return normalCdf((Math.log(x) - Math.log(35)) / 0.6962)
  const pareto = x <= 60 ? 0 : 1 - (60 / x) ** 1.5
  return 0.98 * normalCdf((Math.log(x) - 3.5381) / 0.6762) + 0.02 * pareto
}

/** The same of a changed latency. */
export function shapedCdf(shape: LatencyShape, x: number): number {
  if (shape.change === 'scale') return latencyCdf(shape.family, x / shape.by)
  const p80 = latencyQuantile(shape.family, 0.8)
  const p95 = latencyQuantile(shape.family, 0.95)
  const stretch = (shape.by * p95 - p80) / (p95 - p80)
  return latencyCdf(shape.family, x <= p80 ? x : p80 + (x - p80) / stretch)
}

export function latencyQuantile(family: LatencyShape['family'], quantile: number): number {
  let [low, high] = [1e-3, 1e6]
  for (let i = 0; i < 100; i++) {
    const middle = Math.sqrt(low * high)
    if (latencyCdf(family, middle) < quantile) low = middle
    else high = middle
  }
  return Math.sqrt(low * high)
}

/** Cells in ascending order: a bin, cut in two where an absolute limit lies inside of it. */
export interface LatencyCells {
  readonly table: AliasTable
  readonly bins: Int32Array
  /** Per cell: the number of limits (ascending) its latencies are above. */
  readonly above: Uint8Array
}

const NEGLIGIBLE = 1e-13
const cached = new Map<string, LatencyCells>()

/** Bin probabilities of a shape, with exact counts above each of `limitsMs` (ascending). */
export function latencyCells(shape: LatencyShape, limitsMs: readonly number[]): LatencyCells {
  const key = JSON.stringify([shape, limitsMs])
  const known = cached.get(key)
  if (known !== undefined) return known
  const bins: number[] = []
  const above: number[] = []
  const weights: number[] = []
  const add = (bin: number, from: number, to: number): void => {
    const weight = shapedCdf(shape, to) - shapedCdf(shape, from)
    if (weight < NEGLIGIBLE) return
    bins.push(bin)
    weights.push(weight)
    above.push(limitsMs.filter((limit) => limit <= from).length)
  }
  const last = shape.family === 'heavy' ? 2600 : binOf(1e5)
  for (let bin = binOf(0.1); bin <= last; bin++) {
    const [low, high] = [upperEdge(bin - 1), upperEdge(bin)]
    const cuts = [low, ...limitsMs.filter((limit) => limit > low && limit < high), high]
    for (let i = 1; i < cuts.length; i++) add(bin, cuts[i - 1]!, cuts[i]!)
  }
  const cells = {
    table: aliasTable(weights),
    bins: Int32Array.from(bins),
    above: Uint8Array.from(above),
  }
  cached.set(key, cells)
  return cells
}

/** Φ, by its Taylor series near 0 and the continued fraction of Mills' ratio beyond. */
export function normalCdf(x: number): number {
  const z = Math.abs(x)
  const density = Math.exp(-0.5 * z * z) / Math.sqrt(2 * Math.PI)
  let upper: number
  if (z < 3) {
    let term = z
    let sum = z
    for (let k = 1; Math.abs(term) > 1e-17; k++) {
      term *= (z * z) / (2 * k + 1)
      sum += term
    }
    upper = 0.5 - density * sum
  } else {
    let tail = z
    for (let k = 60; k >= 1; k--) tail = z + k / tail
    upper = density / tail
  }
  return x > 0 ? 1 - upper : upper
}
