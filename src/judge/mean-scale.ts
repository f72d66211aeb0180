import type { CellMetrics } from '../domain/block.ts'
import { EMPTY_MOMENTS } from '../domain/block.ts'
import type { Metric } from '../domain/release.ts'
import type { UnitMoments } from './bounded-mean.ts'

/** A bounded metric seen as values in [0, 1]. */
export interface MeanScale {
  /** Width of the bounds in the metric's own unit. */
  readonly range: number
  toUnit(value: number): number
  fromUnit(value: number): number
  momentsOf(metrics: CellMetrics): UnitMoments
}

/**
 * Sums of values x become sums of (x − low)/(high − low). The lower bound is the constant that is
 * taken off before anything is squared further, so variances do not cancel.
 */
export function meanScaleOf(
  metric: Extract<Metric, { kind: 'quality' | 'kpi' }>,
  kpiIndex: number,
): MeanScale {
  const [low, high] = metric.kind === 'kpi' ? metric.bounds : [0, 1]
  const range = high - low
  return {
    range,
    toUnit: (value) => (value - low) / range,
    fromUnit: (value) => low + value * range,
    momentsOf(metrics) {
      const raw =
        metric.kind === 'kpi' ? (metrics.kpis[kpiIndex] ?? EMPTY_MOMENTS) : metrics.quality
      const { n, sum, sumSquares } = raw
      return {
        n,
        sum: (sum - n * low) / range,
        sumSquares: (sumSquares - 2 * low * sum + n * low * low) / (range * range),
      }
    },
  }
}
