import { gzipSync } from 'node:zlib'
import fastify from 'fastify'
import { describe, expect, onTestFinished, test } from 'vitest'
import { addBodyBudget } from '../../../../src/adapters/http/body-budget.ts'
import { addInflating } from '../../../../src/adapters/http/body-encoding.ts'
import { DoorError } from '../../../../src/adapters/http/problem.ts'
import { eventually } from './door.ts'

const KIB = 1024

/** A server whose handler waits until it is let go. */
async function openServer(budgetBytes: number, encoding: string) {
  // A refused body that is still being read away would keep its connection, and the server, for long.
  const app = fastify({ bodyLimit: 10_000 * KIB, forceCloseConnections: true })
  app.removeAllContentTypeParsers()
  app.addContentTypeParser('*', { parseAs: 'buffer' }, (_request, body, done) => done(null, body))
  addInflating(app)
  addBodyBudget(app, budgetBytes)
  app.setErrorHandler((thrown, _request, reply) =>
    reply.code(500).send(thrown instanceof DoorError ? thrown.code : String(thrown)),
  )
  const working: (() => void)[] = []
  app.post('/', async (request) => {
    await new Promise<void>((resolve) => working.push(resolve))
    return String((request.body as Uint8Array).length)
  })
  const url = await app.listen({ host: '127.0.0.1', port: 0 })
  onTestFinished(() => app.close())
  const post = async (bytes: number) => {
    const plain = new Uint8Array(bytes)
    const body = encoding === 'gzip' ? gzipSync(plain, { level: 0 }) : plain
    const headers = { 'content-type': 'text/plain', 'content-encoding': encoding }
    return (await fetch(url, { method: 'POST', headers, body })).text()
  }
  const letGo = () => {
    for (const resolve of working.splice(0)) resolve()
  }
  return { post, working, letGo }
}

describe.each(['identity', 'gzip'])('bodies at the same time (%s)', (encoding) => {
  test('beyond the budget are refused while the others go on, and taken when these are done', async () => {
    const { post, working, letGo } = await openServer(1000 * KIB, encoding)
    const first = [post(450 * KIB), post(450 * KIB)]
    await eventually(() => working.length).toBe(2)
    expect(await post(200 * KIB)).toBe('overloaded')
    letGo()
    expect(await Promise.all(first)).toEqual([String(450 * KIB), String(450 * KIB)])
    const again = post(900 * KIB)
    await eventually(() => working.length).toBe(1)
    letGo()
    expect(await again).toBe(String(900 * KIB))
  })

  test('that are small are taken however many large ones there are', async () => {
    const { post, working, letGo } = await openServer(1000 * KIB, encoding)
    const large = post(990 * KIB)
    await eventually(() => working.length).toBe(1)
    const small = [post(60 * KIB), post(1), post(64 * KIB)]
    await eventually(() => working.length).toBe(4)
    letGo()
    expect(await Promise.all([...small, large])).toEqual(
      [60 * KIB, 1, 64 * KIB, 990 * KIB].map(String),
    )
  })

  test('that come all at once are not all refused', async () => {
    const { post, letGo } = await openServer(1000 * KIB, encoding)
    const answers = Array.from({ length: 12 }, () => post(300 * KIB))
    const timer = setInterval(letGo, 50)
    onTestFinished(() => clearInterval(timer))
    const taken = (await Promise.all(answers)).filter((text) => text !== 'overloaded')
    expect(taken.length).toBeGreaterThanOrEqual(3)
    expect(taken.length).toBeLessThan(12)
  })

  test('that are refused give back what they took', async () => {
    const { post, working, letGo } = await openServer(100 * KIB, encoding)
    for (let time = 0; time < 20; time++) expect(await post(300 * KIB)).toBe('overloaded')
    const fits = post(90 * KIB)
    await eventually(() => working.length).toBe(1)
    letGo()
    expect(await fits).toBe(String(90 * KIB))
  })
})
