import { describe, expect, it } from 'vitest'
import { ROUTING_CASES } from '../../simulation/cases/routing.ts'
import { errors, stationary, stationaryCase } from '../../simulation/cases/shapes.ts'
import { randomOf } from '../../simulation/random.ts'
import { runRepetition } from '../../simulation/repetition.ts'
import { eventsUntil } from '../../simulation/scenario.ts'
import { figureOf, judge } from '../../simulation/summary.ts'
import { createTraffic } from '../../simulation/traffic.ts'

const GROWING = {
  ...stationary(errors(0.005), errors(0), 0.5),
  laterBlocks: [
    { fromBlock: 4, events: 1000 },
    { fromBlock: 6, events: 5000 },
  ],
}

describe('blocks that become larger', () => {
  it('are counted by their events', () => {
    const traffic = createTraffic(GROWING, randomOf('blocks'))
    const events = Array.from({ length: 7 }, () => {
      const { cells, events } = traffic.next()
      expect(cells.reduce((sum, { metrics }) => sum + metrics.requests, 0)).toBe(events)
      return events
    })
    expect(events).toEqual([100, 100, 100, 100, 1000, 1000, 5000])
    expect([3, 4, 6, 8].map((blocks) => eventsUntil(GROWING, blocks))).toEqual([
      300, 400, 2400, 12_400,
    ])
  })

  it('are looked at when so many events have passed, and end at the horizon', () => {
    const test = stationaryCase({
      name: 'test',
      family: 'test',
      what: '',
      scenario: GROWING,
      guardrails: ['metric: error_rate, max: 1%'],
      until: 'pass',
      lookEvents: 1000,
      horizonEvents: 3000,
      questions: [],
      repetitions: { full: 1, quick: 0 },
    })
    // 521 canary requests without an error pass; the looks are at 1,400 and 2,400 events.
    expect(runRepetition(test, 1, 0)['bare.pass']).toBe(1400)
    expect(runRepetition({ ...test, horizonEvents: 300 }, 1, 0)['bare.pass']).toBeNull()
  })
})

describe('alarms about the split', () => {
  it('are rare where traffic is sent as planned, and expected where it is not', () => {
    const outcomes = [...new Array<null>(999).fill(null), 4000].map((at) => ({
      'shipped.split': at,
    }))
    const [planned, , lean] = ROUTING_CASES
    const figures = [planned!, lean!].map((test) => {
      const question = test.questions.find(({ asks }) => asks === 'split_alarm')
      return judge(question!, 'shipped', figureOf(test, question!, 'shipped', outcomes)!)
    })
    expect(figures.map(({ figure }) => figure.value)).toEqual([0.1, 0.1])
    expect(figures.map(({ held }) => held)).toEqual([true, false])
    expect(figures[0]!.bar).toBeCloseTo(0.1 + 3 * 0.09995, 4)
  })

  it('are asked in releases whose steps are the ramp, and the evidence where they are wanted', () => {
    for (const test of ROUTING_CASES) {
      const outcome = runRepetition({ ...test, horizonEvents: 120_000 }, 1, 0)
      expect(outcome, test.name).toHaveProperty(['shipped.split'])
      const wanted = !test.name.endsWith('as planned')
      expect('shipped.evidence' in outcome, test.name).toBe(wanted)
    }
  })

  it('come after the evidence, and both have a bar', () => {
    const lean = ROUTING_CASES.find(({ name }) => name === 'routing, share odds ×0.8')!
    const { 'shipped.split': alarm, 'shipped.evidence': evidence } = runRepetition(lean, 1, 0)
    expect(evidence).toBeLessThan(alarm!)
    const barred = lean.questions.filter(({ bar }) => bar !== 'none').map(({ asks }) => asks)
    expect(barred).toEqual(['split_evidence', 'split_alarm'])
  })
})
