import { describe, expect, it } from 'vitest'
import { doubleSome, mulberry32, shuffleWithin } from '../../support/event-generator.ts'
import { inOrder, MIXED_RELEASE, mixedEvents, START_MS, timeOf } from './mixed-stream.ts'
import { type Replayed, type ReplayInputs, useReplay, withoutCounts } from './replay-run.ts'

const EVENTS = 20_000
const DURATION_MS = 300_000
const WATERMARK_MS = 10_000
const LOOKBACK_MS = 60_000

describe('the same stream', () => {
  const desk = useReplay()
  const replay = (inputs: ReplayInputs) => desk.replay({ release: MIXED_RELEASE, ...inputs })
  const events = mixedEvents(1, EVENTS, DURATION_MS)
  const lines = events.map((event) => JSON.stringify(event))
  const placed = events.map((event, index) => ({
    line: lines[index] as string,
    atMs: timeOf(event),
  }))
  let plain: Replayed | undefined
  const once = async (): Promise<Replayed> => {
    plain ??= await replay({ events: lines })
    return plain
  }

  const expectSame = (run: Replayed, other: Replayed) => {
    expect(run.stdout).toBe(other.stdout)
    expect(run.summary).toEqual(other.summary)
  }

  it('is one that decides: steps forward, holds, and all of it is accepted', async () => {
    const { decisions, summary } = await once()
    expect(summary).toEqual({
      events: EVENTS,
      accepted: EVENTS,
      rejected: 0,
      duplicates: 0,
      late: 0,
    })
    expect(decisions.length).toBeGreaterThan(10)
    expect(decisions.map(({ action }) => action)).toContain('increase')
  })

  it('gives the same bytes on a machine in another place, from a pipe, and in other batches', async () => {
    const first = await once()
    const env = { TZ: 'Asia/Kolkata', LANG: 'de_DE.UTF-8', LC_ALL: 'tr_TR.UTF-8' }
    expectSame(await replay({ events: lines, env }), first)
    expectSame(await replay({ events: lines, pieceBytes: 4093 }), first)
    expectSame(await replay({ events: lines, args: ['--batch-rows', '1000'] }), first)
  })

  it('gives the same bytes when seven rows are stored at a time', async () => {
    const few = mixedEvents(2, 1400, 90_000).map((event) => JSON.stringify(event))
    const run = await replay({ events: few, args: ['--batch-rows', '7'] })
    expectSame(run, await replay({ events: few }))
    expect(run.decisions.length).toBeGreaterThan(3)
  })

  it.each([1, 2])(
    'gives the same bytes when lines change places within the watermark (%i)',
    async (seed) => {
      const shuffled = shuffleWithin(lines, WATERMARK_MS, seed)
      expect(shuffled).not.toEqual(lines)
      expectSame(await replay({ events: shuffled }), await once())
    },
  )

  const expectSameButCounts = async (run: Replayed, doubled: number) => {
    const { stdout, summary } = await once()
    expect(withoutCounts(run.stdout)).toBe(withoutCounts(stdout))
    expect(run.summary).toEqual({
      ...summary,
      events: EVENTS + doubled,
      accepted: EVENTS + doubled,
      duplicates: doubled,
    })
    const found = run.decisions.at(-1)?.counts.duplicates
    expect(found).toBeGreaterThan(0)
    expect(found).toBeLessThanOrEqual(doubled)
  }

  it('is judged the same when 3 % of its lines stand there twice', async () => {
    const doubled = doubleSome(lines, 0.03, 3)
    await expectSameButCounts(await replay({ events: doubled }), doubled.length - EVENTS)
  })

  it('is judged the same when the second copies come seconds and thousands of lines later', async () => {
    const random = mulberry32(4)
    const copies = placed
      .filter(() => random() < 0.03)
      .map(({ line, atMs }) => ({ line, atMs: atMs + 5000 + random() * 4900 }))
    const run = await replay({ events: inOrder([...placed, ...copies]) })
    await expectSameButCounts(run, copies.length)
  })

  it('is judged the same when requests are sent again within the lookback with another outcome', async () => {
    const random = mulberry32(5)
    const again = events
      .filter((event) => random() < 0.03 && timeOf(event) < START_MS + DURATION_MS - LOOKBACK_MS)
      .map((event) => {
        const atMs = timeOf(event) + 1 + Math.floor(random() * (LOOKBACK_MS - 1))
        const occurred_at = new Date(atMs).toISOString()
        const retry = { ...event, occurred_at, outcome: 'error', latency_ms: 5000 }
        return { line: JSON.stringify(retry), atMs }
      })
    const run = await replay({ events: inOrder([...placed, ...again]) })
    await expectSameButCounts(run, again.length)
  })

  /** Copies under new ids that arrive 25 to 60 s after the time they name: their blocks are closed. */
  const lateLines = (share: number) => {
    const random = mulberry32(6)
    return placed
      .filter(({ atMs }) => random() < share && atMs < START_MS + DURATION_MS - LOOKBACK_MS)
      .map(({ line, atMs }) => ({
        line: line.replace('"request_id":"r', '"request_id":"late'),
        atMs: atMs + 25_000 + random() * 35_000,
      }))
  }

  it('is judged the same when some lines come too late, and says how many', async () => {
    const late = lateLines(0.005)
    const withLate = inOrder([...placed, ...late])
    const run = await replay({ events: withLate })
    const { stdout, summary } = await once()
    const count = EVENTS + late.length
    expect(run.summary).toEqual({ ...summary, events: count, accepted: count, late: late.length })
    expect(withoutCounts(run.stdout)).toBe(withoutCounts(stdout))
    expect(run.decisions.at(-1)?.counts.late).toBeGreaterThan(0)
    expectSame(await replay({ events: withLate, args: ['--batch-rows', '999'] }), run)
  })

  it('does not step forward when more than 1 % of it comes too late', async () => {
    const { decisions } = await replay({ events: inOrder([...placed, ...lateLines(0.03)]) })
    expect(decisions.map(({ action }) => action)).not.toContain('increase')
    expect(decisions.at(-1)?.reasons.map(({ code }) => code)).toContain('late_events')
  })
})
