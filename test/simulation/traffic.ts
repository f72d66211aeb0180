import type {
  Arm,
  BlockCell,
  CellMetrics,
  ClosedBlock,
  HistoryCell,
  Moments,
} from '../../src/domain/block.ts'
import { EMPTY_MOMENTS } from '../../src/domain/block.ts'
import type { LatencyCells, LatencyNeeds } from './latency-draws.ts'
import { ALL_DETAIL, drawLatencies, latencyCells } from './latency-draws.ts'
import type { LatencyShape } from './latency-model.ts'
import type { QualityShape } from './quality-model.ts'
import { drawQuality, qualityScores } from './quality-model.ts'
import type { Random } from './random.ts'
import { routedCells, withOdds } from './routing.ts'
import { binomial, multinomial, normal } from './sampling.ts'
import type { ArmShape, LateLabels, Level, Scenario, Shocks } from './scenario.ts'
import { eventsOf } from './scenario.ts'
import { createUserDraw } from './users.ts'

export const BLOCK_MS = 10_000
/** A whole multiple of the block length; nothing depends on it. */
export const START_MS = 1_795_428_000_000

export interface Traffic {
  /** The next closed block; the share replaces the scenario's. `slowBins`: the judge's. */
  next(canaryShare?: number, slowBins?: readonly number[]): ClosedBlock
  readonly history: readonly HistoryCell[]
}

const NO_LEVEL: Level = {}
const NO_MOMENTS: readonly Moments[] = []
/** ln γ of the shared histogram. */
const LOG_GAMMA = Math.log(1.01)

/** What moves an arm in a block, besides its level. */
interface Shock {
  readonly quality: number
  readonly errorFactor: number
  readonly latencyBins: number
}

const NO_SHOCK: Shock = { quality: 0, errorFactor: 1, latencyBins: 0 }

/** Where the cells of a block come from. */
interface CellSource {
  /** Adds the cells of `n` requests of one arm; `block` −1: before the release. */
  add(cells: BlockCell[], arm: Arm, n: number, block: number): void
  /** Bins above which users' latencies are counted from here on. */
  slowBins: readonly number[]
}

/** Everything random about the traffic comes from `random`, in an order that nothing else changes. */
export function createTraffic(
  scenario: Scenario,
  random: Random,
  needs: LatencyNeeds = ALL_DETAIL,
): Traffic {
  const { routing } = scenario
  const source = createCellSource(scenario, random, needs)
  let block = 0

  const before: BlockCell[] = []
  if (scenario.historyEvents > 0) source.add(before, 'stable', scenario.historyEvents, -1)

  const cellsOf = (events: number, share: number): BlockCell[] => {
    if (routing !== undefined) {
      return routedCells(random, scenario.cohorts, routing, events, share)
    }
    const canary =
      scenario.randomSplit === true ? binomial(random, events, share) : Math.round(events * share)
    const cells: BlockCell[] = []
    source.add(cells, 'stable', events - canary, block)
    source.add(cells, 'canary', canary, block)
    return cells
  }

  return {
    history: before.map(({ cohort, metrics }) => ({ cohort, metrics })),
    next(canaryShare, slowBins) {
      source.slowBins = slowBins ?? []
      const planned = scenario.canaryShare
      const share = canaryShare ?? (typeof planned === 'number' ? planned : planned(block))
      const events = eventsOf(scenario, block)
      const cells = cellsOf(events, share)
      const startMs = START_MS + block * BLOCK_MS
      block++
      return {
        startMs,
        endMs: startMs + BLOCK_MS,
        cells,
        events,
        duplicates: 0,
        late: 0,
        lateCanary: 0,
      }
    },
  }
}

function createCellSource(scenario: Scenario, random: Random, needs: LatencyNeeds): CellSource {
  const { cohorts, change, lateLabels, shocks } = scenario
  const shares = {
    stable: cohorts.map(({ share }) => share),
    canary: cohorts.map(({ share, canaryShare }) => canaryShare ?? share),
  }
  const counts: number[] = []
  const cellsOf = cellsByShape(needs)
  const limits = needs.limitsMs.length
  const users = scenario.clusters === undefined ? null : createUserDraw(scenario.clusters, random)

  const shapeOf = (arm: Arm, index: number, block: number): ArmShape =>
    arm === 'canary' && change !== undefined && block >= change.fromBlock
      ? change.canary[index]!
      : cohorts[index]![arm]

  const metricsOf = (arm: Arm, shape: ArmShape, n: number, level: Level, shock: Shock) => {
    const shift = arm === 'canary' ? (level.canaryErrorShift ?? 0) : 0
    const rate = withOdds(shape.errorRate, level.errorOdds ?? 1) * shock.errorFactor + shift
    const latency = shape.latency === null ? null : cellsOf(shape.latency)
    if (users !== null) {
      const scores = shape.quality === null ? null : qualityScores(shape.quality)
      const { slowBins } = source
      return users({ arm, requests: n, errorRate: rate, latency, scores, limits, slowBins })
    }
    const metrics = drawMetrics(random, shape, {
      requests: n,
      errors: binomial(random, n, Math.min(1, rate)),
      latency,
      limits,
      binShift: (level.latencyBins ?? 0) + shock.latencyBins,
      qualityShift: (level.qualityShift ?? 0) + shock.quality,
    })
    return lateLabels === undefined
      ? metrics
      : { ...metrics, quality: lateQuality(random, lateLabels, arm, n) }
  }

  const source: CellSource = {
    slowBins: [],
    add(cells, arm, n, block) {
      const level = scenario.level?.(Math.max(0, block)) ?? NO_LEVEL
      const shock = block < 0 ? NO_SHOCK : shockOf(random, shocks)
      if (cohorts.length === 1) counts[0] = n
      else multinomial(random, n, shares[arm], counts)
      for (const [index, { cohort, fromBlock }] of cohorts.entries()) {
        const count = counts[index]!
        if (count === 0 || (fromBlock !== undefined && block < fromBlock)) continue
        const shape = shapeOf(arm, index, block)
        cells.push({ arm, cohort, metrics: metricsOf(arm, shape, count, level, shock) })
      }
    },
  }
  return source
}

/** Shapes are the scenario's own objects, so most are found without building a key. */
function cellsByShape(needs: LatencyNeeds): (shape: LatencyShape) => LatencyCells {
  const known = new Map<LatencyShape, LatencyCells>()
  return (shape) => {
    let cells = known.get(shape)
    if (cells === undefined) {
      cells = latencyCells(shape, needs)
      known.set(shape, cells)
    }
    return cells
  }
}

function shockOf(random: Random, shocks: Shocks | undefined): Shock {
  if (shocks === undefined) return NO_SHOCK
  const { quality, errorLog, latencyLog } = shocks
  return {
    quality: quality === undefined ? 0 : quality * normal(random),
    errorFactor: errorLog === undefined ? 1 : Math.exp(errorLog * normal(random)),
    latencyBins:
      latencyLog === undefined ? 0 : Math.round((latencyLog * normal(random)) / LOG_GAMMA),
  }
}

interface Draw {
  readonly requests: number
  readonly errors: number
  readonly latency: LatencyCells | null
  readonly limits: number
  readonly binShift: number
  readonly qualityShift: number
}

function drawMetrics(random: Random, shape: ArmShape, draw: Draw): CellMetrics {
  const { requests, errors, latency, limits, binShift } = draw
  const answered = latency === null ? 0 : requests - errors
  const { bins, counts, overLimit } =
    latency === null
      ? (NO_LATENCIES[limits] ?? noLatencies(limits))
      : drawLatencies(random, latency, limits, answered, binShift)
  return {
    requests,
    errors,
    latencies: answered,
    overLimit,
    bins,
    counts,
    quality:
      shape.quality === null
        ? EMPTY_MOMENTS
        : drawQuality(random, qualityScores(shifted(shape.quality, draw.qualityShift)), requests),
    kpis: shape.kpi === undefined ? NO_MOMENTS : [drawKpi(random, shape.kpi, requests)],
  }
}

const noLatencies = (limits: number) => ({
  bins: [],
  counts: [],
  overLimit: new Array<number>(limits).fill(0),
})
const NO_LATENCIES = [noLatencies(0), noLatencies(1)]

function drawKpi(
  random: Random,
  { range, mean, sd }: NonNullable<ArmShape['kpi']>,
  n: number,
): Moments {
  const { sum, sumSquares } = drawQuality(random, qualityScores({ mean, sd }), n)
  return { n, sum: range * sum, sumSquares: range * range * sumSquares }
}

const MEAN_GRID = 2000

/** The mean moves on a grid of 0.0005, which keeps the number of score tables small. */
function shifted(quality: QualityShape, shift: number): QualityShape {
  if (shift === 0) return quality
  const mean = Math.round((quality.mean + shift) * MEAN_GRID) / MEAN_GRID
  return { mean: Math.min(0.96, Math.max(0.5, mean)), sd: quality.sd }
}

function lateQuality(random: Random, labels: LateLabels, arm: Arm, n: number): Moments {
  const bad = binomial(random, n, labels.badRate[arm])
  const badSeen = binomial(random, bad, labels.inTime.bad)
  const goodSeen = binomial(random, n - bad, labels.inTime.good)
  return { n: badSeen + goodSeen, sum: goodSeen, sumSquares: goodSeen }
}
