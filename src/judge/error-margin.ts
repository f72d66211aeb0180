/** What `error_rate: max_increase` allows, as each of the tests needs it. */
export interface ErrorMargin {
  readonly relative: boolean
  /** Largest allowed rate of the canary at a baseline rate. */
  allowed(rate: number): number
  /** The same as odds ratio; null where every rate is allowed. */
  odds(rate: number): number | null
  /** The same as difference of rates. */
  difference(rate: number): number
  /** Prior scale of T3: the margin itself, or the smallest increase worth acting on. */
  tau(rate: number): number
}

const DEFAULT_TAU = 0.002
const RATE_FLOOR = 1e-4

/** `value` is a difference of rates, or with `relative` a fraction of the baseline's rate. */
export function errorMargin(value: number, relative: boolean): ErrorMargin {
  const allowed = (rate: number) => (relative ? (1 + value) * rate : rate + value)
  const floored = (rate: number) => Math.max(RATE_FLOOR, rate)
  return {
    relative,
    allowed: (rate) => Math.min(1, allowed(rate)),
    odds(rate) {
      const from = floored(rate)
      const to = allowed(from)
      return to >= 1 || from >= 1 ? null : (to * (1 - from)) / (from * (1 - to))
    },
    difference: (rate) => (relative ? value * rate : value),
    tau: (rate) => (value > 0 ? (relative ? value * floored(rate) : value) : DEFAULT_TAU),
  }
}
