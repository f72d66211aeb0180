import { describe, expect, it } from 'vitest'
import { mulberry32 } from '../../support/event-generator.ts'
import { invalidLines, oddLines } from './dirty-lines.ts'
import { MIXED_RELEASE, mixedEvents } from './mixed-stream.ts'
import { type Replayed, useReplay } from './replay-run.ts'

const EVENTS = 6000

describe('a file with broken lines between the good ones', () => {
  const { replay } = useReplay()
  const events = mixedEvents(11, EVENTS, 200_000)
  const lines = events.map((event) => JSON.stringify(event))
  let plain: Replayed | undefined
  const clean = async (): Promise<Replayed> => {
    plain ??= await replay({ events: lines, release: MIXED_RELEASE })
    return plain
  }

  /** Puts the extra lines at random places; they name the time of the line before them. */
  const mixIn = (
    extra: (occurredAt: string) => readonly Uint8Array[],
    seed: number,
  ): Uint8Array[] => {
    const random = mulberry32(seed)
    const at = (index: number) => events[index]?.occurred_at ?? ''
    const places = extra(at(0)).map(() => Math.floor(random() * EVENTS))
    return lines.flatMap((line, index) => [
      Buffer.from(line),
      ...places.flatMap((place, kind) =>
        place === index ? [extra(at(index))[kind] as Uint8Array] : [],
      ),
    ])
  }
  const joined = (pieces: readonly Uint8Array[], lineEnd = '\n') =>
    Buffer.concat(pieces.flatMap((piece) => [piece, Buffer.from(lineEnd)]))

  it('is judged to the byte as without them, and each is named with its line and reason', async () => {
    const { stdout, summary } = await clean()
    const extra = (occurredAt: string) => invalidLines(occurredAt).map(([, bytes]) => bytes)
    const dirty = mixIn(extra, 12)
    const rejected = invalidLines('').length
    const run = await replay({ events: joined(dirty), release: MIXED_RELEASE })
    expect(run.summary).toEqual({ ...summary, events: EVENTS + rejected, rejected })
    expect(run.stdout).toBe(stdout)
    expect(run.notes.at(-1)).toBe(`… and ${rejected - 20} more rejected lines`)
    const good = new Set(lines)
    const numbers = dirty.flatMap((bytes, index) =>
      good.has(Buffer.from(bytes).toString()) ? [] : [index + 1],
    )
    const named = run.notes.slice(0, -1).map((note) => Number(/:(\d+): /.exec(note)?.[1]))
    expect([...new Set(named)]).toEqual(numbers.slice(0, 20))
  })

  it('says of every bad line what is wrong with it', async () => {
    const invalid = invalidLines(events[0]?.occurred_at ?? '')
    const good = lines.slice(0, 3).map((line) => Buffer.from(line))
    // The reasons of the first twenty lines are shown.
    for (let from = 0; from < invalid.length; from += 20) {
      const part = invalid.slice(from, from + 20)
      const { notes, summary } = await replay({
        events: joined([...good, ...part.map(([, bytes]) => bytes)]),
      })
      expect(summary).toMatchObject({ accepted: good.length, rejected: part.length })
      for (const [index, [reason]] of part.entries()) {
        const place = `:${good.length + index + 1}: `
        const said = notes.filter((note) => note.includes(place)).join('\n')
        expect(said).toContain(`${place}${reason}`)
      }
    }
  })

  it('is judged to the byte as without odd but valid events of another route', async () => {
    const { stdout, summary } = await clean()
    const odd = oddLines('').length
    const dirty = mixIn((occurredAt) => oddLines(occurredAt).map((line) => Buffer.from(line)), 13)
    const run = await replay({ events: joined(dirty), release: MIXED_RELEASE })
    expect(run.notes).toEqual([])
    expect(run.summary).toEqual({ ...summary, events: EVENTS + odd, accepted: EVENTS + odd })
    expect(run.stdout).toBe(stdout)
  })

  it('is judged to the byte as with other line ends, blank lines and a byte order mark', async () => {
    const { stdout, summary } = await clean()
    const blank = mixIn(() => ['', ' ', '\t', '\r', '  \r'].map((text) => Buffer.from(text)), 14)
    const bytes = Buffer.concat([Buffer.from('\ufeff'), joined(blank, '\r\n')])
    // Without the last line end.
    const run = await replay({ events: bytes.subarray(0, -2), release: MIXED_RELEASE })
    expect(run.notes).toEqual([])
    expect(run.summary).toEqual(summary)
    expect(run.stdout).toBe(stdout)
  })

  it.each([
    ['1970', '1970-01-01T00:00:00.000Z'],
    ['2100', '2100-01-01T00:00:00.000Z'],
  ])(
    'loses nothing to single events of the year %s, wherever they stand',
    async (_, occurred_at) => {
      const { stdout, summary } = await clean()
      const stray = JSON.stringify({ ...events[0], request_id: 'stray', occurred_at })
      const places = [0, 50, 3000, EVENTS]
      const withStrays = places.reduceRight((all, place) => all.toSpliced(place, 0, stray), lines)
      const run = await replay({ events: withStrays, release: MIXED_RELEASE })
      expect(run.stdout).toBe(stdout)
      const rejected = places.length
      expect(run.summary).toEqual({ ...summary, events: EVENTS + rejected, rejected })
    },
  )
})
