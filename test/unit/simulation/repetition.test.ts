import { describe, expect, it } from 'vitest'
import { createJudge, SHIPPED_RULES } from '../../../src/judge/judge.ts'
import type { SimulationCase } from '../../simulation/case.ts'
import { ALL_CASES } from '../../simulation/cases/all.ts'
import { errors, stationary, stationaryCase } from '../../simulation/cases/shapes.ts'
import { LOGNORMAL } from '../../simulation/latency-model.ts'
import { randomOf } from '../../simulation/random.ts'
import { releaseSpec } from '../../simulation/release-spec.ts'
import { NUMBERS_ONLY, runRepetition } from '../../simulation/repetition.ts'
import { createTraffic, START_MS } from '../../simulation/traffic.ts'

function absoluteError(canaryRate: number, parts: Partial<SimulationCase>): SimulationCase {
  return stationaryCase({
    name: 'test',
    family: 'test',
    what: '',
    scenario: stationary(errors(0.005), errors(canaryRate), 0.5),
    guardrails: ['metric: error_rate, max: 1%'],
    until: 'end',
    lookEvents: 100,
    horizonEvents: 6000,
    questions: [],
    repetitions: { full: 1, quick: 0 },
    ...parts,
  })
}

describe('a repetition', () => {
  it('finds what is known: a canary without errors passes a limit of 1 % after 521 requests', () => {
    const outcome = runRepetition(absoluteError(0, { until: 'pass' }), 1, 0)
    // Half of every block of 100 is canary traffic: 521 are there after the 11th block.
    expect(outcome['bare.pass']).toBe(1100)
    expect(outcome['bare.breach']).toBeNull()
    expect(outcome['shipped.pass']).toBeGreaterThanOrEqual(1100)
  })

  it('a canary that always fails is rolled back at the first look, never passed', () => {
    const outcome = runRepetition(absoluteError(1, {}), 1, 0)
    expect(outcome).toMatchObject({ 'bare.breach': 100, 'bare.pass': null, 'shipped.pass': null })
  })

  it('decides by the same numbers as a judge that says everything people read', () => {
    const spec = releaseSpec([
      'metric: latency_p95, max_increase: 10%',
      'metric: latency_p95, max: 120ms',
      'metric: error_rate, max_increase: 0.2pp',
      'metric: quality, max_drop: 0.01',
    ])
    const arm = { errorRate: 0.005, latency: LOGNORMAL, quality: { mean: 0.86, sd: 0.12 } }
    const traffic = createTraffic(stationary(arm, arm, 0.5), randomOf('numbers'), {
      ...{ limitsMs: [120], detailFromMs: 0 },
    })
    const modes = [undefined, NUMBERS_ONLY]
    const judges = modes.map((mode) =>
      createJudge(spec, traffic.history, START_MS, SHIPPED_RULES, mode),
    )
    for (let block = 0; block < 600; block++) {
      const closed = traffic.next()
      for (const judge of judges) judge.fold(closed)
      if (block % 20 !== 19) continue
      const [full, numbers] = judges.map((judge) => {
        const { rollback, passed, logEvidence, leading, rows } = judge.assess()
        const decisive = rows.map(({ logEBreach, logEPass, verdict, canary: { n } }) => ({
          ...{ logEBreach, logEPass, verdict, n },
        }))
        return { rollback, passed, logEvidence, leading, decisive }
      })
      expect(numbers).toEqual(full)
    }
    expect(judges[1]!.assess().passed).toBe(true)
  })

  it('the same seed gives the same outcome, another seed another', () => {
    const test = ALL_CASES.find(({ name }) => name.startsWith('worse, error, margin 0, 0.5→1.0 %'))!
    const few = { ...test, horizonEvents: 200_000 }
    const outcomes = [1, 1, 2].map((seed) => runRepetition(few, seed, 3))
    expect(outcomes[0]).toEqual(outcomes[1])
    expect(outcomes[0]).not.toEqual(outcomes[2])
  })

  it('a whole release of a sound canary is promoted by the shipped rollout, also behind a late router', () => {
    const sound = ALL_CASES.find(({ name }) => name === 'release, sound')!
    const test: SimulationCase = {
      ...sound,
      guardrails: ['metric: error_rate, max: 2%, cohorts: overall'],
      shipped: '',
      horizonEvents: 400 * sound.scenario.blockEvents,
    }
    const prompt = runRepetition({ ...test, rollout: { ...test.rollout!, lagBlocks: 0 } }, 1, 0)
    const late = runRepetition({ ...test, rollout: { ...test.rollout!, lagBlocks: 60 } }, 1, 0)
    const { blockEvents } = test.scenario
    expect(prompt['shipped.breach']).toBeNull()
    // Three steps of a minute are 18 blocks.
    expect(prompt['shipped.pass']).toBeGreaterThanOrEqual(18 * blockEvents)
    // Nothing reaches the canary during the first 60 blocks.
    expect(late['shipped.pass']).toBeGreaterThan(prompt['shipped.pass']!)
    expect(late['shipped.pass']).toBeLessThan(400 * blockEvents)
  })

  it('every case has a name of its own, questions, and a release file the shipped reader accepts', () => {
    expect(new Set(ALL_CASES.map(({ name }) => name)).size).toBe(ALL_CASES.length)
    for (const test of ALL_CASES) {
      expect(test.questions.length).toBeGreaterThan(0)
      const short = {
        ...test,
        horizonEvents: 1,
        scenario: { ...test.scenario, historyEvents: 2000 },
      }
      expect(() => runRepetition(short, 1, 0), test.name).not.toThrow()
    }
  })
})
