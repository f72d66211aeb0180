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
  return quantileOf((x) => latencyCdf(family, x), quantile)
}

/** A quantile of a changed latency, in ms. */
export function shapedQuantile(shape: LatencyShape, quantile: number): number {
  return quantileOf((x) => shapedCdf(shape, x), quantile)
}

function quantileOf(cdf: (x: number) => number, quantile: number): number {
  let [low, high] = [1e-3, 1e6]
  for (let i = 0; i < 100; i++) {
    const middle = Math.sqrt(low * high)
    if (cdf(middle) < quantile) low = middle
    else high = middle
  }
  return Math.sqrt(low * high)
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
