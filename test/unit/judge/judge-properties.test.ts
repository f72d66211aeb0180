import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { BlockCell, CellMetrics, ClosedBlock, HistoryCell } from '../../../src/domain/block.ts'
import type { Cohort } from '../../../src/domain/cohort.ts'
import { UNBOUNDED_BIN, ZERO_BIN } from '../../../src/domain/histogram.ts'
import type { Guardrail, ReleaseSpec } from '../../../src/domain/release.ts'
import type { Assessment } from '../../../src/domain/verdict.ts'
import { createJudge } from '../../../src/judge/judge.ts'
import { generateBlocks } from '../../support/block-generator.ts'
import {
  ALL_KINDS,
  blockOf,
  cellOf,
  DE,
  EN,
  ERROR_MAX,
  ERROR_PP,
  metricsOf,
  numbersOf,
  P95_INCREASE,
  P95_MAX,
  QUALITY_DROP,
  START_MS,
  specOf,
} from './judge-builders.ts'

const KEYS = { by: ['locale', 'device'], key: [{ locale: 'en-US' }, DE] } as const

function judged(
  spec: ReleaseSpec,
  history: readonly HistoryCell[],
  blocks: readonly ClosedBlock[],
) {
  const judge = createJudge(spec, history, START_MS)
  const assessments: Assessment[] = []
  for (const block of blocks) {
    judge.fold(block)
    assessments.push(judge.assess())
  }
  return assessments
}

/** A short stream with an average regression, so that something is going on. */
function stream(seed: number, blocks: number, requestsPerBlock = 300) {
  const source = generateBlocks({
    seed,
    requestsPerBlock,
    canaryShare: 0.2,
    latencyLimitsMs: [120],
    kpis: 1,
    canary: { errorRate: 0.01, p95Ms: 130 },
  })
  const history = source.history(5000)
  return { history, blocks: source.take(blocks) }
}

const seeds = fc.integer({ min: 0, max: 1_000_000 })
const RUNS = { numRuns: 15 }

const extremeMetrics: fc.Arbitrary<CellMetrics> = fc
  .record({
    requests: fc.oneof(fc.integer({ min: 0, max: 50 }), fc.constant(10_000_000)),
    errors: fc.constantFrom(0, 0.3, 1),
    bin: fc.constantFrom(ZERO_BIN, -1400, 0, 481, 1389, 2600, UNBOUNDED_BIN),
    over: fc.constantFrom(0, 0.05, 1),
    score: fc.constantFrom(0, 0.5, 1),
    labelled: fc.boolean(),
  })
  .map(({ requests, errors, bin, over, score, labelled }) => {
    const bad = Math.floor(requests * errors)
    const latencies = requests - bad
    const n = labelled ? requests : 0
    return metricsOf(requests, bad, {
      overLimit: [Math.floor(latencies * over)],
      bins: latencies > 0 ? [bin] : [],
      counts: latencies > 0 ? [latencies] : [],
      quality: { n, sum: n * score, sumSquares: n * score * score },
      kpis: [{ n, sum: n * score, sumSquares: n * score * score }],
    })
  })

const extremeBlocks = fc.array(
  fc.array(fc.tuple(fc.constantFrom<'stable' | 'canary'>('stable', 'canary'), extremeMetrics), {
    maxLength: 3,
  }),
  { minLength: 1, maxLength: 6 },
)

describe('the judge', { timeout: 60_000 }, () => {
  it('never lets out a number that is not finite, whatever the blocks hold', () => {
    fc.assert(
      fc.property(extremeBlocks, fc.boolean(), (contents, withHistory) => {
        const history = withHistory ? [{ cohort: EN, metrics: metricsOf(20_000, 100) }] : []
        const blocks = contents.map((cells, k) =>
          blockOf(
            k,
            cells.map(([arm, metrics], i): BlockCell => cellOf(arm, i === 0 ? EN : DE, metrics)),
          ),
        )
        for (const assessment of judged(specOf(ALL_KINDS, { cohorts: KEYS }), history, blocks)) {
          const wrong = numbersOf(assessment).filter(([, value]) => !Number.isFinite(value))
          expect(wrong).toEqual([])
        }
      }),
      { numRuns: 60 },
    )
  })

  it('does not care about the order of the cells in a block or of the history', () => {
    fc.assert(
      fc.property(seeds, (seed) => {
        const { history, blocks } = stream(seed, 12)
        const spec = specOf(ALL_KINDS, { cohorts: KEYS })
        const reversed = blocks.map((block) => ({ ...block, cells: [...block.cells].reverse() }))
        expect(judged(spec, [...history].reverse(), reversed)).toEqual(
          judged(spec, history, blocks),
        )
      }),
      RUNS,
    )
  })

  it('gives identical numbers when the same blocks are folded again, looked at or not', () => {
    fc.assert(
      fc.property(seeds, (seed) => {
        const { history, blocks } = stream(seed, 12)
        const spec = specOf(ALL_KINDS, { cohorts: KEYS })
        const looked = judged(spec, history, blocks).at(-1)
        const again = createJudge(spec, history, START_MS)
        for (const block of blocks) again.fold(block)
        expect(again.assess()).toEqual(looked)
        expect(again.assess()).toEqual(looked)
      }),
      RUNS,
    )
  })

  it('changes nothing for the other guardrails when one is added as a dry run', () => {
    fc.assert(
      fc.property(seeds, fc.constantFrom(...ALL_KINDS), (seed, extra: Guardrail) => {
        const { history, blocks } = stream(seed, 12)
        const base = [P95_INCREASE, ERROR_PP, QUALITY_DROP]
        const alone = judged(specOf(base, { cohorts: KEYS }), history, blocks)
        const dryRun = { ...extra, dryRun: true }
        const more = judged(specOf([...base, dryRun], { cohorts: KEYS }), history, blocks)
        for (const [k, assessment] of alone.entries()) {
          const rows = more[k]!.rows.filter((row) => !row.dryRun)
          expect({ ...more[k]!, rows }).toEqual(assessment)
        }
      }),
      RUNS,
    )
  })

  it('is blind to names: cohorts called otherwise get the same numbers', () => {
    const names: Record<string, string> = { 'en-US': 'zz-ZZ', 'de-DE': 'aa-AA', 'fr-FR': 'mm-MM' }
    const rename = (cohort: Cohort): Cohort => ({
      ...cohort,
      locale: names[cohort.locale ?? ''] ?? '',
    })
    fc.assert(
      fc.property(seeds, (seed) => {
        const { history, blocks } = stream(seed, 12)
        const spec = specOf(ALL_KINDS)
        const renamedBlocks = blocks.map((block) => ({
          ...block,
          cells: block.cells.map((cell) => ({ ...cell, cohort: rename(cell.cohort) })),
        }))
        const renamedHistory = history.map((cell) => ({ ...cell, cohort: rename(cell.cohort) }))
        const before = judged(spec, history, blocks).at(-1)!
        const after = judged(spec, renamedHistory, renamedBlocks).at(-1)!
        expect(after.logEvidence).toBeCloseTo(before.logEvidence, 9)
        for (const row of before.rows) {
          const cohort = row.cohort === 'overall' ? 'overall' : rename(row.cohort)
          const twin = after.rows.find(
            (other) =>
              other.metric === row.metric &&
              other.limit === row.limit &&
              JSON.stringify(other.cohort) === JSON.stringify(cohort),
          )!
          const numbers = numbersOf(twin)
          for (const [i, [path, value]] of numbersOf(row).entries()) {
            expect(numbers[i]![0]).toBe(path)
            expect(numbers[i]![1]).toBeCloseTo(value, 7)
          }
          expect(twin.verdict).toBe(row.verdict)
        }
      }),
      RUNS,
    )
  })

  it('keeps the weights of a family at one, reserve included, and dry runs at none', () => {
    const { history, blocks } = stream(1, 3)
    const guardrails = [P95_MAX, ERROR_MAX, { ...QUALITY_DROP, dryRun: true }]
    const [first] = judged(specOf(guardrails), history, blocks)
    const sum = first!.rows.reduce((total, { weight }) => total + weight, 0)
    expect(sum).toBeCloseTo(0.95, 12)
    expect(first!.rows.filter(({ dryRun, weight }) => dryRun && weight !== 0)).toEqual([])
  })
})
