import type {
  Arm,
  BlockCell,
  CellMetrics,
  ClosedBlock,
  HistoryCell,
  Moments,
} from '../../src/domain/block.ts'
import { EMPTY_MOMENTS } from '../../src/domain/block.ts'
import type { LatencyShape } from './latency-model.ts'
import { latencyCells } from './latency-model.ts'
import type { QualityShape } from './quality-model.ts'
import { drawQuality, qualityScores } from './quality-model.ts'
import type { Random } from './random.ts'
import { binomial, clusterRate, drawIndex, multinomial, normal } from './sampling.ts'
import type { ArmShape, Clusters, LateLabels, Level, Scenario } from './scenario.ts'

export const BLOCK_MS = 10_000
/** A whole multiple of the block length; nothing depends on it. */
export const START_MS = 1_795_428_000_000

export interface Traffic {
  /** The next closed block; the share replaces the scenario's. */
  next(canaryShare?: number): ClosedBlock
  readonly history: readonly HistoryCell[]
}

const NO_LEVEL: Level = {}
const ARMS = ['stable', 'canary'] as const

/** `limitsMs`: the release's absolute latency limits, ascending, counted exactly. */
export function createTraffic(
  scenario: Scenario,
  limitsMs: readonly number[],
  random: Random,
): Traffic {
  const { cohorts, blockEvents } = scenario
  const shares = {
    stable: cohorts.map(({ share }) => share),
    canary: cohorts.map(({ share, canaryShare }) => canaryShare ?? share),
  }
  const requests: number[] = []
  const errors = scenario.clusters === undefined ? null : clusteredErrors(scenario, random)
  let block = 0

  const shapeOf = (arm: Arm, index: number): ArmShape => {
    const changed = scenario.change
    if (arm === 'canary' && changed !== undefined && block >= changed.fromBlock) {
      return changed.canary[index]!
    }
    return cohorts[index]![arm]
  }

  const cellsOf = (arm: Arm, n: number, level: Level, shock: number): BlockCell[] => {
    multinomial(random, n, shares[arm], requests)
    const counts = requests.slice(0, cohorts.length)
    return cohorts.flatMap(({ cohort }, index) => {
      const count = counts[index]!
      if (count === 0) return []
      const shape = shapeOf(arm, index)
      const shift = arm === 'canary' ? (level.canaryErrorShift ?? 0) : 0
      const rate = withOdds(shape.errorRate, level.errorOdds ?? 1) + shift
      const bad = errors === null ? binomial(random, count, rate) : errors(arm, count, rate)
      const metrics = drawMetrics(random, shape, {
        requests: count,
        errors: bad,
        limitsMs,
        level,
        shock,
      })
      const labels = scenario.lateLabels
      if (labels === undefined) return [{ arm, cohort, metrics }]
      return [
        { arm, cohort, metrics: { ...metrics, quality: lateQuality(random, labels, arm, count) } },
      ]
    })
  }

  const history = (): HistoryCell[] => {
    if (scenario.historyEvents === 0) return []
    const cells = cellsOf('stable', scenario.historyEvents, scenario.level?.(0) ?? NO_LEVEL, 0)
    return cells.map(({ cohort, metrics }) => ({ cohort, metrics }))
  }

  return {
    history: history(),
    next(canaryShare) {
      const planned = scenario.canaryShare
      const share = canaryShare ?? (typeof planned === 'number' ? planned : planned(block))
      const canary =
        scenario.randomSplit === true
          ? binomial(random, blockEvents, share)
          : Math.round(blockEvents * share)
      const level = scenario.level?.(block) ?? NO_LEVEL
      const cells = ARMS.flatMap((arm) => {
        const shock =
          scenario.qualityShock === undefined ? 0 : scenario.qualityShock * normal(random)
        return cellsOf(arm, arm === 'canary' ? canary : blockEvents - canary, level, shock)
      })
      const startMs = START_MS + block * BLOCK_MS
      block++
      return {
        startMs,
        endMs: startMs + BLOCK_MS,
        cells,
        events: blockEvents,
        duplicates: 0,
        late: 0,
        lateCanary: 0,
      }
    },
  }
}

interface Draw {
  readonly requests: number
  readonly errors: number
  readonly limitsMs: readonly number[]
  readonly level: Level
  readonly shock: number
}

function drawMetrics(random: Random, shape: ArmShape, draw: Draw): CellMetrics {
  const { requests, errors, limitsMs, level, shock } = draw
  const { latency, quality } = shape
  const answered = latency === null ? 0 : requests - errors
  return {
    requests,
    errors,
    latencies: answered,
    ...drawLatencies(random, latency, answered, limitsMs, level.latencyBins ?? 0),
    quality:
      quality === null
        ? EMPTY_MOMENTS
        : drawQuality(
            random,
            qualityScores(shifted(quality, (level.qualityShift ?? 0) + shock)),
            requests,
          ),
    kpis: [],
  }
}

const scratch = new Uint32Array(4096)

function drawLatencies(
  random: Random,
  shape: LatencyShape | null,
  n: number,
  limitsMs: readonly number[],
  binShift: number,
): Pick<CellMetrics, 'bins' | 'counts' | 'overLimit'> {
  const overLimit = limitsMs.map(() => 0)
  if (shape === null || n === 0) return { bins: [], counts: [], overLimit }
  if (binShift !== 0 && limitsMs.length > 0) throw new Error('no exact limits at a moving level')
  const { table, bins: cellBins, above } = latencyCells(shape, limitsMs)
  for (let i = 0; i < n; i++) scratch[drawIndex(random, table)]!++
  const bins: number[] = []
  const counts: number[] = []
  let lastBin = Number.NaN
  for (let cell = 0; cell < table.size; cell++) {
    const count = scratch[cell]!
    if (count === 0) continue
    scratch[cell] = 0
    const bin = cellBins[cell]! + binShift
    if (bin === lastBin) counts[counts.length - 1]! += count
    else {
      bins.push(bin)
      counts.push(count)
      lastBin = bin
    }
    for (let limit = 0; limit < above[cell]!; limit++) overLimit[limit]! += count
  }
  return { bins, counts, overLimit }
}

const MEAN_GRID = 2000

/** The mean moves on a grid of 0.0005, which keeps the number of score tables small. */
function shifted(quality: QualityShape, shift: number): QualityShape {
  if (shift === 0) return quality
  const mean = Math.round((quality.mean + shift) * MEAN_GRID) / MEAN_GRID
  return { mean: Math.min(0.96, Math.max(0.5, mean)), sd: quality.sd }
}

function withOdds(rate: number, factor: number): number {
  if (factor === 1) return rate
  const odds = (factor * rate) / (1 - rate)
  return odds / (1 + odds)
}

/** Errors that go together by user: each user has an own rate, Beta distributed around the mean. */
function clusteredErrors(
  scenario: Scenario,
  random: Random,
): (arm: Arm, n: number, rate: number) => number {
  const { kind, requests, icc } = scenario.clusters as Clusters
  if (kind === 'session') {
    return (_arm, n, rate) => {
      let bad = 0
      for (let left = n; left > 0; left -= requests) {
        bad += binomial(random, Math.min(left, requests), clusterRate(random, rate, icc))
      }
      return bad
    }
  }
  const pools: Record<Arm, number[]> = { stable: [], canary: [] }
  return (arm, n, rate) => {
    const users = pools[arm]
    let bad = 0
    for (let i = 0; i < n; i++) {
      // A request is of a new user with the chance that leaves each about `requests` of them.
      const fresh = users.length === 0 || random.next() < 1 / requests
      if (fresh) users.push(clusterRate(random, rate, icc))
      const user = fresh ? users.length - 1 : Math.floor(random.next() * users.length)
      if (random.next() < users[user]!) bad++
    }
    return bad
  }
}

function lateQuality(random: Random, labels: LateLabels, arm: Arm, n: number): Moments {
  const bad = binomial(random, n, labels.badRate[arm])
  const badSeen = binomial(random, bad, labels.inTime.bad)
  const goodSeen = binomial(random, n - bad, labels.inTime.good)
  return { n: badSeen + goodSeen, sum: goodSeen, sumSquares: goodSeen }
}
