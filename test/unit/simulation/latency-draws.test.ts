import { describe, expect, it } from 'vitest'
import type { ClosedBlock } from '../../../src/domain/block.ts'
import { createJudge } from '../../../src/judge/judge.ts'
import { errors, latencies, scores, stationary } from '../../simulation/cases/shapes.ts'
import {
  drawCell,
  drawLatencies,
  latencyCells,
  latencyNeeds,
} from '../../simulation/latency-draws.ts'
import { HEAVY, LOGNORMAL, shapedCdf, shapedQuantile } from '../../simulation/latency-model.ts'
import { randomOf } from '../../simulation/random.ts'
import { BARE, releaseSpec } from '../../simulation/release-spec.ts'
import { createTraffic, START_MS } from '../../simulation/traffic.ts'

const NEEDS = { limitsMs: [100, 120], detailFromMs: 90 }
const LIMITS = NEEDS.limitsMs.length
const OVER_120 = 1 - shapedCdf(LOGNORMAL, 120)
const FAR = 5

/** Of the numbers of latencies above 120 ms and below 90 ms. */
function momentsOf(draws: number, draw: () => { over: number; wide: number }) {
  const sums = { over: 0, overSquares: 0, wide: 0, cross: 0 }
  for (let i = 0; i < draws; i++) {
    const { over, wide } = draw()
    sums.over += over
    sums.overSquares += over * over
    sums.wide += wide
    sums.cross += over * wide
  }
  const [over, wide] = [sums.over / draws, sums.wide / draws]
  return {
    over,
    wide,
    variance: sums.overSquares / draws - over * over,
    covariance: sums.cross / draws - over * wide,
  }
}

describe('drawn histograms', () => {
  it.each([
    [90, 20_000],
    [20_000, 4000],
  ])('of %i latencies are multinomial, whichever way they are drawn', (n, draws) => {
    const cells = latencyCells(LOGNORMAL, NEEDS)
    const random = randomOf('histogram', n)
    const seen = momentsOf(draws, () => {
      const { bins, counts, overLimit } = drawLatencies(random, cells, LIMITS, n, 0)
      expect(counts.reduce((sum, count) => sum + count, 0)).toBe(n)
      expect(overLimit[0]).toBeGreaterThanOrEqual(overLimit[1]!)
      return { over: overLimit[1]!, wide: bins[0] === cells.bins[0] ? counts[0]! : 0 }
    })
    const over = OVER_120
    const wide = cells.shares[0]!
    const variance = n * over * (1 - over)
    expect(Math.abs(seen.over - n * over)).toBeLessThan(FAR * Math.sqrt(variance / draws))
    expect(Math.abs(seen.wide - n * wide)).toBeLessThan(
      FAR * Math.sqrt((n * wide * (1 - wide)) / draws),
    )
    expect(Math.abs(seen.variance / variance - 1)).toBeLessThan(
      FAR * Math.sqrt((2 + 1 / variance) / draws),
    )
    const spread = Math.sqrt(variance * n * wide * (1 - wide))
    expect(Math.abs(seen.covariance + n * over * wide)).toBeLessThan(
      FAR * spread * Math.sqrt(2 / draws),
    )
  })

  it('a single latency falls into a cell by the same chances', () => {
    const cells = latencyCells(LOGNORMAL, NEEDS)
    const random = randomOf('single')
    let over = 0
    let wide = 0
    for (let i = 0; i < 100_000; i++) {
      const cell = drawCell(random, cells)
      if (cells.above[cell] === LIMITS) over++
      if (cell === 0) wide++
    }
    expect(Math.abs(over / 1e5 - OVER_120)).toBeLessThan(FAR * Math.sqrt(OVER_120 / 1e5))
    expect(Math.abs(wide / 1e5 - cells.shares[0]!)).toBeLessThan(FAR * Math.sqrt(0.25 / 1e5))
  })

  it('a limit alone needs no bins: one for everything', () => {
    const cells = latencyCells(HEAVY, { limitsMs: [120], detailFromMs: Number.POSITIVE_INFINITY })
    const { bins, counts, overLimit } = drawLatencies(randomOf('limit'), cells, 1, 1000, 0)
    expect(bins).toHaveLength(1)
    expect(counts).toEqual([1000])
    expect(overLimit[0]).toBeGreaterThan(10)
    expect(overLimit[0]).toBeLessThan(120)
  })
})

/** The block as it would be with all latencies below `ms` in one bin. */
function coarsened(block: ClosedBlock, firstBin: number): ClosedBlock {
  const cells = block.cells.map((cell) => {
    const { bins, counts } = cell.metrics
    const below = counts.reduce((sum, count, i) => sum + (bins[i]! < firstBin ? count : 0), 0)
    const from = bins.findIndex((bin) => bin >= firstBin)
    const rest = from < 0 ? bins.length : from
    return {
      ...cell,
      metrics: {
        ...cell.metrics,
        bins: below === 0 ? bins : [firstBin - 1, ...bins.slice(rest)],
        counts: below === 0 ? counts : [below, ...counts.slice(rest)],
      },
    }
  })
  return { ...block, cells }
}

describe('what is not drawn', () => {
  it.each([
    ['latency_p95', 0.1],
    ['latency_p99', 0.1],
    ['latency_p50', 0.5],
  ])('changes no digit of the evidence on a relative %s', (metric, share) => {
    const spec = releaseSpec([`metric: ${metric}, max_increase: 10%`], BARE)
    const scenario = stationary(latencies(LOGNORMAL), latencies({ ...LOGNORMAL, by: 1.1 }), share)
    const needs = latencyNeeds(spec, scenario)
    expect(needs.detailFromMs).toBeGreaterThan(shapedQuantile(LOGNORMAL, 0.2))
    const [firstBin] = latencyCells(LOGNORMAL, needs).bins
    const traffic = createTraffic(scenario, randomOf('detail', metric))
    const judges = [0, 1].map(() => createJudge(spec, traffic.history, START_MS))
    for (let block = 0; block < 1500; block++) {
      const closed = traffic.next()
      judges[0]!.fold(closed)
      judges[1]!.fold(coarsened(closed, firstBin! + 1))
      if (block % 50 !== 49) continue
      const [full, coarse] = judges.map((judge) => judge.assess())
      expect(coarse!.logEvidence).toBe(full!.logEvidence)
      expect(coarse!.rows.map(({ logEPass }) => logEPass)).toEqual(
        full!.rows.map(({ logEPass }) => logEPass),
      )
    }
    expect(judges[0]!.assess().logEvidence).not.toBe(0)
  })

  it('is everything below a limit for guardrails without relative latencies', () => {
    const spec = releaseSpec(['metric: latency_p95, max: 120ms', 'metric: quality, max_drop: 0'])
    const scenario = stationary(latencies(LOGNORMAL), latencies(LOGNORMAL), 0.1)
    expect(latencyNeeds(spec, scenario)).toEqual({
      limitsMs: [120],
      detailFromMs: Number.POSITIVE_INFINITY,
    })
    const relative = releaseSpec(['metric: latency_p95, max_increase: 0%'])
    const jumping = { ...scenario, shocks: { latencyLog: 0.3 } }
    expect(latencyNeeds(relative, jumping).detailFromMs).toBe(0)
    expect(latencyNeeds(relative, stationary(errors(0.1), scores(0.86), 0.1)).limitsMs).toEqual([])
  })
})
