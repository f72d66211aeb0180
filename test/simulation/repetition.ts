import type { ClosedBlock, HistoryCell } from '../../src/domain/block.ts'
import { describeCohort } from '../../src/domain/cohort.ts'
import type { Decision } from '../../src/domain/decision.ts'
import type { ReleaseSpec } from '../../src/domain/release.ts'
import type { Assessment } from '../../src/domain/verdict.ts'
import type { JudgeRules } from '../../src/judge/judge.ts'
import { createJudge, SHIPPED_RULES } from '../../src/judge/judge.ts'
import type { JudgeMode } from '../../src/judge/judge-mode.ts'
import { BY_BLOCKS } from '../../src/judge/judge-mode.ts'
import { BIN_SCALE } from '../../src/judge/latency-scale.ts'
import { createReleaseRun } from '../../src/pipeline/release-run.ts'
import type { RouterAck } from '../../src/ports.ts'
import { canaryWeightOf } from '../../src/rollout/rollout.ts'
import type { Outcome, SimulationCase } from './case.ts'
import { latencyNeeds } from './latency-draws.ts'
import { createNaiveRules, hasNaiveRule, WINDOW_EVENTS } from './naive-rules.ts'
import { randomOf } from './random.ts'
import { releaseSpec } from './release-spec.ts'
import { eventsUntil } from './scenario.ts'
import { createTraffic, START_MS } from './traffic.ts'

/** One release from its first block to its end; the same key gives the same outcome, anywhere. */
export function runRepetition(test: SimulationCase, seed: number, repetition: number): Outcome {
  return test.rollout === undefined
    ? runJudges(test, seed, repetition)
    : runRollout(test, test.rollout, seed, repetition)
}

/** The shipped judge under the reference's conditions, the same as shipped, and plain thresholds. */
function runJudges(test: SimulationCase, seed: number, repetition: number): Outcome {
  const shipped = releaseSpec(test.guardrails, test.shipped, test.plan)
  const traffic = createTraffic(
    test.scenario,
    randomOf(seed, test.name, repetition),
    latencyNeeds(shipped, test.scenario),
  )
  const observers = [createObserver('shipped', shipped, test, traffic.history)]
  if (test.bare !== null) {
    const bare = releaseSpec(test.guardrails, test.bare, test.plan)
    observers.push(createObserver('bare', bare, test, traffic.history))
  }
  const [guardrail] = shipped.guardrails
  const naive = hasNaiveRule(guardrail!) ? createNaiveRules(guardrail!) : null
  let events = 0
  for (let block = 0; events < test.horizonEvents; block++) {
    const closed = traffic.next(undefined, observers[0]!.slowBins)
    naive?.fold(closed)
    for (const observer of observers) observer.fold(closed, block)
    const before = events
    events += closed.events
    const passes = (every: number) => Math.floor(events / every) > Math.floor(before / every)
    const due = passes(test.lookEvents)
    const few = events > (test.fewLooksAfter ?? Number.POSITIVE_INFINITY)
    for (const observer of observers) {
      const isDue = observer.name === 'bare' || !few ? due : passes(10 * test.lookEvents)
      if (isDue || (observer.name === 'shipped' && block < EVERY_BLOCK_UNTIL)) observer.look(events)
    }
    if (!due) continue
    naive?.look(events)
    const asked = naive?.window !== null || test.until === 'pass' || events >= 10 * WINDOW_EVENTS
    if (asked && observers.every(({ done }) => done)) break
  }
  const outcome: Record<string, number | null> =
    naive === null ? {} : { 'naive.breach': naive.window, 'three.breach': naive.three }
  for (const observer of observers) Object.assign(outcome, observer.outcome)
  return outcome
}

/** How the reference was measured, and how releases are judged. */
const RULES: Readonly<Record<'bare' | 'shipped', JudgeRules>> = {
  bare: { restarts: false, fewestBlocks: 1 },
  shipped: SHIPPED_RULES,
}

/**
 * What only people read is left out: quantiles and their intervals, and what is still needed. None of
 * it decides anything.
 */
export const NUMBERS_ONLY: JudgeMode = {
  ...BY_BLOCKS,
  scale: { ...BIN_SCALE, valueIn: () => null },
  needs: false,
  split: 'none',
}

/** Most traffic is made without a router, of which nothing is to be said. */
function modeOf({ split }: SimulationCase): JudgeMode {
  return split === undefined ? NUMBERS_ONLY : { ...NUMBERS_ONLY, split }
}

/** Releases are judged at every block; later a look more changes next to nothing. */
const EVERY_BLOCK_UNTIL = 100

/** The reference's level of evidence about the split: 0.1 %. */
const SURE_OF_SPLIT = Math.log(1000)

interface Observer {
  readonly name: 'bare' | 'shipped'
  readonly outcome: Outcome
  readonly done: boolean
  /** Fixed at the start, from the history that all observers share. */
  readonly slowBins: readonly number[]
  fold(block: ClosedBlock, index: number): void
  look(events: number): void
}

function createObserver(
  name: 'bare' | 'shipped',
  spec: ReleaseSpec,
  test: SimulationCase,
  history: readonly HistoryCell[],
): Observer {
  const judge = createJudge(spec, history, START_MS, RULES[name], modeOf(test))
  judge.startStep(0, START_MS)
  let steps = 0
  let breach: number | null = null
  let pass: number | null = null
  let named: number | null = null
  let split: number | null = null
  let evidence: number | null = null
  const asksForEvidence = test.questions.some(({ asks }) => asks === 'split_evidence')
  const isDone = (): boolean => {
    if (test.until === 'split') return split !== null
    if (test.until === 'breach') return breach !== null
    if (test.until === 'pass') return breach !== null || pass !== null
    return breach !== null && pass !== null
  }
  return {
    name,
    get outcome() {
      const figures = { [`${name}.breach`]: breach, [`${name}.pass`]: pass }
      return {
        ...figures,
        ...(test.worse === undefined ? {} : { [`${name}.named`]: named }),
        ...(test.split === undefined ? {} : { [`${name}.split`]: split }),
        ...(asksForEvidence ? { [`${name}.evidence`]: evidence } : {}),
      }
    },
    get done() {
      return isDone()
    },
    get slowBins() {
      return judge.slowBins
    },
    fold(block, index) {
      if (isDone()) return
      if (test.steps?.includes(index) === true) judge.startStep(++steps, block.startMs)
      judge.fold(block)
    },
    look(events) {
      if (isDone()) return
      const assessment = judge.assess()
      if (assessment.rollback && breach === null) {
        breach = events
        named = nameOf(assessment) === test.worse ? 1 : 0
      }
      if (assessment.passed && pass === null) pass = events
      const { sampleRatioBroken, parityBroken, logESampleRatio, logEParity } = assessment.split
      if (sampleRatioBroken || parityBroken) split ??= events
      if (Math.max(logESampleRatio, logEParity) >= SURE_OF_SPLIT) evidence ??= events
    },
  }
}

function nameOf({ rows, leading }: Assessment): string | undefined {
  const row = rows[leading]
  return row === undefined ? undefined : describeCohort(row.cohort)
}

function ackOf({ route, generation }: Decision, appliedAtMs: number): RouterAck {
  return { route, routerId: 'sim', appliedGeneration: generation, appliedAtMs }
}

/** A whole release: the shipped fold, judge and rollout, and a router that is late by some blocks. */
function runRollout(
  test: SimulationCase,
  rollout: { readonly plan: string; readonly lagBlocks: number },
  seed: number,
  repetition: number,
): Outcome {
  const spec = releaseSpec(test.guardrails, test.shipped, rollout.plan)
  const random = randomOf(seed, test.name, repetition)
  const traffic = createTraffic(test.scenario, random, latencyNeeds(spec, test.scenario))
  const run = createReleaseRun({
    releaseId: 'sim',
    spec,
    startedAtMs: START_MS,
    lastGeneration: 0,
    decidedAt: (watermarkMs) => watermarkMs,
  })
  const decisions: Decision[] = [run.start('sim')]
  run.begin(traffic.history)
  let applied = -1
  let block = 0
  const eventsSoFar = () => eventsUntil(test.scenario, block)
  for (; eventsSoFar() < test.horizonEvents && !run.finished; block++) {
    const knownUntilMs = START_MS + (block - rollout.lagBlocks) * spec.blocks.lengthMs
    while (applied + 1 < decisions.length) {
      if (decisions[applied + 1]!.window.watermarkMs > knownUntilMs) break
      applied++
      run.noteAcks([ackOf(decisions[applied]!, START_MS + block * spec.blocks.lengthMs)])
    }
    const weight = canaryWeightOf(decisions[applied]?.traffic ?? [])
    const decision = run.onBlock(traffic.next(weight / spec.totalWeight, run.slowBins))
    if (decision !== null) decisions.push(decision)
  }
  const events = eventsSoFar()
  const phase = run.newest?.phase
  return {
    'shipped.breach': phase === 'rolled_back' ? events : null,
    'shipped.pass': phase === 'promoted' ? events : null,
  }
}
