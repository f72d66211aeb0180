import { describe, expect, it } from 'vitest'
import { createBlockSeries } from '../../../src/judge/block-series.ts'
import { createCohortUnits } from '../../../src/judge/cohort-units.ts'
import {
  addDifference,
  blockVariance,
  emptySums,
  type PairedKind,
  type PairedSums,
  robustVariance,
} from '../../../src/judge/paired.ts'
import type { GateRules } from '../../../src/judge/standardise.ts'
import {
  gateOf,
  mayTell,
  type UnitReading,
  type WindowSums,
} from '../../../src/judge/window-reading.ts'
import { EN } from './judge-builders.ts'

const RULES: GateRules = { requests: 100, bad: 30, blocks: 30 }
const units = createCohortUnits({ by: ['locale'], key: [] })
const own = units.units[units.cellOf(EN).unit]!

interface Seen {
  readonly canary: number
  readonly stable: number
  readonly bad: number
  readonly blocks: number
  /** How far blocks lie apart, half of them above the mean and half below. */
  readonly spread?: number
}

function sumsOf({ canary, stable, bad, blocks, spread = 0 }: Seen): PairedSums {
  const sums = { ...emptySums(), nCanary: canary, nStable: stable }
  for (let k = 0; k < blocks; k++) addDifference(sums, 10, k % 2 === 0 ? spread : -spread)
  // Both arms have bad events in one request of ten of those that were paired.
  Object.assign(sums, { hStable: 0.1 * sums.h, hCanary: 0.1 * sums.h })
  Object.assign(sums, { loadStable: sums.h, loadCanary: sums.h })
  return { ...sums, sumCanary: 0.4 * bad, sumStable: 0.6 * bad }
}

function gate(seen: Seen, rules = RULES, designEffect = 1, kind: PairedKind = 'rate') {
  const total = sumsOf(seen)
  const window: WindowSums = { kind, rules, cells: [total], series: createBlockSeries() }
  const reading: UnitReading = { unit: own, total, blocks: total, weighted: [] }
  const { met, growth } = gateOf(window, reading, designEffect)
  expect(mayTell(window, reading, designEffect)).toBe(met)
  return met ? 'met' : growth
}

const ENOUGH: Seen = { canary: 100, stable: 100, bad: 30, blocks: 30 }

describe('the gate of a comparison', () => {
  it('is met by just enough requests in each arm, bad events in both, and blocks', () => {
    expect(gate(ENOUGH)).toBe('met')
    for (const lacking of [{ canary: 99 }, { stable: 99 }, { bad: 29 }, { blocks: 29 }]) {
      expect(gate({ ...ENOUGH, ...lacking }), JSON.stringify(lacking)).toBeGreaterThan(1)
    }
  })

  it('takes as many times the data as what is scarcest lacks', () => {
    expect(gate({ canary: 50, stable: 900, bad: 20, blocks: 25 })).toBe(2)
    expect(gate({ canary: 900, stable: 40, bad: 20, blocks: 25 })).toBe(2.5)
    expect(gate({ canary: 80, stable: 900, bad: 10, blocks: 25 })).toBe(3)
    expect(gate({ canary: 80, stable: 900, bad: 20, blocks: 10 })).toBeCloseTo(3, 12)
    expect(gate({ canary: 900, stable: 900, bad: 900, blocks: 15 })).toBeCloseTo(2, 12)
  })

  it('is never met from nothing', () => {
    for (const nothing of [{ canary: 0 }, { stable: 0 }, { bad: 0 }, { blocks: 0 }]) {
      expect(gate({ ...ENOUGH, ...nothing }), JSON.stringify(nothing)).toBeNull()
    }
  })

  it('asks for no bad events where they do not matter', () => {
    const rules = { ...RULES, bad: 0 }
    expect(gate({ ...ENOUGH, bad: 0 }, rules)).toBe('met')
    expect(gate({ ...ENOUGH, bad: 0, canary: 25 }, rules)).toBe(4)
  })

  it('asks for a hundred blocks where they differ by more than twice what explains them', () => {
    const sums = sumsOf(ENOUGH)
    const explained = blockVariance(sums, 'rate')
    const spreadFor = (ratio: number) => {
      const one = robustVariance(sumsOf({ ...ENOUGH, spread: 0.01 }))
      return 0.01 * Math.sqrt((ratio * explained) / one)
    }
    expect(gate({ ...ENOUGH, spread: spreadFor(1.9) })).toBe('met')
    expect(gate({ ...ENOUGH, spread: spreadFor(2.1) })).toBeCloseTo(100 / 30, 12)
    expect(gate({ ...ENOUGH, spread: spreadFor(2.1) }, RULES, 1.2)).toBe('met')
    expect(gate({ ...ENOUGH, spread: spreadFor(2.1) }, { ...RULES, blocks: 0 })).toBe('met')
  })
})

describe('means', () => {
  const RULES_OF_MEANS: GateRules = { requests: 100, bad: 0, blocks: 30 }
  /** Scores of one cell: all alike, or half of them a tenth above and half below. */
  const scored = (spread: number, mean = 0.9): PairedSums => {
    const sums = sumsOf({ canary: 1000, stable: 9000, bad: 0, blocks: 40 })
    const square = mean ** 2 + spread ** 2
    return {
      ...sums,
      ...{ sumCanary: 1000 * mean, sumStable: 9000 * mean },
      ...{ squaresCanary: 1000 * square, squaresStable: 9000 * square },
    }
  }
  const met = (cells: readonly PairedSums[], unit = units.overall, rules = RULES_OF_MEANS) => {
    const window: WindowSums = { kind: 'mean', rules, cells, series: createBlockSeries() }
    const total = cells[0]!
    const reading: UnitReading = { unit, total, blocks: total, weighted: [] }
    const { met: gateMet, growth } = gateOf(window, reading, 1)
    expect(mayTell(window, reading, 1)).toBe(gateMet)
    expect(growth === null).toBe(!gateMet)
    return gateMet
  }

  it('of scores that are all one and the same say nothing, and nothing would help', () => {
    expect(met([scored(0), scored(0)])).toBe(false)
    expect(met([scored(0.1), scored(0.1)])).toBe(true)
    expect(met([scored(0), scored(0.1)])).toBe(true)
    expect(met([scored(0, 0.9), scored(0, 0.8)])).toBe(true)
  })

  it('may be all one and the same in a cohort, and in a window that was added up elsewhere', () => {
    expect(met([scored(0), scored(0)], own)).toBe(true)
    expect(met([scored(0), scored(0)], units.overall, { ...RULES_OF_MEANS, blocks: 0 })).toBe(true)
  })
})
