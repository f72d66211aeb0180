import { spawnSync } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { expect } from 'vitest'
import type { WireDecision } from '../../src/contract/decision.ts'
import { generateEvents, releaseFileAt, STABLE_VERSION, toLines } from './event-generator.ts'
import { type RouterExample, startRouterExample } from './example-process.ts'
import { PROGRAM } from './program.ts'
import { freePort, startWorkerProcess, type WorkerProcess } from './worker-process.ts'

const PATIENCE_MS = 90_000
const GOOD_MS = 100_000
const BAD_MS = 240_000

export interface RouterScenario {
  /** Of this run alone. */
  readonly dir: string
  readonly modelName: string
  readonly workerEnv: Readonly<Record<string, string>>
  /** What the router needs beside its route, its name and its state file. */
  readonly routerEnv: (workerUrl: string) => Readonly<Record<string, string>>
  /** Sends the events of a file; resolves with how many arrived. */
  readonly send: (file: string, workerUrl: string) => Promise<number>
  /** Everything that was started, to be ended whatever happens. */
  readonly onStarted: (end: () => Promise<void>) => void
}

/**
 * A release whose canary turns bad, followed by `examples/router` while worker and router are killed
 * in turn. Fails unless the weights stay without a worker, the rollback arrives, and the applied
 * generations grow over all lives of the router.
 */
export async function followThroughDeaths(scenario: RouterScenario): Promise<void> {
  const { dir, modelName } = scenario
  const route = `${modelName}/production`
  const startMs = Math.floor((Date.now() - GOOD_MS - BAD_MS - 20_000) / 5000) * 5000
  const common = { modelName, canaryShare: 0.3 }
  const good = { seed: 21, events: 6000, startMs, durationMs: GOOD_MS }
  const bad = { seed: 22, events: 24_000, startMs: startMs + GOOD_MS, durationMs: BAD_MS }
  const goodFile = write(dir, 'good.ndjson', toLines(generateEvents({ ...common, ...good })))
  const badFile = write(
    dir,
    'bad.ndjson',
    toLines(
      generateEvents({
        ...{ ...common, ...bad },
        effect: (arm) => (arm === 'canary' ? { errorRate: 0.05 } : {}),
      }),
    ),
  )
  const file = releaseFileAt(0.3, 'heartbeat: 10s').replace('intent-classifier/production', route)
  const release = write(dir, 'release.yaml', [file])
  const stateFile = join(dir, 'router-state.json')
  const dataDir = join(dir, 'data')
  const port = String(await freePort())
  const url = `http://127.0.0.1:${port}`

  const launchWorker = async (): Promise<WorkerProcess> => {
    const env = { HALDANE_DATA_DIR: dataDir, HALDANE_TICK_MS: '50', HALDANE_BATCH_AGE_MS: '50' }
    const worker = await startWorkerProcess({
      ...env,
      HALDANE_HTTP_PORT: port,
      ...scenario.workerEnv,
    })
    scenario.onStarted(() => worker.kill())
    await worker.ready()
    return worker
  }
  const lives: RouterExample[] = []
  const launchRouter = async (): Promise<RouterExample> => {
    const router = await startRouterExample({
      ...{ ROUTE: route, STABLE_VERSION, ROUTER_ID: 'edge-1', STATE_FILE: stateFile },
      ...scenario.routerEnv(url),
    })
    scenario.onStarted(() => router.kill())
    lives.push(router)
    return router
  }
  const users = Array.from({ length: 500 }, (_, index) => `user-${index}`)
  const everybodyStable = users.map(() => STABLE_VERSION)

  let worker = await launchWorker()
  let router = await launchRouter()
  expect(await router.pick(users)).toEqual(everybodyStable)

  haldane(['release', 'start', release, '--url', url, '--start', new Date(startMs).toISOString()])
  expect(await scenario.send(goodFile, url)).toBe(good.events)
  await until('the canary gets users', async () => {
    return (await router.pick(users)).some((version) => version !== STABLE_VERSION)
  })

  // Without a worker the weights stay, in this life of the router and in the next.
  await worker.kill()
  const held = await router.pick(users)
  const heldGeneration = router.applied().at(-1)
  await delay(1000)
  expect(await router.pick(users)).toEqual(held)
  await router.kill()
  router = await launchRouter()
  expect(await router.pick(users)).toEqual(held)
  expect((await router.state())['generation']).toBe(heldGeneration)
  expect(router.applied()).toEqual([])

  worker = await launchWorker()
  await until('the router is back', async () => (await router.state())['connected'] === true)
  expect(await scenario.send(badFile, url)).toBe(bad.events)
  await until('the release to be rolled back', async () => {
    return (await latest(url, route))?.phase === 'rolled_back'
  })
  const final = (await latest(url, route))?.generation ?? 0
  await until('the rollback to reach the router', async () => {
    return (await router.state())['generation'] === final
  })
  expect(await router.pick(users)).toEqual(everybodyStable)

  await router.kill()
  router = await launchRouter()
  await until('the router is back', async () => (await router.state())['acknowledged'] === final)
  await worker.kill()
  worker = await launchWorker()
  await until('the router is back', async () => (await router.state())['connected'] === true)
  await until('the ack is shown', async () =>
    haldane(['release', 'status', '--url', url]).includes(`edge-1 applied #${final}`),
  )
  expect(await router.pick(users)).toEqual(everybodyStable)
  expect(router.applied()).toEqual([])
  await router.kill()
  expect(await worker.stop()).toBe(0)

  const applied = lives.flatMap((life) => life.applied())
  expect(applied).toEqual([...new Set(applied)].sort((a, b) => a - b))
  expect(applied.at(-1)).toBe(final)
  expect(applied.length).toBeGreaterThan(5)
  const sql = (statement: string) => haldane(['sql', '--json', statement], dataDir).trim()
  const acks = `SELECT router_id, max(applied_generation) AS generation FROM router_acks WHERE route = '${route}' GROUP BY router_id`
  expect(JSON.parse(sql(acks))).toEqual({ router_id: 'edge-1', generation: final })
}

function write(dir: string, name: string, lines: readonly string[]): string {
  const path = join(dir, name)
  writeFileSync(path, `${lines.join('\n')}\n`)
  return path
}

async function latest(url: string, route: string): Promise<WireDecision | undefined> {
  const answer = await fetch(`${url}/v1/decisions?route=${encodeURIComponent(route)}`)
  return ((await answer.json()) as WireDecision[])[0]
}

function haldane(args: readonly string[], dataDir = ''): string {
  const { status, stdout, stderr } = spawnSync(process.execPath, [PROGRAM, ...args], {
    env: { ...process.env, HALDANE_DATA_DIR: dataDir },
    encoding: 'utf8',
    timeout: 60_000,
  })
  if (status !== 0) throw new Error(`haldane ${args.join(' ')}: ${stderr}`)
  return stdout
}

async function until(what: string, done: () => Promise<boolean>): Promise<void> {
  const untilMs = Date.now() + PATIENCE_MS
  while (!(await done())) {
    if (Date.now() > untilMs) throw new Error(`waited in vain: ${what}`)
    await delay(50)
  }
}
