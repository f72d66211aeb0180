import type { ClosedBlock } from '../domain/block.ts'
import { relativeQuantilesOf } from '../judge/guardrail-tests.ts'
import type { BlockRange, BlockStore } from '../ports.ts'
import type { ReleaseRun } from './release-run.ts'

/** Blocks in memory at a time: what the users of many cohorts did takes room. */
const BLOCKS_AT_ONCE = 128

/** What may be closed of a release: blocks up to `toMs`, so many with one statement. */
export interface Closable {
  readonly toMs: number
  readonly blocksPerRound: number
  readonly feedback: boolean
}

/**
 * The next blocks to close. Users are compared by bins that the judge takes from its baseline, so
 * the block that completes the baseline ends a round: what comes after it is closed with the bins,
 * whether blocks are closed one by one or by the thousand.
 */
export async function nextRound(
  store: Pick<BlockStore, 'endOfEvents'>,
  run: ReleaseRun,
  { toMs, blocksPerRound, feedback }: Closable,
): Promise<BlockRange> {
  const { releaseId, spec, slowBins, missingBaseline } = run
  const fromMs = run.windowEndMs
  const { lengthMs } = spec.blocks
  const endMs = Math.min(toMs, fromMs + blocksPerRound * lengthMs)
  const range = { releaseId, spec, fromMs, toMs: endMs, feedback, slowBins }
  const isAnyLength = missingBaseline === 0 || relativeQuantilesOf(spec).length === 0
  if (isAnyLength || endMs - fromMs <= lengthMs) return range
  return { ...range, toMs: await store.endOfEvents(range, missingBaseline) }
}

/** Recorded blocks of the range, ascending. */
export async function* recordedBlocks(
  store: Pick<BlockStore, 'readBlocks'>,
  range: BlockRange,
): AsyncGenerator<ClosedBlock> {
  const stepMs = BLOCKS_AT_ONCE * range.spec.blocks.lengthMs
  for (let fromMs = range.fromMs; fromMs < range.toMs; fromMs += stepMs) {
    const toMs = Math.min(range.toMs, fromMs + stepMs)
    yield* await store.readBlocks({ ...range, fromMs, toMs })
  }
}
