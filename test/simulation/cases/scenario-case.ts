import type { Question, SimulationCase } from '../case.ts'
import { BARE } from '../release-spec.ts'
import type { ArmShape, Scenario } from '../scenario.ts'

export const NULL_REPETITIONS = 2000
export const POWER_REPETITIONS = 500
export const BLOCK_EVENTS = 1000
export const HISTORY_EVENTS = 50_000

export const ROLLED_BACK_FALSELY: Question = { asks: 'rolled_back', bar: 'alpha' }

interface Parts {
  readonly name: string
  readonly family: string
  readonly what: string
  readonly scenario: Scenario
  readonly guardrail: string
  readonly horizonEvents: number
  readonly questions: readonly Question[]
  readonly quick?: number
}

/** Blocks of 1,000 requests, a look at each; nulls are asked about rollback only. */
export function scenarioCase(parts: Parts & Partial<SimulationCase>): SimulationCase {
  const { guardrail, questions, quick, ...rest } = parts
  const isNull = questions.some(({ bar }) => bar === 'alpha')
  return {
    guardrails: [guardrail],
    bare: BARE,
    shipped: '',
    lookEvents: 1000,
    until: 'breach',
    questions,
    repetitions: { full: isNull ? NULL_REPETITIONS : POWER_REPETITIONS, quick: quick ?? 0 },
    ...rest,
  }
}

export const RAMP_SHARES = [0.01, 0.05, 0.25, 0.5]

/** A day on which the level goes up and down while the canary's share grows. */
export interface Day {
  readonly blocks: number
  /** Blocks with which later steps begin: a tenth of the day for each but the last. */
  readonly steps: readonly number[]
  /** Canary's share: 1 → 5 → 25 → 50 %. */
  ramp(block: number): number
  /** The level, −1 to 1. */
  wave(block: number): number
}

export function dayOf(blocks: number): Day {
  const steps = [0.1, 0.2, 0.3].map((part) => part * blocks)
  return {
    blocks,
    steps,
    ramp: (block) => RAMP_SHARES[steps.filter((from) => block >= from).length]!,
    wave: (block) => Math.sin((2 * Math.PI * block) / blocks),
  }
}

export function single(stable: ArmShape, canary: ArmShape, rest: Partial<Scenario>): Scenario {
  return {
    blockEvents: BLOCK_EVENTS,
    cohorts: [{ cohort: {}, share: 1, stable, canary }],
    canaryShare: 0.1,
    historyEvents: HISTORY_EVENTS,
    ...rest,
  }
}
