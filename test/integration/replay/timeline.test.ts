import { describe, expect, it } from 'vitest'
import type { WireDecision } from '../../../src/contract/decision.ts'
import {
  CANARY_VERSION,
  generateEvents,
  releaseFile,
  STABLE_VERSION,
  type StreamOptions,
  toLines,
} from '../../support/event-generator.ts'
import { canaryWeight } from './decision-rules.ts'
import { MIXED_RELEASE, START_MS } from './mixed-stream.ts'
import { useReplay } from './replay-run.ts'

const DURATION_MS = 240_000
const WATERMARK_MS = 10_000
const BLOCK_MS = 5000

const at = (seconds: number) => new Date(START_MS + seconds * 1000).toISOString()
const codes = ({ reasons }: WireDecision) => reasons.map(({ code }) => code)
const endMs = (decision: WireDecision) => Date.parse(decision.window.end)

function stream(options: Partial<StreamOptions> = {}) {
  const given = { seed: 31, events: 12_000, durationMs: DURATION_MS, canaryShare: 0.3, ...options }
  const events = Array.from(generateEvents({ startMs: START_MS, ...given }))
  /** Events of a version from one second of the stream to another. */
  const count = (version: string, from: number, to: number) =>
    events.filter(
      ({ model_version, occurred_at }) =>
        model_version === version &&
        String(occurred_at) >= at(from) &&
        String(occurred_at) < at(to),
    ).length
  return { events, lines: toLines(events), count }
}

describe('a replayed release', () => {
  const desk = useReplay()
  const { events, lines, count } = stream()
  const replay = async (more: Partial<Parameters<typeof desk.replay>[0]> = {}) =>
    desk.replay({ events: lines, release: MIXED_RELEASE, ...more })
  const overallErrors = (decision: WireDecision | undefined) =>
    decision?.evidence.find(({ metric, cohort }) => metric === 'error_rate' && cohort === 'overall')

  it('starts with the block of the first event, unless told otherwise', async () => {
    const shifted = events.slice(117)
    const first = String(shifted[0]?.['occurred_at'])
    const { decisions } = await replay({ events: toLines(shifted) })
    const startMs = Math.floor(Date.parse(first) / BLOCK_MS) * BLOCK_MS
    expect(Date.parse(first)).toBeGreaterThan(startMs)
    expect(decisions[0]?.decided_at).toBe(new Date(startMs).toISOString())
    expect(decisions[1]?.window.start).toBe(new Date(startMs).toISOString())
  })

  it('decides nothing about blocks that the watermark has not passed', async () => {
    const { decisions } = await replay({
      release: MIXED_RELEASE.replace('heartbeat: 30s', 'heartbeat: 100ms'),
    })
    const newestMs = Date.parse(String(events.at(-1)?.['occurred_at']))
    const lastMs = Math.max(...decisions.map(endMs))
    expect(lastMs).toBeLessThanOrEqual(newestMs - WATERMARK_MS)
    // With a heartbeat of 100 ms every closed block has a decision.
    expect(lastMs).toBeGreaterThan(newestMs - WATERMARK_MS - BLOCK_MS)
  })

  it('uses what came before its start as history, so that the first block counts', async () => {
    const heartbeat = MIXED_RELEASE.replace('heartbeat: 30s', 'heartbeat: 5s')
    const start = ['--start', at(100)]
    const { decisions } = await replay({ release: heartbeat, args: start })
    expect(decisions[0]?.decided_at).toBe(at(100))
    const [, second] = decisions
    expect(second?.window).toMatchObject({ start: at(100), end: at(105) })
    expect(overallErrors(second)?.canary.n).toBe(count(CANARY_VERSION, 100, 105))

    const alone = events.filter(({ occurred_at }) => String(occurred_at) >= at(100))
    const without = await replay({ events: toLines(alone), release: heartbeat, args: start })
    // The first thousand requests to the stable version only tell what is usual.
    let blocks = 0
    while (count(STABLE_VERSION, 100, 100 + 5 * blocks) < 1000) blocks++
    expect(blocks).toBeGreaterThan(3)
    const firstJudged = without.decisions.find((one) => (overallErrors(one)?.canary.n ?? 0) > 0)
    expect(firstJudged?.window.end).toBe(at(100 + 5 * (blocks + 1)))
  })

  it('starts with the first whole block after a start in the middle of one', async () => {
    const { decisions } = await replay({ args: ['--start', at(102.5)] })
    expect(decisions[0]?.decided_at).toBe(at(102.5))
    expect(decisions[1]?.window).toMatchObject({ start: at(105), end: at(110) })
  })

  it('does not judge the warm-up of the canary', async () => {
    const warm = MIXED_RELEASE.replace('warmup: 0s', 'warmup: 40s')
    const heartbeat = warm.replace('heartbeat: 30s', 'heartbeat: 5s')
    const { decisions } = await replay({ release: heartbeat, args: ['--start', at(100)] })
    const seen = decisions.map((decision) => [
      decision.window.end,
      overallErrors(decision)?.canary.n ?? 0,
    ])
    expect(seen.filter(([end]) => String(end) <= at(140)).map(([, n]) => n)).toEqual(
      seen.filter(([end]) => String(end) <= at(140)).map(() => 0),
    )
    expect(seen.find(([end]) => end === at(145))).toEqual([
      at(145),
      count(CANARY_VERSION, 140, 145),
    ])
  })

  it('says that the canary gets nothing, or nothing any more', async () => {
    const none = await replay({ events: stream({ canaryShare: 0 }).lines })
    for (const decision of none.decisions.slice(1)) expect(codes(decision)).toContain('no_traffic')
    const ended = stream({ canaryShare: (progress) => (progress < 0.5 ? 0.3 : 0) })
    const { decisions } = await replay({ events: ended.lines, args: ['--start', at(0)] })
    const stale = decisions.find((decision) => codes(decision).includes('stale_data'))
    // Older than the watermark delay and three blocks.
    expect(stale?.window.end).toBe(at(120 + 10 + 15 + 5))
    expect(decisions.at(-1)?.action).toBe('hold')
  })

  it('holds for a person when it is older than its file allows', async () => {
    const { decisions } = await replay({ release: `${MIXED_RELEASE}max_duration: 60s\n` })
    const old = decisions.filter((decision) => endMs(decision) >= START_MS + 60_000)
    expect(old.length).toBeGreaterThan(2)
    for (const decision of old) expect(codes(decision)).toContain('max_duration')
    expect(decisions.map(({ action }) => action)).not.toContain('increase')
  })

  it('holds while a key cohort has no canary requests', async () => {
    const release = MIXED_RELEASE.replace(
      'cohorts: { by: [locale, device] }',
      'cohorts: { by: [locale, device], key: [{ locale: en-US }, { locale: ja-JP, device: tv }] }',
    )
    const { decisions } = await replay({ release })
    expect(decisions.map(({ action }) => action)).not.toContain('increase')
    const last = decisions.at(-1)
    expect(codes(last as WireDecision)).toContain('coverage_missing')
    const keys = last?.evidence.filter(({ required }) => required).map(({ cohort }) => cohort)
    expect(keys).toContainEqual({ locale: 'en-US' })
    expect(keys).toContainEqual({ locale: 'ja-JP', device: 'tv' })
  })

  it('decides to no effect when its file says so, and says that', async () => {
    const { decisions } = await replay({ release: `${MIXED_RELEASE}mode: dry_run\n` })
    expect(new Set(decisions.map(({ mode }) => mode))).toEqual(new Set(['dry_run']))
    expect(decisions.map(({ action }) => action)).toContain('increase')
  })
})

describe('recorded commands', () => {
  const desk = useReplay()
  const { lines } = stream()
  const route = 'intent-classifier/production'
  let ids = 0
  const command = (kind: string, seconds: number, more: object = {}) => ({
    command_id: `c${++ids}`,
    ...{ kind, route, release_id: `${route}/${CANARY_VERSION}`, at: at(seconds) },
    ...{ by: 'ann', reason: 'ticket 42', ...more },
  })
  const replay = async (
    commands: readonly object[],
    more: { args?: string[]; events?: string[] } = {},
  ) => desk.replay({ events: lines, release: MIXED_RELEASE, commands, ...more })
  const manual = (decisions: readonly WireDecision[]) =>
    decisions.filter(({ decided_by }) => decided_by === 'user:ann')

  it('pause, resume and end a release at the blocks that were closed by then', async () => {
    const commands = [command('pause', 42), command('resume', 143.2), command('rollback', 205)]
    const { decisions, stdout } = await replay(commands)
    const made = manual(decisions)
    expect(made.map(({ phase, action, window }) => [phase, action, window.end])).toEqual([
      // The last block end that lay ten seconds before the command, or exactly then.
      ['paused', 'hold', at(30)],
      ['ramping', 'hold', at(130)],
      ['rolled_back', 'rollback', at(195)],
    ])
    for (const decision of made) {
      expect(codes(decision)).toEqual(['manual'])
      expect(decision.reasons[0]?.message).toMatch(/ by ann: ticket 42$/)
    }
    expect(made.at(-1)).toEqual(decisions.at(-1))
    expect(canaryWeight(made.at(-1)?.traffic ?? [])).toBe(0)
    const paused = decisions.filter(
      (one) => endMs(one) > START_MS + 30_000 && endMs(one) < START_MS + 130_000,
    )
    expect(paused.length).toBeGreaterThan(1)
    expect(new Set(paused.map(({ phase }) => phase))).toEqual(new Set(['paused']))
    // The step begins anew: what was seen meanwhile is no evidence for it.
    expect(made[1]?.step.started_at).toBe(at(140))

    const again = await replay(commands.toReversed(), { args: ['--batch-rows', '2500'] })
    expect(again.stdout).toBe(stdout)
  })

  it.each([
    ['promote', 'promoted', 'increase', 100],
    ['abort', 'aborted', 'rollback', 0],
    ['rollback', 'rolled_back', 'rollback', 0],
  ])('%s ends it', async (kind, phase, action, weight) => {
    const { decisions } = await replay([
      command(kind, 50),
      command('pause', 60),
      command('promote', 70),
    ])
    expect(decisions.at(-1)).toMatchObject({ phase, action, decided_by: 'user:ann' })
    expect(canaryWeight(decisions.at(-1)?.traffic ?? [])).toBe(weight)
    expect(manual(decisions)).toHaveLength(1)
  })

  it('leave out what is meant for another release, came before the start or makes no sense', async () => {
    const { stdout } = await desk.replay({
      events: lines,
      release: MIXED_RELEASE,
      args: ['--start', at(20)],
    })
    const commands = [
      command('rollback', 60, { route: 'translator/production' }),
      command('rollback', 60, { release_id: `${route}/1.4.9` }),
      command('rollback', 10),
      command('start', 20, { release_id: null, source: MIXED_RELEASE }),
      command('resume', 60),
    ]
    const run = await replay(commands, { args: ['--start', at(20)] })
    expect(run.stdout).toBe(stdout)
    expect(run.notes).toEqual([
      expect.stringMatching(/control\.ndjson: 2 commands to other releases are left out$/),
    ])
  })

  it('are obeyed for a release that was tried again, and without a release id', async () => {
    for (const more of [{ release_id: `${route}/${CANARY_VERSION}~2` }, { release_id: null }]) {
      const { decisions } = await replay([command('abort', 60, more)])
      expect(decisions.at(-1)).toMatchObject({ phase: 'aborted', decided_by: 'user:ann' })
    }
  })

  it('are obeyed after the last event, and where no block is closed yet', async () => {
    const late = await replay([command('rollback', 1000)])
    expect(late.decisions.at(-1)?.phase).toBe('rolled_back')
    const short = await replay([command('rollback', 5)], { events: lines.slice(0, 300) })
    expect(short.decisions.map(({ phase }) => phase)).toEqual(['ramping', 'rolled_back'])
  })

  it('do not keep a broken canary alive while the release is paused', async () => {
    const broken = stream({ effect: (arm) => (arm === 'canary' ? { errorRate: 0.2 } : {}) })
    const { decisions } = await desk.replay({
      events: broken.lines,
      release: releaseFile(),
      commands: [command('pause', 12)],
    })
    expect(decisions.map(({ phase }) => phase)).toContain('paused')
    expect(decisions.at(-1)).toMatchObject({ phase: 'rolled_back', decided_by: 'analyzer' })
    expect(codes(decisions.at(-1) as WireDecision)).toContain('error_rate_breached')
  })
})
