import fc from 'fast-check'
import type { BlockCell, ClosedBlock, HistoryCell } from '../../../src/domain/block.ts'
import type { Cohort } from '../../../src/domain/cohort.ts'
import type { Decision } from '../../../src/domain/decision.ts'
import type { Guardrail, ReleaseSpec } from '../../../src/domain/release.ts'
import type { Assessment } from '../../../src/domain/verdict.ts'
import { createReleaseRun, type ReleaseRun } from '../../../src/pipeline/release-run.ts'
import type { ManualCommand } from '../../../src/rollout/rollout.ts'
import { generateBlocks } from '../../support/block-generator.ts'
import {
  ERROR_MAX,
  ERROR_PP,
  guardrail,
  KPI_DROP,
  P95,
  P95_INCREASE,
  QUALITY,
  QUALITY_DROP,
  START_MS,
  specOf,
} from '../judge/judge-builders.ts'

export interface RandomRelease {
  readonly spec: ReleaseSpec
  readonly history: readonly HistoryCell[]
  readonly blocks: readonly ClosedBlock[]
}

export const COHORTS: readonly Cohort[] = [
  { locale: 'en-US', device: 'mobile' },
  { locale: 'en-GB', device: 'mobile' },
  { locale: 'de-DE', device: 'desktop' },
  { locale: 'pt-BR', device: 'mobile' },
  { locale: 'pt-PT', device: 'tv' },
]

/** Limits on the canary alone, wide ones: known after a few blocks. */
const QUICK: readonly Guardrail[] = [
  guardrail(P95, { kind: 'max', value: 160 }),
  { ...ERROR_MAX, limit: { kind: 'max', value: 0.05 } },
  guardrail(QUALITY, { kind: 'min', value: 0.7 }),
  { ...QUALITY_DROP, dryRun: true },
]
/** Differences too, one of which may only hold and one only be shown. */
const SLOW: readonly Guardrail[] = [
  ...QUICK,
  P95_INCREASE,
  { ...ERROR_PP, severity: 'signal' },
  { ...KPI_DROP, dryRun: true },
]

/** Which blocks have a cohort: from one on, up to one, and of those each n-th. */
const presences = fc.record({
  from: fc.constantFrom(0, 0, 0, 5, 20),
  until: fc.constantFrom(60, 60, 60, 25),
  every: fc.constantFrom(1, 1, 1, 7),
})

const parts = fc.record({
  seed: fc.integer({ min: 0, max: 1_000_000 }),
  count: fc.integer({ min: 12, max: 45 }),
  ramp: fc.constantFrom<(block: number) => number>(
    () => 0.1,
    (block) => (block < 10 ? 0.05 : block < 20 ? 0.25 : 0.5),
    (block) => 0.02 + 0.01 * block,
  ),
  canary: fc.constantFrom({}, {}, { errorRate: 0.08 }, { p95Ms: 150 }, { quality: 0.8 }),
  presences: fc.array(presences, { minLength: COHORTS.length, maxLength: COHORTS.length }),
  /** Blocks in which nothing arrives, and in which an arm sends nothing. */
  silent: fc.array(fc.integer({ min: 0, max: 45 }), { maxLength: 12 }),
  lame: fc.array(fc.tuple(fc.integer({ min: 0, max: 45 }), fc.boolean()), { maxLength: 4 }),
  historyRequests: fc.constantFrom(0, 700, 5000),
  warmupMs: fc.constantFrom(0, 20_000),
  guardrails: fc.constantFrom(QUICK, QUICK, SLOW),
  keys: fc.constantFrom<readonly Cohort[]>([], [{ locale: 'en-US' }, COHORTS[3] as Cohort]),
})

/** Releases with ramps, quiet blocks, cohorts that come late, vanish or send now and then. */
export const randomReleases: fc.Arbitrary<RandomRelease> = parts.map((given) => {
  const source = generateBlocks({
    seed: given.seed,
    requestsPerBlock: 400,
    canaryShare: given.ramp,
    cohorts: COHORTS.map((cohort, i) => ({ cohort, share: 1 / (i + 1) })),
    latencyLimitsMs: [160],
    kpis: 1,
    canary: given.canary,
  })
  const presence = new Map(COHORTS.map((cohort, i) => [cohort, given.presences[i]]))
  const isThere = ({ arm, cohort }: BlockCell, index: number) => {
    const rule = presence.get(cohort)
    if (rule === undefined || index < rule.from || index >= rule.until) return false
    if (index % rule.every !== 0 || given.silent.includes(index)) return false
    return !given.lame.some(([at, canary]) => at === index && canary === (arm === 'canary'))
  }
  const history = given.historyRequests === 0 ? [] : source.history(given.historyRequests)
  return {
    spec: specOf(given.guardrails, {
      plan: [
        { weight: 5, minDurationMs: 30_000, minRequests: 50 },
        { weight: 25, minDurationMs: 30_000, minRequests: 0 },
        { weight: 50, minDurationMs: 30_000, minRequests: 0 },
      ],
      cohorts: { by: ['locale', 'device'], key: given.keys },
      warmupMs: given.warmupMs,
      heartbeatMs: 20_000,
      // Some restarts at parts of the duration fall into the stream.
      maxDurationMs: 900_000,
    }),
    history: history.filter(({ cohort }) => presence.get(cohort)?.from === 0),
    blocks: source.take(given.count).map((block, index) => ({
      ...block,
      cells: block.cells.filter((cell) => isThere(cell, index)),
    })),
  }
})

export interface Course {
  readonly decisions: readonly Decision[]
  /** At the end of each block that was judged. */
  readonly assessments: readonly (Assessment | null)[]
}

export function newRun({ spec, history }: RandomRelease): ReleaseRun {
  const run = createReleaseRun({
    ...{ releaseId: 'm/production/1.1.0', spec, startedAtMs: START_MS, lastGeneration: 7 },
    decidedAt: (watermarkMs) => watermarkMs,
  })
  run.begin(history)
  return run
}

/** Decisions of a block, and of what a person does after it. */
export function step(run: ReleaseRun, block: ClosedBlock, command?: ManualCommand): Decision[] {
  const decision = run.onBlock(block)
  const manual = command === undefined ? null : run.onCommand(command, 'ada', '')
  return [decision, manual].filter((made) => made !== null)
}

/** What a person does after so many blocks. */
export type Commands = ReadonlyMap<number, ManualCommand>

/** The release from its start to its end. */
export function courseOf(release: RandomRelease, commands: Commands = new Map()): Course {
  const run = newRun(release)
  const decisions = [run.start('ada')]
  const assessments: (Assessment | null)[] = []
  for (const [index, block] of release.blocks.entries()) {
    if (run.finished) break
    decisions.push(...step(run, block, commands.get(index + 1)))
    assessments.push(run.assessment)
  }
  return { decisions, assessments }
}
