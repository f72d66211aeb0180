import type { Cohort } from '../domain/cohort.ts'

/** Of a value between 0 and 1, or in the unit of a KPI. */
export interface Spread {
  readonly mean: number
  readonly variance: number
}

/** What is known, or assumed, of one cohort's baseline before a release. */
export interface BaselineFacts {
  readonly cohort: Cohort
  /** Requests in the window the facts come from; only their proportions count. */
  readonly requests: number
  readonly errorRate: number | null
  /** Share of latencies above a value in ms; null when latencies are unknown. */
  latencyAbove(ms: number): number | null
  readonly quality: Spread | null
  /** By name inside the event's `kpi` map. */
  kpi(key: string): Spread | null
}

const SEARCH_FROM_MS = 1e-3
const SEARCH_TO_MS = 1e7

/** Several cohorts seen as one, weighted by requests; variances are those within cohorts. */
export function combineFacts(parts: readonly BaselineFacts[]): Omit<BaselineFacts, 'cohort'> {
  const requests = parts.reduce((sum, part) => sum + part.requests, 0)
  const average = (read: (part: BaselineFacts) => number | null): number | null => {
    let sum = 0
    let weight = 0
    for (const part of parts) {
      const value = read(part)
      if (value === null) continue
      sum += part.requests * value
      weight += part.requests
    }
    return weight === 0 ? null : sum / weight
  }
  const spread = (spreadOf: (part: BaselineFacts) => Spread | null): Spread | null => {
    const mean = average((part) => spreadOf(part)?.mean ?? null)
    const variance = average((part) => spreadOf(part)?.variance ?? null)
    return mean === null || variance === null ? null : { mean, variance }
  }
  return {
    requests,
    errorRate: average((part) => part.errorRate),
    latencyAbove: (ms) => average((part) => part.latencyAbove(ms)),
    quality: spread((part) => part.quality),
    kpi: (key) => spread((part) => part.kpi(key)),
  }
}

/** The value in ms that a share 1 − quantile of the latencies exceeds; null when unknown. */
export function latencyQuantile(
  facts: Pick<BaselineFacts, 'latencyAbove'>,
  quantile: number,
): number | null {
  if (facts.latencyAbove(0) === null) return null
  let low = Math.log(SEARCH_FROM_MS)
  let high = Math.log(SEARCH_TO_MS)
  for (let i = 0; i < 80; i++) {
    const middle = 0.5 * (low + high)
    if ((facts.latencyAbove(Math.exp(middle)) as number) > 1 - quantile) low = middle
    else high = middle
  }
  return Math.exp(high)
}
