import { once } from 'node:events'
import { describe, expect, test } from 'vitest'
import { parseEventId } from '../../../../src/adapters/http/decision-streams.ts'
import { encodeDecision } from '../../../../src/contract/decision.ts'
import { HaldaneError } from '../../../../src/domain/errors.ts'
import { eventually, openDoor, plug, problemIn } from './door.ts'
import { decisionOf, OTHER_ROUTE, ROUTE } from './fake-worker.ts'
import { listen } from './stream-listener.ts'

const id = (generation: number, route: string = ROUTE): string => `${route}#${generation}`
const range = (from: number, to: number): number[] =>
  Array.from({ length: to - from + 1 }, (_, index) => from + index)

describe('an event id', () => {
  test('names a route and a generation', () => {
    expect(parseEventId('a/b/production#12')).toEqual({ route: 'a/b/production', generation: 12 })
  })

  test.each([
    undefined,
    '',
    'a/b',
    '#3',
    'a/b#',
    'a/b#-1',
    'a/b#1.5',
    'a/b#x',
    'a/b#9999999999999999',
  ])('%s is none', (header) => {
    expect(parseEventId(header)).toBeNull()
  })
})

describe('a new reader', () => {
  test('gets the newest decision of the route as one line, then the live ones', async () => {
    const { url, worker } = await openDoor()
    for (const generation of range(1, 3)) worker.record(decisionOf(generation))
    worker.record(decisionOf(9, OTHER_ROUTE))
    const stream = await listen(url, { route: ROUTE })
    expect(stream.response.status).toBe(200)
    expect(stream.response.headers.get('content-type')).toBe('text/event-stream; charset=utf-8')
    expect(stream.response.headers.get('cache-control')).toBe('no-cache, no-transform')
    expect(await stream.take(1)).toEqual([
      { id: id(3), event: 'decision', data: encodeDecision(decisionOf(3)) },
    ])
    worker.record(decisionOf(10, OTHER_ROUTE))
    worker.record(decisionOf(4))
    expect((await stream.take(1))[0]?.id).toBe(id(4))
  })

  test('of all routes gets the newest of each, then everything', async () => {
    const { url, worker } = await openDoor()
    worker.record(decisionOf(1))
    worker.record(decisionOf(2))
    worker.record(decisionOf(7, OTHER_ROUTE))
    const stream = await listen(url)
    const first = await stream.take(2)
    expect(first.map((message) => message.id).sort()).toEqual([id(2), id(7, OTHER_ROUTE)])
    worker.record(decisionOf(8, OTHER_ROUTE))
    worker.record(decisionOf(3))
    expect((await stream.take(2)).map((message) => message.id)).toEqual([id(8, OTHER_ROUTE), id(3)])
  })

  test('of a route without decisions waits for the first', async () => {
    const { url, worker } = await openDoor()
    const stream = await listen(url, { route: ROUTE })
    await stream.sees('retry: ')
    worker.record(decisionOf(1))
    expect((await stream.take(1))[0]?.id).toBe(id(1))
  })

  test.each(['nonsense', `${ROUTE}#x`, `${OTHER_ROUTE}#1`])(
    'is also one that says it has "%s"',
    async (lastEventId) => {
      const { url, worker } = await openDoor()
      for (const generation of range(1, 3)) worker.record(decisionOf(generation))
      const stream = await listen(url, { route: ROUTE, lastEventId })
      expect((await stream.take(1))[0]?.id).toBe(id(3))
    },
  )

  test('is also one that knows a generation which was never recorded here', async () => {
    const { url, worker } = await openDoor()
    worker.record(decisionOf(1))
    const stream = await listen(url, { route: ROUTE, lastEventId: id(50) })
    expect((await stream.take(1))[0]?.id).toBe(id(1))
    worker.record(decisionOf(2))
    expect((await stream.take(1))[0]?.id).toBe(id(2))
  })
})

describe('a reader that comes back', () => {
  test('gets every decision it has not seen, in order, and none it has', async () => {
    const { url, worker } = await openDoor()
    for (const generation of range(1, 6)) worker.record(decisionOf(generation))
    const stream = await listen(url, { route: ROUTE, lastEventId: id(2) })
    expect((await stream.take(4)).map((message) => message.id)).toEqual(
      range(3, 6).map((n) => id(n)),
    )
    worker.record(decisionOf(7))
    expect((await stream.take(1))[0]?.id).toBe(id(7))
  })

  test('and has seen all gets only what comes', async () => {
    const { url, worker } = await openDoor()
    for (const generation of range(1, 3)) worker.record(decisionOf(generation))
    const stream = await listen(url, { route: ROUTE, lastEventId: id(3) })
    await stream.sees('retry: ')
    worker.record(decisionOf(4))
    expect((await stream.take(1))[0]?.id).toBe(id(4))
  })

  test('to all routes gets its own route in full and the newest of the others', async () => {
    const { url, worker } = await openDoor()
    for (const generation of range(1, 4)) worker.record(decisionOf(generation))
    for (const generation of range(1, 3)) worker.record(decisionOf(generation, OTHER_ROUTE))
    const stream = await listen(url, { lastEventId: id(2) })
    expect((await stream.take(3)).map((message) => message.id)).toEqual([
      id(3),
      id(4),
      id(3, OTHER_ROUTE),
    ])
  })

  test('gets the last decision of all even when it was made during the read', async () => {
    const { url, worker } = await openDoor()
    for (const generation of range(1, 3)) worker.record(decisionOf(generation))
    worker.afterRead = async () => worker.record(decisionOf(4))
    const stream = await listen(url, { route: ROUTE, lastEventId: id(2) })
    expect((await stream.take(2)).map((message) => message.id)).toEqual([id(3), id(4)])
  })

  test('misses nothing and gets nothing twice while decisions are made during the read', async () => {
    const { url, worker } = await openDoor()
    for (const generation of range(1, 3)) worker.record(decisionOf(generation))
    let reads = 0
    worker.afterRead = async () => {
      reads++
      // Recorded after the read was answered, so only the live side can bring these.
      worker.record(decisionOf(3 + 2 * reads - 1))
      worker.record(decisionOf(3 + 2 * reads))
    }
    const stream = await listen(url, { route: ROUTE, lastEventId: id(1) })
    await stream.take(1)
    worker.afterRead = async () => {}
    const next = worker.recorded.length + 1
    for (const generation of range(next, next + 4)) worker.record(decisionOf(generation))
    const seen = await stream.take(next + 4 - 2)
    expect(seen.map((message) => message.id)).toEqual(range(3, next + 4).map((n) => id(n)))
  })

  test('with nothing new misses nothing that is made between the two reads', async () => {
    const { url, worker } = await openDoor()
    for (const generation of range(1, 3)) worker.record(decisionOf(generation))
    let reads = 0
    worker.afterRead = async () => {
      if (++reads !== 1) return
      // On record before the second read, published only when the reader is connected.
      worker.recorded.push(decisionOf(4), decisionOf(5))
    }
    const stream = await listen(url, { route: ROUTE, lastEventId: id(3) })
    worker.publish(decisionOf(4))
    worker.publish(decisionOf(5))
    expect((await stream.take(2)).map((message) => message.id)).toEqual([id(4), id(5)])
  })

  test('under a steady flow, cut at random moments, sees every generation exactly once', async () => {
    const { url, worker } = await openDoor()
    worker.afterRead = () => new Promise((resolve) => setImmediate(resolve))
    let made = 0
    let flowing = true
    const flow = (async () => {
      while (made < 400) {
        worker.record(decisionOf(++made))
        if (made % 3 === 0) await new Promise((resolve) => setImmediate(resolve))
      }
      flowing = false
    })()
    const seen: string[] = []
    let lastEventId: string = id(0)
    while (seen.length < 400) {
      const stream = await listen(url, { route: ROUTE, lastEventId })
      const wanted = flowing ? 1 + (seen.length % 7) : 400 - seen.length
      for (const message of await stream.take(Math.min(wanted, 400 - seen.length))) {
        seen.push(message.id)
        lastEventId = message.id
      }
      stream.leave()
    }
    await flow
    expect(seen).toEqual(range(1, 400).map((n) => id(n)))
  })
})

describe('live decisions', () => {
  test('that were published twice or late are sent once, in order', async () => {
    const { url, worker } = await openDoor()
    worker.record(decisionOf(1))
    const stream = await listen(url, { route: ROUTE })
    await stream.take(1)
    worker.record(decisionOf(2))
    worker.publish(decisionOf(2))
    worker.publish(decisionOf(1))
    worker.record(decisionOf(3))
    expect((await stream.take(2)).map((message) => message.id)).toEqual([id(2), id(3)])
  })

  test('that were recorded but not published are filled in from the record', async () => {
    const { url, worker } = await openDoor()
    worker.record(decisionOf(1))
    const stream = await listen(url, { route: ROUTE })
    await stream.take(1)
    worker.recorded.push(decisionOf(2), decisionOf(3))
    worker.record(decisionOf(4))
    expect((await stream.take(3)).map((message) => message.id)).toEqual([id(2), id(3), id(4)])
  })

  test('end with a word when the record cannot be read, so that the reader comes back', async () => {
    const { url, worker } = await openDoor()
    worker.record(decisionOf(1))
    const stream = await listen(url, { route: ROUTE })
    await stream.take(1)
    worker.failure = new HaldaneError('store_unavailable', 'away')
    worker.publish(decisionOf(5))
    expect(await stream.rest()).toEqual([])
    expect(stream.text()).toContain(': the record of decisions cannot be read; reconnect')
    expect(worker.listeners.size).toBe(0)
  })
})

describe('the life of a stream', () => {
  test('a comment comes every 15 s', async () => {
    const { url, manual } = await openDoor()
    const stream = await listen(url)
    await stream.sees('retry: ')
    manual.advance(14_999)
    manual.advance(1)
    await stream.sees('\n\n:\n\n')
    expect(stream.text()).toBe('retry: 2000\n\n:\n\n')
  })

  test('a reader that leaves is forgotten', async () => {
    const { url, worker } = await openDoor()
    const stream = await listen(url)
    await stream.sees('retry: ')
    expect(worker.listeners.size).toBe(1)
    stream.leave()
    await eventually(() => worker.listeners.size).toBe(0)
  })

  test('beyond the limit of readers the answer is 503, until one leaves', async () => {
    const { url, worker } = await openDoor({ streamLimits: { readers: 2 } })
    const first = await listen(url)
    await listen(url)
    const third = await listen(url)
    expect(third.response.status).toBe(503)
    expect(third.response.headers.get('retry-after')).toBe('5')
    expect((await problemIn(third.response))['type']).toBe('/problems/too-many-streams')
    first.leave()
    await eventually(() => worker.listeners.size).toBe(1)
    expect((await listen(url)).response.status).toBe(200)
  })

  test('a record that cannot be read is answered with a problem and leaves no reader behind', async () => {
    const { url, worker } = await openDoor({ streamLimits: { readers: 1 } })
    worker.failure = new HaldaneError('store_unavailable', 'ClickHouse is away.')
    const failed = await listen(url)
    expect(failed.response.status).toBe(503)
    expect((await problemIn(failed.response))['detail']).toBe('ClickHouse is away.')
    expect(worker.listeners.size).toBe(0)
    worker.failure = null
    expect((await listen(url)).response.status).toBe(200)
  })

  test('draining ends every stream with a word after what was sent', async () => {
    const { url, server, worker } = await openDoor()
    worker.record(decisionOf(1))
    const stream = await listen(url, { route: ROUTE })
    await stream.take(1)
    server.drain()
    expect(await stream.rest()).toEqual([])
    expect(stream.text()).toContain(': the worker is shutting down; reconnect')
    expect(worker.listeners.size).toBe(0)
    const late = await listen(url)
    expect(late.response.status).toBe(503)
    expect((await problemIn(late.response))['type']).toBe('/problems/draining')
  })

  test('draining while a stream is opened answers 503', async () => {
    const { url, server, worker } = await openDoor()
    worker.afterRead = async () => server.drain()
    expect((await listen(url)).response.status).toBe(503)
    expect(worker.listeners.size).toBe(0)
  })

  test('HEAD is not offered, because the answer has no end', async () => {
    const { url } = await openDoor()
    const response = await fetch(`${url}/v1/decisions/stream`, { method: 'HEAD' })
    expect(response.status).toBe(405)
    expect(response.headers.get('allow')).toBe('GET')
  })
})

describe('a slow reader', () => {
  const large = (generation: number) => decisionOf(generation, ROUTE, 'x'.repeat(200_000))

  /** A reader whose socket takes nothing after the headers. */
  async function plugIn(url: string) {
    const socket = await plug(url)
    socket.write(`GET /v1/decisions/stream?route=${ROUTE} HTTP/1.1\r\nhost: 127.0.0.1\r\n\r\n`)
    await once(socket, 'readable')
    return socket
  }

  test('is dropped when more than the limit waits for it; others are not held up', async () => {
    const { url, worker, lines } = await openDoor()
    const socket = await plugIn(url)
    const quick = await listen(url, { route: ROUTE })
    await quick.sees('retry: ')
    let made = 0
    while (worker.listeners.size > 1) {
      worker.record(large(++made))
      await quick.take(1)
    }
    expect(lines.map(({ message, fields }) => [message, fields['reason']])).toContainEqual([
      'decision stream ended',
      'too slow',
    ])
    const chunks: Buffer[] = []
    for await (const chunk of socket) chunks.push(chunk as Buffer)
    const text = Buffer.concat(chunks).toString('utf8')
    // The last chunk of a chunked answer follows: it was ended, not torn off.
    expect(text).toMatch(/: too slow; reconnect with Last-Event-ID\n\n\r\n0\r\n\r\n$/)
    const generations = [...text.matchAll(/^id: .*#(\d+)$/gm)].map((match) => Number(match[1]))
    expect(generations).toEqual(range(1, generations.length))
    expect(generations.length).toBeLessThan(made)
    // Back with the last id it has, it gets the others, each once.
    const resumed = await listen(url, { route: ROUTE, lastEventId: id(generations.length) })
    const rest = await resumed.take(made - generations.length)
    expect(rest.map((message) => message.id)).toEqual(
      range(generations.length + 1, made).map((generation) => id(generation)),
    )
  })

  test('that falls behind before its first byte gets an end, so that it comes back', async () => {
    const { url, worker } = await openDoor()
    worker.afterRead = async () => {
      for (const generation of range(1, 10)) worker.record(large(generation))
    }
    const stream = await listen(url, { route: ROUTE })
    expect(await stream.rest()).toEqual([])
    expect(worker.listeners.size).toBe(0)
  })

  test('that never takes its last bytes is cut off after a while', async () => {
    const { url, worker, manual } = await openDoor()
    const socket = await plugIn(url)
    for (let generation = 1; worker.listeners.size > 0; generation++) {
      worker.record(large(generation))
      await new Promise((resolve) => setImmediate(resolve))
    }
    socket.on('error', () => {})
    const closed = once(socket, 'close')
    manual.advance(2000)
    await new Promise((resolve) => setImmediate(resolve))
    socket.resume()
    await closed
    expect(socket.destroyed).toBe(true)
  })

  test('that takes nothing between two comments is dropped even when nothing new comes', async () => {
    const { url, worker, manual, lines } = await openDoor({ streamLimits: { bufferBytes: 1e9 } })
    await plugIn(url)
    for (const generation of range(1, 60)) worker.record(large(generation))
    await eventually(() => {
      manual.advance(15_000)
      return worker.listeners.size
    }).toBe(0)
    expect(lines.some(({ fields }) => fields['reason'] === 'too slow')).toBe(true)
  })
})
