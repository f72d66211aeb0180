import { describe, expect, it } from 'vitest'
import { createBaselineScatter } from '../../../src/judge/baseline-scatter.ts'
import type { Cell } from '../../../src/judge/cohort-units.ts'
import { mostOverdispersion, shocksNow } from '../../../src/judge/overdispersion.ts'
import { addDifference, emptySums } from '../../../src/judge/paired.ts'
import { randomOf } from '../../simulation/random.ts'
import { binomial } from '../../simulation/sampling.ts'

const CELL: Cell = {
  ...{ index: 0, cohort: {}, key: '', unit: 1, memberOf: [0], units: [1, 0] },
  ...{ parents: [], share: 1 },
}

/** What blocks of 1,000 requests with these shares of bad ones say of a block of weight `h`. */
function shocksOf(rates: readonly number[], h: number): number {
  const scatter = createBaselineScatter()
  for (const rate of rates) {
    scatter.add(CELL, 1000, Math.round(1000 * rate))
    scatter.endBlock()
  }
  return scatter.shocks(0, h)
}

const jumping = (sd: number, blocks: number) =>
  Array.from({ length: blocks }, (_, i) => 0.05 + (i % 2 === 0 ? sd : -sd))

describe('jumps of the baseline from block to block', () => {
  it('are nothing without a second block', () => {
    expect(createBaselineScatter().shocks(0, 100)).toBe(1)
    expect(shocksOf([], 100)).toBe(1)
    expect(shocksOf([0.05], 100)).toBe(1)
  })

  it('are noticed from the second block on when they are far beyond chance', () => {
    expect(shocksOf([0.02, 0.11], 100)).toBeGreaterThan(2)
    expect(shocksOf([0.05, 0.06], 100)).toBe(1)
  })

  it('count for more the more a block weighs: both arms have them', () => {
    // ±0.03 in turn: jumps of 0.06, as of a variance of 0.0018, less what chance explains.
    const rates = jumping(0.03, 21)
    const variance = 0.0018 - 0.0475 / 1000
    const expected = (h: number) => 1 + (2 * variance * h) / 0.0475
    expect(shocksOf(rates, 10)).toBeCloseTo(expected(10), 1)
    expect(shocksOf(rates, 200)).toBeCloseTo(expected(200), 0)
  })

  it('are none where only the level drifts', () => {
    const drift = Array.from({ length: 200 }, (_, i) => 0.05 + 0.0002 * i)
    expect(shocksOf(drift, 200)).toBe(1)
  })

  it('are none where nothing, or everything, is bad', () => {
    expect(shocksOf([0, 0, 0], 100)).toBe(1)
    expect(shocksOf([1, 1, 1], 100)).toBe(1)
  })

  it('are hardly ever seen in chance alone', () => {
    const random = randomOf(1, 'scatter', 0)
    let alarms = 0
    for (let run = 0; run < 200; run++) {
      const rates = Array.from({ length: 30 }, () => binomial(random, 1000, 0.05) / 1000)
      if (shocksOf(rates, 100) > 1) alarms++
    }
    expect(alarms).toBeLessThanOrEqual(2)
  })
})

describe('shocks at the share of the present step', () => {
  const seen = { shocks: 1.4, shocksMost: 2, h: 1000, h2: 10_000 }
  const none = { shocks: 1, shocksMost: Number.POSITIVE_INFINITY, h: 0, h2: 0 }
  const calm = () => 1

  it('are what was seen of them, and more where blocks weigh more now', () => {
    expect(shocksNow(seen, none, calm)).toBeCloseTo(1.4, 12)
    expect(shocksNow(seen, { ...seen, h: 200, h2: 10_000 }, calm)).toBeCloseTo(3, 12)
    expect(shocksNow(seen, { ...seen, h: 5000, h2: 10_000 }, calm)).toBeCloseTo(1.4, 12)
  })

  it('are feared as the baseline has them, unless differences show that they are less', () => {
    expect(shocksNow(seen, none, (h) => 1 + h / 20)).toBeCloseTo(1.5, 12)
    expect(shocksNow(seen, none, () => 9)).toBeCloseTo(2, 12)
    expect(shocksNow({ ...none, h: 10, h2: 10 }, none, () => 9)).toBe(9)
  })

  it('are none before anything was compared', () => {
    expect(shocksNow(none, none, () => 9)).toBe(1)
  })

  it('are bounded once there are eight blocks', () => {
    const series = emptySums()
    for (let block = 0; block < 7; block++) addDifference(series, 10, block % 2 === 0 ? 0.1 : -0.1)
    expect(mostOverdispersion(series, 0.001, 100)).toBe(Number.POSITIVE_INFINITY)
    addDifference(series, 10, -0.1)
    // V = 0.01 · 8 / 8² = 0.00125 shown, times 11/7 for so few blocks and two errors of what they show.
    const noise = Math.sqrt((2 + 8 / 100) / 8)
    expect(mostOverdispersion(series, 0.001, 100)).toBeCloseTo(1.25 * (11 / 7) * (1 + 2 * noise), 9)
    expect(mostOverdispersion(series, 0, 100)).toBe(Number.POSITIVE_INFINITY)
    expect(mostOverdispersion(series, 10, 100)).toBe(1)
  })
})
