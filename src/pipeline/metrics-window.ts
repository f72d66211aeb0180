import type { MetricsFile } from '../contract/metrics-file.ts'
import type { MetricsRow } from '../contract/metrics-row.ts'
import type { Arm, CellMetrics } from '../domain/block.ts'
import { EMPTY_MOMENTS } from '../domain/block.ts'
import { UNBOUNDED_BIN } from '../domain/histogram.ts'
import { kpisOf, latencyLimitsOf, type ReleaseSpec } from '../domain/release.ts'
import { edgeScale } from '../judge/latency-scale.ts'
import type { WindowMetrics } from '../judge/one-window.ts'
import type { PointCell } from '../judge/points.ts'

type Histogram = Extract<MetricsRow['latency'], { kind: 'histogram' }>

/** The numbers of a metrics file as the judge reads them. */
export function windowOf(
  file: MetricsFile,
  spec: ReleaseSpec,
  trustPoints: boolean,
): WindowMetrics {
  const edgesMs = commonEdges([...file.stable, ...file.canary])
  const arms: readonly (readonly [Arm, readonly MetricsRow[]])[] = [
    ['stable', file.stable],
    ['canary', file.canary],
  ]
  const cells = arms.flatMap(([arm, rows]) =>
    rows.map((row) => ({ arm, cohort: row.cohort, metrics: metricsOf(row, spec, edgesMs) })),
  )
  const { startMs, endMs } = file.window
  return {
    block: {
      ...{ startMs, endMs, cells, duplicates: 0, late: 0, lateCanary: 0 },
      events: cells.reduce((sum, { metrics }) => sum + metrics.requests, 0),
    },
    scale: edgeScale(edgesMs),
    points: arms.flatMap(([arm, rows]) => rows.map((row) => pointsOf(arm, row, spec))),
    sizesKnown: file.canary.some(({ requests }) => requests !== null),
    trustPoints,
  }
}

/** Edges that every histogram has: only at these can all of them be added up and compared. */
export function commonEdges(rows: readonly MetricsRow[]): number[] {
  const histograms = rows.flatMap(({ latency }) => (latency?.kind === 'histogram' ? latency : []))
  const [first, ...others] = histograms.map(({ edgesMs }) => edgesMs)
  const sets = others.map((edgesMs) => new Set(edgesMs))
  return (first ?? []).filter((edge) => sets.every((set) => set.has(edge)))
}

function metricsOf(row: MetricsRow, spec: ReleaseSpec, edgesMs: readonly number[]): CellMetrics {
  const histogram = row.latency?.kind === 'histogram' ? row.latency : null
  const limits = latencyLimitsOf(spec)
  const kpis = kpisOf(spec).map(({ key }) => row.kpis.get(key) ?? EMPTY_MOMENTS)
  const requests = row.requests ?? 0
  return {
    requests,
    outcomes: row.errors === null ? 0 : requests,
    errors: row.errors ?? 0,
    latencies: histogram?.total ?? 0,
    overLimit: limits.map((limit) => (histogram === null ? 0 : aboveAtLeast(histogram, limit))),
    overEdgeBelow: limits.map((limit) => (histogram === null ? 0 : aboveAtMost(histogram, limit))),
    ...binned(histogram, edgesMs),
    quality: row.quality ?? EMPTY_MOMENTS,
    kpis,
  }
}

/** Latencies that are above the limit for sure: above the next edge at or above it. */
function aboveAtLeast({ edgesMs, atMost, total }: Histogram, limitMs: number): number {
  const index = edgesMs.findIndex((edge) => edge >= limitMs)
  return index < 0 ? 0 : total - (atMost[index] ?? 0)
}

/** Latencies that may be above the limit: above the next edge at or below it. */
function aboveAtMost({ edgesMs, atMost, total }: Histogram, limitMs: number): number {
  const index = edgesMs.findLastIndex((edge) => edge <= limitMs)
  return index < 0 ? total : total - (atMost[index] ?? 0)
}

/** Counts per bin of the common edges; bins that hold nothing are left out. */
function binned(
  histogram: Histogram | null,
  edgesMs: readonly number[],
): Pick<CellMetrics, 'bins' | 'counts'> {
  if (histogram === null) return { bins: [], counts: [] }
  const atMost = new Map(histogram.edgesMs.map((edge, i) => [edge, histogram.atMost[i] ?? 0]))
  const cumulative = [...edgesMs.map((edge) => atMost.get(edge) ?? 0), histogram.total]
  const bins: number[] = []
  const counts: number[] = []
  for (const [index, count] of cumulative.entries()) {
    const inside = count - (cumulative[index - 1] ?? 0)
    if (inside === 0) continue
    bins.push(index < edgesMs.length ? index : UNBOUNDED_BIN)
    counts.push(inside)
  }
  return { bins, counts }
}

/** Every value of the release's metrics that the row gives, as itself or in its counts. */
function pointsOf(arm: Arm, row: MetricsRow, spec: ReleaseSpec): PointCell {
  const values = new Map<string, { value: number; n: number }>()
  const { errorRate, errors, requests, latency } = row
  if (errorRate !== null) values.set('error_rate', { value: errorRate, n: 0 })
  if (errors !== null && requests !== null && requests > 0) {
    values.set('error_rate', { value: errors / requests, n: requests })
  }
  for (const { metric } of spec.guardrails) {
    if (metric.kind !== 'latency') continue
    const point =
      latency?.kind === 'points'
        ? { value: latency.quantilesMs[metric.name], n: 0 }
        : latency?.kind === 'histogram'
          ? { value: quantileOf(latency, metric.quantile), n: latency.total }
          : undefined
    if (point?.value !== undefined) values.set(metric.name, { value: point.value, n: point.n })
  }
  return { arm, cohort: row.cohort, values }
}

/** A quantile of a histogram, values taken to be spread evenly between its edges. */
function quantileOf({ edgesMs, atMost, total }: Histogram, quantile: number): number | undefined {
  if (total === 0) return undefined
  const needed = quantile * total
  const bin = atMost.findIndex((count) => count >= needed)
  const below = atMost[bin - 1] ?? 0
  const inside = (atMost[bin] ?? 0) - below
  const value = edgeScale(edgesMs).valueIn(
    bin < 0 ? UNBOUNDED_BIN : bin,
    inside > 0 ? (needed - below) / inside : 1,
  )
  return value ?? undefined
}
