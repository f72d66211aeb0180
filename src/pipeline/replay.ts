import type { ControlCommand } from '../contract/control-command.ts'
import { FEEDBACK_EVENTS, REQUEST_EVENTS } from '../contract/event-format.ts'
import type { Decision } from '../domain/decision.ts'
import { HaldaneError } from '../domain/errors.ts'
import type { ReleaseSpec } from '../domain/release.ts'
import type { Rejection } from '../domain/request-event.ts'
import { describeDuration, floorToBlock } from '../domain/time.ts'
import type { Store } from '../ports.ts'
import { HISTORY_MS } from './analyze.ts'
import { nextRound, recordedBlocks } from './block-rounds.ts'
import { storeFile } from './file-intake.ts'
import { createReleaseRun, type ReleaseRun } from './release-run.ts'

/** Blocks that are closed with one statement and then folded in order. */
const BLOCKS_PER_ROUND = 2000
/** How long a release may have waited for its first event; a slip in the year would take for ever. */
const WAIT_MAX_MS = 7 * 86_400_000

export interface ReplayOptions {
  readonly store: Store
  readonly chunks: AsyncIterable<Uint8Array>
  /** Feedback of the recording, with a partition order of its own; null without any. */
  readonly feedback: AsyncIterable<Uint8Array> | null
  /** Rows per insert; results do not depend on it. */
  readonly batchRows?: number
  readonly spec: ReleaseSpec
  /** Whether the traffic's split is compared with the step's weight, or taken as it is. */
  readonly split: 'assigned' | 'observed'
  /** Event time the release starts at; null: the block of the first event. */
  readonly startMs: number | null
  /** Recorded commands to this release in the order they were given; none from before it is obeyed. */
  readonly commands: readonly ControlCommand[]
  onRejected(line: number, rejections: readonly Rejection[]): void
  onFeedbackRejected(line: number, rejections: readonly Rejection[]): void
  onProgress(lines: number): void
  onDecision(decision: Decision): void
}

/** `events` = accepted + rejected; duplicates and late are among the accepted. */
export interface ReplaySummary {
  readonly events: number
  readonly accepted: number
  readonly rejected: number
  readonly duplicates: number
  readonly late: number
  /** Only with feedback; `late` and `unknown` (no such request) are among its accepted scores. */
  readonly feedback?: {
    readonly events: number
    readonly accepted: number
    readonly rejected: number
    readonly late: number
    readonly unknown: number
  }
}

/**
 * Runs a recorded stream through the same pipeline in event time, on an empty store. What decides is
 * the same as live: the file's blocks are closed only as far as its own watermark reaches. Throws
 * `usage` for a start long before the first event.
 */
export async function replay(options: ReplayOptions): Promise<ReplaySummary> {
  const { store, spec } = options
  const feedback = await storeFeedback(options)
  const { accepted, rejected, maxEventTimeMs } = await storeFile({
    ...options,
    format: REQUEST_EVENTS,
    topic: 'file',
  })
  const startedAtMs = startOf(options, await store.earliestEventMs(spec), maxEventTimeMs)
  if (startedAtMs !== null) await decideAll(options, startedAtMs, maxEventTimeMs)
  const anomalies = await store.countAnomalies(spec)
  const summary = { events: accepted + rejected, accepted, rejected, ...anomalies }
  if (feedback === null) return summary
  return { ...summary, feedback: { ...feedback, ...(await store.countFeedback(spec)) } }
}

/** All of it before the first block, as live no block is closed before the feedback for it is stored. */
async function storeFeedback({ store, feedback, batchRows, ...options }: ReplayOptions) {
  if (feedback === null) return null
  const { accepted, rejected } = await storeFile({
    store: store.feedback,
    chunks: feedback,
    ...(batchRows === undefined ? {} : { batchRows }),
    format: FEEDBACK_EVENTS,
    topic: 'feedback-file',
    onRejected: options.onFeedbackRejected,
    onProgress: options.onProgress,
  })
  return { events: accepted + rejected, accepted, rejected }
}

function startOf(
  { spec, startMs }: ReplayOptions,
  earliestMs: number | null,
  maxEventTimeMs: number,
): number | null {
  if (startMs === null) {
    return earliestMs === null ? null : floorToBlock(earliestMs, spec.blocks.lengthMs)
  }
  const waitMs = (earliestMs ?? maxEventTimeMs) - startMs
  if (waitMs <= WAIT_MAX_MS) return startMs
  throw new HaldaneError(
    'usage',
    `the release would start ${describeDuration(waitMs)} before the first event`,
    { remedy: `start it at most ${describeDuration(WAIT_MAX_MS)} before` },
  )
}

async function decideAll(options: ReplayOptions, startedAtMs: number, maxEventTimeMs: number) {
  const { store, spec } = options
  const { lengthMs, watermarkMs } = spec.blocks
  const releaseId = `${spec.route}/${spec.canary}`
  const feedback = options.feedback !== null
  const run = createReleaseRun({
    releaseId,
    spec,
    startedAtMs,
    lastGeneration: 0,
    decidedAt: (watermark) => watermark,
    split: options.split,
  })
  options.onDecision(run.start('analyzer'))
  const queue = options.commands.filter((command) => command.atMs >= startedAtMs)
  const closableMs = floorToBlock(maxEventTimeMs - watermarkMs, lengthMs)
  if (closableMs >= run.firstBlockMs) {
    const historyFromMs = run.firstBlockMs - HISTORY_MS
    const toMs = run.firstBlockMs
    await store.closeHistory({ releaseId, spec, fromMs: historyFromMs, toMs, feedback })
    run.begin(await store.readHistory(releaseId, spec))
  }
  while (run.windowEndMs < closableMs && !run.finished) {
    const closable = { toMs: closableMs, blocksPerRound: BLOCKS_PER_ROUND, feedback }
    const range = await nextRound(store, run, closable)
    await store.closeBlocks(range)
    for await (const block of recordedBlocks(store, range)) {
      obey(run, queue, block.endMs + watermarkMs, options.onDecision)
      const decision = run.onBlock(block)
      if (decision !== null) options.onDecision(decision)
      if (run.finished) break
    }
  }
  obey(run, queue, Number.POSITIVE_INFINITY, options.onDecision)
}

/** Commands given before the next block could be judged, in their order. */
function obey(
  run: ReleaseRun,
  queue: ControlCommand[],
  untilMs: number,
  onDecision: (decision: Decision) => void,
): void {
  for (
    let command = queue[0];
    command !== undefined && command.atMs < untilMs;
    command = queue[0]
  ) {
    queue.shift()
    if (command.kind === 'start') continue
    const decision = run.onCommand(command.kind, command.by, command.reason)
    if (decision !== null) onDecision(decision)
  }
}
