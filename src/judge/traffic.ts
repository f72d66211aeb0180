import type { Unit } from './cohort-units.ts'

/** Canary traffic of one unit. */
interface UnitTraffic {
  /** Canary requests in judged blocks of the present step. */
  stepRequests: number
  /** Of those blocks, the ones with any. */
  stepBlocks: number
  /** Judged blocks of the step before the first of those. */
  blocksBefore: number
  /** End of the newest judged block with canary requests; null without any. */
  newestEndMs: number | null
}

/** Canary traffic of the release, per unit and over all. */
export interface Traffic {
  of(unit: Unit): UnitTraffic
  /** Notes canary requests of a judged block; true when they are the unit's first. */
  note(unit: Unit, requests: number, endMs: number, inStep: boolean): boolean
  /** Judged blocks of the present step. */
  stepBlocks: number
  /** End of the newest closed block of the release; null before the first. */
  newestClosedEndMs: number | null
  /** End of the newest block with canary requests, judged or not. */
  newestCanaryEndMs: number | null
  newestCanaryEndInStepMs: number | null
  /** End of the newest block with requests to the stable version. */
  newestStableEndMs: number | null
  events: number
  late: number
  startStep(): void
}

/** Nothing seen yet; times in ms of event time. */
export function createTraffic(): Traffic {
  const units = new Map<number, UnitTraffic>()
  const of = (unit: Unit): UnitTraffic => {
    let known = units.get(unit.index)
    if (known === undefined) {
      known = { stepRequests: 0, stepBlocks: 0, blocksBefore: 0, newestEndMs: null }
      units.set(unit.index, known)
    }
    return known
  }
  const traffic: Traffic = {
    of,
    note(unit, requests, endMs, inStep) {
      const seen = of(unit)
      const first = seen.newestEndMs === null
      if (inStep) {
        if (seen.stepBlocks === 0) seen.blocksBefore = traffic.stepBlocks - 1
        seen.stepRequests += requests
        if (seen.newestEndMs !== endMs) seen.stepBlocks++
      }
      seen.newestEndMs = endMs
      return first
    },
    stepBlocks: 0,
    newestClosedEndMs: null,
    newestCanaryEndMs: null,
    newestCanaryEndInStepMs: null,
    newestStableEndMs: null,
    events: 0,
    late: 0,
    startStep() {
      for (const unit of units.values()) {
        unit.stepRequests = 0
        unit.stepBlocks = 0
      }
      traffic.stepBlocks = 0
      traffic.newestCanaryEndInStepMs = null
    },
  }
  return traffic
}
