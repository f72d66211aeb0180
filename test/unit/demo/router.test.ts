import { describe, expect, it, onTestFinished } from 'vitest'
import { createRouter, type RouterOptions } from '../../../src/demo/router.ts'
import { decisionEvent, ROUTE } from './decisions.ts'
import { eventually } from './eventually.ts'
import { openStubWorker } from './stub-worker.ts'

const USERS = 20_000

async function openRouter(options: Partial<RouterOptions> = {}) {
  const worker = await openStubWorker()
  const router = createRouter({
    door: { url: worker.url, token: null },
    route: ROUTE,
    routerId: 'test-router',
    stableVersion: '1.1.0',
    versions: ['1.0.0', '1.1.0', '1.2.0'],
    reconnect: { firstMs: 10, maxMs: 20 },
    ...options,
  })
  onTestFinished(() => router.stop())
  router.start()
  await eventually(() => expect(router.state().connected).toBe(true))
  const canaryUsers = () => {
    const users = new Set<number>()
    for (let user = 0; user < USERS; user++) {
      if (router.assign(user).role === 'canary') users.add(user)
    }
    return users
  }
  const applied = (generation: number) =>
    eventually(() => expect(router.state().appliedGeneration).toBe(generation))
  return { worker, router, canaryUsers, applied }
}

describe('createRouter', () => {
  it('serves everybody with the stable version before the first decision', async () => {
    const { router, canaryUsers } = await openRouter()
    expect(canaryUsers().size).toBe(0)
    expect(router.assign(1).version).toBe('1.1.0')
    expect(router.state()).toMatchObject({ appliedGeneration: null, releaseId: null })
  })

  it('applies decisions, keeps canary users while the weight grows, and gives all back at a rollback', async () => {
    const { worker, router, canaryUsers, applied } = await openRouter()
    worker.send(decisionEvent(1, 5))
    await applied(1)
    const at5 = canaryUsers()
    expect(at5.size / USERS).toBeCloseTo(0.05, 1)
    worker.send(decisionEvent(2, 25))
    await applied(2)
    const at25 = canaryUsers()
    expect([...at5].every((user) => at25.has(user))).toBe(true)
    expect(at25.size).toBeGreaterThan(at5.size * 4)
    worker.send(decisionEvent(3, 0))
    await applied(3)
    expect(canaryUsers().size).toBe(0)
    expect(router.state().problem).toBeNull()
  })

  it('ignores a decision whose generation is not larger than the last one applied', async () => {
    const { worker, router, applied } = await openRouter()
    worker.send(decisionEvent(5, 25))
    await applied(5)
    worker.send(decisionEvent(5, 50))
    worker.send(decisionEvent(4, 50))
    // One that is of no use shows when those before it have been read.
    worker.send(decisionEvent(6, 50, { route: 'other/production' }))
    await eventually(() => expect(router.state().problem).toContain('other/production'))
    expect(router.state()).toMatchObject({
      appliedGeneration: 5,
      traffic: [{ weight: 75 }, { weight: 25 }],
    })
    worker.send(decisionEvent(7, 50))
    await applied(7)
    await eventually(() => expect(worker.acks.at(-1)?.['applied_generation']).toBe(7))
  })

  it('keeps the weights when the worker is gone, and resumes after the last decision it saw', async () => {
    const { worker, router, canaryUsers, applied } = await openRouter()
    worker.send(decisionEvent(3, 25))
    await applied(3)
    const before = canaryUsers()
    worker.cutStreams()
    await eventually(() => expect(worker.streamRequests).toHaveLength(2))
    expect(canaryUsers()).toEqual(before)
    expect(worker.streamRequests.map((headers) => headers['last-event-id'])).toEqual([
      undefined,
      `${ROUTE}#3`,
    ])
    await eventually(() => expect(router.state().connected).toBe(true))
    worker.send(decisionEvent(4, 50))
    await applied(4)
  })

  it('keeps the weights of a decision that has expired', async () => {
    const { worker, router, canaryUsers, applied } = await openRouter()
    const soon = new Date(Date.now() + 30).toISOString()
    worker.send(decisionEvent(1, 25, { expires_at: soon }))
    await applied(1)
    const before = canaryUsers()
    await eventually(() =>
      expect(Date.now()).toBeGreaterThan(router.state().expiresAtMs ?? Infinity),
    )
    expect(canaryUsers()).toEqual(before)
    expect(before.size).toBeGreaterThan(0)
  })

  it('keeps the weights and says why when a decision is of no use', async () => {
    const { worker, router, applied } = await openRouter()
    worker.send(decisionEvent(1, 25))
    await applied(1)
    const useless = [
      [decisionEvent(2, 25, { total_weight: 90 }), 'add up to 100'],
      [decisionEvent(3, 50, { route: 'other/production' }), 'other/production'],
      [
        decisionEvent(4, 50, { traffic: [{ version: '7.0.0', role: 'stable', weight: 100 }] }),
        'version 7.0.0',
      ],
    ] as const
    for (const [decision, why] of useless) {
      worker.send(decision)
      await eventually(() => expect(router.state().problem).toContain(why))
      expect(router.state()).toMatchObject({ appliedGeneration: 1, traffic: [{}, { weight: 25 }] })
    }
    worker.send(decisionEvent(5, 50))
    await applied(5)
    expect(router.state().problem).toBeNull()
  })

  it('does not apply a dry run', async () => {
    const { worker, router, applied } = await openRouter()
    worker.send(decisionEvent(1, 25, { mode: 'dry_run' }))
    worker.send(decisionEvent(2, 5))
    await applied(2)
    expect(worker.acks.some((ack) => ack['applied_generation'] === 1)).toBe(false)
    expect(router.state().traffic[1]?.weight).toBe(5)
  })

  it('prepares a version before its first traffic, and only then', async () => {
    const prepared: string[] = []
    let finish = () => {}
    const { worker, router, applied } = await openRouter({
      prepare: (version) => {
        prepared.push(version)
        return new Promise((resolve) => {
          finish = resolve
        })
      },
    })
    worker.send(decisionEvent(1, 5))
    await eventually(() => expect(prepared).toEqual(['1.2.0']))
    expect(router.state().appliedGeneration).toBeNull()
    expect(router.assign(1).role).toBe('stable')
    finish()
    await applied(1)
    worker.send(decisionEvent(2, 25))
    await applied(2)
    expect(prepared).toEqual(['1.2.0'])
  })

  it('tells the worker what it applied, and when', async () => {
    const { worker, applied } = await openRouter()
    const before = Date.now()
    worker.send(decisionEvent(1, 5))
    await applied(1)
    await eventually(() => expect(worker.acks).toHaveLength(1))
    expect(worker.acks[0]).toMatchObject({
      route: ROUTE,
      router_id: 'test-router',
      applied_generation: 1,
      applied_traffic: [
        { version: '1.1.0', weight: 95 },
        { version: '1.2.0', weight: 5 },
      ],
    })
    const appliedAt = Date.parse(String(worker.acks[0]?.['applied_at']))
    expect(appliedAt).toBeGreaterThanOrEqual(before)
    expect(appliedAt).toBeLessThanOrEqual(Date.now())
  })

  it('gives up a connection that has fallen silent and makes a new one', async () => {
    const { worker } = await openRouter({ silenceMs: 50 })
    await eventually(() => expect(worker.streamRequests.length).toBeGreaterThan(1))
  })

  it('shows its token to the worker', async () => {
    const worker = await openStubWorker()
    const router = createRouter({
      door: { url: worker.url, token: 'secret' },
      route: ROUTE,
      routerId: 'r',
      stableVersion: '1.1.0',
      versions: ['1.1.0', '1.2.0'],
    })
    onTestFinished(() => router.stop())
    router.start()
    await eventually(() => expect(worker.readers()).toBe(1))
    worker.send(decisionEvent(1, 5))
    await eventually(() => expect(worker.acks).toHaveLength(1))
    expect(worker.authorizations).toEqual(['Bearer secret', 'Bearer secret'])
  })
})
