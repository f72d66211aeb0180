import type { ClosedBlock, HistoryCell } from '../domain/block.ts'
import {
  type Decision,
  type DecisionDraft,
  type Reason,
  TERMINAL_PHASES,
} from '../domain/decision.ts'
import { HaldaneError } from '../domain/errors.ts'
import type { ReleaseSpec } from '../domain/release.ts'
import type { Assessment } from '../domain/verdict.ts'
import { createJudge, type Judge, SHIPPED_RULES } from '../judge/judge.ts'
import { BY_BLOCKS } from '../judge/judge-mode.ts'
import type { RouterAck } from '../ports.ts'
import {
  type Counts,
  decideAtBlockEnd,
  decideByCommand,
  firstBlockMs,
  type ManualCommand,
  reportIdle,
  startRollout,
} from '../rollout/rollout.ts'
import type { Laggards } from '../rollout/traffic-reasons.ts'
import { attemptOf, identify } from './identity.ts'
import { routerProgress } from './router-progress.ts'

export interface ReleaseRunOptions {
  readonly releaseId: string
  readonly spec: ReleaseSpec
  /** Event time the release started at, Unix ms. */
  readonly startedAtMs: number
  /** Largest generation the route has ever had. */
  readonly lastGeneration: number
  /** When a decision with this window end is made: wall time live, event time in a replay. */
  decidedAt(watermarkMs: number): number
  /**
   * `assigned` (default): the traffic's split is compared with the step's weight; `observed`: it is
   * taken as it is, because the traffic followed no decision of this release.
   */
  readonly split?: 'assigned' | 'observed'
}

/**
 * One release from its first to its last decision: folds closed blocks into evidence and lets the
 * rollout decide at every block end. Pure but for its own state; the same blocks and commands give
 * the same decisions. A run that starts again is given the recorded decisions and folds the
 * recorded blocks silently up to the newest of them.
 */
export interface ReleaseRun {
  readonly releaseId: string
  readonly spec: ReleaseSpec
  /** Null until the first decision. */
  readonly newest: Decision | null
  readonly finished: boolean
  readonly assessment: Assessment | null
  /** Start of the first block that may be judged: the end of the baseline's history. */
  readonly firstBlockMs: number
  /** End of the newest folded block; `firstBlockMs` before any. */
  readonly windowEndMs: number
  /** True once the baseline's history is known, so that blocks may be folded. */
  readonly begun: boolean
  /** As the judge has them: for the blocks that are closed next. */
  readonly slowBins: readonly number[]
  readonly missingBaseline: number
  /** The first decision, `release_started`. */
  start(by: string): Decision
  /** Gives the baseline's history; once, before the first block. */
  begin(history: readonly HistoryCell[]): void
  /** Takes over what was recorded before; blocks ascending from the release's first. */
  restore(
    decisions: readonly Decision[],
    blocks: AsyncIterable<ClosedBlock> | Iterable<ClosedBlock>,
  ): Promise<Decision[]>
  /** Whether it is still unknown when routers had the step's weights in force. */
  readonly awaitsRouters: boolean
  /**
   * The newest ack of each router of the route. What they say counts for the blocks that are folded
   * next, so a run that starts again is given them before `restore`.
   */
  noteAcks(acks: readonly RouterAck[]): void
  onBlock(block: ClosedBlock): Decision | null
  onCommand(command: ManualCommand, by: string, reason: string): Decision | null
  onIdle(reason: Reason): Decision | null
}

export function createReleaseRun(options: ReleaseRunOptions): ReleaseRun {
  const { releaseId, spec, startedAtMs } = options
  const firstMs = firstBlockMs(spec, startedAtMs)
  let judge: Judge | null = null
  let newest: Decision | null = null
  let generation = options.lastGeneration
  let assessment: Assessment | null = null
  let windowEndMs = firstMs
  let counts: Counts = { events: 0, duplicates: 0, late: 0 }
  let acks: readonly RouterAck[] = []
  let stepGeneration = generation
  let inForce = false
  let laggards: Laggards | null = null

  /** Of routers that acknowledge at all; the judge knows what to do without them. */
  const followRouters = () => {
    if (inForce) return
    const { heartbeatMs } = spec
    const asked = { generation: stepGeneration, sinceMs: startedAtMs, heartbeatMs }
    const progress = routerProgress(acks, asked)
    if (progress === null) return
    judge?.weightsInForce(progress.inForceFromMs)
    inForce = progress.inForceFromMs !== null
    laggards = inForce ? null : { routers: progress.lagging, generation: stepGeneration }
  }

  const fold = (block: ClosedBlock): Judge => {
    if (judge === null)
      throw new HaldaneError('internal', `${releaseId}: no history before a block`)
    judge.fold(block)
    windowEndMs = block.endMs
    counts = {
      events: counts.events + block.events,
      duplicates: counts.duplicates + block.duplicates,
      late: counts.late + block.late,
    }
    return judge
  }

  const place = (draft: DecisionDraft, by: string): Decision =>
    identify(spec, draft, {
      ...{ releaseId, generation: generation + 1, by },
      decidedAtMs: options.decidedAt(draft.window.watermarkMs),
    })

  const accept = (decision: Decision) => {
    const before = newest?.step
    newest = decision
    generation = Math.max(generation, decision.generation)
    const { step } = decision
    if (before === undefined || before.startedAtMs !== step.startedAtMs) {
      judge?.startStep(step.index, step.startedAtMs)
      stepGeneration = decision.generation
      inForce = false
      laggards = null
      followRouters()
    }
  }

  const issue = (draft: DecisionDraft | null, by: string): Decision | null => {
    if (draft === null) return null
    const decision = place(draft, by)
    accept(decision)
    return decision
  }

  const decide = (block: ClosedBlock): Decision | null => {
    const verdicts = fold(block).assess()
    assessment = verdicts
    if (newest === null) return null
    const at = { endMs: block.endMs, releaseStartMs: startedAtMs, counts, laggards }
    return issue(decideAtBlockEnd(spec, newest, verdicts, at), 'analyzer')
  }

  return {
    releaseId,
    spec,
    get newest() {
      return newest
    },
    get finished() {
      return newest !== null && TERMINAL_PHASES.includes(newest.phase)
    },
    get assessment() {
      return assessment
    },
    firstBlockMs: firstMs,
    get windowEndMs() {
      return windowEndMs
    },
    get begun() {
      return judge !== null
    },
    get slowBins() {
      return judge?.slowBins ?? []
    },
    get missingBaseline() {
      return judge?.missingBaseline ?? 0
    },
    start(by) {
      const decision = place(startRollout(spec, startedAtMs, attemptOf(releaseId)), by)
      accept(decision)
      return decision
    },
    begin(history) {
      const mode = { ...BY_BLOCKS, split: options.split ?? BY_BLOCKS.split }
      judge = createJudge(spec, history, startedAtMs, SHIPPED_RULES, mode)
      judge.startStep(0, firstMs)
      inForce = false
      followRouters()
    },
    get awaitsRouters() {
      return !inForce
    },
    noteAcks(newest) {
      acks = newest
      followRouters()
    },
    async restore(decisions, blocks) {
      const last = decisions.at(-1)
      if (last === undefined) throw new HaldaneError('internal', `${releaseId}: nothing to restore`)
      const made: Decision[] = []
      let next = 0
      let anyBlock = false
      for await (const block of blocks) {
        anyBlock = true
        next = acceptUntil(decisions, next, block.startMs, accept)
        if (block.endMs <= last.window.endMs) fold(block)
        else {
          next = acceptUntil(decisions, next, Number.POSITIVE_INFINITY, accept)
          const decision = decide(block)
          if (decision !== null) made.push(decision)
        }
      }
      acceptUntil(decisions, next, Number.POSITIVE_INFINITY, accept)
      if (assessment === null && anyBlock) assessment = judge?.assess() ?? null
      return made
    },
    onBlock: (block) => decide(block),
    onCommand(command, by, reason) {
      if (newest === null) return null
      const at = { endMs: windowEndMs, releaseStartMs: startedAtMs, counts }
      return issue(decideByCommand(spec, newest, command, by, reason, at), `user:${by}`)
    },
    onIdle(reason) {
      return newest === null ? null : issue(reportIdle(newest, reason), 'analyzer')
    },
  }
}

/** Accepts recorded decisions whose window ends at or before `untilMs`; returns the next index. */
function acceptUntil(
  decisions: readonly Decision[],
  from: number,
  untilMs: number,
  accept: (decision: Decision) => void,
): number {
  let next = from
  for (;;) {
    const decision = decisions[next]
    if (decision === undefined || decision.window.endMs > untilMs) return next
    accept(decision)
    next++
  }
}
