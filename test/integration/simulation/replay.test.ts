import { describe, expect, it } from 'vitest'
import type { WireDecision } from '../../../src/contract/decision.ts'
import type { Decision } from '../../../src/domain/decision.ts'
import type { ReleaseSpec } from '../../../src/domain/release.ts'
import type { Assessment } from '../../../src/domain/verdict.ts'
import { createJudge } from '../../../src/judge/judge.ts'
import { createReleaseRun } from '../../../src/pipeline/release-run.ts'
import { canaryWeightOf } from '../../../src/rollout/rollout.ts'
import type { SimulationCase } from '../../simulation/case.ts'
import { ALL_CASES } from '../../simulation/cases/all.ts'
import { releaseSpec, releaseText } from '../../simulation/release-spec.ts'
import { BLOCK_MS, START_MS } from '../../simulation/traffic.ts'
import { canaryWeight } from '../replay/decision-rules.ts'
import { useReplay } from '../replay/replay-run.ts'
import { createEventStream, type EventStream } from './event-stream.ts'

/** Decisions are printed with ten digits. */
const TOLERANCE = 1e-9

function caseOf(name: string): SimulationCase {
  const found = ALL_CASES.find((test) => test.name === name)
  if (found === undefined) throw new Error(`no case called ${name}`)
  // A decision at every block, so that all evidence is seen.
  return { ...found, shipped: `${found.shipped}\nheartbeat: 10s` }
}

/** What the judge of the simulation says at the end of each block, by that. */
type Said = Map<number, Assessment>

function judgeAll(spec: ReleaseSpec, stream: EventStream, blocks: number): Said {
  const judge = createJudge(spec, stream.history, START_MS)
  judge.startStep(0, START_MS)
  const said: Said = new Map()
  for (let count = 0; count < blocks; count++) {
    const block = stream.next()
    judge.fold(block)
    said.set(block.endMs, judge.assess())
  }
  return said
}

/** A whole release whose router applies a decision as soon as it is made. */
function rollOut(spec: ReleaseSpec, stream: EventStream, blocks: number) {
  const run = createReleaseRun({
    ...{ releaseId: 'sim/production/1.1.0', spec, startedAtMs: START_MS, lastGeneration: 0 },
    decidedAt: (watermarkMs) => watermarkMs,
    split: 'observed',
  })
  const decisions: Decision[] = [run.start('sim')]
  run.begin(stream.history)
  const said: Said = new Map()
  for (let count = 0; count < blocks && !run.finished; count++) {
    const nowMs = START_MS + count * BLOCK_MS
    const known = decisions.findLast(({ window }) => window.watermarkMs <= nowMs)
    const block = stream.next(canaryWeightOf(known?.traffic ?? []) / spec.totalWeight)
    const decision = run.onBlock(block)
    if (decision !== null) decisions.push(decision)
    if (run.assessment !== null) said.set(block.endMs, run.assessment)
  }
  return { decisions, said }
}

/** Every row of every decision of a replay has the evidence the simulation has. */
function expectSame(decisions: readonly WireDecision[], said: Said): void {
  let compared = 0
  for (const { evidence, window } of decisions.slice(1)) {
    const rows = said.get(Date.parse(window.end))?.rows ?? []
    for (const row of evidence) {
      const twin = rows.find(
        ({ metric, limit, cohort }) =>
          metric === row.metric &&
          limit === row.limit &&
          JSON.stringify(cohort) === JSON.stringify(row.cohort),
      )
      const at = `${window.end} ${row.metric} ${row.limit} ${JSON.stringify(row.cohort)}`
      expect(row.canary.n, at).toBe(twin?.canary.n)
      for (const [seen, simulated] of [
        [row.log_e_breach, twin?.logEBreach],
        [row.log_e_pass, twin?.logEPass],
      ] as const) {
        const allowed = TOLERANCE * Math.max(1, Math.abs(simulated ?? Number.NaN))
        expect(Math.abs(seen - (simulated ?? Number.NaN)), at).toBeLessThanOrEqual(allowed)
      }
      compared++
    }
  }
  expect(compared).toBeGreaterThan(decisions.length - 2)
}

describe('the simulated judge and a replay of the same traffic as events', () => {
  const { replay } = useReplay()
  const replayed = (test: SimulationCase, stream: EventStream) =>
    replay({
      release: releaseText(test.guardrails, test.shipped, test.rollout?.plan),
      events: stream.lines(),
      args: ['--start', new Date(START_MS).toISOString()],
    })

  it.each([
    ['worse, error, +0.2 pp, 0.5→2.0 %, 10/90', 400],
    ['worse, p95, margin 0, +20 % scale, 10/90', 250],
    ['worse, quality, margin 0.01, −0.03, 50/50', 90],
  ])('have the same evidence: %s', async (name, blocks) => {
    const test = caseOf(name)
    const spec = releaseSpec(test.guardrails, test.shipped)
    const stream = createEventStream(test, spec)
    const said = judgeAll(spec, stream, blocks)
    const { decisions, summary } = await replayed(test, stream)
    expect(summary.rejected).toBe(0)
    expectSame(decisions, said)
    const first = [...said].find(([, { rollback }]) => rollback)
    expect(first).toBeDefined()
    expect(decisions.at(-1)?.phase).toBe('rolled_back')
    expect(decisions.at(-1)?.window.end).toBe(new Date(first?.[0] ?? 0).toISOString())
  })

  it('make the same decisions about a release with cohorts and steps', async () => {
    const found = caseOf('release, sound')
    const test: SimulationCase = {
      ...found,
      scenario: { ...found.scenario, blockEvents: 400, historyEvents: 5000 },
      guardrails: [
        'metric: latency_p95, max: 150ms',
        'metric: latency_p95, max_increase: 30%',
        'metric: error_rate, max: 3%',
        'metric: error_rate, max_increase: 2pp',
        'metric: quality, max_drop: 0.03',
      ],
      rollout: {
        plan: '- { weight: 10, min_duration: 1m, min_requests: 500 }\n- { weight: 50, min_duration: 1m }',
        lagBlocks: 0,
      },
    }
    const spec = releaseSpec(test.guardrails, test.shipped, test.rollout?.plan)
    const stream = createEventStream(test, spec)
    const { decisions, said } = rollOut(spec, stream, 250)
    expect(decisions.at(-1)?.phase).toBe('promoted')
    const { decisions: recorded, summary } = await replayed(test, stream)
    expect(summary.rejected).toBe(0)
    expectSame(recorded, said)
    const told = (all: readonly (Decision | WireDecision)[]) =>
      all.map(({ action, phase, reasons }) => ({ action, phase, reasons }))
    expect(told(recorded)).toEqual(told(decisions))
    expect(recorded.map(({ traffic }) => canaryWeight(traffic))).toEqual(
      decisions.map(({ traffic }) => canaryWeightOf(traffic)),
    )
  })
})
