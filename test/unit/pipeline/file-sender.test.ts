import { setImmediate as turn } from 'node:timers/promises'
import { describe, expect, it } from 'vitest'
import { REQUEST_EVENTS } from '../../../src/contract/event-format.ts'
import { HaldaneError } from '../../../src/domain/errors.ts'
import { type FileSenderOptions, sendFile } from '../../../src/pipeline/file-sender.ts'
import type { Clock } from '../../../src/ports.ts'

const event = (id: number, changes: object = {}) =>
  JSON.stringify({
    request_id: `r-${id}`,
    occurred_at: '2026-11-23T10:00:00Z',
    model_name: 'm',
    model_version: '1.5.0',
    outcome: 'ok',
    latency_ms: 1,
    ...changes,
  })
const many = (count: number, changes: object = {}) =>
  `${Array.from({ length: count }, (_, id) => event(id, changes)).join('\n')}\n`

/** Time passes only while somebody sleeps, and stands still for pauses in reading. */
function createSleepyClock() {
  let nowMs = 0
  const slept: number[] = []
  const clock: Clock = {
    now: () => nowMs,
    async sleep(ms, signal) {
      if (signal !== undefined) return new Promise(() => undefined)
      slept.push(ms)
      nowMs += ms
    },
  }
  return { clock, slept }
}

async function* chunksOf(...texts: readonly string[]) {
  for (const text of texts) yield Buffer.from(text)
}

const away = () => new HaldaneError('bus_unavailable', 'away', { retryable: true })
const busy = (retryAfterMs: number) =>
  new HaldaneError('overloaded', 'busy', { retryable: true, retryAfterMs })

type Answer = HaldaneError | { readonly rejected: readonly number[] }

/** Sends to a door that answers as planned, and then takes everything. */
async function send(
  text: string,
  answers: readonly Answer[] = [],
  options: Partial<FileSenderOptions<unknown>> = {},
) {
  const { clock, slept } = createSleepyClock()
  const requests: string[][] = []
  const refused: [number, string][] = []
  const retries: [string, number][] = []
  const totals = { events: 0, accepted: 0, refused: 0 }
  const failure = await sendFile(
    {
      format: REQUEST_EVENTS,
      chunks: chunksOf(text),
      clock,
      rate: null,
      send: async (values) => {
        const answer = answers[requests.length]
        requests.push(values.map((value) => Buffer.from(value).toString('utf8')))
        if (answer instanceof HaldaneError) throw answer
        const indexes = answer?.rejected ?? []
        const rejections = [{ field: 'occurred_at', code: 'too_old' as const, message: 'old' }]
        return {
          accepted: values.length - indexes.length,
          rejected: indexes.map((index) => ({ index, rejections })),
        }
      },
      onRefused: (line, rejections) => {
        for (const { field } of rejections) refused.push([line, field])
      },
      onProgress: () => undefined,
      onRetry: ({ code }, delayMs) => retries.push([code, delayMs]),
      ...options,
    },
    totals,
  ).catch((error: unknown) => error)
  return { requests, refused, retries, totals, slept, failure }
}

describe('what is sent', () => {
  it('is every valid line as it stands, in order; the rest is named by its line', async () => {
    const bare = event(1, { unknown: '1e400', latency_ms: 1.5 })
    const cloud = `{"specversion":"1.0","id":"c","source":"/s","type":"t","data":${event(2)}}`
    const late = event(3, { occurred_at: null })
    const { requests, refused, totals } = await send(`\ufeff${bare}\r\n\n${late}\n{\n${cloud}`)
    expect(requests).toEqual([[bare, cloud]])
    expect(refused).toEqual([
      [3, 'occurred_at'],
      [4, ''],
    ])
    expect(totals).toEqual({ events: 4, accepted: 2, refused: 2 })
  })

  it('is what the door refused named by its line too', async () => {
    const text = `${event(1)}\n{}\n\n${event(2)}\n${event(3)}`
    const { refused, totals } = await send(text, [{ rejected: [1, 2] }])
    expect(refused.filter(([, field]) => field === 'occurred_at')).toEqual([
      [2, 'occurred_at'],
      [4, 'occurred_at'],
      [5, 'occurred_at'],
    ])
    expect(totals).toEqual({ events: 4, accepted: 1, refused: 3 })
  })

  it('comes in requests of bounded number and size', async () => {
    const { requests, totals } = await send(many(45_000))
    expect(requests.map((values) => values.length)).toEqual([20_000, 20_000, 5000])
    expect(totals.accepted).toBe(45_000)
    const large = await send(many(20, { unknown: 'x'.repeat(1_000_000) }))
    expect(large.requests.map((values) => values.length)).toEqual([9, 9, 2])
  })

  it('is nothing when there is nothing', async () => {
    expect(await send('\n\n')).toMatchObject({ requests: [], failure: undefined })
  })
})

describe('a door that is busy or away', () => {
  it('gets the same request again, after the time it asked for', async () => {
    const { requests, retries, slept, totals } = await send(many(3), [busy(1000), busy(3000)])
    expect(requests).toHaveLength(3)
    expect(new Set(requests.map((values) => values.join('\n'))).size).toBe(1)
    expect(retries).toEqual([
      ['overloaded', 1000],
      ['overloaded', 3000],
    ])
    expect(slept).toEqual([1000, 3000])
    expect(totals).toEqual({ events: 3, accepted: 3, refused: 0 })
  })

  it('may be busy for as long as it wants', async () => {
    const { totals, failure } = await send(many(1), Array(500).fill(busy(1000)))
    expect([totals.accepted, failure]).toEqual([1, undefined])
  })

  it('is waited for with growing pauses once it has answered, and not for ever', async () => {
    const text = many(40_000)
    const back = await send(text, [{ rejected: [] }, away(), away(), away()])
    expect(back.slept).toEqual([250, 500, 1000])
    expect(back.totals.accepted).toBe(40_000)
    const gone = await send(text, [{ rejected: [] }, ...Array(20).fill(away())])
    expect(gone.requests).toHaveLength(1 + 11)
    expect(gone.failure).toMatchObject({ code: 'bus_unavailable' })
    expect(gone.totals).toEqual({ events: 40_000, accepted: 20_000, refused: 0 })
    expect(gone.slept.reduce((sum, ms) => sum + ms, 0)).toBeGreaterThan(45_000)
  })

  it('is not waited for when it does not answer at the very first', async () => {
    const { requests, failure } = await send(many(3), [away()])
    expect(requests).toHaveLength(1)
    expect(failure).toMatchObject({ code: 'bus_unavailable' })
  })

  it('is not asked again when it refuses for good', async () => {
    const { requests, failure } = await send(many(3), [new HaldaneError('unauthorized', 'no')])
    expect(requests).toHaveLength(1)
    expect(failure).toMatchObject({ code: 'unauthorized' })
  })
})

describe('the pace', () => {
  it('is the rate, in small pieces', async () => {
    const { requests, slept } = await send(many(100), [], { rate: 50 })
    expect(requests.map((values) => values.length)).toEqual(Array(20).fill(5))
    expect(slept).toEqual(Array(19).fill(100))
  })

  it('is one event at a time when the rate is low', async () => {
    const { requests, slept } = await send(many(3), [], { rate: 0.5 })
    expect(requests.map((values) => values.length)).toEqual([1, 1, 1])
    expect(slept).toEqual([2000, 2000])
  })

  it('of a pipe that pauses is that of the pipe', async () => {
    const requests: number[] = []
    let goOn: () => void = () => undefined
    async function* pipe() {
      yield Buffer.from(many(2))
      await new Promise<void>((resolve) => {
        goOn = resolve
      })
      yield Buffer.from(many(1))
    }
    const { clock } = createSleepyClock()
    const sleep: Clock['sleep'] = async (_ms, signal) => {
      if (signal !== undefined) await turn()
    }
    const sending = send('', [], {
      chunks: pipe(),
      clock: { ...clock, sleep },
      send: async (values) => {
        requests.push(values.length)
        if (requests.length === 1) goOn()
        return { accepted: values.length, rejected: [] }
      },
    })
    const { totals } = await sending
    expect(requests).toEqual([2, 1])
    expect(totals.accepted).toBe(3)
  })
})
