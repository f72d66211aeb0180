import { describe, expect, it } from 'vitest'
import type { CellMetrics } from '../../../src/domain/block.ts'
import { latencyCells } from '../../simulation/latency-draws.ts'
import { LOGNORMAL, shapedCdf } from '../../simulation/latency-model.ts'
import { qualityScores } from '../../simulation/quality-model.ts'
import { randomOf } from '../../simulation/random.ts'
import type { Clusters } from '../../simulation/scenario.ts'
import type { UserDraw, UserRequests } from '../../simulation/users.ts'
import { createUserDraw, cumulativeErrors } from '../../simulation/users.ts'

const CELLS = latencyCells(LOGNORMAL, { limitsMs: [100], detailFromMs: 80 })
const SCORES = qualityScores({ mean: 0.86, sd: 0.12 })
const OVER = 1 - shapedCdf(LOGNORMAL, 100)

const total = (values: readonly number[]) => values.reduce((sum, value) => sum + value, 0)

function wanted(requests: number, parts: Partial<UserRequests> = {}): UserRequests {
  return {
    ...{ arm: 'canary', requests, errorRate: 0.05, latency: null, scores: null },
    ...{ limits: 0, slowBins: [] },
    ...parts,
  }
}

/** Mean, and variance over the one that independent requests would have. */
function designEffect(draws: readonly CellMetrics[], of: (metrics: CellMetrics) => number) {
  const values = draws.map(of)
  const mean = total(values) / values.length
  return { mean, variance: total(values.map((value) => (value - mean) ** 2)) / values.length }
}

const session = (icc: number, of: Clusters['of']): Clusters => ({
  ...{ kind: 'session', requests: 9, icc, of },
})

const persistent = (users: { stable: number; canary: number }): Clusters => ({
  ...{ kind: 'persistent', users, icc: 0.05, of: 'errors' },
})

/** Requests and errors by bucket over so many draws of 90 requests. */
function bucketTotals(draw: UserDraw, draws: number) {
  const requests = new Array<number>(64).fill(0)
  const errors = new Array<number>(64).fill(0)
  for (let i = 0; i < draws; i++) {
    const { users } = draw(wanted(90))
    for (const [at, bucket] of users!.buckets.entries()) {
      requests[bucket]! += users!.requests[at]!
      errors[bucket]! += users!.errors[at]!
    }
  }
  return { requests, errors }
}

describe('users', () => {
  it('who are few and come again fail as they did before', () => {
    const draw = createUserDraw(persistent({ stable: 1, canary: 20 }), randomOf('few'))
    const { requests, errors } = bucketTotals(draw, 400)
    expect(requests.filter((n) => n > 0).length).toBeLessThanOrEqual(20)
    const rate = total(errors) / total(requests)
    const squares = total(errors.map((bad, at) => (bad - rate * requests[at]!) ** 2))
    expect(squares / (36_000 * rate * (1 - rate))).toBeGreaterThan(20)
  })

  it('errors of a session are Beta-binomial: rate and correlation are as given', () => {
    const cumulative = [...cumulativeErrors(9, 0.05, 0.3), 1]
    const chances = cumulative.map((value, k) => value - (cumulative[k - 1] ?? 0))
    const mean = total(chances.map((chance, k) => k * chance))
    const variance = total(chances.map((chance, k) => (k - mean) ** 2 * chance))
    expect(mean).toBeCloseTo(9 * 0.05, 12)
    expect(variance / (9 * 0.05 * 0.95)).toBeCloseTo(1 + 8 * 0.3, 10)
  })

  it.each([
    [session(0.3, 'errors'), 3.4],
    // Of 40,000 users each has 9 requests, at other times; in one draw hardly two.
    [persistent({ stable: 1, canary: 40_000 }), 1],
  ])(
    'errors of users, $kind: buckets add up to the cell, and show the correlation',
    (clusters, effect) => {
      const draw = createUserDraw(clusters, randomOf(clusters.kind))
      const draws = Array.from({ length: 4000 }, () => draw(wanted(90)))
      for (const { requests, errors, users } of draws.slice(0, 50)) {
        expect(requests).toBe(90)
        expect(total(users!.requests)).toBe(90)
        expect(total(users!.errors)).toBe(errors)
        expect([...users!.buckets].sort((a, b) => a - b)).toEqual(users!.buckets)
        expect(new Set(users!.buckets).size).toBe(users!.buckets.length)
        expect(users!.buckets.every((bucket) => bucket >= 0 && bucket < 64)).toBe(true)
      }
      const { mean, variance } = designEffect(draws, ({ errors }) => errors)
      expect(mean).toBeCloseTo(4.5, 0)
      expect(variance / (90 * 0.05 * 0.95) / effect).toBeCloseTo(1, 0.7)
    },
  )

  it('the 64 buckets show how much less than requests there is, statistics §6', () => {
    const draw = createUserDraw(session(0.3, 'errors'), randomOf('buckets'))
    const effects = Array.from({ length: 60 }, () => {
      const { requests, errors } = bucketTotals(draw, 100)
      const rate = total(errors) / 9000
      const squares = total(requests.map((n, bucket) => (errors[bucket]! - rate * n) ** 2))
      return ((64 / 63) * squares) / (9000 * rate * (1 - rate))
    })
    expect(total(effects) / effects.length / 3.4).toBeCloseTo(1, 0.7)
  })

  it('latencies of a session are correlated by the ICC above a threshold, and each is like anybody’s', () => {
    const draw = createUserDraw(session(0.3, 'latency'), randomOf('latency'))
    const slowBins = [CELLS.bins.at(-200)!]
    const draws = Array.from({ length: 4000 }, () =>
      draw(wanted(90, { latency: CELLS, limits: 1, slowBins })),
    )
    for (const { bins, counts, latencies, overLimit, users } of draws.slice(0, 50)) {
      expect(latencies).toBe(90)
      expect(total(counts)).toBe(90)
      expect(total(users!.latencies)).toBe(90)
      expect(total(users!.overLimit[0]!)).toBe(overLimit[0])
      const slow = total(counts.filter((_, i) => bins[i]! > slowBins[0]!))
      expect(total(users!.overSlowBin[0]!)).toBe(slow)
    }
    const { mean, variance } = designEffect(draws, ({ overLimit }) => overLimit[0]!)
    expect(Math.abs(mean - 90 * OVER)).toBeLessThan(5 * Math.sqrt((3.4 * 90 * OVER) / 4000))
    expect(variance / (90 * OVER * (1 - OVER)) / 3.4).toBeCloseTo(1, 0.7)
  })

  it('scores of a session are correlated by the ICC, with mean and variance of the model', () => {
    const draw = createUserDraw(session(0.1, 'quality'), randomOf('quality'))
    const draws = Array.from({ length: 4000 }, () => draw(wanted(90, { scores: SCORES })))
    for (const { quality, users } of draws.slice(0, 50)) {
      expect(quality.n).toBe(90)
      expect(total(users!.qualityN)).toBe(90)
      expect(total(users!.qualitySum)).toBeCloseTo(quality.sum, 9)
      expect(quality.sumSquares).toBeLessThan(quality.sum)
    }
    const { mean, variance } = designEffect(draws, ({ quality }) => quality.sum)
    expect(mean / 90).toBeCloseTo(0.86, 2)
    expect(variance / (90 * 0.12 ** 2) / 1.8).toBeCloseTo(1, 0.7)
  })
})
