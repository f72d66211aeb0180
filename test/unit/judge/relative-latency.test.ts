import { describe, expect, it } from 'vitest'
import { binOf, UNBOUNDED_BIN, ZERO_BIN } from '../../../src/domain/histogram.ts'
import { createJudge } from '../../../src/judge/judge.ts'
import {
  blockOf,
  cellOf,
  EN,
  metricsOf,
  P95_INCREASE,
  rowOf,
  START_MS,
  specOf,
} from './judge-builders.ts'

const ONE = { cohorts: { by: [], key: [] } } as const

/** `n` latencies of which a twentieth are `slowMs`, the others 10 ms. */
function latencies(n: number, slowMs: number, slow = n / 20) {
  const bins = [binOf(10), binOf(slowMs)]
  return metricsOf(n, 0, { latencies: n, bins, counts: [n - slow, slow] })
}

function judged(canaryMs: number, slow: number, blocks = 40) {
  // A little under a twentieth is slow, so the p95 of the baseline is the fast 10 ms.
  const history = [{ cohort: EN, metrics: latencies(20_000, 100, 900) }]
  const judge = createJudge(specOf([P95_INCREASE], ONE), history, START_MS)
  for (let k = 0; k < blocks; k++) {
    judge.fold(
      blockOf(k, [
        cellOf('stable', EN, latencies(900, 100, 40)),
        cellOf('canary', EN, latencies(100, canaryMs, slow)),
      ]),
    )
  }
  return rowOf(judge.assess(), 'latency_p95')
}

describe('latency_p95 max_increase', () => {
  it('counts the canary above (1+δ)x₀ against the baseline above x₀', () => {
    expect(judged(100, 4).logEBreach).toBeLessThan(0)
    expect(judged(100, 20).verdict).toBe('breached')
    // Slow by less than the margin of 10 %: no breach however many there are.
    expect(judged(10.5, 60).logEBreach).toBeLessThan(0)
  })

  it('takes part of the bin the limit lies in, for breach and for pass', () => {
    // (1+δ)x₀ lies inside the bin of 11.1 ms.
    const [below, edge, above] = [10.9, 11.1, 11.5].map((ms) => judged(ms, 20, 400))
    expect(below!.logEBreach).toBeLessThan(0)
    expect(edge!.logEBreach).toBeGreaterThan(below!.logEBreach)
    expect(edge!.logEBreach).toBeLessThan(0.75 * above!.logEBreach)
    expect(above!.logEPass).toBeLessThan(0)
    const fewer = (ms: number) => judged(ms, 5, 400).logEPass
    expect(fewer(11.1)).toBeGreaterThan(fewer(11.5) + 1)
    expect(fewer(11.1)).toBeLessThan(fewer(10.9) - 1)
  })

  it('collects until the gate of its pass test is met, then passes', () => {
    expect(judged(100, 3, 29).verdict).toBe('collecting')
    expect(judged(100, 0, 120).verdict).toBe('within_limit')
  })

  it('takes x₀ from earlier blocks only', () => {
    const history = [{ cohort: EN, metrics: metricsOf(2000) }]
    const judge = createJudge(specOf([P95_INCREASE], ONE), history, START_MS)
    // Half of a large block is at 100 ms; x₀ is still the 10 ms of the history, not 100 ms.
    const cells = [
      cellOf('stable', EN, latencies(20_000, 100, 10_000)),
      cellOf('canary', EN, latencies(1000, 50, 1000)),
    ]
    judge.fold(blockOf(0, cells))
    const first = rowOf(judge.assess(), 'latency_p95').logEBreach
    expect(first).toBeGreaterThan(100)
    judge.fold(blockOf(1, cells))
    // Now it is 100 ms, which nothing exceeds: there is nothing to add, but the jump to learn from.
    expect(rowOf(judge.assess(), 'latency_p95').logEBreach).toBeLessThan(first)
  })

  it('takes no evidence while x₀ is unknown', () => {
    const history = [{ cohort: EN, metrics: metricsOf(2000, 2000) }]
    const judge = createJudge(specOf([P95_INCREASE], ONE), history, START_MS)
    for (let k = 0; k < 5; k++) {
      judge.fold(
        blockOf(k, [
          cellOf('stable', EN, latencies(100, 100)),
          cellOf('canary', EN, latencies(100, 5000, 60)),
        ]),
      )
    }
    expect(rowOf(judge.assess(), 'latency_p95').logEBreach).toBeCloseTo(0, 12)
  })

  it('has nothing to compare with when the baseline’s p95 is a timeout', () => {
    const timeouts = (n: number) =>
      metricsOf(n, 0, { latencies: n, bins: [10, UNBOUNDED_BIN], counts: [n / 2, n / 2] })
    const judge = createJudge(
      specOf([P95_INCREASE], ONE),
      [{ cohort: EN, metrics: timeouts(2000) }],
      START_MS,
    )
    for (let k = 0; k < 40; k++) {
      judge.fold(
        blockOf(k, [cellOf('stable', EN, timeouts(900)), cellOf('canary', EN, timeouts(100))]),
      )
    }
    const row = rowOf(judge.assess(), 'latency_p95')
    expect(row.logEBreach).toBeCloseTo(0, 12)
    expect(row.stable).toEqual({ value: null, n: 36_000 })
    expect(row.difference).toBeNull()
  })

  it('takes a canary slower than a baseline of 0 ms for a breach', () => {
    const zeros = (n: number) => metricsOf(n, 0, { bins: [ZERO_BIN], counts: [n] })
    const judge = createJudge(
      specOf([P95_INCREASE], ONE),
      [{ cohort: EN, metrics: zeros(2000) }],
      START_MS,
    )
    for (let k = 0; k < 5; k++) {
      judge.fold(
        blockOf(k, [cellOf('stable', EN, zeros(900)), cellOf('canary', EN, metricsOf(100))]),
      )
    }
    expect(judge.assess().rollback).toBe(true)
    expect(rowOf(judge.assess(), 'latency_p95').difference).toBeNull()
  })

  it('shows both quantiles and the relative difference with an interval', () => {
    const row = judged(100, 20, 100)
    expect(row.stable.value).toBeCloseTo(10, 0)
    expect(row.canary.value).toBeCloseTo(100, 0)
    expect(row.difference).toBeCloseTo(9, 0)
    expect(row.ciLow).toBeLessThanOrEqual(row.difference!)
    expect(row.ciHigh).toBeGreaterThanOrEqual(row.difference!)
    expect(row.canary.n).toBe(10_000)
  })
})
