import { parseReleaseFile } from '../../src/contract/release-file.ts'
import type {
  BlockCell,
  CellMetrics,
  ClosedBlock,
  OpenMetrics,
  UserBuckets,
} from '../../src/domain/block.ts'
import type { Decision } from '../../src/domain/decision.ts'
import type { ReleaseSpec } from '../../src/domain/release.ts'
import type * as ReleaseRunModule from '../../src/pipeline/release-run.ts'
import type { ReleaseRun } from '../../src/pipeline/release-run.ts'
import { generateBlocks } from '../support/block-generator.ts'
import { mulberry32 } from '../support/event-generator.ts'

export const COHORTS = 20
export const GUARDRAILS = 5
export const REQUESTS_PER_BLOCK = 5000
export const DAY_MS = 86_400_000

const built = new URL('../../dist/pipeline/release-run.js', import.meta.url)

const START_MS = 1_795_428_000_000
/** Different blocks per weight of the canary, after which they come again at later times. */
const POOL_BLOCKS = 24
const HISTORY_REQUESTS = 20_000
const LIMIT_MS = 120
const BUCKETS = 64
/** The canary's weights, and from which part of a day on. */
const STEPS = [
  { weight: 5, from: 0 },
  { weight: 25, from: 1 / 144 },
  { weight: 50, from: 4 / 144 },
] as const

const LOCALES = ['en-US', 'de-DE', 'fr-FR', 'es-ES', 'pt-BR']
const DEVICES = ['mobile', 'desktop', 'tablet', 'tv']

/** What the releases of the bench are made of: the same for all of them. */
export interface Material {
  readonly spec: ReleaseSpec
  readonly history: readonly BlockCell[]
  /** The block at a place of a release; every release begins elsewhere among the different blocks. */
  blockAt(release: number, block: number): ClosedBlock
}

/**
 * Guardrails of every kind that a release file starts with, in blocks of `lengthMs`. Nothing ever goes
 * on by itself: a release is as far as its recorded decisions say.
 */
export function createMaterial(lengthMs: number): Material {
  const cohorts = LOCALES.flatMap((locale, i) =>
    DEVICES.map((device, j) => ({ cohort: { locale, device }, share: 1 / ((i + 2) * (j + 2)) })),
  )
  const pools = STEPS.map(({ weight }) => {
    const canaryShare = weight / 100
    const requestsPerBlock = REQUESTS_PER_BLOCK
    const options = { seed: weight, requestsPerBlock, canaryShare, cohorts, lengthMs }
    const stream = generateBlocks({ ...options, latencyLimitsMs: [LIMIT_MS] })
    const random = mulberry32(weight)
    const blocks = stream.take(POOL_BLOCKS).map((block) => withUsers(block, random))
    return { blocks, history: stream.history(HISTORY_REQUESTS) }
  })
  return {
    spec: specOf(lengthMs),
    history: (pools[0]?.history ?? []).map((cell) => ({ arm: 'stable' as const, ...cell })),
    blockAt(release, block) {
      const startMs = START_MS + block * lengthMs
      const step = stepAt(block * lengthMs)
      const blocks = pools[step]?.blocks ?? []
      const same = blocks[(block + 7 * release) % POOL_BLOCKS] as ClosedBlock
      return { ...same, startMs, endMs: startMs + lengthMs }
    },
  }
}

/** A release that has folded `blocks` blocks without a word, as after a restart of the worker. */
export async function restoredRelease(
  material: Material,
  release: number,
  blocks: number,
): Promise<ReleaseRun> {
  const { spec, history } = material
  const { createReleaseRun } = (await import(built.href)) as typeof ReleaseRunModule
  const run = createReleaseRun({
    releaseId: `bench/${release}`,
    spec,
    startedAtMs: START_MS,
    lastGeneration: 0,
    decidedAt: (watermarkMs) => watermarkMs,
  })
  const first = run.start('bench')
  run.begin(history)
  await run.restore(recordedDecisions(first, spec, blocks), silentBlocks(material, release, blocks))
  return run
}

function* silentBlocks(material: Material, release: number, blocks: number) {
  for (let block = 0; block < blocks; block++) yield material.blockAt(release, block)
}

/** One for each step, and one at the end of what is folded silently. */
function recordedDecisions(first: Decision, spec: ReleaseSpec, blocks: number): Decision[] {
  const { lengthMs } = spec.blocks
  const untilMs = START_MS + blocks * lengthMs
  const decisionAt = (endMs: number, index: number, startedAtMs: number): Decision => ({
    ...first,
    window: { startMs: START_MS, endMs, watermarkMs: endMs + spec.blocks.watermarkMs },
    step: { ...first.step, index, startedAtMs },
  })
  const steps = STEPS.map(({ from }) => START_MS + Math.ceil((from * DAY_MS) / lengthMs) * lengthMs)
  const begun = steps.filter((startMs) => startMs < untilMs)
  const decisions = begun.map((startMs, index) => decisionAt(startMs, index, startMs))
  return [...decisions, decisionAt(untilMs, begun.length - 1, begun.at(-1) ?? START_MS)]
}

function stepAt(ageMs: number): number {
  return STEPS.findLastIndex(({ from }) => ageMs >= from * DAY_MS)
}

function specOf(lengthMs: number): ReleaseSpec {
  const plan = STEPS.map(({ weight }) => `  - { weight: ${weight}, min_duration: 24h }\n`).join('')
  const parsed = parseReleaseFile(
    `route: intent-classifier/production
stable: 1.4.2
canary: 1.5.0
plan:
${plan}guardrails:
  - { metric: latency_p95, max: ${LIMIT_MS}ms }
  - { metric: latency_p95, max_increase: 10% }
  - { metric: error_rate,  max: 0.8% }
  - { metric: error_rate,  max_increase: 0.2pp }
  - { metric: quality,     max_drop: 0.01 }
cohorts: { by: [locale, device], key: [{ locale: en-US }, { locale: de-DE, device: mobile }] }
`,
    { fileName: 'release.yaml' },
  )
  if (!('spec' in parsed)) throw new Error(JSON.stringify(parsed.problems))
  return { ...parsed.spec, blocks: { ...parsed.spec.blocks, lengthMs } }
}

/** Sessions in every other cohort. */
function withUsers(block: ClosedBlock, random: () => number): ClosedBlock {
  const cells = block.cells.map((cell) => {
    if (DEVICES.indexOf(cell.cohort.device ?? '') % 2 === 0) return cell
    const metrics: OpenMetrics = cell.metrics
    metrics.users = usersOf(metrics, random)
    return cell
  })
  return { ...block, cells }
}

function usersOf(metrics: CellMetrics, random: () => number): UserBuckets {
  const perBucket = spread(metrics.requests, random)
  const buckets = perBucket.flatMap((requests, bucket) => (requests > 0 ? [bucket] : []))
  const requests = buckets.map((bucket) => perBucket[bucket] as number)
  /** `count` of the requests, drawn one by one without regard to who sent them. */
  const among = (count: number): number[] => {
    const left = [...requests]
    let all = metrics.requests
    for (let i = 0; i < count; i++) {
      let at = Math.floor(random() * all--)
      for (let bucket = 0; ; bucket++) {
        at -= left[bucket] as number
        if (at >= 0) continue
        left[bucket] = (left[bucket] as number) - 1
        break
      }
    }
    return requests.map((each, bucket) => each - (left[bucket] as number))
  }
  const errors = among(metrics.errors)
  const mean = metrics.quality.sum / metrics.quality.n
  return {
    buckets,
    requests,
    errors,
    latencies: requests.map((each, at) => each - (errors[at] as number)),
    overLimit: metrics.overLimit.map(among),
    overSlowBin: [among(Math.round(0.05 * metrics.latencies))],
    qualityN: requests,
    qualitySum: requests.map((each) => each * mean + Math.sqrt(each) * 0.2 * (random() - 0.5)),
    kpiN: [],
    kpiSum: [],
  }
}

function spread(count: number, random: () => number): number[] {
  const perBucket = new Array<number>(BUCKETS).fill(0)
  for (let i = 0; i < count; i++) {
    const bucket = Math.floor(random() * BUCKETS)
    perBucket[bucket] = (perBucket[bucket] as number) + 1
  }
  return perBucket
}
