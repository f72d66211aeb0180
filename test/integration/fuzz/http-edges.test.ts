import { once } from 'node:events'
import { connect } from 'node:net'
import { describe, expect, it } from 'vitest'
import { generateEvents, toLines } from '../../support/event-generator.ts'
import { type Answer, useWorker } from './fuzz-worker.ts'

const LINES = 'application/x-ndjson'
const LIST = 'application/json'

describe('a worker that takes events over HTTP', () => {
  const worker = useWorker()
  let seed = 0
  let accepted = 0
  /** Valid events of this minute, none of them twice. */
  const make = (events: number): string[] => {
    const startMs = Date.now() - 60_000
    const options = { seed: ++seed, events, startMs, durationMs: 50_000, canaryShare: 0.5 }
    return toLines(generateEvents(options))
  }
  const send = async (body: Uint8Array | string, type: string): Promise<Answer> => {
    const answer = await worker.send(body, type)
    accepted += answer.accepted
    return answer
  }
  const expectAll = (answer: Answer, count: number) =>
    expect([answer.status, answer.accepted, answer.rejected]).toEqual([200, count, 0])

  it.each([
    ['lines', LINES, (texts: readonly string[]) => texts.join('\n')],
    ['a list', LIST, (texts: readonly string[]) => `[${texts.join(',')}]`],
  ])('keeps the good half of %s, and names the other half by its place', async (_, type, join) => {
    const broken = ['{"latency_ms":"slow"}', 'null', '"text"', '{}']
    const texts = make(500).flatMap((line, index) => [line, broken[index % 4] as string])
    const answer = await send(join(texts), type)
    expect(answer).toMatchObject({ status: 422, accepted: 500, rejected: 500 })
    expect(answer.type).toBe('application/problem+json')
    const odd = Array.from({ length: 500 }, (_, index) => 2 * index + 1)
    expect([...new Set(answer.errors.map(({ index }) => index))]).toEqual(
      // The reasons are limited to a thousand; a broken event has several.
      odd.slice(0, new Set(answer.errors.map(({ index }) => index)).size),
    )
    expect(answer.errors.length).toBe(1000)
    expect(answer.errors.filter(({ index }) => index === 3)).toEqual([
      { index: 3, field: '', code: 'not_an_object', message: 'null; expected a JSON object' },
    ])
  })

  it('reads what editors and other systems do to a file', async () => {
    expectAll(await send(`\ufeff${make(3).join('\r\n\r\n')}\r\n`, LINES), 3)
    const pretty = make(2).map((line) => JSON.stringify(JSON.parse(line), null, 2))
    expectAll(await send(`\ufeff\n[\n${pretty.join(',\n')}\n]\n`, LIST), 2)
    expectAll(await send(pretty[0]?.replace('"request_id": "', '"request_id": "x') ?? '', LIST), 1)
    expectAll(await send(make(2).join('\n'), 'text/plain; charset=utf-8'), 2)
  })

  it.each([
    ['an empty body', LINES, '', 400, 'There is no event in the body.'],
    ['an empty list', LIST, '[]', 400, 'There is no event in the body.'],
    ['blank lines', LINES, '\n \r\n\t\n', 400, 'There is no event in the body.'],
    ['a list that does not end', LIST, '[{}', 400, 'ends before its "]"'],
    ['a list with a hole', LIST, '[{},,{}]', 400, 'has no element before ","'],
    ['two lists', LIST, '[{}][{}]', 400, 'goes on with "[" after its end'],
    ['another media type', 'text/csv', 'a,b', 415, 'Events cannot be read from text/csv.'],
    ['no media type', '/', '{}', 415, ''],
  ])('refuses %s as a whole', async (_, type, body, status, detail) => {
    const answer = await send(body, type)
    expect([answer.status, answer.type, answer.accepted]).toEqual([
      status,
      'application/problem+json',
      0,
    ])
    expect(answer.detail).toContain(detail)
  })

  it('refuses a body of 20 MB, and one of more than 100,000 events, as a whole', async () => {
    const large = await send(Buffer.alloc(20_000_000, '{"a":1}\n'), LINES)
    expect([large.status, large.detail]).toEqual([413, 'The body is larger than 16 MiB.'])
    const many = await send('{}\n'.repeat(100_001), LINES)
    expect([many.status, many.detail]).toEqual([413, 'The body holds more than 100,000 events.'])
  })

  it('takes 16 MiB at once, too large events among them', async () => {
    const room = 16_777_216
    const [large = '', small = ''] = make(2)
    const padded = (line: string, bytes: number) =>
      `${line.slice(0, -1)},"pad":"${'x'.repeat(bytes - line.length - 9)}"}`
    const parts = [
      padded(large, 1_048_576),
      ...Array.from({ length: 14 }, () => padded(large, 1_048_577)),
    ]
    const rest = room - parts.reduce((sum, part) => sum + part.length + 1, 0)
    const body = [...parts, padded(small, rest)].join('\n')
    expect(Buffer.byteLength(body)).toBe(room)
    const answer = await send(body, LINES)
    expect(answer).toMatchObject({ status: 422, accepted: 2, rejected: 14 })
    expect(answer.errors.map(({ index, code }) => [index, code])).toEqual(
      Array.from({ length: 14 }, (_, index) => [index + 1, 'too_large']),
    )
  })

  it.each([
    [
      'shorter than it says',
      (body: string) => `content-length: ${body.length + 100}\r\n\r\n${body}`,
    ],
    [
      'in pieces without the last',
      (body: string) =>
        `transfer-encoding: chunked\r\n\r\n${body.length.toString(16)}\r\n${body}\r\n`,
    ],
  ])('stores nothing of a body that is cut off: %s', async (_, write) => {
    const { hostname, port } = new URL(worker.url())
    const socket = connect(Number(port), hostname)
    await once(socket, 'connect')
    const head = `POST /v1/events HTTP/1.1\r\nhost: ${hostname}:${port}\r\ncontent-type: ${LINES}\r\n`
    socket.on('error', () => undefined)
    const closed = once(socket.resume(), 'close')
    socket.end(head + write(`${make(5).join('\n')}\n`))
    await closed
  })

  it('stores the events of many requests at once, each request whole', async () => {
    const requests = Array.from({ length: 24 }, (_, index) => {
      const broken = Array.from({ length: index }, () => '{}')
      return { body: [...make(200), ...broken].join('\n'), broken: broken.length }
    })
    const answers = await Promise.all(requests.map(({ body }) => send(body, LINES)))
    for (const [index, { broken }] of requests.entries()) {
      expect(answers[index]).toMatchObject({ accepted: 200, rejected: broken })
      expect(new Set(answers[index]?.errors.map((error) => error.index))).toEqual(
        new Set(Array.from({ length: broken }, (_, at) => 200 + at)),
      )
    }
  })

  it('has in its store what it said it accepted, each once', async () => {
    expect(worker.failures()).toEqual([])
    const { offsets, requestIds } = await worker.stopAndRead()
    expect(offsets).toHaveLength(accepted)
    expect(new Set(offsets).size).toBe(accepted)
    expect(new Set(requestIds.values()).size).toBe(accepted)
    expect(accepted).toBeGreaterThan(5800)
    expect(worker.failures()).toEqual([])
  })
})
