import type { ClosedBlock, HistoryCell } from '../../../src/domain/block.ts'
import type { ReleaseSpec } from '../../../src/domain/release.ts'
import { latencyLimitsOf } from '../../../src/domain/release.ts'
import type { SimulationCase } from '../../simulation/case.ts'
import { qualityScores } from '../../simulation/quality-model.ts'
import { randomOf } from '../../simulation/random.ts'
import { BLOCK_MS, createTraffic, START_MS } from '../../simulation/traffic.ts'
import { eventsOf, momentsOf, type ScoredCell } from './events-of-blocks.ts'

const SEED = 1
const HISTORY_MS = 3_600_000

/** A repetition's traffic, and the same as the events of a recording. */
export interface EventStream {
  readonly history: readonly HistoryCell[]
  /** Lines of everything so far, and one event after which the newest block is closed. */
  lines(): string[]
  /** The next block, as it is simulated and as it is recorded. */
  next(canaryShare?: number): ClosedBlock
}

export function createEventStream(test: SimulationCase, spec: ReleaseSpec): EventStream {
  const limitsMs = latencyLimitsOf(spec)
  const needs = { limitsMs, detailFromMs: 0 }
  const traffic = createTraffic(test.scenario, randomOf(SEED, test.name, 0), needs)
  const random = randomOf(SEED, test.name, 'scores')
  // Nothing before a release is asked for its scores.
  const before = traffic.history.map(
    ({ cohort, metrics }): ScoredCell => ({ arm: 'stable', cohort, metrics, scores: [] }),
  )
  const recorded = [
    ...eventsOf(before, {
      ...{ startMs: START_MS - HISTORY_MS, lengthMs: HISTORY_MS, limitsMs, id: 'before' },
    }),
  ]
  let endMs = START_MS

  /** Scores are drawn here one by one, as a simulated block has only their sums. */
  const withScores = (cell: ClosedBlock['cells'][number]): ScoredCell => {
    const { arm, cohort, metrics } = cell
    const shape = test.scenario.cohorts.find((one) => one.cohort === cohort)?.[arm].quality ?? null
    if (shape === null) return { ...cell, scores: [] }
    const table = qualityScores(shape)
    const scores = Array.from(
      { length: metrics.requests },
      () => table[random.bits() % table.length] ?? 0,
    )
    return { ...cell, metrics: { ...metrics, quality: momentsOf(scores) }, scores }
  }

  return {
    history: traffic.history,
    lines() {
      const last = JSON.parse(recorded.at(-1) ?? '') as object
      const occurred_at = new Date(endMs + spec.blocks.watermarkMs).toISOString()
      return [...recorded, JSON.stringify({ ...last, request_id: 'after', occurred_at })]
    },
    next(canaryShare) {
      const block = traffic.next(canaryShare)
      const cells = block.cells.map(withScores)
      const { startMs } = block
      recorded.push(...eventsOf(cells, { startMs, lengthMs: BLOCK_MS, limitsMs, id: `${startMs}` }))
      endMs = block.endMs
      return { ...block, cells }
    },
  }
}
