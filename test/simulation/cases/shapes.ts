import type { Reference, SimulationCase } from '../case.ts'
import type { LatencyShape } from '../latency-model.ts'
import { BARE } from '../release-spec.ts'
import type { ArmShape, Scenario } from '../scenario.ts'

/** Traffic of the reference simulation: blocks of 100 requests, a look every 10, 50,000 before. */
const BLOCK_EVENTS = 100
const LOOK_EVENTS = 1000
const HORIZON_EVENTS = 1_000_000
const HISTORY_EVENTS = 50_000

export const QUALITY_SD = 0.12
export const QUALITY_MEAN = 0.86
/** Blocks before a difference of means is tested (statistics §3, gate). */
export const QUALITY_GATE_BLOCKS = 30

export const SPLITS = [
  { name: '10/90', share: 0.1 },
  { name: '50/50', share: 0.5 },
  { name: '1/99', share: 0.01 },
] as const
export type SplitName = (typeof SPLITS)[number]['name']

export function errors(errorRate: number): ArmShape {
  return { errorRate, latency: null, quality: null }
}

export function latencies(latency: LatencyShape): ArmShape {
  return { errorRate: 0, latency, quality: null }
}

export function scores(mean: number): ArmShape {
  return { errorRate: 0, latency: null, quality: { mean, sd: QUALITY_SD } }
}

export function stationary(stable: ArmShape, canary: ArmShape, canaryShare: number): Scenario {
  return {
    blockEvents: BLOCK_EVENTS,
    cohorts: [{ cohort: {}, share: 1, stable, canary }],
    canaryShare,
    historyEvents: HISTORY_EVENTS,
  }
}

export function shareOf(split: SplitName): number {
  return SPLITS.find(({ name }) => name === split)!.share
}

type Stationary = Pick<
  SimulationCase,
  'name' | 'family' | 'what' | 'scenario' | 'guardrails' | 'until' | 'questions' | 'repetitions'
>

/** A case measured as the reference was: one guardrail, a look every 1,000 events up to a million. */
export function stationaryCase(parts: Stationary & Partial<SimulationCase>): SimulationCase {
  return {
    bare: BARE,
    shipped: '',
    lookEvents: LOOK_EVENTS,
    horizonEvents: HORIZON_EVENTS,
    ...parts,
  }
}

export function reference(value: number, se: number): Reference {
  return { value, se }
}
