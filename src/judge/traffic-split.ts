import type { CellMetrics } from '../domain/block.ts'
import type { SplitReading } from '../domain/verdict.ts'
import { parityLogE } from './cohort-parity.ts'
import type { Cell } from './cohort-units.ts'
import type { Stratum } from './guardrail-test.ts'
import { boundedLog } from './log-space.ts'
import {
  addSplit,
  createSampleRatioSums,
  type SampleRatioSums,
  sampleRatioLogE,
} from './sample-ratio.ts'

/** Smallest distance between the arms' cohort mixes that is called broken. */
const SMALLEST_DISTANCE = 0.02

/**
 * `assigned`: a block is scored against the weight of its step, as a router that follows decisions
 * sends it. `observed`: the share of each block is taken as given, and only cohorts are compared with
 * it. `none`: nothing is said of the split.
 */
export type SplitRule = 'assigned' | 'observed' | 'none'

/** T5 on the requests of the present step: sample ratio, and parity of the cohorts. */
export interface TrafficSplit {
  /** Afresh, with the step's share of the canary. */
  startStep(plannedShare: number): void
  /** Strata whose arms are logged at the same rate. */
  fold(strata: readonly Stratum[]): void
  /**
   * `designEffect` ≥ 1 of "went to the canary": users that are sent together. Null: not known yet, so
   * nothing is said.
   */
  read(designEffect: number | null): SplitReading
}

const NOTHING_SAID: SplitReading = {
  ...{ planned: null, observed: null, requests: 0 },
  ...{ logESampleRatio: 0, sampleRatioBroken: false },
  ...{ logEParity: 0, distance: 0, parityBroken: false, cohort: null },
}

interface CellSplit {
  readonly sums: SampleRatioSums
  stable: number
  canary: number
}

/** `logAlarm`: evidence that is an alarm. */
export function createTrafficSplit(rule: SplitRule, logAlarm: number): TrafficSplit {
  let planned = 0
  let overall = createSampleRatioSums()
  let cells = new Map<Cell, CellSplit>()

  const cellOf = (cell: Cell): CellSplit => {
    let known = cells.get(cell)
    if (known === undefined) {
      known = { sums: createSampleRatioSums(), stable: 0, canary: 0 }
      cells.set(cell, known)
    }
    return known
  }

  return {
    startStep(plannedShare) {
      planned = plannedShare
      overall = createSampleRatioSums()
      cells = new Map()
    },
    fold(strata) {
      let all = 0
      let toCanary = 0
      for (const { stable, canary } of strata) {
        all += assigned(stable) + assigned(canary)
        toCanary += assigned(canary)
      }
      if (all === 0) return
      const share = rule === 'assigned' ? planned : toCanary / all
      // Given the block's total, differences between cohorts have n/(n−1) times the variance of the
      // binomials they are scored by; evidence is scaled by as much, which keeps its mean at most 1.
      const scale = rule === 'assigned' ? 1 : (all - 1) / all
      for (const { cell, stable, canary } of strata) {
        const [n, c] = [assigned(stable) + assigned(canary), assigned(canary)]
        if (n === 0) continue
        const split = cellOf(cell)
        addSplit(split.sums, n, c, share, scale)
        split.stable += n - c
        split.canary += c
      }
      if (rule === 'assigned') addSplit(overall, all, toCanary, planned)
    },
    read(designEffect) {
      if (rule === 'none') return NOTHING_SAID
      let stable = 0
      let canary = 0
      const evidence: number[] = []
      for (const split of cells.values()) {
        stable += split.stable
        canary += split.canary
        if (designEffect !== null) evidence.push(sampleRatioLogE(split.sums, designEffect))
      }
      const requests = stable + canary
      const parity = cells.size < 2 ? 0 : boundedLog(parityLogE(evidence))
      const ratio = designEffect === null ? 0 : boundedLog(sampleRatioLogE(overall, designEffect))
      const distance = mixDistance([...cells.values()])
      return {
        planned: rule === 'assigned' ? planned : null,
        observed: requests === 0 ? null : canary / requests,
        requests,
        logESampleRatio: ratio,
        sampleRatioBroken: ratio >= logAlarm,
        logEParity: parity,
        distance,
        parityBroken: parity >= logAlarm && distance > SMALLEST_DISTANCE,
        cohort: farthestOf(cells),
      }
    },
  }
}

/** Requests a version was sent, cancelled ones too. */
function assigned({ requests, cancelled = 0 }: CellMetrics): number {
  return requests + cancelled
}

/**
 * Total variation distance of the arms' cohort mixes: ½·Σ_g |n_cg/n_c − n_bg/n_b|, 0…1; 0 without an
 * arm (statistics §3, T5).
 */
export function mixDistance(
  cells: readonly { readonly stable: number; readonly canary: number }[],
): number {
  const stable = cells.reduce((sum, cell) => sum + cell.stable, 0)
  const canary = cells.reduce((sum, cell) => sum + cell.canary, 0)
  if (stable === 0 || canary === 0) return 0
  let sum = 0
  for (const cell of cells) sum += Math.abs(cell.canary / canary - cell.stable / stable)
  return sum / 2
}

/** The cohort with most evidence of its own; null without any. */
function farthestOf(cells: ReadonlyMap<Cell, CellSplit>): SplitReading['cohort'] {
  let farthest: { cell: Cell; split: CellSplit; logE: number } | null = null
  for (const [cell, split] of cells) {
    const logE = sampleRatioLogE(split.sums, 1)
    if (farthest === null || logE > farthest.logE) farthest = { cell, split, logE }
  }
  if (farthest === null) return null
  const { cell, split } = farthest
  return { cohort: cell.cohort, share: split.canary / (split.canary + split.stable) }
}
