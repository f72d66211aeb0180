import type { CellMetrics, ClosedBlock } from '../domain/block.ts'
import type { CohortRef } from '../domain/cohort.ts'
import type { Guardrail, ReleaseSpec } from '../domain/release.ts'
import { kpisOf } from '../domain/release.ts'
import type { TrafficReading } from '../domain/verdict.ts'
import type { Stratum } from './guardrail-test.ts'
import { type Balance, createRateBalance, type RateBalance } from './rate-balance.ts'
import { createTrafficSplit, type SplitRule } from './traffic-split.ts'
import type { UserClusters } from './user-clusters.ts'

/** Alarms hold, and stop nothing that is right: one of so many sound releases may have one. */
const RELEASES_AN_ALARM = 1000
/** Sample ratio, parity, late events; scores are one more for each metric. */
const OTHER_CHECKS = 3

/** Differences of shares that bias nothing a limit could be about are not called differences. */
const SMALLEST_DIFFERENCE = 0.001

/**
 * What would make comparisons of the present step doubtful, whatever they say: requests on the wrong
 * side, events that come late for one version, scores that one version carries more often, logs that
 * hold another part of one version's requests. Each is valid at every look, starts afresh with each
 * step, is not latched, and only ever holds (design §11, T5). One in a thousand is for all of them in
 * all steps of the plan together: each has an equal part of it.
 */
export interface TrafficChecks {
  startStep(plannedShare: number): void
  /** `splitCounts`: the step's weights are in force since before the block. */
  fold(block: ClosedBlock, strata: readonly Stratum[], splitCounts: boolean): void
  read(clusters: UserClusters): TrafficReading
}

interface Labels {
  readonly guardrail: number
  readonly metric: string
  readonly balance: RateBalance
  labelled(metrics: CellMetrics): number
}

/** `rule`: what each block's split is compared with. Statistics §3, T5, with design §11. */
export function createTrafficChecks(spec: ReleaseSpec, rule: SplitRule): TrafficChecks {
  const late = createRateBalance()
  const labels = labelsOf(spec)
  const asked = spec.plan.length * (OTHER_CHECKS + labels.length)
  const logAlarm = Math.log(RELEASES_AN_ALARM * asked)
  const differs = ({ stable, canary, logE }: Balance): boolean => {
    if (stable === null || canary === null) return false
    return logE >= logAlarm && Math.abs(canary - stable) > SMALLEST_DIFFERENCE
  }
  const split = createTrafficSplit(rule, logAlarm)
  /** By cohort, of its newest block with requests to both versions. */
  const sampledApart = new Map<number, CohortRef>()

  return {
    startStep(plannedShare) {
      split.startStep(plannedShare)
      late.reset()
      for (const { balance } of labels) balance.reset()
      sampledApart.clear()
    },
    fold(block, strata, splitCounts) {
      if (rule === 'none') return
      const alike = strata.filter((stratum) => {
        const { cell, canary, stable } = stratum
        if (canary.requests === 0 || stable.requests === 0) return true
        if (sameRates(stable.sampleRates, canary.sampleRates)) {
          sampledApart.delete(cell.index)
          return true
        }
        sampledApart.set(cell.index, cell.cohort)
        return false
      })
      if (splitCounts) split.fold(alike)
      late.add(lateCounts(block, strata))
      for (const { balance, labelled } of labels) {
        for (const { canary, stable } of alike) {
          balance.add(answered(canary, stable, labelled))
        }
      }
    },
    read(clusters) {
      const lateShares = late.read(1)
      return {
        split: split.read(rule === 'none' ? null : clusters.assignmentDesignEffect()),
        late: { ...lateShares, differs: differs(lateShares) },
        labels: labels.map(({ guardrail, metric, balance }) => {
          const shares = balance.read(clusters.labelDesignEffect(guardrail))
          return { metric, ...shares, differs: differs(shares) }
        }),
        sampledApart: [...sampledApart].sort(([a], [b]) => a - b).map(([, cohort]) => cohort),
        sessionsSeen: clusters.sessionsSeen,
      }
    },
  }
}

/** Metrics of guardrails that decide and that not every request carries, each once. */
function labelsOf(spec: ReleaseSpec): Labels[] {
  const kpis = kpisOf(spec)
  const known = new Set<string>()
  return spec.guardrails.flatMap(({ metric, dryRun }: Guardrail, guardrail): Labels[] => {
    if (dryRun || known.has(metric.name)) return []
    if (metric.kind !== 'quality' && metric.kind !== 'kpi') return []
    known.add(metric.name)
    const at = metric.kind === 'kpi' ? kpis.findIndex(({ key }) => key === metric.key) : -1
    const labelled = ({ quality, kpis: of }: CellMetrics): number =>
      at < 0 ? quality.n : (of[at]?.n ?? 0)
    return [{ guardrail, metric: metric.name, balance: createRateBalance(), labelled }]
  })
}

/**
 * Of the requests that were answered: a failed one has nothing to score, and how many fail is another
 * guardrail's question. More scores than answers: failed requests are scored, too, and count.
 */
function answered(
  canary: CellMetrics,
  stable: CellMetrics,
  labelled: (metrics: CellMetrics) => number,
) {
  const arm = (metrics: CellMetrics) => {
    const bad = labelled(metrics)
    return { n: Math.max(bad, metrics.requests - metrics.errors), bad }
  }
  const [c, b] = [arm(canary), arm(stable)]
  return { canary: c.n, stable: b.n, canaryBad: c.bad, stableBad: b.bad }
}

/** The canary's events against all others of the route; late ones are not among the cells' requests. */
function lateCounts(block: ClosedBlock, strata: readonly Stratum[]) {
  let inTime = 0
  for (const { canary } of strata) inTime += canary.requests + (canary.cancelled ?? 0)
  const canary = inTime + block.lateCanary
  return {
    canary,
    stable: Math.max(block.late - block.lateCanary, block.events - block.duplicates - canary),
    canaryBad: block.lateCanary,
    stableBad: block.late - block.lateCanary,
  }
}

type Rates = CellMetrics['sampleRates']

function sameRates(a: Rates, b: Rates): boolean {
  return (a?.[0] ?? 1) === (b?.[0] ?? 1) && (a?.[1] ?? 1) === (b?.[1] ?? 1)
}
