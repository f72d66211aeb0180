import { describe, expect, it, onTestFinished } from 'vitest'
import { type FleetListeners, launchFleet } from '../../../src/demo/fleet-launcher.ts'
import type { FleetConfig, FleetStatus } from '../../../src/demo/fleet-messages.ts'
import { decisionEvent, ROUTE } from './decisions.ts'
import { eventually } from './eventually.ts'
import { openStubWorker } from './stub-worker.ts'

const FROM_SOURCE = ['--import', 'tsx']
const SECONDS = 30_000

async function launch(config: Partial<FleetConfig> = {}, listeners: Partial<FleetListeners> = {}) {
  const worker = await openStubWorker()
  const statuses: FleetStatus[] = []
  const fleet = await launchFleet(
    {
      workerUrl: worker.url,
      route: ROUTE,
      ratePerSecond: 200,
      seed: 1,
      stableVersion: '1.1.0',
      recordFile: null,
      ...config,
    },
    {
      onStatus: (status) => statuses.push(status),
      onCrash: () => {},
      ...listeners,
    },
    { token: 'secret', execArgv: FROM_SOURCE },
  )
  onTestFinished(async () => {
    await fleet.stop()
  })
  return { worker, fleet, statuses }
}

const isAlive = (pid: number | null) => {
  try {
    process.kill(pid ?? 0, 0)
    return true
  } catch {
    return false
  }
}

describe('launchFleet', () => {
  it('runs a fleet that follows decisions, reports every second and stops without losing an event', {
    timeout: 2 * SECONDS,
  }, async () => {
    const { worker, fleet, statuses } = await launch()
    expect(fleet.ready).toMatchObject({
      users: 1_000_000,
      builds: [{}, {}, { build: 'tinyld/heavy' }],
    })
    expect(fleet.ready.mix).toHaveLength(9)
    await eventually(() => expect(worker.readers()).toBe(1), SECONDS)
    worker.send(decisionEvent(1, 50))
    await eventually(() => {
      const last = statuses.at(-1)
      expect(last?.router.appliedGeneration).toBe(1)
      expect(last?.observed.map(({ version }) => version)).toEqual(['1.1.0', '1.2.0'])
    }, SECONDS)
    const last = await fleet.stop()
    expect(isAlive(fleet.pid)).toBe(false)
    const ids = worker.events.map((event) => event['request_id'])
    expect(last?.events).toMatchObject({
      sent: ids.length,
      accepted: ids.length,
      failed: 0,
      pending: 0,
    })
    expect(new Set(ids).size).toBe(ids.length)
    expect(worker.acks[0]).toMatchObject({ applied_generation: 1, router_id: fleet.ready.routerId })
    expect(new Set(worker.authorizations)).toEqual(new Set(['Bearer secret']))
  })

  it('rejects with what the process said when it cannot start', { timeout: SECONDS }, async () => {
    await expect(launch({ ratePerSecond: -1 })).rejects.toMatchObject({
      code: 'usage',
      message: expect.stringContaining('config of the fleet'),
    })
  })

  it('reports a fleet that died without being asked to', { timeout: SECONDS }, async () => {
    const crashes: Error[] = []
    const { fleet } = await launch({}, { onCrash: (error) => crashes.push(error) })
    process.kill(fleet.pid ?? 0, 'SIGKILL')
    await eventually(() => expect(crashes).toHaveLength(1), SECONDS)
    expect(crashes[0]?.message).toContain('The fleet process ended.')
    expect(await fleet.stop()).toBeNull()
  })
})
