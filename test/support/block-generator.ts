import type {
  Arm,
  BlockCell,
  CellMetrics,
  ClosedBlock,
  HistoryCell,
} from '../../src/domain/block.ts'
import type { Cohort } from '../../src/domain/cohort.ts'
import { binOf } from '../../src/domain/histogram.ts'

/** How one version behaves: lognormal latencies, independent errors, Beta(a, 1) quality. */
interface ArmModel {
  readonly p50Ms: number
  readonly p95Ms: number
  readonly errorRate: number
  /** Mean of a Beta(a, 1); its sd is about 0.12 at 0.86. */
  readonly quality: number
  /** Probability that each KPI of a request is 1 instead of 0. */
  readonly kpi: number
}

const DEFAULT_ARM: ArmModel = {
  p50Ms: 35,
  p95Ms: 110,
  errorRate: 0.005,
  quality: 0.86,
  kpi: 0.03,
}

interface CohortModel {
  readonly cohort: Cohort
  /** Share of the stable version's requests, relative to the other cohorts. */
  readonly share: number
  /** Share of the canary's requests; the same as `share` when missing. */
  readonly canaryShare?: number
  /** What is different here, for both versions and for one. */
  readonly both?: Partial<ArmModel>
  readonly canary?: Partial<ArmModel>
}

/** Level of everything in a block, the same for both versions. */
interface Level {
  readonly latency?: number
  readonly errors?: number
  readonly quality?: number
}

export interface StreamOptions {
  readonly seed: number
  readonly requestsPerBlock: number
  /** Share of the requests that goes to the canary; each request is drawn. */
  readonly canaryShare: number | ((block: number) => number)
  readonly startMs?: number
  readonly lengthMs?: number
  readonly cohorts?: readonly CohortModel[]
  readonly stable?: Partial<ArmModel>
  readonly canary?: Partial<ArmModel>
  readonly latencyLimitsMs?: readonly number[]
  readonly kpis?: number
  readonly level?: (block: number) => Level
  /** Exactly this share instead of drawing each request. */
  readonly exactSplit?: boolean
}

export interface BlockStream {
  next(): ClosedBlock
  take(count: number): ClosedBlock[]
  /** Baseline totals per cohort, as seen before the release. */
  history(requests: number): HistoryCell[]
}

/** mulberry32: uniform in [0, 1). */
function seededRandom(seed: number): () => number {
  let state = seed >>> 0
  return () => {
    state = (state + 0x6d2b79f5) >>> 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296
  }
}

const Z95 = 1.6448536269514722
const MICRO = 1_000_000

const SIX_COHORTS: readonly CohortModel[] = [
  { cohort: { locale: 'en-US', device: 'mobile' }, share: 0.35 },
  { cohort: { locale: 'en-US', device: 'desktop' }, share: 0.25 },
  { cohort: { locale: 'de-DE', device: 'mobile' }, share: 0.15 },
  { cohort: { locale: 'de-DE', device: 'desktop' }, share: 0.1 },
  { cohort: { locale: 'fr-FR', device: 'mobile' }, share: 0.1 },
  { cohort: { locale: 'fr-FR', device: 'desktop' }, share: 0.05 },
]

/** Seeded stream of closed blocks: the same options give the same blocks. */
export function generateBlocks(options: StreamOptions): BlockStream {
  const random = seededRandom(options.seed)
  const normal = normalFrom(random)
  const cohorts = options.cohorts ?? SIX_COHORTS
  const limits = options.latencyLimitsMs ?? []
  const lengthMs = options.lengthMs ?? 10_000
  const startMs = options.startMs ?? 1_795_428_000_000
  const pickStable = pickerOf(cohorts.map(({ share }) => share))
  const pickCanary = pickerOf(cohorts.map(({ share, canaryShare }) => canaryShare ?? share))
  const models = cohorts.map(({ both, canary }) => ({
    stable: { ...DEFAULT_ARM, ...options.stable, ...both },
    canary: { ...DEFAULT_ARM, ...options.canary, ...both, ...canary },
  }))
  let block = 0

  const draw = (cell: Tally, model: ArmModel, level: Level): void => {
    cell.requests++
    if (random() < model.errorRate * (level.errors ?? 1)) {
      cell.errors++
    } else {
      const sigma = Math.log(model.p95Ms / model.p50Ms) / Z95
      const latencyMs = model.p50Ms * (level.latency ?? 1) * Math.exp(sigma * normal())
      cell.latencies++
      for (const [i, limit] of limits.entries()) if (latencyMs > limit) cell.overLimit[i]!++
      const bin = binOf(latencyMs)
      cell.bins.set(bin, (cell.bins.get(bin) ?? 0) + 1)
    }
    const mean = model.quality + (level.quality ?? 0)
    const score = Math.round(random() ** ((1 - mean) / mean) * MICRO)
    cell.qualitySum += score
    cell.qualitySquares += score * score
    for (let i = 0; i < cell.kpis.length; i++) if (random() < model.kpi) cell.kpis[i]!++
  }

  const fill = (requests: number, canaryShare: number, exact: boolean): Record<Arm, Tally[]> => {
    const level = options.level?.(block) ?? {}
    const make = () => cohorts.map(() => emptyTally(limits.length, options.kpis ?? 0))
    const tallies = { stable: make(), canary: make() }
    const canaries = Math.round(requests * canaryShare)
    for (let i = 0; i < requests; i++) {
      const isCanary = exact ? i < canaries : random() < canaryShare
      const arm = isCanary ? 'canary' : 'stable'
      const cohort = (isCanary ? pickCanary : pickStable)(random())
      draw(tallies[arm][cohort]!, models[cohort]![arm], level)
    }
    return tallies
  }

  const next = (): ClosedBlock => {
    const { canaryShare } = options
    const share = typeof canaryShare === 'number' ? canaryShare : canaryShare(block)
    const tallies = fill(options.requestsPerBlock, share, options.exactSplit ?? false)
    const cells: BlockCell[] = []
    for (const arm of ['stable', 'canary'] as const) {
      for (const [i, { cohort }] of cohorts.entries()) {
        const tally = tallies[arm][i]!
        if (tally.requests > 0) cells.push({ arm, cohort, metrics: metricsOf(tally) })
      }
    }
    const blockStartMs = startMs + block * lengthMs
    block++
    const events = options.requestsPerBlock
    return {
      startMs: blockStartMs,
      endMs: blockStartMs + lengthMs,
      cells,
      events,
      duplicates: 0,
      late: 0,
      lateCanary: 0,
    }
  }

  return {
    next,
    take: (count) => Array.from({ length: count }, next),
    history(requests) {
      const { stable } = fill(requests, 0, false)
      return cohorts.map(({ cohort }, i) => ({ cohort, metrics: metricsOf(stable[i]!) }))
    },
  }
}

interface Tally {
  requests: number
  errors: number
  latencies: number
  readonly overLimit: number[]
  readonly bins: Map<number, number>
  qualitySum: number
  qualitySquares: number
  readonly kpis: number[]
}

function emptyTally(limits: number, kpis: number): Tally {
  return {
    requests: 0,
    errors: 0,
    latencies: 0,
    overLimit: new Array<number>(limits).fill(0),
    bins: new Map(),
    qualitySum: 0,
    qualitySquares: 0,
    kpis: new Array<number>(kpis).fill(0),
  }
}

function metricsOf(tally: Tally): CellMetrics {
  const bins = [...tally.bins.keys()].sort((a, b) => a - b)
  const { requests, errors, latencies, overLimit } = tally
  return {
    requests,
    errors,
    latencies,
    overLimit,
    bins,
    counts: bins.map((bin) => tally.bins.get(bin) ?? 0),
    quality: {
      n: requests,
      sum: tally.qualitySum / MICRO,
      sumSquares: tally.qualitySquares / (MICRO * MICRO),
    },
    kpis: tally.kpis.map((hits) => ({ n: requests, sum: hits, sumSquares: hits })),
  }
}

function pickerOf(shares: readonly number[]): (uniform: number) => number {
  const total = shares.reduce((sum, share) => sum + share, 0)
  let sum = 0
  const bounds = shares.map((share) => {
    sum += share / total
    return sum
  })
  return (uniform) => {
    const at = bounds.findIndex((bound) => uniform < bound)
    return at < 0 ? shares.length - 1 : at
  }
}

function normalFrom(random: () => number): () => number {
  let spare: number | null = null
  return () => {
    if (spare !== null) {
      const value = spare
      spare = null
      return value
    }
    const radius = Math.sqrt(-2 * Math.log(1 - random()))
    const angle = 2 * Math.PI * random()
    spare = radius * Math.sin(angle)
    return radius * Math.cos(angle)
  }
}
