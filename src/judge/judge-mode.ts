import { BIN_SCALE, type LatencyScale } from './latency-scale.ts'
import type { GateRules } from './standardise.ts'
import type { SplitRule } from './traffic-split.ts'

/** What a judge is given to read. */
export interface JudgeMode {
  /**
   * True: blocks of a running release. False: one window that was added up elsewhere, which no count
   * of blocks can be asked of, and whose baseline is also its own history.
   */
  readonly manyBlocks: boolean
  /** Bins of the latency histograms. */
  readonly scale: LatencyScale
  /** Whether to say what is still needed; it decides nothing. */
  readonly needs: boolean
  /** What the versions' shares of the traffic are compared with. */
  readonly split: SplitRule
}

/** As releases are judged: blocks of the store, one after the other. */
export const BY_BLOCKS: JudgeMode = {
  manyBlocks: true,
  scale: BIN_SCALE,
  needs: true,
  split: 'assigned',
}

/** The gate without its count of blocks where there is only one. */
export function gateIn({ manyBlocks }: JudgeMode, rules: GateRules): GateRules {
  return manyBlocks ? rules : { ...rules, blocks: 0 }
}
