import { describe, expect, it } from 'vitest'
import {
  conditionalIncrements,
  swapArms,
  type TwoArmCounts,
} from '../../../src/judge/conditional.ts'
import { GRID_SIZE, mixtureLogE, TILT_GRID } from '../../../src/judge/grid.ts'
import { createRateBalance } from '../../../src/judge/rate-balance.ts'

const STRATA: readonly TwoArmCounts[] = [
  { canary: 100, stable: 900, canaryBad: 9, stableBad: 30 },
  { canary: 40, stable: 360, canaryBad: 3, stableBad: 50 },
  { canary: 100, stable: 900, canaryBad: 12, stableBad: 41 },
]

const inverted = ({ canary, stable, canaryBad, stableBad }: TwoArmCounts): TwoArmCounts => ({
  ...{ canary, stable, canaryBad: canary - canaryBad, stableBad: stable - stableBad },
})

function balanceOf(strata: readonly TwoArmCounts[]) {
  const balance = createRateBalance()
  for (const counts of strata) balance.add(counts)
  return balance
}

/** ln of the mean of both directions' mixtures, each of the products over the strata. */
function expectedLogE(strata: readonly TwoArmCounts[]): number {
  const mixtureOf = (turn: (counts: TwoArmCounts) => TwoArmCounts) => {
    const logs = new Float64Array(GRID_SIZE)
    for (const counts of strata) {
      const increments = new Float64Array(GRID_SIZE)
      conditionalIncrements(turn(counts), 0, increments)
      for (let j = 0; j < GRID_SIZE; j++) logs[j]! += increments[j]!
    }
    return Math.exp(mixtureLogE(TILT_GRID, logs))
  }
  return Math.log((mixtureOf((counts) => counts) + mixtureOf(swapArms)) / 2)
}

describe('whether something is true of both arms equally often', () => {
  it('has the evidence of both directions, averaged, and the arms’ shares', () => {
    const read = balanceOf(STRATA).read(1)
    expect(read.canary).toBeCloseTo(24 / 240, 15)
    expect(read.stable).toBeCloseTo(121 / 2160, 15)
    expect(read.logE).toBeCloseTo(expectedLogE(STRATA), 10)
    expect(read.logE).not.toBeCloseTo(0, 1)
  })

  it('is the same question whether of what is so or of what is not', () => {
    const { logE } = balanceOf(STRATA).read(1)
    expect(balanceOf(STRATA.map(inverted)).read(1).logE).toBeCloseTo(logE, 12)
    expect(balanceOf(STRATA.map(inverted)).read(1).canary).toBeCloseTo(0.9, 15)
  })

  it('is unknown of an arm without requests, and not doubted while nothing of it was seen', () => {
    const none = { canary: 0, stable: 0, canaryBad: 0, stableBad: 0 }
    expect(balanceOf([]).read(1)).toEqual({ stable: null, canary: null, logE: 0 })
    expect(balanceOf([{ ...none, stable: 5 }]).read(1)).toMatchObject({ stable: 0, canary: null })
    expect(balanceOf([{ ...none, canary: 5 }]).read(1)).toMatchObject({ stable: null, canary: 0 })
    expect(balanceOf([{ ...none, canary: 100, stable: 900 }]).read(1).logE).toBe(0)
  })

  it('is tempered by the design effect, and forgotten', () => {
    const balance = balanceOf([...STRATA, ...STRATA, ...STRATA])
    const alone = balance.read(1).logE
    expect(alone).toBeGreaterThan(3)
    expect(balance.read(4).logE).toBeLessThan(alone / 2)
    balance.reset()
    expect(balance.read(1)).toEqual({ stable: null, canary: null, logE: 0 })
    for (const counts of STRATA) balance.add(counts)
    expect(balance.read(1)).toEqual(balanceOf(STRATA).read(1))
  })
})
