import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { describe, expect, onTestFinished, test } from 'vitest'
import { createWorkerClient } from '../../../../src/adapters/http/client.ts'
import { decisionToWire } from '../../../../src/contract/decision.ts'
import { HaldaneError } from '../../../../src/domain/errors.ts'
import { openDoor } from './door.ts'
import { decisionOf, RELEASE_ID, ROUTE, viewOf } from './fake-worker.ts'

async function doorAndClient(token: string | null = null) {
  const door = await openDoor({ token })
  return { ...door, client: createWorkerClient({ url: door.url, token }) }
}

async function failureOf(promise: Promise<unknown>): Promise<HaldaneError> {
  const thrown = await promise.then(
    () => null,
    (error: unknown) => error,
  )
  if (!(thrown instanceof HaldaneError)) throw new Error(`not failed on purpose: ${thrown}`)
  return thrown
}

/** A server that is no worker. */
async function stranger(status: number, type: string, body: string): Promise<string> {
  const server = createServer((_request, response) => {
    response.writeHead(status, { 'content-type': type }).end(body)
  }).listen(0, '127.0.0.1')
  await new Promise((resolve) => server.once('listening', resolve))
  onTestFinished(() => {
    server.closeAllConnections()
    server.close()
  })
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`
}

describe('what the client asks, the worker hears', () => {
  test('a start, with any name, reason and text', async () => {
    const { client, worker } = await doorAndClient('secret')
    const request = {
      source: 'route: a/b\n# größer ✓\n',
      fileName: 'release files/kühn 50%.yaml',
      by: 'mia & co',
      reason: 'größer = besser?',
    }
    expect(await client.startRelease(request)).toEqual({
      releaseId: RELEASE_ID,
      message: 'started',
    })
    expect(worker.started).toEqual([request])
  })

  test('a start without a reason', async () => {
    const { client, worker } = await doorAndClient()
    const request = { source: 'route: a/b', fileName: 'r.yaml', by: 'mia', reason: '' }
    await client.startRelease(request)
    expect(worker.started).toEqual([request])
  })

  test('a command', async () => {
    const { client, worker } = await doorAndClient()
    const request = { releaseId: RELEASE_ID, kind: 'rollback', by: 'mia', reason: 'p95' } as const
    expect(await client.commandRelease(request)).toEqual({
      releaseId: RELEASE_ID,
      message: 'rollback done',
    })
    expect(worker.commanded).toEqual([request])
  })

  test('a list of releases, one release, and one that does not exist', async () => {
    const { client, worker } = await doorAndClient()
    worker.views = [viewOf(4, `${RELEASE_ID}~2`)]
    expect((await client.releases()).map((release) => release.release_id)).toEqual([
      `${RELEASE_ID}~2`,
    ])
    expect((await client.release(`${RELEASE_ID}~2`))?.generation).toBe(4)
    expect(await client.release(RELEASE_ID)).toBeNull()
  })

  test('recorded decisions', async () => {
    const { client, worker } = await doorAndClient()
    for (const generation of [1, 2, 3]) worker.record(decisionOf(generation))
    expect(await client.decisionsAfter(ROUTE, 1)).toEqual([
      decisionToWire(decisionOf(2)),
      decisionToWire(decisionOf(3)),
    ])
  })

  test('events, byte for byte, with the place of each that was rejected', async () => {
    const { client, worker } = await doorAndClient()
    worker.judge = (text) => (text.includes('bad') ? 'is missing' : null)
    const values = ['{"a":1e400,"a":2}', '{"bad":1}', '{\n "c":\r\n3}', 'bad'].map((text) =>
      Buffer.from(text),
    )
    expect(await client.submit(values)).toEqual({
      accepted: 2,
      rejected: 2,
      stored: true,
      errors: [
        { index: 1, field: 'outcome', code: 'missing', message: 'is missing' },
        { index: 3, field: 'outcome', code: 'missing', message: 'is missing' },
      ],
    })
    expect(worker.submitted[0]?.texts).toEqual([
      '{"a":1e400,"a":2}',
      '{"bad":1}',
      '{  "c":  3}',
      'bad',
    ])
  })

  test('events that were all accepted', async () => {
    const { client, worker } = await doorAndClient()
    worker.stored = false
    expect(await client.submit([Buffer.from('{}')])).toEqual({
      accepted: 1,
      rejected: 0,
      stored: false,
      errors: [],
    })
  })
})

describe('what the worker refuses, the client says in the same words', () => {
  test('with its code, message and remedy', async () => {
    const { client, worker } = await doorAndClient()
    worker.failure = new HaldaneError('invalid_input', 'r.yaml:3:5: plan: is missing', {
      remedy: 'correct the release file',
    })
    const request = { source: 'x', fileName: 'r.yaml', by: 'mia', reason: '' }
    const error = await failureOf(client.startRelease(request))
    expect(error.code).toBe('invalid_input')
    expect(error.message).toBe('r.yaml:3:5: plan: is missing')
    expect(error.remedy).toBe('correct the release file')
    expect(error.retryable).toBe(false)
  })

  test.each([
    ['conflict', 'conflict', false, undefined],
    ['not_found', 'not_found', false, undefined],
    ['overloaded', 'overloaded', true, 1000],
    ['store_unavailable', 'store_unavailable', true, 5000],
    ['internal', 'internal', false, undefined],
  ] as const)('%s arrives as %s, worth a retry: %s, after %s ms', async (...expected) => {
    const [code, ...arrived] = expected
    const { client, worker } = await doorAndClient()
    worker.failure = new HaldaneError(code, 'no')
    const error = await failureOf(client.submit([Buffer.from('{}')]))
    expect([error.code, error.retryable, error.retryAfterMs]).toEqual(arrived)
  })

  test('a wrong token', async () => {
    const { url } = await openDoor({ token: 'secret' })
    const client = createWorkerClient({ url, token: 'wrong' })
    const error = await failureOf(client.releases())
    expect(error.code).toBe('unauthorized')
    expect(error.remedy).toContain('HALDANE_TOKEN')
  })

  test('a batch without events', async () => {
    const { client } = await doorAndClient()
    expect((await failureOf(client.submit([]))).code).toBe('usage')
  })
})

describe('a worker that is not there', () => {
  test('is an error that says how to start one', async () => {
    const { url, server } = await openDoor()
    await server.close()
    const client = createWorkerClient({ url, token: null })
    const calls = [
      () => client.releases(),
      () => client.release('x'),
      () => client.submit([Buffer.from('{}')]),
      () => client.streamDecisions(null, null, () => {}, new AbortController().signal),
    ]
    for (const call of calls) {
      const error = await failureOf(call())
      expect(error.code).toBe('bus_unavailable')
      expect(error.message).toBe(`No worker answers at ${url}.`)
      expect(error.remedy).toContain('haldane worker')
      expect(error.retryable).toBe(true)
    }
  })

  test('is one error whether or not its name has several addresses', async () => {
    const { url, server } = await openDoor()
    await server.close()
    const { port } = new URL(url)
    const client = createWorkerClient({ url: `http://localhost:${port}`, token: null })
    expect((await failureOf(client.releases())).message).toContain('No worker answers at')
  })

  test('that leaves in the middle of an answer leaves the outcome open', async () => {
    const server = createServer((request) => request.socket.destroy()).listen(0, '127.0.0.1')
    await new Promise((resolve) => server.once('listening', resolve))
    onTestFinished(() => void server.close())
    const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
    const error = await failureOf(
      createWorkerClient({ url, token: null }).submit([Buffer.from('{}')]),
    )
    expect(error.message).toContain('broke')
    expect(error.remedy).toContain('carried out')
  })

  test.each([
    [200, 'text/html', '<html>'],
    [404, 'application/json', '{"error":"x"}'],
    [502, 'text/html', '<html>'],
    [500, 'application/problem+json', '{"type":"about:blank","detail":"x"}'],
    [302, 'text/plain', ''],
  ])('but something else is (%i %s) is said so', async (status, type, body) => {
    const url = await stranger(status, type, body)
    const error = await failureOf(createWorkerClient({ url, token: null }).releases())
    expect(error.message).toBe(`What answers at ${url} (status ${status}) is not a worker.`)
  })

  test.each(['', 'localhost:7625', 'ftp://x', 'http://'])('"%s" is no address', (url) => {
    expect(() => createWorkerClient({ url, token: null })).toThrow('is not the address')
  })

  test('may be behind a path', async () => {
    const url = await stranger(200, 'application/json', '[]')
    expect(await createWorkerClient({ url: `${url}/base/`, token: null }).releases()).toEqual([])
  })
})
