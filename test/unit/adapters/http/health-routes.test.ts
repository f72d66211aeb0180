import { describe, expect, test } from 'vitest'
import { HaldaneError } from '../../../../src/domain/errors.ts'
import { openDoor } from './door.ts'

async function get(url: string, headers: Record<string, string> = {}) {
  const response = await fetch(url, { headers })
  return { status: response.status, text: await response.text(), headers: response.headers }
}

describe('liveness', () => {
  test.each(['livez', 'healthz'])('/%s is 200 whatever the worker says', async (name) => {
    const { url, worker, server } = await openDoor()
    worker.ok = false
    worker.failure = new HaldaneError('store_unavailable', 'away')
    server.drain()
    const { status, text, headers } = await get(`${url}/${name}`)
    expect(status).toBe(200)
    expect(headers.get('cache-control')).toBe('no-store')
    expect(JSON.parse(text)).toEqual({
      status: 'ok',
      version: '0.1.0',
      checks: [{ name: 'ping', ok: true, detail: '' }],
    })
    expect((await get(`${url}/${name}?verbose`)).text).toBe(`[+]ping ok\n${name} check passed\n`)
  })

  test('answers HEAD, as probes ask', async () => {
    const { url } = await openDoor()
    expect((await fetch(`${url}/livez`, { method: 'HEAD' })).status).toBe(200)
  })
})

describe('readiness', () => {
  test('is 200 with every check when the worker is ready', async () => {
    const { url } = await openDoor()
    const { status, text } = await get(`${url}/readyz`)
    expect(status).toBe(200)
    expect(JSON.parse(text)).toEqual({
      status: 'ok',
      version: '0.1.0',
      checks: [
        { name: 'store', ok: true, detail: 'at 10.0.0.7' },
        { name: 'shutdown', ok: true, detail: '' },
      ],
    })
    expect((await get(`${url}/readyz?verbose`)).text).toBe(
      '[+]store ok\n[+]shutdown ok\nreadyz check passed\n',
    )
  })

  test('is 503 and says which check failed', async () => {
    const { url, worker } = await openDoor()
    worker.ok = false
    const { status, text } = await get(`${url}/readyz?verbose`)
    expect(status).toBe(503)
    expect(text).toBe('[-]store failed: at 10.0.0.7\n[+]shutdown ok\nreadyz check failed\n')
  })

  test('is 503 while draining, although all is well', async () => {
    const { url, server } = await openDoor()
    server.drain()
    const { status, text, headers } = await get(`${url}/readyz?verbose=1`)
    expect(status).toBe(503)
    expect(text).toContain('[-]shutdown failed: the worker is shutting down')
    expect(headers.get('connection')).toBe('close')
  })

  test('is 503 when the worker cannot even say', async () => {
    const { url, worker } = await openDoor()
    worker.failure = new HaldaneError('store_unavailable', 'ClickHouse is away.')
    const { status, text } = await get(`${url}/readyz?verbose`)
    expect(status).toBe(503)
    expect(text).toContain('[-]worker failed: ClickHouse is away.')
  })

  test('is open to everybody, but details need the token', async () => {
    const { url, worker } = await openDoor({ token: 'secret' })
    worker.ok = false
    const stranger = await get(`${url}/readyz`)
    expect(stranger.status).toBe(503)
    expect(stranger.text).not.toContain('10.0.0.7')
    expect((await get(`${url}/readyz?verbose`)).text).toContain('[-]store failed: withheld')
    const friend = await get(`${url}/readyz`, { authorization: 'Bearer secret' })
    expect(friend.text).toContain('10.0.0.7')
  })
})

describe('metrics', () => {
  test('are the text of the worker in the format of Prometheus', async () => {
    const { url } = await openDoor()
    const { status, text, headers } = await get(`${url}/metrics`)
    expect(status).toBe(200)
    expect(headers.get('content-type')).toBe('text/plain; version=0.0.4; charset=utf-8')
    expect(text).toBe('haldane_decisions_total 3\n')
  })

  test('name routes and versions, so they need the token', async () => {
    const { url } = await openDoor({ token: 'secret' })
    expect((await get(`${url}/metrics`)).status).toBe(401)
    expect((await get(`${url}/metrics`, { authorization: 'Bearer secret' })).status).toBe(200)
  })
})
