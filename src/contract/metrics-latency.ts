import type { QuantileName } from '../domain/release.ts'
import { amountFrom, readCount } from './metrics-number.ts'
import { didYouMean } from './near-miss.ts'
import { printable } from './rejection-text.ts'
import { describeNode, type ProblemLog, pathOf, readMap } from './source-reader.ts'
import type { Place, SourceEntry, SourceNode } from './yaml-source.ts'

const POINTS = ['p50', 'p90', 'p95', 'p99'] as const
const LARGEST_MS = 86_400_000
const NO_LIMIT = '+Inf'
const EDGE = /^(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d+)?$/
const EDGE_WORDS = `a latency in milliseconds such as "120", above 0 and up to ${LARGEST_MS}, or "${NO_LIMIT}"`

/** Latencies of one version in one cohort: a cumulative histogram, or quantiles without counts. */
export type WindowLatency =
  | {
      readonly kind: 'histogram'
      /** Finite edges in ms, ascending. */
      readonly edgesMs: readonly number[]
      /** `atMost[i]`: latencies of at most `edgesMs[i]`. */
      readonly atMost: readonly number[]
      readonly total: number
      readonly totalPlace: Place
    }
  | {
      readonly kind: 'points'
      readonly quantilesMs: Readonly<Partial<Record<QuantileName, number>>>
    }

export function readLatencies(
  node: SourceNode,
  field: string,
  log: ProblemLog,
): WindowLatency | undefined {
  const map = readMap(node, field, ['le', ...POINTS], log)
  if (map === undefined) return undefined
  const points = POINTS.filter((point) => map.has(point))
  if (map.has('le')) {
    const [first] = points
    if (first === undefined) return map.optional('le', undefined, readHistogram)
    const message = `stands beside le, which tells more; leave ${points.join(', ')} out`
    return log.add(map.placeOf(first), pathOf(field, first), message)
  }
  if (points.length === 0) {
    // An unknown key was reported already.
    const message = `has neither le nor one of ${POINTS.join(', ')}; write for example {"le": {"100": 25800, "120": 26300, "+Inf": 26880}}`
    const known = node.kind === 'map' && node.entries.length > 0
    return known ? undefined : log.add(map.place, field, message)
  }
  const quantilesMs: Partial<Record<QuantileName, number>> = {}
  for (const point of points) {
    const value = map.optional(point, undefined, amountFrom(0, LARGEST_MS, ', in milliseconds'))
    if (value === undefined) continue
    quantilesMs[`latency_${point}`] = value
  }
  let before: { point: string; value: number } | null = null
  for (const point of points) {
    const value = quantilesMs[`latency_${point}`]
    if (value === undefined) return undefined
    if (before !== null && value < before.value) {
      const message = `is ${value}, below ${before.point} (${before.value})`
      return log.add(map.placeOf(point), pathOf(field, point), message)
    }
    before = { point, value }
  }
  return { kind: 'points', quantilesMs }
}

interface Bucket {
  readonly edgeMs: number
  readonly count: number
  readonly entry: SourceEntry
}

/** Buckets in the order of their edges: the keys of a JSON object have none. */
function readHistogram(
  node: SourceNode,
  field: string,
  log: ProblemLog,
): WindowLatency | undefined {
  if (node.kind !== 'map') {
    const message = `is ${describeNode(node)}; expected a map from ${EDGE_WORDS} to a count`
    return log.add(node.place, field, message)
  }
  const buckets = node.entries.map((entry) => readBucket(entry, field, log))
  const known = buckets.filter((bucket) => bucket !== undefined)
  if (known.length < buckets.length) return undefined
  known.sort((a, b) => a.edgeMs - b.edgeMs)
  const last = known.at(-1)
  if (last === undefined || last.edgeMs !== Number.POSITIVE_INFINITY) {
    const message = `is missing; write "${NO_LIMIT}": the number of all requests that have a latency`
    return log.add(node.place, pathOf(field, NO_LIMIT), message)
  }
  if (!isCumulative(known, field, log)) return undefined
  const finite = known.slice(0, -1)
  return {
    kind: 'histogram',
    edgesMs: finite.map(({ edgeMs }) => edgeMs),
    atMost: finite.map(({ count }) => count),
    total: last.count,
    totalPlace: last.entry.value.place,
  }
}

function readBucket(entry: SourceEntry, field: string, log: ProblemLog): Bucket | undefined {
  const { key, keyPlace, value } = entry
  const path = pathOf(field, printable(key))
  const edgeMs =
    key === NO_LIMIT ? Number.POSITIVE_INFINITY : EDGE.test(key) ? Number(key) : Number.NaN
  const allowed = key === NO_LIMIT || (edgeMs > 0 && edgeMs <= LARGEST_MS)
  if (!allowed) {
    const hint = /inf/i.test(key) ? didYouMean('+inf', [NO_LIMIT]) : ''
    return log.add(keyPlace, path, `is no edge${hint || ';'} expected ${EDGE_WORDS}`)
  }
  const count = readCount(value, path, log)
  return count === undefined ? undefined : { edgeMs, count, entry }
}

/** Reports edges written twice and counts that fall. */
function isCumulative(buckets: readonly Bucket[], field: string, log: ProblemLog): boolean {
  let good = true
  for (const [index, bucket] of buckets.entries()) {
    const before = buckets[index - 1]
    if (before === undefined) continue
    const path = pathOf(field, printable(bucket.entry.key))
    if (before.edgeMs === bucket.edgeMs) {
      good = false
      const message = `is the same edge as "${printable(before.entry.key)}"; keep one`
      log.add(bucket.entry.keyPlace, path, message)
    } else if (before.count > bucket.count) {
      good = false
      const message = `is ${bucket.count}, less than the ${before.count} up to ${printable(before.entry.key)}; the counts are cumulative, each holds the ones before`
      log.add(bucket.entry.value.place, path, message)
    }
  }
  return good
}
