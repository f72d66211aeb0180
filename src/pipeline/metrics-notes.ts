import type { MetricsFile } from '../contract/metrics-file.ts'
import type { MetricsRow } from '../contract/metrics-row.ts'
import { type Guardrail, latencyLimitsOf, type ReleaseSpec } from '../domain/release.ts'
import { ENOUGH_BASELINE } from '../judge/baseline.ts'
import { commonEdges } from './metrics-window.ts'

/** Edges that are all this much below a limit are more likely in seconds. */
const SECONDS_SUSPECTED = 10
const NAMED = 5

/** What people should know of how their numbers are read: nothing of it is wrong. */
export function notesOn(file: MetricsFile, spec: ReleaseSpec): string[] {
  const rows = [...file.stable, ...file.canary]
  return [
    ...otherVersions(file),
    ...unknownWords(rows),
    ...edgeNotes(rows, spec),
    ...baselineNotes(file, spec),
    ...pointNotes(rows),
  ]
}

function otherVersions({ otherVersions: others }: MetricsFile): string[] {
  if (others.length === 0) return []
  return [`rows of other versions are left out: ${some(others)}`]
}

function unknownWords(rows: readonly MetricsRow[]): string[] {
  const words = [...new Set(rows.flatMap(({ replaced }) => replaced))]
  if (words.length === 0) return []
  return [`unknown locales count as und, unknown devices as other: ${some(words)}`]
}

function edgeNotes(rows: readonly MetricsRow[], spec: ReleaseSpec): string[] {
  const histograms = rows.some(({ latency }) => latency?.kind === 'histogram')
  if (!histograms) return []
  const edgesMs = commonEdges(rows)
  if (edgesMs.length === 0) {
    return ['the latency histograms have no edge in common, so that they cannot be compared']
  }
  const notes = latencyLimitsOf(spec).flatMap((limit) => {
    const last = edgesMs.at(-1) ?? 0
    if (last * SECONDS_SUSPECTED < limit) {
      return `the largest edge of latency_ms.le is ${last}: are these seconds? edges are in milliseconds`
    }
    const below = edgesMs.findLast((edge) => edge <= limit)
    const above = edgesMs.find((edge) => edge >= limit)
    if (below === limit) return []
    return `no edge at the limit ${limit}ms: above ${above ?? 'every edge'} is a breach, up to ${below ?? 'no edge'} is a pass; an edge at ${limit} tells sooner`
  })
  return [...new Set([...notes, ...relativeEdgeNotes(edgesMs, rows, spec)])]
}

/** Where the canary is counted for a relative limit, when that is not where the limit is. */
function relativeEdgeNotes(
  edgesMs: readonly number[],
  rows: readonly MetricsRow[],
  spec: ReleaseSpec,
): string[] {
  const total = quantileEdges(rows.filter(({ version }) => version === spec.stable))
  return spec.guardrails.flatMap(({ metric, limit, written }) => {
    if (metric.kind !== 'latency' || limit.kind !== 'max_increase') return []
    const from = edgesMs.find((edge) => total.atMost(edge) >= metric.quantile * total.count)
    if (from === undefined || total.count < ENOUGH_BASELINE) return []
    const limitMs = Number(((1 + limit.value) * from).toPrecision(6))
    const below = edgesMs.findLast((edge) => edge <= limitMs)
    const above = edgesMs.find((edge) => edge >= limitMs)
    if (below === limitMs) return []
    return [
      `${metric.name} ${written}: ${spec.stable} is counted above ${from}ms, ${spec.canary} above ${above === undefined ? 'every edge' : `${above}ms`} for a breach and above ${below}ms for a pass; an edge at ${limitMs} tells sooner`,
    ]
  })
}

/** Latencies of all rows up to an edge that each of them has. */
function quantileEdges(rows: readonly MetricsRow[]) {
  const histograms = rows.flatMap(({ latency }) => (latency?.kind === 'histogram' ? latency : []))
  return {
    count: histograms.reduce((sum, { total }) => sum + total, 0),
    atMost: (edgeMs: number) =>
      histograms.reduce(
        (sum, { edgesMs, atMost }) => sum + (atMost[edgesMs.indexOf(edgeMs)] ?? 0),
        0,
      ),
  }
}

function baselineNotes({ stable }: MetricsFile, spec: ReleaseSpec): string[] {
  const needed = spec.guardrails.some(
    ({ metric, limit }: Guardrail) => metric.kind === 'latency' && limit.kind === 'max_increase',
  )
  const known = stable.reduce(
    (sum, { latency }) => sum + (latency?.kind === 'histogram' ? latency.total : 0),
    0,
  )
  if (!needed || known === 0 || known >= ENOUGH_BASELINE) return []
  return [
    `${spec.stable} has ${known} latencies; a relative latency limit needs ${ENOUGH_BASELINE} of them`,
  ]
}

function pointNotes(rows: readonly MetricsRow[]): string[] {
  const points = rows.some(
    ({ errorRate, latency }) => errorRate !== null || latency?.kind === 'points',
  )
  if (!points) return []
  return [
    'values without counts are compared as they are: nothing is known of their uncertainty, so that alone they only hold (--trust-points lets them decide)',
  ]
}

function some(words: readonly string[]): string {
  const more = words.length - NAMED
  const named = words.slice(0, NAMED).join(', ')
  return more > 0 ? `${named} and ${more} more` : named
}
