import { mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { describe, expect, it, onTestFinished } from 'vitest'
import { startRouterExample } from '../../support/example-process.ts'
import { type ScriptedRequest, scriptWorker } from './scripted-worker.ts'

const ROUTE = 'ranker/production'
const LATER = '2100-01-01T00:00:00.000Z'

const decisionOf = (generation: number, weight = 20, changes: object = {}) => ({
  route: ROUTE,
  release_id: `${ROUTE}/2.0.0`,
  generation,
  mode: 'enforced',
  expires_at: LATER,
  traffic: [
    { version: '1.0.0', role: 'stable', weight: 100 - weight },
    { version: '2.0.0', role: 'canary', weight },
  ],
  total_weight: 100,
  ...changes,
})
const users = Array.from({ length: 400 }, (_, index) => `u-${index}`)
const poll = <T>(read: () => T) => expect.poll(read, { timeout: 9000, interval: 10 })

async function follow(
  answer: (request: ScriptedRequest) => {
    status: number
    headers?: Record<string, string>
  } = () => ({ status: 204 }),
) {
  const dir = mkdtempSync(join(tmpdir(), 'haldane-router-'))
  const stateFile = join(dir, 'state.json')
  const worker = await scriptWorker((request) =>
    request.path.startsWith('/v1/decisions/stream') && answer(request).status === 204
      ? 'stream'
      : answer(request),
  )
  const start = async (env: Record<string, string> = {}) => {
    const router = await startRouterExample({
      ...{ ROUTE, STABLE_VERSION: '1.0.0', ROUTER_ID: 'edge', STATE_FILE: stateFile },
      WORKER_URL: worker.url,
      ...env,
    })
    onTestFinished(() => router.kill())
    return router
  }
  onTestFinished(() => rmSync(dir, { recursive: true, force: true }))
  const router = await start()
  await poll(() => worker.streams.size).toBe(1)
  const generation = async () => Number((await router.state())['generation'])
  return { worker, router, start, stateFile, generation }
}

const acksIn = (requests: readonly ScriptedRequest[]) =>
  requests
    .filter(({ path }) => path === '/v1/acks')
    .map(({ body }) => JSON.parse(body) as Record<string, unknown>)

describe('the example router', () => {
  it('serves everybody with the stable version until the first decision', async () => {
    const { router } = await follow()
    expect(new Set(await router.pick(users))).toEqual(new Set(['1.0.0']))
  })

  it('applies a decision only if its generation is larger than the last one applied', async () => {
    const { worker, router, generation } = await follow()
    for (const number of [3, 3, 1, 2, 5, 4, 5]) worker.publish(decisionOf(number, number))
    worker.publish(decisionOf(9, 50))
    await poll(generation).toBe(9)
    expect(router.applied()).toEqual([3, 5, 9])
  })

  it('passes over what has expired, is a dry run, of another route, or is no decision', async () => {
    const { worker, router, generation } = await follow()
    worker.publish(decisionOf(1, 10))
    worker.publish(decisionOf(2, 50, { expires_at: '2020-01-01T00:00:00.000Z' }))
    worker.publish(decisionOf(3, 50, { mode: 'dry_run' }))
    worker.publish(decisionOf(4, 50, { route: 'other/production' }))
    worker.publish(decisionOf(5, 50, { total_weight: 90 }))
    worker.publish(decisionOf(6, 50, { generation: 'six' }))
    for (const text of ['{', 'null', '7', '[]', '{}', '', `{"route":"${ROUTE}","generation":6}`]) {
      worker.publishText(`event: decision\ndata: ${text}\n\n`)
    }
    worker.publishText(':\n\n: a comment\n\nevent: other\ndata: {}\n\n')
    worker.publish(decisionOf(7, 0, { expires_at: null }))
    await poll(generation).toBe(7)
    expect(router.applied()).toEqual([1, 7])
    expect(router.stdout()).toContain('passed over generation 2: it expired')
  })

  it('keeps the weights when they expire and nothing comes', async () => {
    const { worker, router } = await follow()
    const expires_at = new Date(Date.now() + 1500).toISOString()
    worker.publish(decisionOf(1, 30, { expires_at }))
    await poll(() => router.applied()).toEqual([1])
    const before = await router.pick(users)
    worker.hangUp()
    await poll(async () => (await router.state())['expired']).toBe(true)
    expect(await router.pick(users)).toEqual(before)
    expect(new Set(before)).toEqual(new Set(['1.0.0', '2.0.0']))
  })

  it('takes no user from the canary while its weight grows, and others for the next release', async () => {
    const { worker, router, generation } = await follow()
    let canaryUsers = new Set<string>()
    for (const [index, weight] of [5, 25, 50, 100].entries()) {
      worker.publish(decisionOf(index + 1, weight))
      await poll(generation).toBe(index + 1)
      const versions = await router.pick(users)
      const now = new Set(users.filter((_, at) => versions[at] === '2.0.0'))
      expect([...canaryUsers].filter((user) => !now.has(user))).toEqual([])
      expect(Math.abs(now.size / users.length - weight / 100)).toBeLessThan(0.1)
      canaryUsers = now
    }
    worker.publish(decisionOf(10, 50))
    await poll(generation).toBe(10)
    const before = await router.pick(users)
    worker.publish(decisionOf(11, 50, { release_id: `${ROUTE}/2.0.0~2` }))
    await poll(generation).toBe(11)
    const after = await router.pick(users)
    const moved = users.filter((_, at) => before[at] !== after[at]).length
    expect(moved).toBeGreaterThan(users.length / 4)
  })

  it('resumes after the last event, with its token, also in its next life', async () => {
    const { worker, router, start } = await follow()
    worker.publish(decisionOf(4))
    const streams = () => worker.requests.filter(({ path }) => path.includes('stream'))
    await poll(() => router.applied()).toEqual([4])
    worker.hangUp()
    await poll(() => streams().length).toBe(2)
    await router.kill()
    const next = await start({ HALDANE_TOKEN: 'a-long-enough-token' })
    await poll(() => streams().length).toBe(3)
    expect(next.stdout()).toContain('resumed at generation 4')
    expect(streams().map(({ headers }) => headers['last-event-id'])).toEqual([
      undefined,
      `${ROUTE}#4`,
      `${ROUTE}#4`,
    ])
    expect(streams().at(-1)?.headers.authorization).toBe('Bearer a-long-enough-token')
    expect(streams()[0]?.path).toBe('/v1/decisions/stream?route=ranker%2Fproduction')
  })

  it('comes again when a full worker says so', async () => {
    let refusals = 0
    const { worker } = await follow(({ path }) =>
      path.includes('stream') && refusals++ < 2
        ? { status: 503, headers: { 'retry-after': '1' } }
        : { status: 204 },
    )
    const [first, second] = worker.requests.filter(({ path }) => path.includes('stream'))
    expect((second?.atMs ?? 0) - (first?.atMs ?? 0)).toBeGreaterThanOrEqual(990)
  })

  it('repeats an ack until it is heard, and only the newest', async () => {
    let refusals = 0
    const { worker, generation } = await follow(({ path }) => ({
      status: path === '/v1/acks' && refusals++ < 2 ? 503 : 204,
    }))
    worker.publish(decisionOf(1))
    await poll(() => acksIn(worker.requests).length).toBe(1)
    worker.publish(decisionOf(2, 40))
    await poll(generation).toBe(2)
    await poll(() => acksIn(worker.requests).at(-1)?.['applied_generation']).toBe(2)
    await poll(() => refusals).toBeGreaterThan(2)
    expect(acksIn(worker.requests).at(-1)).toEqual({
      route: ROUTE,
      router_id: 'edge',
      applied_generation: 2,
      applied_traffic: decisionOf(2, 40).traffic,
      applied_at: expect.stringMatching(/^\d{4}-.*Z$/),
    })
  })

  it('applies a rollback even when it cannot write its state', async () => {
    const { worker, router, stateFile } = await follow()
    mkdirSync(`${stateFile}.new`)
    worker.publish(decisionOf(1, 0, { expires_at: null }))
    await poll(() => router.applied()).toEqual([1])
    expect(router.stdout()).toContain('the state is not saved')
  })

  it('killed at any moment, has a whole state on disk and applies nothing twice', async () => {
    const { worker, router: first, start, stateFile } = await follow()
    let number = 0
    const publishing = setInterval(() => worker.publish(decisionOf(++number, number % 100)), 2)
    onTestFinished(() => clearInterval(publishing))
    const applied: number[] = []
    let router = first
    for (let life = 0; life < 8; life++) {
      await poll(() => router.applied().length).toBeGreaterThan(3)
      await delay(life * 3.7)
      await router.kill()
      applied.push(...router.applied())
      const state = JSON.parse(readFileSync(stateFile, 'utf8')) as { generation: number }
      expect(state.generation).toBeGreaterThanOrEqual(applied.at(-1) ?? 0)
      router = await start()
    }
    expect(applied).toEqual([...new Set(applied)].sort((a, b) => a - b))
    expect(applied.length).toBeGreaterThan(30)
  })
})
