import { describe, expect, it } from 'vitest'
import type { CellMetrics, ClosedBlock } from '../../../src/domain/block.ts'
import { LOGNORMAL } from '../../simulation/latency-model.ts'
import { randomOf } from '../../simulation/random.ts'
import type { ArmShape, Scenario } from '../../simulation/scenario.ts'
import { createTraffic } from '../../simulation/traffic.ts'

const SHAPE: ArmShape = { errorRate: 0.05, latency: LOGNORMAL, quality: { mean: 0.86, sd: 0.12 } }

function scenario(overrides: Partial<Scenario> = {}): Scenario {
  return {
    blockEvents: 1000,
    cohorts: [{ cohort: {}, share: 1, stable: SHAPE, canary: SHAPE }],
    canaryShare: 0.1,
    historyEvents: 5000,
    ...overrides,
  }
}

function canaryOf(block: ClosedBlock): CellMetrics {
  return block.cells.find(({ arm }) => arm === 'canary')!.metrics
}

function take(count: number, traffic: { next(): ClosedBlock }): ClosedBlock[] {
  return Array.from({ length: count }, () => traffic.next())
}

const total = (numbers: readonly number[]) => numbers.reduce((sum, number) => sum + number, 0)

describe('traffic', () => {
  it('splits blocks exactly, and every count of a cell agrees with the others', () => {
    const traffic = createTraffic(scenario(), randomOf('split'), {
      limitsMs: [120],
      detailFromMs: 0,
    })
    expect(traffic.history.map(({ metrics }) => metrics.requests)).toEqual([5000])
    for (const block of take(20, traffic)) {
      expect(block.cells.map(({ arm, metrics }) => [arm, metrics.requests])).toEqual([
        ['stable', 900],
        ['canary', 100],
      ])
      for (const { metrics } of block.cells) {
        expect(metrics.latencies).toBe(metrics.requests - metrics.errors)
        expect(total(metrics.counts)).toBe(metrics.latencies)
        expect([...metrics.bins].sort((a, b) => a - b)).toEqual(metrics.bins)
        expect(new Set(metrics.bins).size).toBe(metrics.bins.length)
        expect(metrics.quality.n).toBe(metrics.requests)
      }
    }
  })

  it('has the rates it was given: errors, and latencies above a limit inside a bin', () => {
    const shape = { ...SHAPE, errorRate: 0.005 }
    const traffic = createTraffic(
      scenario({
        cohorts: [{ cohort: {}, share: 1, stable: shape, canary: shape }],
        canaryShare: 0.5,
      }),
      randomOf('rates'),
      { limitsMs: [110], detailFromMs: 0 },
    )
    const cells = take(200, traffic).flatMap((block) => block.cells.map(({ metrics }) => metrics))
    const n = total(cells.map(({ requests }) => requests))
    const errors = total(cells.map((cell) => cell.errors)) / n
    const above = total(cells.map(({ overLimit }) => overLimit[0]!)) / n
    expect(Math.abs(errors - 0.005)).toBeLessThan(5 * Math.sqrt(0.005 / n))
    expect(Math.abs(above - 0.995 * 0.05)).toBeLessThan(5 * Math.sqrt(0.05 / n))
  })

  it('is the same for the same key, whatever was simulated before', () => {
    const first = take(3, createTraffic(scenario(), randomOf(1, 'a', 5)))
    take(9, createTraffic(scenario(), randomOf(1, 'a', 4)))
    expect(take(3, createTraffic(scenario(), randomOf(1, 'a', 5)))).toEqual(first)
  })

  it('errors of one user go together as much as the correlation says', () => {
    const shape: ArmShape = { errorRate: 0.05, latency: null, quality: null }
    const traffic = createTraffic(
      scenario({
        cohorts: [{ cohort: {}, share: 1, stable: shape, canary: shape }],
        clusters: { kind: 'session', requests: 10, icc: 0.3, of: 'errors' },
      }),
      randomOf('users'),
    )
    const errors = take(4000, traffic).map((block) => canaryOf(block).errors)
    const mean = total(errors) / errors.length
    const variance = total(errors.map((value) => (value - mean) ** 2)) / errors.length
    expect(mean).toBeCloseTo(5, 0)
    // Design effect 1 + (requests − 1) · ICC.
    expect(variance / (100 * 0.05 * 0.95) / 3.7).toBeCloseTo(1, 0.7)
  })

  it('a change begins with its block and concerns the canary only', () => {
    const worse = { ...SHAPE, errorRate: 1 }
    const traffic = createTraffic(
      scenario({ change: { fromBlock: 2, canary: [worse] } }),
      randomOf('change'),
    )
    const blocks = take(4, traffic)
    expect(blocks.map((block) => canaryOf(block).errors === 100)).toEqual([
      false,
      false,
      true,
      true,
    ])
    expect(blocks[3]!.cells[0]!.metrics.errors).toBeLessThan(100)
  })

  it('late labels are missing, bad ones more often', () => {
    const traffic = createTraffic(
      scenario({
        lateLabels: { badRate: { stable: 0.5, canary: 0.5 }, inTime: { bad: 0, good: 1 } },
      }),
      randomOf('labels'),
    )
    const { n, sum } = canaryOf(traffic.next()).quality
    expect(n).toBeLessThan(80)
    expect(sum).toBe(n)
  })

  it('a router that leans moves the odds of the canary, in one cohort or in all', () => {
    const shape: ArmShape = { errorRate: 0.005, latency: null, quality: null }
    const cohorts = ['de-DE', 'en-US'].map((locale) => ({
      ...{ cohort: { locale }, share: 0.5, stable: shape, canary: shape },
    }))
    for (const userRequests of [undefined, 9]) {
      const routing = {
        ...{ odds: 1.5, cohortOdds: [1, 0.5] },
        ...(userRequests === undefined ? {} : { userRequests }),
      }
      const traffic = createTraffic(scenario({ cohorts, routing }), randomOf('routing'))
      const cells = take(2000, traffic).flatMap((block) => block.cells)
      const requestsOf = (locale: string, arm: string) =>
        total(
          cells
            .filter((cell) => cell.cohort.locale === locale && cell.arm === arm)
            .map(({ metrics }) => metrics.requests),
        )
      const oddsOf = (locale: string) => requestsOf(locale, 'canary') / requestsOf(locale, 'stable')
      expect(oddsOf('de-DE') / (1.5 / 9)).toBeCloseTo(1, 1)
      expect(oddsOf('en-US') / (0.75 / 9)).toBeCloseTo(1, 1)
      const withUsers = cells.filter(({ metrics }) => metrics.users !== undefined)
      expect(withUsers).toHaveLength(userRequests === undefined ? 0 : cells.length)
      for (const { metrics } of withUsers) {
        expect(total(metrics.users!.requests)).toBe(metrics.requests)
        expect(total(metrics.users!.errors)).toBe(metrics.errors)
      }
    }
  })

  it('nobody is in a cohort before it comes, and shocks hit one arm of one block', () => {
    const shape: ArmShape = { errorRate: 0.1, latency: null, quality: null }
    const cohorts = [
      { cohort: { locale: 'de-DE' }, share: 0.5, stable: shape, canary: shape },
      { cohort: { locale: 'ja-JP' }, share: 0.5, stable: shape, canary: shape, fromBlock: 2 },
    ]
    const late = createTraffic(scenario({ cohorts }), randomOf('late'))
    expect(late.history).toHaveLength(1)
    expect(take(3, late).map((block) => block.cells.length)).toEqual([2, 2, 4])

    const shaken = (sd: number) => {
      const one = [{ cohort: {}, share: 1, stable: shape, canary: shape }]
      const shocks = { errorLog: sd }
      const traffic = createTraffic(scenario({ cohorts: one, shocks }), randomOf('shocks'))
      const rates = take(2000, traffic).map((block) => canaryOf(block).errors / 100)
      const mean = total(rates) / rates.length
      return total(rates.map((rate) => (rate - mean) ** 2)) / rates.length
    }
    expect(shaken(0) / (0.1 * 0.9 * 0.01)).toBeCloseTo(1, 0.7)
    // Variance of a lognormal factor of sd 0.3, times the squared rate.
    expect((shaken(0.3) - shaken(0)) / (0.1 ** 2 * Math.exp(0.09) * Math.expm1(0.09))).toBeCloseTo(
      1,
      0,
    )
  })
})
