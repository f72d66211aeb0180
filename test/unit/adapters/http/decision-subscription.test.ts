import { createServer, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { describe, expect, onTestFinished, test } from 'vitest'
import { createWorkerClient } from '../../../../src/adapters/http/client.ts'
import { HaldaneError } from '../../../../src/domain/errors.ts'
import type { Clock } from '../../../../src/ports.ts'
import { eventually, openDoor } from './door.ts'
import { createManualClock, decisionOf, ROUTE } from './fake-worker.ts'

const SILENCE_MS = 45_000

/** A follower that keeps what it gets, and waits with a clock that a test moves. */
function follow(
  url: string,
  options: { lastEventId?: string; onDecision?: (generation: number) => void } = {},
) {
  const manual = createManualClock()
  const ending = new AbortController()
  const seen: number[] = []
  const interruptions: string[] = []
  const delaysMs: number[] = []
  const clock: Pick<Clock, 'sleep'> = {
    sleep: (ms, signal) => {
      if (ms !== SILENCE_MS) delaysMs.push(ms)
      return manual.clock.sleep(ms, signal)
    },
  }
  const ended = createWorkerClient({ url, token: null, clock }).streamDecisions(
    ROUTE,
    options.lastEventId ?? null,
    (decision, eventId) => {
      expect(eventId).toBe(`${ROUTE}#${decision.generation}`)
      seen.push(decision.generation)
      options.onDecision?.(decision.generation)
    },
    ending.signal,
    (error) => interruptions.push(error.message),
  )
  onTestFinished(() => ending.abort())
  return { manual, ending, seen, interruptions, delaysMs, ended }
}

/** A server whose every request is handed to the test. */
async function openStage() {
  const requests: { lastEventId: string | undefined; response: ServerResponse }[] = []
  const server = createServer((request, response) => {
    requests.push({ lastEventId: request.headers['last-event-id']?.toString(), response })
  }).listen(0, '127.0.0.1')
  await new Promise((resolve) => server.once('listening', resolve))
  onTestFinished(() => {
    server.closeAllConnections()
    server.close()
  })
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, requests }
}

function play(response: ServerResponse | undefined, text: string): void {
  response?.writeHead(200, { 'content-type': 'text/event-stream' })
  response?.write(text)
}

const frame = (generation: number): string =>
  `id: ${ROUTE}#${generation}\nevent: decision\ndata: {"generation":${generation}}\n\n`

describe('following the decisions of a worker', () => {
  test('brings the newest and then every live one, until the signal', async () => {
    const { url, worker } = await openDoor()
    worker.record(decisionOf(1))
    worker.record(decisionOf(2))
    const follower = follow(url)
    await eventually(() => follower.seen).toEqual([2])
    worker.record(decisionOf(3))
    await eventually(() => follower.seen).toEqual([2, 3])
    follower.ending.abort()
    await follower.ended
    expect(follower.interruptions).toEqual([])
    await eventually(() => worker.listeners.size).toBe(0)
  })

  test('resumes after the id it is given', async () => {
    const { url, worker } = await openDoor()
    for (const generation of [1, 2, 3]) worker.record(decisionOf(generation))
    const follower = follow(url, { lastEventId: `${ROUTE}#1` })
    await eventually(() => follower.seen).toEqual([2, 3])
  })

  test('goes on with another worker on the same address, without gap or repeat', async () => {
    const first = await openDoor()
    for (const generation of [1, 2]) first.worker.record(decisionOf(generation))
    const follower = follow(first.url, { lastEventId: `${ROUTE}#0` })
    await eventually(() => follower.seen).toEqual([1, 2])
    await first.server.close()
    await eventually(() => follower.interruptions).toHaveLength(1)
    // While nobody listens: another interruption, not the end.
    follower.manual.advance(60_000)
    await eventually(() => follower.interruptions).toHaveLength(2)
    const second = await openDoor({ port: Number(new URL(first.url).port) })
    for (const generation of [1, 2, 3, 4]) second.worker.record(decisionOf(generation))
    follower.manual.advance(60_000)
    await eventually(() => follower.seen).toEqual([1, 2, 3, 4])
    second.worker.record(decisionOf(5))
    await eventually(() => follower.seen).toEqual([1, 2, 3, 4, 5])
  })

  test('asks after the last whole decision when one was torn in the middle', async () => {
    const stage = await openStage()
    const follower = follow(stage.url)
    await eventually(() => stage.requests).toHaveLength(1)
    expect(stage.requests[0]?.lastEventId).toBeUndefined()
    play(stage.requests[0]?.response, frame(7) + frame(8).slice(0, -5))
    await eventually(() => follower.seen).toEqual([7])
    stage.requests[0]?.response.destroy()
    await eventually(() => follower.interruptions).toHaveLength(1)
    follower.manual.advance(500)
    await eventually(() => stage.requests).toHaveLength(2)
    expect(stage.requests[1]?.lastEventId).toBe(`${ROUTE}#7`)
    play(stage.requests[1]?.response, frame(8))
    await eventually(() => follower.seen).toEqual([7, 8])
  })

  test('takes a connection without a sound for 45 s as lost', async () => {
    const stage = await openStage()
    const follower = follow(stage.url)
    await eventually(() => stage.requests).toHaveLength(1)
    play(stage.requests[0]?.response, frame(1))
    await eventually(() => follower.seen).toEqual([1])
    await eventually(() => follower.manual.waiting()).toBe(1)
    follower.manual.advance(44_999)
    expect(follower.interruptions).toEqual([])
    follower.manual.advance(1)
    await eventually(() => follower.interruptions).toEqual([
      'The stream of decisions was interrupted.',
    ])
  })

  test('waits longer after each failure, up to 15 s, and shortly again after a decision', async () => {
    const stage = await openStage()
    const follower = follow(stage.url)
    async function fail(text: string): Promise<void> {
      const round = follower.delaysMs.length + 1
      await eventually(() => stage.requests).toHaveLength(round)
      play(stage.requests.at(-1)?.response, text)
      stage.requests.at(-1)?.response.end()
      await eventually(() => follower.delaysMs).toHaveLength(round)
      follower.manual.advance(15_000)
    }
    for (let round = 0; round < 7; round++) await fail(':\n\n')
    await fail(frame(1))
    const longest = [500, 1000, 2000, 4000, 8000, 15_000, 15_000, 500]
    for (const [round, delayMs] of follower.delaysMs.entries()) {
      expect(delayMs).toBeLessThanOrEqual(longest[round]!)
      expect(delayMs).toBeGreaterThanOrEqual(longest[round]! / 2)
    }
    expect(follower.delaysMs).toHaveLength(8)
  })
})

describe('a subscription ends', () => {
  test('at once when the worker refuses it', async () => {
    const { url } = await openDoor({ token: 'secret' })
    await expect(follow(url).ended).rejects.toMatchObject({ code: 'unauthorized' })
  })

  test('at once when the first connection finds all places taken', async () => {
    const { url } = await openDoor({ streamLimits: { readers: 0 } })
    await expect(follow(url).ended).rejects.toMatchObject({ code: 'overloaded', retryable: true })
  })

  test('later, when a refusal is for good', async () => {
    const stage = await openStage()
    const follower = follow(stage.url)
    await eventually(() => stage.requests).toHaveLength(1)
    play(stage.requests[0]?.response, frame(1))
    stage.requests[0]?.response.end()
    await eventually(() => follower.interruptions).toHaveLength(1)
    follower.manual.advance(500)
    await eventually(() => stage.requests).toHaveLength(2)
    stage.requests[1]?.response
      .writeHead(401, { 'content-type': 'application/problem+json' })
      .end('{"type":"/problems/unauthorized","status":401,"detail":"No."}')
    await expect(follower.ended).rejects.toMatchObject({ code: 'unauthorized', message: 'No.' })
  })

  test('with what the callback throws, and leaves no connection behind', async () => {
    const { url, worker } = await openDoor()
    worker.record(decisionOf(1))
    const failure = new HaldaneError('bus_unavailable', 'the pipe is closed', { retryable: true })
    const follower = follow(url, {
      onDecision: () => {
        throw failure
      },
    })
    await expect(follower.ended).rejects.toBe(failure)
    await eventually(() => worker.listeners.size).toBe(0)
  })

  test('quietly when the signal came before or during the connecting', async () => {
    const stage = await openStage()
    const follower = follow(stage.url)
    await eventually(() => stage.requests).toHaveLength(1)
    follower.ending.abort()
    await follower.ended
    const late = new AbortController()
    late.abort()
    const client = createWorkerClient({ url: stage.url, token: null })
    await client.streamDecisions(ROUTE, null, () => {}, late.signal)
    expect(stage.requests).toHaveLength(1)
  })
})
