import { describe, expect, it } from 'vitest'
import { EMPTY_METRICS } from '../../../src/judge/block-intake.ts'
import { BAD, FINE, requests, testOf } from './guardrail-runs.ts'
import { ALL_KINDS, P95_MAX, QUALITY_MIN } from './judge-builders.ts'

const KINDS = ALL_KINDS.map((kind) => [`${kind.metric.name} ${kind.written}`, kind] as const)
const LEVEL = Math.log(20)

describe.each(KINDS)('the test of %s', (_, kind) => {
  it('says nothing before there are data', () => {
    const none = { value: null, n: 0 }
    const reading = testOf(kind).read()
    expect(reading).toMatchObject({
      ...{ stable: none, canary: none, difference: null, shift: null },
      ...{ ciLow: null, ciHigh: null, blocks: 0 },
    })
    expect(reading.logEBreach).toBeCloseTo(0, 9)
    expect(reading.logEPass).toBeCloseTo(0, 9)
    expect(reading.growthToPass(LEVEL)).toBeNull()
  })

  it('finds what is outside of the limit, and passes what is inside', () => {
    const bad = testOf(kind)
    bad.run(60, BAD)
    expect(bad.read().logEBreach).toBeGreaterThan(LEVEL)
    expect(bad.read().logEPass).toBeLessThan(0)
    const fine = testOf(kind)
    fine.run(120, FINE)
    expect(fine.read().logEPass).toBeGreaterThan(LEVEL)
    expect(fine.read().logEBreach).toBeLessThan(0)
    expect(fine.read()).toMatchObject({ collecting: false, blocks: 120 })
  })

  it('takes blocks before the step for breach evidence only', () => {
    const before = testOf(kind)
    before.run(40, BAD, false)
    const within = testOf(kind)
    within.run(40, BAD)
    expect(before.read().logEBreach).toBe(within.read().logEBreach)
    expect(before.read().logEPass).toBeCloseTo(0, 9)
    expect(before.read().growthToPass(LEVEL)).toBeNull()
  })

  it('keeps its breach evidence and values at a new step, and begins its pass evidence', () => {
    const began = testOf(kind)
    began.run(40, FINE)
    const { logEBreach, difference, canary } = began.read()
    began.test.startStep()
    expect(began.read()).toMatchObject({ logEBreach, difference, canary })
    expect(began.read().logEPass).toBeCloseTo(0, 9)
    const fresh = testOf(kind)
    for (const each of [began, fresh]) each.run(40, FINE)
    expect(began.read().logEPass).toBeCloseTo(fresh.read().logEPass, 9)
  })

  it('is told less by requests that go together', () => {
    const bad = testOf(kind)
    bad.run(40, BAD)
    expect(bad.read(4).logEBreach).toBeLessThan(0.5 * bad.read().logEBreach)
    expect(bad.read(4).logEBreach).toBeGreaterThan(0.1 * bad.read().logEBreach)
    const fine = testOf(kind)
    fine.run(120, FINE)
    expect(fine.read(4).logEPass).toBeLessThan(0.8 * fine.read().logEPass)
  })

  it('finds what begins after a restart with more evidence than without one', () => {
    const late = (restarts: number) => {
      const seen = testOf(kind, restarts)
      seen.run(60, FINE)
      seen.test.restart()
      seen.run(40, BAD)
      return seen.read().logEBreach
    }
    expect(late(1)).toBeGreaterThan(late(0) + 1)
  })

  it('counts no block in which the canary has nothing of the metric', () => {
    const empty = testOf(kind)
    empty.fold(EMPTY_METRICS, requests(9000, FINE))
    expect(empty.read().blocks).toBe(0)
    empty.run(1, FINE)
    expect(empty.read().blocks).toBe(1)
  })

  it('knows how many times its data it takes to pass', () => {
    const seen = testOf(kind)
    const near =
      kind === P95_MAX
        ? { ...FINE, slow: 0.045 }
        : kind === QUALITY_MIN
          ? { ...FINE, quality: 0.8425 }
          : FINE
    seen.run(6, near)
    const growth = seen.read().growthToPass(LEVEL)!
    expect(growth).toBeGreaterThan(1)
    const total = Math.ceil(6 * growth * 1.06)
    seen.run(total - 6, near)
    expect(seen.read().logEPass).toBeGreaterThanOrEqual(LEVEL)
    expect(seen.read().collecting).toBe(false)
    const short = testOf(kind)
    short.run(Math.floor(6 * growth * 0.94), near)
    expect(short.read().collecting || short.read().logEPass < LEVEL).toBe(true)
  })
})
