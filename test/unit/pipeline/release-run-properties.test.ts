import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { ClosedBlock } from '../../../src/domain/block.ts'
import type { Cohort } from '../../../src/domain/cohort.ts'
import type { Guardrail } from '../../../src/domain/release.ts'
import { ALL_KINDS, numbersOf } from '../judge/judge-builders.ts'
import { courseOf, newRun, type RandomRelease, randomReleases, step } from './random-release.ts'

const RUNS = { numRuns: 40 }

/** Another order of the cells of every block and of the history, by a number. */
function shuffled<T>(values: readonly T[], salt: number): T[] {
  return values
    .map((value, index) => ({ value, at: Math.imul(index + 1, salt | 1) >>> 0 }))
    .sort((a, b) => a.at - b.at)
    .map(({ value }) => value)
}

/** Every locale called otherwise; `names` keep language groups together. */
function renamed<T>(value: T, names: Readonly<Record<string, string>>): T {
  const text = JSON.stringify(value)
  return JSON.parse(text.replace(/[a-z]{2}-[A-Z]{2}/g, (name) => names[name] ?? name)) as T
}

const KEEPING_ORDER = {
  'de-DE': 'aa-BB',
  'en-GB': 'cc-DD',
  'en-US': 'cc-EE',
  'pt-BR': 'yy-AA',
  'pt-PT': 'yy-ZZ',
}
const TURNING_ORDER = {
  'de-DE': 'zz-BB',
  'en-GB': 'mm-YY',
  'en-US': 'mm-EE',
  'pt-BR': 'bb-SS',
  'pt-PT': 'bb-AA',
}

describe('a release', { timeout: 120_000 }, () => {
  it('does not depend on the order of cohorts in a block or in the history', () => {
    fc.assert(
      fc.property(randomReleases, fc.integer(), (release, salt) => {
        const other: RandomRelease = {
          ...release,
          history: shuffled(release.history, salt),
          blocks: release.blocks.map((block) => ({ ...block, cells: shuffled(block.cells, salt) })),
        }
        expect(courseOf(other)).toEqual(courseOf(release))
      }),
      RUNS,
    )
  })

  it('goes on the same after a crash at any block, and with blocks closed but not yet decided on', async () => {
    await fc.assert(
      fc.asyncProperty(randomReleases, fc.nat(50), fc.nat(4), async (release, crash, ahead) => {
        const whole = courseOf(release)
        const judged = whole.assessments.length
        const at = crash % (judged + 1)
        const closed = Math.min(judged, at + ahead)
        const atMs = release.blocks[at - 1]?.endMs ?? Number.NEGATIVE_INFINITY
        const known = whole.decisions.filter(
          ({ window }, index) => index === 0 || window.endMs <= atMs,
        )
        const run = newRun(release)
        const decisions = [...known, ...(await run.restore(known, fed(release, 0, closed)))]
        for (const block of release.blocks.slice(closed, judged)) {
          const decision = run.onBlock(block)
          if (decision !== null) decisions.push(decision)
        }
        expect(decisions).toEqual(whole.decisions)
        expect(run.assessment).toEqual(judged === 0 ? null : whole.assessments.at(-1))
      }),
      { numRuns: 80 },
    )
  })

  it('goes on the same after a crash also where people paused it and let it go on', async () => {
    const pauses = fc.tuple(fc.integer({ min: 1, max: 10 }), fc.integer({ min: 1, max: 15 }))
    await fc.assert(
      fc.asyncProperty(
        randomReleases,
        pauses,
        fc.nat(50),
        async (release, [from, pause], crash) => {
          const commands = new Map([
            [from, 'pause'],
            [from + pause, 'resume'],
          ] as const)
          const whole = courseOf(release, commands)
          const at = crash % (whole.assessments.length + 1)
          const atMs = release.blocks[at - 1]?.endMs ?? Number.NEGATIVE_INFINITY
          const known = whole.decisions.filter(
            ({ window }, index) => index === 0 || window.endMs <= atMs,
          )
          const run = newRun(release)
          const decisions = [...known, ...(await run.restore(known, fed(release, 0, at)))]
          for (let k = at; k < release.blocks.length && !run.finished; k++) {
            decisions.push(...step(run, release.blocks[k] as ClosedBlock, commands.get(k + 1)))
          }
          expect(decisions).toEqual(whole.decisions)
        },
      ),
      { numRuns: 80 },
    )
  })

  it('decides the same when it starts again before every few blocks', async () => {
    await fc.assert(
      fc.asyncProperty(randomReleases, fc.integer({ min: 1, max: 6 }), async (release, group) => {
        const whole = courseOf(release)
        const judged = whole.assessments.length
        let decisions = whole.decisions.slice(0, 1)
        for (let closed = group; closed < judged + group; closed += group) {
          const run = newRun(release)
          const made = await run.restore(decisions, fed(release, 0, Math.min(closed, judged)))
          decisions = [...decisions, ...made]
        }
        expect(decisions).toEqual(whole.decisions)
      }),
      RUNS,
    )
  })

  it('makes the same decisions with a further guardrail in dry run, but for its rows', () => {
    fc.assert(
      fc.property(randomReleases, fc.constantFrom(...ALL_KINDS), (release, extra: Guardrail) => {
        const written = `${extra.written} more`
        const added = { ...extra, written, dryRun: true, limit: limitOf(extra) }
        const guardrails = [...release.spec.guardrails, added]
        const more = courseOf({ ...release, spec: { ...release.spec, guardrails } })
        const without = more.decisions.map((decision) => ({
          ...decision,
          evidence: decision.evidence.filter(({ limit }) => limit !== written),
        }))
        expect(without).toEqual(courseOf(release).decisions)
      }),
      RUNS,
    )
  })

  it('is the same but for names when cohorts are called otherwise in the same order', () => {
    fc.assert(
      fc.property(randomReleases, (release) => {
        const { spec, history, blocks } = renamed(release, KEEPING_ORDER)
        expect(courseOf({ spec, history, blocks })).toEqual(
          renamed(courseOf(release), KEEPING_ORDER),
        )
      }),
      RUNS,
    )
  })

  it('has the same evidence when names change the order of cohorts', () => {
    fc.assert(
      fc.property(randomReleases, (release) => {
        const before = courseOf(release)
        const after = courseOf(renamed(release, TURNING_ORDER))
        const said = ({ decisions }: typeof before) =>
          decisions.map(({ action, phase, step }) => ({ action, phase, step }))
        expect(said(after)).toEqual(said(before))
        const rowsOf = (assessment: (typeof before.assessments)[number]) =>
          new Map(
            assessment?.rows.map((row) => [keyOf(row.metric, row.limit, row.cohort), row] as const),
          )
        for (const [k, assessment] of before.assessments.entries()) {
          const twins = rowsOf(after.assessments[k] ?? null)
          for (const row of assessment?.rows ?? []) {
            const key = keyOf(row.metric, row.limit, renamed(row.cohort, TURNING_ORDER))
            const twin = twins.get(key)
            expect(twin?.verdict, key).toBe(row.verdict)
            expectClose(numbersOf(twin), numbersOf(row))
          }
        }
      }),
      RUNS,
    )
  })
})

async function* fed({ blocks }: RandomRelease, from: number, to: number) {
  yield* blocks.slice(from, to)
}

/** Absolute latency limits are stored by place: the one added must be the one there is. */
function limitOf({ metric, limit }: Guardrail): Guardrail['limit'] {
  return metric.kind === 'latency' && limit.kind === 'max' ? { kind: 'max', value: 160 } : limit
}

function keyOf(metric: string, limit: string, cohort: Cohort | 'overall'): string {
  return `${metric} ${limit} ${JSON.stringify(cohort)}`
}

/** Sums over cohorts are taken in the order of their names; only the last digits may tell. */
function expectClose(
  seen: readonly [string, number][],
  expected: readonly [string, number][],
): void {
  expect(seen.map(([path]) => path)).toEqual(expected.map(([path]) => path))
  for (const [i, [path, value]] of expected.entries()) {
    const other = seen[i]?.[1] ?? Number.NaN
    const allowed = path.startsWith('.needs') ? 1 + 1e-6 * value : 1e-7 * (1 + Math.abs(value))
    expect(Math.abs(other - value), `${path}: ${other} instead of ${value}`).toBeLessThanOrEqual(
      allowed,
    )
  }
}
