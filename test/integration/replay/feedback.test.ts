import { describe, expect, it } from 'vitest'
import { generateEvents, mulberry32, shuffleWithin } from '../../support/event-generator.ts'
import { runHaldane } from '../../support/run-haldane.ts'
import { inOrder, MIXED_RELEASE, mixedEvents, START_MS, timeOf } from './mixed-stream.ts'
import { type Replayed, useReplay, withoutCounts } from './replay-run.ts'

const EVENTS = 15_000
const DURATION_MS = 240_000
/** Labels take up to so long; with what shuffling adds they still come within the watermark of 10 s. */
const DELAY_MS = 3000

type Wire = Record<string, unknown> & { readonly occurred_at: string }
interface Placed {
  readonly line: string
  readonly atMs: number
}

const withoutScore = ({ quality_score: _, ...event }: Wire) => JSON.stringify(event)

/** The score of an event as feedback about it; some name the version that answered. */
function feedbackOf(event: Wire, delayMs: number, changes: object = {}): Placed {
  const atMs = timeOf(event) + delayMs
  const names = Number(String(event['request_id']).replace(/\D/g, '')) % 2 === 0
  const feedback = {
    request_id: event['request_id'],
    observed_at: new Date(atMs).toISOString(),
    model_name: event['model_name'],
    environment: event['environment'],
    ...(names && event['model_version'] != null ? { model_version: event['model_version'] } : {}),
    quality_score: event['quality_score'],
    annotator_kind: 'CODE',
    ...changes,
  }
  return { line: JSON.stringify(feedback), atMs }
}

describe('quality that is known only later', () => {
  const desk = useReplay()
  const events: Wire[] = mixedEvents(11, EVENTS, DURATION_MS)
  const bare = events.map(withoutScore)
  const random = mulberry32(12)
  const scored = events.filter((event) => event['quality_score'] != null)
  const given = scored.map((event) => feedbackOf(event, Math.floor(random() * DELAY_MS)))
  const feedback = inOrder(given)
  const replay = (inputs: Parameters<typeof desk.replay>[0]) =>
    desk.replay({ release: MIXED_RELEASE, ...inputs })

  let plain: Replayed | undefined
  const once = async (): Promise<Replayed> => {
    plain ??= await replay({ events: bare, feedback })
    return plain
  }

  it('decides as the same scores in the requests themselves, to the byte', async () => {
    const run = await once()
    const { stdout, summary } = await replay({
      events: events.map((event) => JSON.stringify(event)),
    })
    expect(run.stdout).toBe(stdout)
    const counts = { events: given.length, accepted: given.length, rejected: 0, late: 0 }
    expect(run.summary).toEqual({
      ...summary,
      feedback: { ...counts, unknown: expect.any(Number) },
    })
    // Only that of shadow traffic has no live request.
    expect(run.summary.feedback?.['unknown']).toBe(
      scored.filter((event) => event['traffic'] === 'shadow' && !isOther(event)).length,
    )
    const quality = run.decisions.at(-1)?.evidence.filter((row) => row.metric === 'quality')
    expect(quality?.[0]?.canary.n).toBeGreaterThan(1000)
  })

  it('gives the same bytes in other batches and in another order within the watermark', async () => {
    const first = await once()
    const same = async (inputs: Parameters<typeof replay>[0]) => {
      const run = await replay(inputs)
      expect(run.stdout).toBe(first.stdout)
      expect(run.summary).toEqual(first.summary)
    }
    await same({ events: bare, feedback, args: ['--batch-rows', '977'] })
    const late = given.map(({ line, atMs }) => ({ line, atMs: atMs + Math.floor(random() * 4000) }))
    const shuffled = inOrder(late)
    expect(shuffled).not.toEqual(feedback)
    await same({ events: bare, feedback: shuffled })
    await same({ events: shuffleWithin(bare, 9000, 5), feedback })
  })

  it('is not changed by feedback that counts for nothing, and says how much there was', async () => {
    const { stdout, summary } = await once()
    const some = scored.filter(() => random() < 0.05)
    const idle = some.flatMap((event) => [
      feedbackOf(event, DELAY_MS + 500),
      feedbackOf(event, DELAY_MS + 900, { quality_score: 0 }),
      feedbackOf(event, 0, { quality_score: null, label: 'book_flight' }),
      feedbackOf(event, 0, { request_id: `no-${String(event['request_id'])}`, quality_score: 0 }),
      feedbackOf(event, 0, { model_version: '0.0.9', quality_score: 0 }),
      feedbackOf(event, 0, { model_name: 'another', quality_score: 0 }),
    ])
    const invalid = some.map((event) => feedbackOf(event, 0, { quality_score: 1.5 }))
    const all = inOrder([...given, ...idle, ...invalid])
    const run = await replay({ events: bare, feedback: all })
    expect(run.stdout).toBe(stdout)
    expect(run.summary.feedback).toMatchObject({
      events: all.length,
      accepted: all.length - invalid.length,
      rejected: invalid.length,
      late: 0,
    })
    expect(run.summary.feedback?.['unknown']).toBeGreaterThan(
      (summary.feedback?.['unknown'] ?? 0) + some.length,
    )
    expect(run.notes.join('\n')).toMatch(
      /feedback\.ndjson:\d+: quality_score: is 1\.5; allowed is a number from 0 to 1/,
    )
  })

  it('that comes too late is not judged, and counted', async () => {
    const tooLate = inOrder(scored.map((event) => feedbackOf(event, 15_000)))
    const run = await replay({ events: bare, feedback: tooLate })
    const none = await replay({ events: bare })
    expect(run.stdout).toBe(none.stdout)
    expect(run.summary.feedback?.['late']).toBeGreaterThan(10_000)
  })

  it('rolls a canary back that is worse in nothing else', async () => {
    const stream = generateEvents({
      ...{ seed: 13, events: 12_000, startMs: START_MS, durationMs: 240_000, canaryShare: 0.3 },
      effect: (arm) => (arm === 'canary' ? { qualityMean: 0.7 } : {}),
    })
    const worse = Array.from(stream) as Wire[]
    const bad = inOrder(worse.map((event) => feedbackOf(event, Math.floor(random() * DELAY_MS))))
    const lines = worse.map(withoutScore)
    const blind = await replay({ events: lines })
    expect(blind.decisions.map(({ action }) => action)).not.toContain('rollback')
    const { decisions, stdout } = await replay({ events: lines, feedback: bad })
    expect(decisions.at(-1)).toMatchObject({ action: 'rollback', phase: 'rolled_back' })
    expect(decisions.at(-1)?.reasons.map(({ code }) => code)).toContain('quality_breached')
    expect(withoutCounts(stdout)).not.toBe(withoutCounts(blind.stdout))
  })

  it('needs its file: a missing one is named before anything is done', async () => {
    const release = await desk.file('release.yaml', MIXED_RELEASE)
    const given = await desk.file('events.ndjson', bare.slice(0, 10).join('\n'))
    const args = ['replay', '--release', release, '--feedback']
    const missing = await runHaldane([...args, 'no-such.ndjson', '--events', given])
    expect([missing.exitCode, missing.stdout]).toEqual([2, ''])
    expect(missing.stderr).toContain('no-such.ndjson: there is no such file')
    const twice = await runHaldane([...args, '-', '--events', '-'])
    expect(twice.exitCode).toBe(2)
    expect(twice.stderr).toContain('cannot both come from standard input')
  })
})

/** True for events of other routes than the release's. */
function isOther(event: Wire): boolean {
  return event['model_name'] !== 'intent-classifier' || (event['environment'] ?? '') === 'staging'
}
