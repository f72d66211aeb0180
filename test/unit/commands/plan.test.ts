import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type PlanArguments, runPlan } from '../../../src/commands/plan.ts'
import { processTerminal } from '../../../src/commands/terminal.ts'

const RELEASE = `
route: intent-classifier/production
stable: 1.4.2
canary: 1.5.0
plan: [{ weight: 5, min_duration: 10m }, { weight: 50, min_duration: 1h }]
guardrails:
  - { metric: latency_p95, max: 120ms }
  - { metric: error_rate,  max_increase: 0.2pp }
  - { metric: quality,     max_drop: 0.01 }
cohorts: { by: [locale], key: [{ locale: de-DE }, { locale: ja-JP }] }
`

const row = (locale: string, requests: number) => ({
  version: '1.4.2',
  locale,
  requests,
  errors: requests / 200,
  latency_ms: {
    le: { 50: 0.7 * requests, 110: 0.95 * requests, 120: 0.965 * requests, '+Inf': requests },
  },
})
const BASELINE = {
  window: { start: '2026-11-23T10:00:00Z', end: '2026-11-23T11:00:00Z' },
  rows: [row('en-US', 160_000), row('de-DE', 20_000), row('fr-FR', 2000)],
}

interface Plan {
  rps: number
  steps: { seconds: { mean: number; p90: number } | null }[]
  evidence: { metric: string; cohort: unknown; step: number; pass_seconds: { mean: number } }[]
  unknown: { metric: string }[]
  unseen: unknown[]
  undecidable: unknown[]
}

describe('haldane plan', () => {
  let directory = ''
  const files = { release: '', baseline: '', small: '', other: '' }
  beforeAll(() => {
    directory = mkdtempSync(join(tmpdir(), 'haldane-plan-'))
    files.release = join(directory, 'release.yaml')
    files.baseline = join(directory, 'baseline.json')
    files.small = join(directory, 'small.json')
    files.other = join(directory, 'other.yaml')
    writeFileSync(files.release, RELEASE)
    writeFileSync(files.baseline, JSON.stringify(BASELINE))
  })
  afterAll(() => rmSync(directory, { recursive: true, force: true }))

  async function planOf(
    options: Omit<PlanArguments, 'release'>,
    release = files.release,
  ): Promise<string> {
    const lines: string[] = []
    const terminal = { ...processTerminal({}), out: (text: string) => void lines.push(text) }
    expect(await runPlan({ release, ...options }, terminal)).toBe(0)
    return lines.join('\n')
  }
  const jsonOf = async (options: Omit<PlanArguments, 'release'>) =>
    JSON.parse(await planOf({ ...options, json: true })) as Plan

  it('says what it assumes without a baseline, and plans what does not need cohorts', async () => {
    const text = await planOf({ rps: '50' })
    expect(text).toContain('assumed of the baseline, for want of --baseline: error rate 0.5 %')
    expect(text).toMatch(/^quality +max_drop: 0.01 +overall +2 /m)
    expect(text).not.toMatch(/^[a-z]\S+ +max.* de-DE /m)
  })

  it('names the key cohorts it cannot plan without a baseline, and how large they must be', async () => {
    const { steps } = await jsonOf({ rps: '50' })
    const text = await planOf({ rps: '50' })
    const percent = Number(((100 * (steps[0]?.seconds?.mean ?? 0)) / 86_400).toPrecision(2))
    expect(percent).toBeGreaterThan(1)
    expect(text).toContain('these must pass in every step, too: de-DE, ja-JP')
    expect(text).toContain(`a key cohort with less than about ${percent} % of the traffic`)
    // What nothing passes in at all depends on no share.
    expect(await planOf({ rps: '0.1' })).not.toContain('a key cohort with less than')
    writeFileSync(files.other, RELEASE.replace(/cohorts: .*/, 'cohorts: { by: [] }'))
    expect(await planOf({ rps: '50' }, files.other)).not.toContain('--baseline FILE')
    writeFileSync(files.other, RELEASE.replace(/, key: .*/, ' }'))
    expect(await planOf({ rps: '50' }, files.other)).toMatch(/which shows their traffic$/m)
  })

  it('says which comparison is never decidable at this traffic, in which cohort and step', async () => {
    const rows = [...BASELINE.rows.slice(0, 2), row('ja-JP', 400)]
    writeFileSync(files.small, JSON.stringify({ ...BASELINE, rows }))
    const [text, plan] = [
      await planOf({ baseline: files.small }),
      await jsonOf({ baseline: files.small }),
    ]
    expect(text).toMatch(
      /^not decidable for ja-JP within max_duration \(1d\) at this traffic: latency_p95 max: 120ms in step 1; error_rate max_increase: 0.2pp in every step$/m,
    )
    expect(text).not.toContain('not decidable for overall')
    expect(text).toContain('(too long)')
    expect(text).toMatch(/^promoted after about .*: later than max_duration \(1d\)/m)
    expect(plan.undecidable).toContainEqual({
      ...{ metric: 'error_rate', limit: 'max_increase: 0.2pp' },
      ...{ cohort: { locale: 'ja-JP' }, steps: [0, 1] },
    })
    const faster = await planOf({ baseline: files.small, rps: '200000' })
    expect(faster).not.toContain('not decidable')
    expect(faster).toMatch(/^promoted after about 1h13m$/m)
  })

  it('says of a baseline outside a limit that nothing passes, in no step and never', async () => {
    const rows = BASELINE.rows.map((given) => ({
      ...given,
      latency_ms: { le: { 50: 0, 120: given.requests / 2, '+Inf': given.requests } },
    }))
    writeFileSync(files.small, JSON.stringify({ ...BASELINE, rows }))
    const text = await planOf({ baseline: files.small })
    expect(text).toMatch(/^ +1 +5 of 100 +for ever /m)
    expect(text).not.toContain('promoted after')
    expect(text).toMatch(/^not decidable for overall .* latency_p95 max: 120ms in every step/m)
  })

  it('says that users who send many requests make it take longer', async () => {
    expect(await planOf({ rps: '50' })).toContain('times grow with the design effect')
  })

  it('plans key cohorts from a baseline, and names those it has no traffic of', async () => {
    const text = await planOf({ baseline: files.baseline })
    expect(text).toMatch(/^latency_p95 +max: 120ms +de-DE +1 /m)
    expect(text).toContain('without which nothing passes: ja-JP')
    expect(text).toContain('the baseline says nothing about it: quality max_drop: 0.01')
    expect(text).toContain('2 more cohorts may roll the release back')
  })

  it('takes the rate from the baseline unless told otherwise; twice the traffic, half the time', async () => {
    const plan = await jsonOf({ baseline: files.baseline })
    expect(plan.rps).toBeCloseTo(182_000 / 3600, 9)
    const faster = await jsonOf({ baseline: files.baseline, rps: String(2 * plan.rps) })
    const delay = 35
    const slow = (plan.evidence[0]?.pass_seconds.mean ?? 0) - delay
    expect((faster.evidence[0]?.pass_seconds.mean ?? 0) - delay).toBeCloseTo(slow / 2, 6)
    expect(plan.unseen).toEqual([{ locale: 'ja-JP' }])
    expect(plan.unknown.map(({ metric }) => metric)).toEqual(['quality'])
  })

  it.each([undefined, '', 'fast', '0', '-1', '1e999'])('refuses the rate %j', async (rps) => {
    await expect(planOf(rps === undefined ? {} : { rps })).rejects.toMatchObject({ code: 'usage' })
  })

  it('refuses a baseline without rows of the stable version', async () => {
    const other = join(directory, 'other.json')
    const rows = [{ ...row('en-US', 100), version: '1.5.0' }]
    writeFileSync(other, JSON.stringify({ ...BASELINE, rows }))
    await expect(planOf({ baseline: other })).rejects.toMatchObject({ code: 'invalid_input' })
  })
})
