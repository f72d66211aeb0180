import type { ClosedBlock } from '../domain/block.ts'
import type { ReleaseSpec } from '../domain/release.ts'
import type { Assessment, EvidenceRow } from '../domain/verdict.ts'
import { createJudge, type JudgeRules } from './judge.ts'
import type { LatencyScale } from './latency-scale.ts'
import { type Points, withPoints } from './points.ts'

/** What was counted over one window, added up elsewhere. */
export interface WindowMetrics extends Points {
  /** As long as the window; latency bins are those of `scale`. Holds a cell for every row. */
  readonly block: ClosedBlock
  readonly scale: LatencyScale
}

/** A window has nothing to restart at, and is the only block there is. */
const ONE_WINDOW: JudgeRules = { restarts: false, fewestBlocks: 1 }

/**
 * Judges one window as if it were the only block of a release. The window's own baseline is the
 * history that thresholds and margins are made from; gates on requests and bad events apply, gates on
 * blocks do not, and variances are those of the model: what makes intervals of time differ is unknown.
 */
export function judgeWindow(spec: ReleaseSpec, window: WindowMetrics): Assessment {
  const { block, scale } = window
  const lengthMs = block.endMs - block.startMs
  const asOneBlock = { ...spec, blocks: { ...spec.blocks, lengthMs }, warmupMs: 0 }
  const history = block.cells.filter(({ arm }) => arm === 'stable')
  const judge = createJudge(asOneBlock, history, block.startMs, ONE_WINDOW, {
    manyBlocks: false,
    needs: true,
    scale,
    split: 'none',
  })
  judge.fold(block)
  const assessment = judge.assess()
  const present = window.sizesKnown
    ? {}
    : { newestCanaryEndMs: block.endMs, newestCanaryEndInStepMs: block.endMs }
  const rows = assessment.rows.map(onOneWindow)
  return withPoints(spec, { ...assessment, ...present, rows }, window)
}

/** A comparison with a version that has no data says nothing, whatever the other's numbers are. */
function onOneWindow(row: EvidenceRow): EvidenceRow {
  if (!row.limit.startsWith('max_increase') && !row.limit.startsWith('max_drop')) return row
  const method = 'single_window'
  if (row.stable.n > 0 || row.verdict === 'breached') return { ...row, method }
  return { ...row, method, verdict: 'no_data', needs: null }
}
