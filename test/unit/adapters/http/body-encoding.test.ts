import { gzipSync } from 'node:zlib'
import { describe, expect, test } from 'vitest'
import { openDoor, plug, problemIn } from './door.ts'

const LINES = '{"a":1}\n{"b":2}\n'
const MIB = 1_048_576

const post = (url: string, body: Uint8Array, encoding = 'gzip') =>
  fetch(`${url}/v1/events`, {
    method: 'POST',
    headers: { 'content-type': 'application/x-ndjson', 'content-encoding': encoding },
    body: body as Uint8Array<ArrayBuffer>,
  })

/** Members one after the other are one gzip: a few copies of a small one make a large bomb. */
const bomb = (mebibytes: number) =>
  Buffer.concat(Array(mebibytes / 16).fill(gzipSync(Buffer.alloc(16 * MIB))))

describe('a gzip body', () => {
  test.each(['gzip', 'GZIP', 'x-gzip'])('is inflated (%s)', async (encoding) => {
    const { url, worker } = await openDoor()
    const response = await post(url, gzipSync(LINES), encoding)
    expect(response.status).toBe(200)
    expect(worker.submitted[0]?.texts).toEqual(['{"a":1}', '{"b":2}'])
  })

  test('may come in members and in pieces of unknown length', async () => {
    const { url, worker } = await openDoor()
    const body = Buffer.concat([gzipSync(LINES), gzipSync('{"c":3}')])
    const response = await fetch(`${url}/v1/events`, {
      method: 'POST',
      headers: { 'content-type': 'application/x-ndjson', 'content-encoding': 'gzip' },
      body: new Blob([body]).stream(),
      duplex: 'half',
    } as RequestInit)
    expect(response.status).toBe(200)
    expect(worker.submitted[0]?.texts).toEqual(['{"a":1}', '{"b":2}', '{"c":3}'])
  })

  test('of exactly 16 MiB is taken, and not of a byte more', async () => {
    const { url, worker } = await openDoor()
    const full = Buffer.alloc(16 * MIB, 0x20)
    full.write('{"a":1}')
    expect((await post(url, gzipSync(full))).status).toBe(200)
    const more = await post(url, gzipSync(Buffer.concat([full, Buffer.from(' ')])))
    expect(more.status).toBe(413)
    expect((await problemIn(more))['detail']).toBe('The body is larger than 16 MiB.')
    expect(worker.submitted).toHaveLength(1)
  })

  test('that is a bomb is answered 413', async () => {
    const { url, worker } = await openDoor()
    const response = await post(url, bomb(1024))
    expect(response.status).toBe(413)
    expect(worker.submitted).toEqual([])
    expect((await post(url, gzipSync(LINES))).status).toBe(200)
  })

  const whole = gzipSync(LINES)
  const withLast = (offset: number) => {
    const copy = Buffer.from(whole)
    copy[copy.length - offset] = (copy[copy.length - offset] ?? 0) ^ 0xff
    return copy
  }
  test.each([
    ['lies about its size', withLast(1)],
    ['has another checksum', withLast(8)],
    ['is cut off', whole.subarray(0, -9)],
    ['ends before its trailer', whole.subarray(0, -8)],
    ['is none', Buffer.from(LINES)],
    ['is broken in the middle', Buffer.concat([whole.subarray(0, 12), Buffer.alloc(20, 0xff)])],
  ])('that %s is answered 400', async (_what, body) => {
    const { url, worker } = await openDoor()
    const response = await post(url, body)
    expect(response.status).toBe(400)
    expect((await problemIn(response))['detail']).toContain('gzip')
    expect(worker.submitted).toEqual([])
  })

  test('of nothing is no event', async () => {
    const { url } = await openDoor()
    expect((await post(url, new Uint8Array(0))).status).toBe(400)
    expect((await post(url, gzipSync(''))).status).toBe(400)
  })

  test('is limited by what each address takes', async () => {
    const { url } = await openDoor()
    const response = await fetch(`${url}/v1/acks`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', 'content-encoding': 'gzip' },
      body: gzipSync(Buffer.alloc(MIB + 1, 0x20)),
    })
    expect(response.status).toBe(413)
  })

  test('whose sender goes away leaves the server well', async () => {
    const { url, worker, lines } = await openDoor()
    const socket = await plug(url)
    const head = `POST /v1/events HTTP/1.1\r\nhost: 127.0.0.1\r\ncontent-encoding: gzip\r\n`
    socket.write(`${head}content-type: application/x-ndjson\r\ncontent-length: 1000\r\n\r\n`)
    socket.write(whole)
    await new Promise((resolve) => setTimeout(resolve, 20))
    socket.destroy()
    expect((await post(url, whole)).status).toBe(200)
    expect(worker.submitted).toHaveLength(1)
    expect(lines.filter(({ level }) => level === 'error')).toEqual([])
  })

  test('that nobody reads, because there is none or the answer came before, harms nobody', async () => {
    const { url } = await openDoor()
    const headers = { 'content-encoding': 'gzip' }
    expect((await fetch(`${url}/livez`, { headers })).status).toBe(200)
    const missing = await fetch(`${url}/nothing`, { method: 'POST', headers, body: whole })
    expect(missing.status).toBe(404)
    expect((await post(url, whole)).status).toBe(200)
  })
})

test.each(['br', 'deflate', 'gzip, gzip'])('%s is refused with what is read', async (encoding) => {
  const { url } = await openDoor()
  const response = await post(url, Buffer.from('x'), encoding)
  expect(response.status).toBe(415)
  expect(response.headers.get('accept-encoding')).toBe('gzip, identity')
  expect((await problemIn(response))['detail']).toContain(encoding)
})
