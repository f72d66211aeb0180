import type { Reference } from '../case.ts'
import type { ArmShape } from '../scenario.ts'
import { errors, reference } from './shapes.ts'

export const ERROR_0 = 'metric: error_rate, max_increase: 0%'
export const ERROR_20 = 'metric: error_rate, max_increase: 20%'
export const ERROR_PP = 'metric: error_rate, max_increase: 0.2pp'
export const P95_0 = 'metric: latency_p95, max_increase: 0%'
export const P95_10 = 'metric: latency_p95, max_increase: 10%'
export const QUALITY_0 = 'metric: quality, max_drop: 0'
export const QUALITY_1 = 'metric: quality, max_drop: 0.01'
export const P95_MAX = 'metric: latency_p95, max: 120ms'
export const ERROR_MAX = 'metric: error_rate, max: 0.8%'

/** An error rate far below the margin: its odds are no help. */
export const RARE = 0.00005
/** A KPI from 0 to 100. */
export const revenue = (mean: number): ArmShape => ({
  ...errors(0),
  kpi: { mean: mean / 100, sd: 0.15, range: 100 },
})

/** A published figure with its standard error: percent, or thousands of events. */
export type Published = readonly [value: number, se: number]

/** A published figure as a part of a question. */
export function published(value: Published | null | undefined): { reference?: Reference } {
  return value === null || value === undefined ? {} : { reference: reference(...value) }
}
