import { type Decision, TERMINAL_PHASES } from '../domain/decision.ts'
import { HaldaneError, toHaldaneError } from '../domain/errors.ts'
import { floorToBlock } from '../domain/time.ts'
import type { EvidenceRow } from '../domain/verdict.ts'
import { JUDGE_VERSION } from '../judge/judge.ts'
import type { BlockRange, Clock, Log, Metrics, ReleaseRecord, Store } from '../ports.ts'
import { idleReason } from '../rollout/reasons.ts'
import type { ManualCommand } from '../rollout/rollout.ts'
import { nextRound, recordedBlocks } from './block-rounds.ts'
import type { Publisher } from './publisher.ts'
import { createReleaseRun, type ReleaseRun } from './release-run.ts'
import { PATIENT, retry } from './retry.ts'
import { createSerial } from './serial.ts'
import {
  type BlockTopics,
  type BlockWatermark,
  readBlockWatermark,
  type Watermark,
} from './watermark.ts'

/** Baseline traffic before a release that counts as its history. */
export const HISTORY_MS = 24 * 3_600_000
/** Blocks closed with one statement when a worker has catching up to do. */
const BLOCKS_PER_ROUND = 500

export interface AnalyzerOptions {
  readonly store: Store
  readonly clock: Clock
  readonly log: Log
  readonly metrics: Metrics
  readonly topics: BlockTopics
  readonly idleTimeoutMs: number
  readonly tickMs: number
  publisherFor(controlPartition: number): Publisher
  /** Analysis cannot go on; the process should end. */
  onFailure(error: Error): void
}

/**
 * Closes blocks behind the watermark, judges them, and records and publishes what the rollout
 * decides, for the releases of the control partitions this worker owns. Everything it keeps in
 * memory is folded again from the store when it starts.
 */
export interface Analyzer {
  start(): void
  /** Takes over the unfinished releases of exactly these control partitions. */
  own(partitions: readonly number[]): Promise<void>
  /** Goes on with a release, or begins it: its first decision is published when this resolves. */
  adopt(release: ReleaseRecord): Promise<void>
  command(releaseId: string, command: ManualCommand, by: string, reason: string): Promise<boolean>
  run(releaseId: string): ReleaseRun | null
  /** Closes and judges all that is closable now; the loop calls it every `tickMs`. */
  tick(): Promise<void>
  stop(): Promise<void>
}

interface Tenure {
  readonly run: ReleaseRun
  readonly release: ReleaseRecord
  readonly publisher: Publisher
}

export function createAnalyzer(options: AnalyzerOptions): Analyzer {
  const { store, clock, log, metrics } = options
  const tenures = new Map<string, Tenure>()
  const serial = createSerial()
  const ending = new AbortController()
  let loop: Promise<void> = Promise.resolve()

  const issue = async ({ publisher }: Tenure, decision: Decision) => {
    // The run has moved on already: a decision that cannot be recorded must not be skipped.
    await retry(() => store.recordDecision(decision), PATIENT, clock, { signal: ending.signal })
    await publisher.publish(decision)
    const { route, releaseId, generation, action, phase } = decision
    metrics.count('haldane_decisions_total', { action })
    const codes = decision.reasons.map((reason) => reason.code)
    log.info({ route, releaseId, generation, action, phase, codes }, 'decision')
  }

  const adopt = async (release: ReleaseRecord) => {
    const { releaseId, spec } = release
    const publisher = options.publisherFor(release.controlPartition)
    const recorded = await store.decisions({ releaseId })
    const run = createReleaseRun({
      releaseId,
      spec,
      startedAtMs: release.startedAtMs,
      lastGeneration: await lastGeneration(store, publisher, spec.route),
      decidedAt: () => clock.now(),
    })
    const tenure = { run, release, publisher }
    if (recorded.length === 0) await issue(tenure, run.start(`user:${release.startedBy}`))
    else await resume(tenure, recorded)
    // A finished run stays readable until its route has a newer one.
    for (const [id, other] of tenures) if (other.run.spec.route === spec.route) tenures.delete(id)
    tenures.set(releaseId, tenure)
  }

  const resume = async (tenure: Tenure, recorded: readonly Decision[]) => {
    const { run, release } = tenure
    const { releaseId, spec } = release
    const endMs = await store.newestBlockEndMs(releaseId, spec)
    run.noteAcks(await store.acks(spec.route))
    if (endMs !== null) run.begin(await store.readHistory(releaseId, spec))
    const range = { releaseId, spec, fromMs: run.firstBlockMs, toMs: endMs ?? run.firstBlockMs }
    const made = await run.restore(recorded, recordedBlocks(store, range))
    for (const decision of made) await issue(tenure, decision)
    const blocks = (run.windowEndMs - range.fromMs) / spec.blocks.lengthMs
    log.info({ releaseId, decisions: recorded.length, blocks }, 'release resumed')
    const before = recorded.at(-1)?.judgeVersion
    if (before !== undefined && before !== JUDGE_VERSION) {
      log.warn(
        { releaseId, before, now: JUDGE_VERSION },
        'evidence folded anew by another judge version',
      )
    }
  }

  const closeAndJudge = async (tenure: Tenure, watermark: BlockWatermark) => {
    const { run, release } = tenure
    const { releaseId, spec } = release
    const { lengthMs, watermarkMs } = spec.blocks
    const { feedback } = watermark
    if (watermark.timeMs === null) return
    const closableMs = floorToBlock(watermark.timeMs - watermarkMs, lengthMs)
    if (!run.begun) {
      if (closableMs < run.firstBlockMs) return
      const toMs = run.firstBlockMs
      await store.closeHistory({ releaseId, spec, fromMs: toMs - HISTORY_MS, toMs, feedback })
      run.begin(await store.readHistory(releaseId, spec))
    }
    while (run.windowEndMs < closableMs && !run.finished) {
      if (run.awaitsRouters) run.noteAcks(await store.acks(spec.route))
      const closable = { toMs: closableMs, blocksPerRound: BLOCKS_PER_ROUND, feedback }
      await judgeRange(tenure, await nextRound(store, run, closable))
    }
  }

  const judgeRange = async (tenure: Tenure, range: BlockRange) => {
    const { run, release } = tenure
    await store.closeBlocks(range)
    const blocks = (range.toMs - range.fromMs) / range.spec.blocks.lengthMs
    metrics.count('haldane_blocks_closed_total', {}, blocks)
    const evaluations: { windowEndMs: number; rows: readonly EvidenceRow[] }[] = []
    for await (const block of recordedBlocks(store, range)) {
      const decision = run.onBlock(block)
      if (run.assessment !== null) {
        evaluations.push({ windowEndMs: block.endMs, rows: worthKeeping(run.assessment.rows) })
      }
      if (decision !== null) await issue(tenure, decision)
      if (run.finished) break
    }
    await store.recordEvaluations(release.releaseId, evaluations)
  }

  const reportSilence = async (tenure: Tenure, watermark: Watermark) => {
    const { run, release } = tenure
    const newest = run.newest
    if (!watermark.allIdle || newest === null || run.finished) return
    const now = clock.now()
    const silentMs = now - (watermark.newestProgressMs ?? newest.decidedAtMs)
    const sinceMs = now - newest.decidedAtMs
    if (silentMs <= options.idleTimeoutMs || sinceMs < release.spec.heartbeatMs) return
    const seen = run.assessment?.newestCanaryEndInStepMs ?? null
    const decision = run.onIdle(idleReason(seen === null ? 'no_traffic' : 'stale_data', silentMs))
    if (decision !== null) await issue(tenure, decision)
  }

  const tick = async () => {
    const startedAtMs = clock.now()
    const { topics, idleTimeoutMs } = options
    const watermark = await readBlockWatermark(store, topics, startedAtMs, idleTimeoutMs)
    if (watermark.timeMs !== null) {
      metrics.gauge('haldane_watermark_timestamp_seconds', {}, watermark.timeMs / 1000)
    }
    for (const [releaseId, tenure] of tenures) {
      if (tenure.run.finished) continue
      try {
        await closeAndJudge(tenure, watermark)
        await reportSilence(tenure, watermark)
      } catch (thrown) {
        if (toHaldaneError(thrown).code !== 'fenced') throw thrown
        // Its control partition is another worker's now; if it comes back, `own` takes it over anew.
        tenures.delete(releaseId)
        log.info({ releaseId }, 'release handed over')
      }
    }
    metrics.observe('haldane_tick_duration_seconds', (clock.now() - startedAtMs) / 1000)
  }

  const spin = async () => {
    while (!ending.signal.aborted) {
      try {
        await serial(tick)
      } catch (thrown) {
        const error = toHaldaneError(thrown)
        if (!error.retryable) {
          options.onFailure(error)
          return
        }
        log.warn({ code: error.code }, `analysis failed, trying again: ${error.message}`)
      }
      await clock.sleep(options.tickMs, ending.signal)
    }
  }

  return {
    start() {
      loop = spin()
    },
    own: (partitions) =>
      serial(async () => {
        for (const [releaseId, { release }] of tenures) {
          if (!partitions.includes(release.controlPartition)) tenures.delete(releaseId)
        }
        for (const release of await unfinished(store)) {
          const mine = partitions.includes(release.controlPartition)
          if (mine && !tenures.has(release.releaseId)) await adopt(release)
        }
      }),
    adopt: (release) => serial(() => adopt(release)),
    command: (releaseId, command, by, reason) =>
      serial(async () => {
        const tenure = tenures.get(releaseId)
        const decision = tenure?.run.onCommand(command, by, reason) ?? null
        if (tenure === undefined || decision === null) return false
        await issue(tenure, decision)
        return true
      }),
    run: (releaseId) => tenures.get(releaseId)?.run ?? null,
    tick: () => serial(tick),
    async stop() {
      ending.abort()
      await loop
    },
  }
}

/** Next generation = 1 + the largest of table, topic and router acks. */
async function lastGeneration(store: Store, publisher: Publisher, route: string): Promise<number> {
  const published = await publisher.catchUp(route)
  const recorded = (await store.latestDecisions(route))[0]?.generation ?? 0
  const acked = (await store.acks(route)).map((ack) => ack.appliedGeneration)
  return Math.max(published, recorded, ...acked)
}

/** The newest release of each route, unless its last decision was made. */
export async function unfinished(store: Store): Promise<ReleaseRecord[]> {
  const decisions = new Map((await store.latestDecisions()).map((made) => [made.route, made]))
  const candidates = new Map((await store.releases({})).map((made) => [made.spec.route, made]))
  return [...candidates.values()].filter((release) => {
    const newest = decisions.get(release.spec.route)
    return newest?.releaseId !== release.releaseId || !TERMINAL_PHASES.includes(newest.phase)
  })
}

function worthKeeping(rows: readonly EvidenceRow[]): EvidenceRow[] {
  return rows.filter(
    (row) => row.required || row.cohort === 'overall' || row.verdict === 'breached',
  )
}

export function noSuchRelease(releaseId: string): HaldaneError {
  return new HaldaneError('not_found', `there is no release ${releaseId}`, {
    remedy: 'haldane release list shows what there is',
  })
}
