import type { BlockCell, CellMetrics } from '../../../src/domain/block.ts'
import type { Guardrail } from '../../../src/domain/release.ts'
import { createJudge, type Judge, SHIPPED_RULES } from '../../../src/judge/judge.ts'
import { BY_BLOCKS } from '../../../src/judge/judge-mode.ts'
import type { SplitRule } from '../../../src/judge/traffic-split.ts'
import {
  blockOf,
  cellOf,
  DE,
  EN,
  ERROR_MAX,
  metricsOf,
  START_MS,
  specOf,
} from './judge-builders.ts'

const HISTORY = [EN, DE].map((cohort) => ({ cohort, metrics: metricsOf(5000, 25) }))
const STEPS = [10, 50].map((weight) => ({ weight, minDurationMs: 0, minRequests: 0 }))

/** A judge at the first step of two, 10 and 50 %. */
export function judgeOf(split: SplitRule, guardrails: readonly Guardrail[] = [ERROR_MAX]): Judge {
  const spec = specOf(guardrails, { plan: STEPS })
  const judge = createJudge(spec, HISTORY, START_MS, SHIPPED_RULES, { ...BY_BLOCKS, split })
  judge.startStep(0, START_MS)
  return judge
}

/** Requests to stable and canary in each cohort. */
export type Sent = readonly { stable: number; canary: number; cohort?: typeof EN }[]

export function cellsOf(sent: Sent, more: Partial<CellMetrics> = {}): BlockCell[] {
  return sent.flatMap(({ stable, canary, cohort = EN }) => [
    cellOf('stable', cohort, metricsOf(stable, 0, more)),
    cellOf('canary', cohort, metricsOf(canary, 0, more)),
  ])
}

export function foldBlocks(
  judge: Judge,
  from: number,
  count: number,
  cells: readonly BlockCell[],
): void {
  for (let block = from; block < from + count; block++) judge.fold(blockOf(block, cells))
}
