import type { Guardrail, Metric } from '../domain/release.ts'
import type { BaselineFacts, Spread } from './baseline-facts.ts'
import { latencyQuantile } from './baseline-facts.ts'
import { betScale } from './bounded-mean.ts'
import { errorMargin } from './error-margin.ts'
import { BET_GRID } from './grid.ts'
import { conditionalGrowth, differenceGrowth, oneArmGrowth } from './growth.ts'

type Facts = Omit<BaselineFacts, 'cohort'>

/** Unit of a regression: canary latencies × (1 + value), a rate, or a shift of the mean. */
export type EffectKind = 'latency' | 'rate' | 'mean'

/** How fast evidence grows in one guardrail × unit, at a canary share, in nats per request of both arms. */
export interface GuardrailGrowth {
  readonly effect: EffectKind
  /** Largest regression worth looking for, in the unit of `effect`. */
  readonly largest: number
  /** Evidence for a rollback under a regression of this size; 0 inside the limit. */
  breach(share: number, regression: number): number
  /** Evidence for a pass when the canary is like the baseline; 0 when it would never pass. */
  pass(share: number): number
  /** Requests of both arms before a pass can be known at all. */
  fewest(share: number): number
  /** Whether a pass also waits for thirty blocks. */
  readonly paired: boolean
}

const LARGEST_ODDS = 3
const RATE_FLOOR = 1e-4
const NO_GATE = { fewest: () => 0, paired: false } as const

/** Null when the facts that the guardrail is about are not known. */
export function growthOfGuardrail(guardrail: Guardrail, facts: Facts): GuardrailGrowth | null {
  const { metric } = guardrail
  switch (metric.kind) {
    case 'latency':
      return guardrail.limit.kind === 'max'
        ? absoluteLatency(metric.quantile, guardrail.limit.value, facts)
        : relativeLatency(metric.quantile, guardrail.limit.value, facts)
    case 'error_rate':
      return facts.errorRate === null ? null : errors(guardrail, facts.errorRate)
    case 'quality':
    case 'kpi':
      return means(guardrail, metric, facts)
  }
}

function absoluteLatency(quantile: number, limit: number, facts: Facts): GuardrailGrowth | null {
  const p0 = 1 - quantile
  const now = facts.latencyAbove(limit)
  if (now === null) return null
  return {
    effect: 'latency',
    largest: 9,
    breach(share, slower) {
      const p = facts.latencyAbove(limit / (1 + slower)) as number
      return p > p0 ? oneArmGrowth(share, p, p0) : 0
    },
    pass: (share) => (now < p0 ? oneArmGrowth(share, now, p0) : 0),
    ...NO_GATE,
  }
}

function relativeLatency(quantile: number, increase: number, facts: Facts): GuardrailGrowth | null {
  const x0 = latencyQuantile(facts, quantile)
  if (x0 === null) return null
  const limit = (1 + increase) * x0
  const stable = facts.latencyAbove(x0) as number
  const inside = facts.latencyAbove(limit) as number
  return {
    effect: 'latency',
    largest: 9,
    breach: (share, slower) =>
      conditionalGrowth(share, facts.latencyAbove(limit / (1 + slower)) as number, stable, 1),
    pass(share) {
      const pooled = share * inside + (1 - share) * stable
      const variance = pooled * (1 - pooled)
      return inside < stable ? differenceGrowth(share, stable - inside, variance, variance) : 0
    },
    fewest: (share) => gateOf(share, 100, stable),
    paired: true,
  }
}

function errors({ limit }: Guardrail, rate: number): GuardrailGrowth {
  if (limit.kind === 'max') {
    return {
      effect: 'rate',
      largest: 1,
      breach: (share, p) => (p > limit.value ? oneArmGrowth(share, p, limit.value) : 0),
      pass: (share) => (rate < limit.value ? oneArmGrowth(share, rate, limit.value) : 0),
      ...NO_GATE,
    }
  }
  const relative = limit.kind === 'max_increase' && limit.relative
  const margin = errorMargin(limit.value, relative)
  const base = Math.max(RATE_FLOOR, rate)
  const odds = margin.odds(base)
  const allowed = margin.allowed(base)
  const shift = margin.difference(base)
  const oneArm = odds === null || odds > LARGEST_ODDS
  const paired = (share: number) => differenceGrowth(share, shift, base + shift, base)
  return {
    effect: 'rate',
    largest: 1,
    breach(share, p) {
      if (p <= allowed) return 0
      if (oneArm) return oneArmGrowth(share, p, allowed)
      return conditionalGrowth(share, p, base, odds)
    },
    pass: (share) => (oneArm && !relative ? oneArmGrowth(share, base, allowed) : paired(share)),
    fewest: (share) => (oneArm && !relative ? 0 : gateOf(share, 100, base)),
    paired: !oneArm || relative,
  }
}

function means(
  { limit }: Guardrail,
  metric: Extract<Metric, { kind: 'quality' | 'kpi' }>,
  facts: Facts,
): GuardrailGrowth | null {
  const spread: Spread | null = metric.kind === 'kpi' ? facts.kpi(metric.key) : facts.quality
  if (spread === null) return null
  const [low, high] = metric.kind === 'kpi' ? metric.bounds : [0, 1]
  const { mean, variance } = spread
  const range = high - low
  if (limit.kind === 'min') {
    const unit = (value: number) => (value - low) / range
    const growth = (share: number, value: number, sign: 1 | -1) =>
      share *
      bestBet(
        sign * (unit(value) - unit(limit.value)),
        variance / range ** 2,
        unit(limit.value),
        sign,
      )
    return {
      effect: 'mean',
      largest: range,
      breach: (share, drop) => growth(share, mean - drop, -1),
      pass: (share) => growth(share, mean, 1),
      ...NO_GATE,
    }
  }
  return {
    effect: 'mean',
    largest: range,
    breach: (share, shift) =>
      shift > limit.value ? differenceGrowth(share, shift - limit.value, variance, variance) : 0,
    pass: (share) => differenceGrowth(share, limit.value, variance, variance),
    fewest: (share) => gateOf(share, metric.kind === 'kpi' ? 400 : 100, null),
    paired: true,
  }
}

/**
 * T4: nats per value of the best bet, for values in [0, 1] whose mean lies `distance` beyond the
 * limit on the side the test looks at (`meanLogs` in bounded-mean.ts).
 */
function bestBet(distance: number, variance: number, limit: number, sign: 1 | -1): number {
  if (distance <= 0) return 0
  const scale = betScale(limit, sign)
  const first = distance / scale
  const second = (variance + distance ** 2) / scale ** 2
  const { steps, penalties } = BET_GRID
  return Math.max(0, ...steps.map((bet, j) => bet * first - (penalties[j] as number) * second))
}

/** Requests of both arms until each has `perArm`, and both together 30 bad ones. */
function gateOf(share: number, perArm: number, badRate: number | null): number {
  const arms = perArm / Math.min(share, 1 - share)
  return badRate === null
    ? arms
    : Math.max(arms, badRate > 0 ? 30 / badRate : Number.POSITIVE_INFINITY)
}
