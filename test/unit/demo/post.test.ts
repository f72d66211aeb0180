import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { describe, expect, it } from 'vitest'
import { backOffMs, post } from '../../../src/demo/post.ts'
import { openStubWorker } from './stub-worker.ts'

const request = {
  path: '/v1/events',
  contentType: 'application/x-ndjson',
  body: '',
  timeoutMs: 2000,
}

describe('post', () => {
  it('tells answers that are final from those that ask to try again', async () => {
    const worker = await openStubWorker()
    const kinds: Record<number, string> = {}
    for (const status of [200, 400, 401, 408, 409, 413, 422, 425, 429, 500, 503, 507]) {
      worker.answerEvents = () => ({ status })
      kinds[status] = (await post({ url: worker.url, token: null }, request)).kind
    }
    expect(kinds).toEqual({
      200: 'ok',
      400: 'refused',
      401: 'refused',
      408: 'failed',
      409: 'refused',
      413: 'refused',
      422: 'refused',
      425: 'failed',
      429: 'failed',
      500: 'failed',
      503: 'failed',
      507: 'failed',
    })
  })

  it('says why nobody answered', async () => {
    const server = createServer().listen(0, '127.0.0.1')
    await once(server, 'listening')
    const { port } = server.address() as AddressInfo
    server.close()
    await once(server, 'close')
    const outcome = await post({ url: `http://127.0.0.1:${port}`, token: null }, request)
    expect(outcome).toEqual({
      kind: 'failed',
      detail: `/v1/events could not be reached: connect ECONNREFUSED 127.0.0.1:${port}`,
    })
  })
})

describe('backOffMs', () => {
  it('doubles with every failure up to the limit', () => {
    const limits = { firstMs: 50, maxMs: 1000 }
    expect([1, 2, 3, 4, 5, 6, 60].map((failures) => backOffMs(failures, limits))).toEqual([
      50, 100, 200, 400, 800, 1000, 1000,
    ])
  })
})
