import { PassThrough } from 'node:stream'
import { describe, expect, test } from 'vitest'
import { discardBody } from '../../../../src/adapters/http/unread-body.ts'

describe('a refused body', () => {
  test('is read to its end and not kept', async () => {
    const body = new PassThrough()
    const discarded = discardBody(body)
    for (let piece = 0; piece < 100; piece++) body.write(Buffer.alloc(65_536))
    body.end()
    expect(await discarded).toBe(true)
    expect(body.readableLength).toBe(0)
  })

  test('that was read before is not waited for', async () => {
    const body = new PassThrough()
    body.end()
    body.resume()
    await new Promise((resolve) => body.once('end', resolve))
    expect(await discardBody(body)).toBe(true)
  })

  test('is read although its last reader holds it back', async () => {
    const body = new PassThrough()
    body.pipe(new PassThrough({ highWaterMark: 1 }))
    for (let piece = 0; piece < 10; piece++) body.write(Buffer.alloc(65_536))
    body.end()
    await new Promise((resolve) => setImmediate(resolve))
    expect(await discardBody(body)).toBe(true)
  })

  test('without an end is read up to a limit only', async () => {
    const body = new PassThrough()
    const discarded = discardBody(body, 1000)
    body.write(Buffer.alloc(1001))
    expect(await discarded).toBe(false)
  })

  test('whose client goes away is not waited for', async () => {
    const body = new PassThrough()
    const discarded = discardBody(body)
    body.on('error', () => undefined)
    body.destroy(new Error('reset'))
    expect(await discarded).toBe(false)
  })
})
