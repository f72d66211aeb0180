import { expect } from 'vitest'
import { encodeDecision } from '../../../src/contract/decision.ts'
import { formatProblem, parseReleaseFile } from '../../../src/contract/release-file.ts'
import type { CellMetrics, ClosedBlock, HistoryCell, Moments } from '../../../src/domain/block.ts'
import type { Decision } from '../../../src/domain/decision.ts'
import { binOf } from '../../../src/domain/histogram.ts'
import type { ReleaseSpec } from '../../../src/domain/release.ts'
import type { Assessment } from '../../../src/domain/verdict.ts'
import { createReleaseRun } from '../../../src/pipeline/release-run.ts'
import { blockOf, cellOf, DE, EN, metricsOf, numbersOf, START_MS } from '../judge/judge-builders.ts'

/** Every kind of guardrail, as release files write it. */
export const KINDS = {
  'p95 max': 'metric: latency_p95, max: 120ms',
  'p95 increase': 'metric: latency_p95, max_increase: 10%',
  'error max': 'metric: error_rate, max: 0.8%',
  'error pp': 'metric: error_rate, max_increase: 0.2pp',
  'error ratio': 'metric: error_rate, max_increase: 50%',
  'quality min': 'metric: quality, min: 0.84',
  'quality drop': 'metric: quality, max_drop: 0.01',
  'kpi min': 'metric: kpi.sales, bounds: [-10, 90], min: 5',
  'kpi drop': 'metric: kpi.sales, bounds: [-10, 90], max_drop: 1',
  'kpi increase': 'metric: kpi.sales, bounds: [-10, 90], max_increase: 1',
} as const
export type Kind = keyof typeof KINDS
export const ALL_KINDS = Object.keys(KINDS) as Kind[]

/** A release of two steps without minimum, which any pass would take on; en-US/mobile must pass. */
export function releaseOf(
  kind: Kind,
  keys = 'key: [{ locale: en-US, device: mobile }]',
): ReleaseSpec {
  const text = `route: m/production
stable: 1.0.0
canary: 1.1.0
plan:
  - { weight: 10 }
  - { weight: 50 }
guardrails:
  - { ${KINDS[kind]} }
cohorts: { by: [locale, device], ${keys} }
warmup: 0s
heartbeat: 10s
`
  const parsed = parseReleaseFile(text, { fileName: 'release.yaml' })
  if ('spec' in parsed) return parsed.spec
  throw new Error(parsed.problems.map(formatProblem).join('\n'))
}

export interface Look {
  readonly decision: Decision
  readonly assessment: Assessment
}

/** A release over all blocks, every number that comes out of it finite; a look after each block. */
export function judged(
  spec: ReleaseSpec,
  blocks: readonly ClosedBlock[],
  history: readonly HistoryCell[] = HISTORY,
): Look[] {
  const run = createReleaseRun({
    releaseId: 'm/production/1.1.0',
    spec,
    startedAtMs: START_MS,
    lastGeneration: 0,
    decidedAt: (watermarkMs) => watermarkMs,
    // What is wrong with these is not who got them.
    split: 'observed',
  })
  run.start('test')
  run.begin(history)
  const looks: Look[] = []
  for (const block of blocks) {
    if (run.finished) break
    const decision = run.onBlock(block)
    const { assessment } = run
    // With a heartbeat of one block every block has a decision.
    if (decision === null || assessment === null) throw new Error('a block without a decision')
    for (const [path, value] of [...numbersOf(assessment), ...numbersOf(decision)]) {
      expect(Number.isFinite(value), `${path}: ${value}`).toBe(true)
    }
    for (const { message } of decision.reasons) {
      expect(message).not.toMatch(/NaN|Infinity|undefined|null/)
    }
    expect(encodeDecision(decision)).not.toMatch(/NaN|Infinity/)
    looks.push({ decision, assessment })
  }
  return looks
}

/** Codes of a decision, each once, in the order of its reasons. */
export function codesOf({ decision }: Look): string[] {
  return [...new Set(decision.reasons.map(({ code }) => code))]
}

export interface Cell {
  readonly requests: number
  readonly errors?: number
  readonly latencyMs?: number
  /** Everything has this score (0…1) and this KPI value; without it they vary a little. */
  readonly score?: number
  readonly sales?: number
}

const LEVELS = 40

/** Latencies of 10 … 67 ms, unless all are the same; scores around 0.9, sales around 10. */
export function metrics({ requests, errors = 0, latencyMs, score, sales }: Cell): CellMetrics {
  const answered = requests - errors
  const each = latencyMs === undefined ? Math.floor(answered / LEVELS) : 0
  const counts = new Map<number, number>([[binOf(latencyMs ?? 10), answered - (LEVELS - 1) * each]])
  for (let level = 1; level < LEVELS; level++) counts.set(binOf(10 * 1.05 ** level), each)
  const latencies = [...counts].filter(([, count]) => count > 0)
  const moments = (n: number, mean: number, sd: number): Moments => ({
    n,
    sum: n * mean,
    sumSquares: n * (mean * mean + sd * sd),
  })
  return metricsOf(requests, errors, {
    overLimit: [(latencyMs ?? 0) > 120 ? answered : 0],
    bins: latencies.map(([bin]) => bin),
    counts: latencies.map(([, count]) => count),
    quality: moments(requests, score ?? 0.9, score === undefined ? 0.1 : 0),
    kpis: [moments(requests, sales ?? 10, sales === undefined ? 5 : 0)],
  })
}

export const HISTORY: readonly HistoryCell[] = [
  { cohort: EN, metrics: metrics({ requests: 16_000, errors: 80 }) },
  { cohort: DE, metrics: metrics({ requests: 4000, errors: 20 }) },
]

type Part = Partial<Record<'stable' | 'canary', Cell>>

/** A block with what each arm did in each of two cohorts. */
export function block(index: number, en: Part, de: Part = {}): ClosedBlock {
  const cells = [
    { arm: 'stable' as const, cohort: EN, cell: en.stable },
    { arm: 'stable' as const, cohort: DE, cell: de.stable },
    { arm: 'canary' as const, cohort: EN, cell: en.canary },
    { arm: 'canary' as const, cohort: DE, cell: de.canary },
  ]
  return blockOf(
    index,
    cells.flatMap(({ arm, cohort, cell }) =>
      cell === undefined || cell.requests === 0 ? [] : [cellOf(arm, cohort, metrics(cell))],
    ),
  )
}

/** Both arms in both cohorts, one canary request in ten, 5 errors in 1,000. */
export function sound(index: number, change: Partial<Cell> = {}): ClosedBlock {
  const cell = (requests: number) => {
    const errors = index % 2 === 0 ? requests / 100 : 0
    return { requests, errors, ...change }
  }
  return block(
    index,
    { stable: cell(1800), canary: cell(200) },
    { stable: cell(900), canary: cell(100) },
  )
}

export function blocks(count: number, make: (index: number) => ClosedBlock): ClosedBlock[] {
  return Array.from({ length: count }, (_, index) => make(index))
}

const failing = (requests: number): Cell => ({ requests, errors: requests })
/** Every request of both versions fails. */
export const onlyErrors = (index: number): ClosedBlock =>
  block(
    index,
    { stable: failing(1800), canary: failing(200) },
    { stable: failing(900), canary: failing(100) },
  )

/** History without errors, but for what is said to be different. */
export const historyOf = (change: Partial<Cell>): HistoryCell[] => [
  { cohort: EN, metrics: metrics({ requests: 16_000, ...change }) },
  { cohort: DE, metrics: metrics({ requests: 4000, ...change }) },
]
