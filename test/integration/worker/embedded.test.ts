import { spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, it } from 'vitest'
import { createWorkerClient } from '../../../src/adapters/http/client.ts'
import type { WireDecision } from '../../../src/contract/decision.ts'
import { generateEvents, releaseFileAt } from '../../support/event-generator.ts'
import { PROGRAM } from '../../support/program.ts'
import { startWorkerProcess, type WorkerProcess } from '../../support/worker-process.ts'

const ROUTE = 'intent-classifier/production'
const EVENTS = 30_000
const SPAN_MS = 5 * 60_000

const dir = mkdtempSync(join(tmpdir(), 'haldane-worker-'))
const release = join(dir, 'release.yaml')
const events = join(dir, 'events.ndjson')
const env = {
  HALDANE_DATA_DIR: join(dir, 'data'),
  HALDANE_TICK_MS: '50',
  HALDANE_BATCH_AGE_MS: '50',
}
const running = new Set<WorkerProcess>()

afterAll(async () => {
  for (const worker of running) await worker.kill()
  rmSync(dir, { recursive: true, force: true })
})

async function launch(): Promise<WorkerProcess> {
  const worker = await startWorkerProcess(env)
  running.add(worker)
  await worker.ready()
  return worker
}

async function die(worker: WorkerProcess): Promise<void> {
  await worker.kill()
  running.delete(worker)
}

function haldane(args: readonly string[], extra: Record<string, string> = {}) {
  return spawnSync(process.execPath, [PROGRAM, ...args], {
    env: { ...process.env, ...env, ...extra },
    encoding: 'utf8',
    timeout: 60_000,
  })
}

function comparable({ decided_at, expires_at, decided_by, ...rest }: WireDecision) {
  return { ...rest, ended: expires_at === null }
}

describe('an embedded worker', () => {
  it('takes events over HTTP, decides, survives kill -9, and decides as a replay does', async () => {
    const startMs = Math.floor((Date.now() - SPAN_MS - 20_000) / 5000) * 5000
    const start = new Date(startMs).toISOString()
    const lines = Array.from(
      generateEvents({
        ...{ seed: 5, events: EVENTS, startMs, durationMs: SPAN_MS, canaryShare: 0.2 },
        effect: (arm) => (arm === 'canary' ? { errorRate: 0.03 } : {}),
      }),
      (event) => JSON.stringify(event),
    )
    writeFileSync(release, releaseFileAt(0.2))
    writeFileSync(events, lines.join('\n'))
    const encoder = new TextEncoder()

    let worker = await launch()
    expect(
      haldane(['release', 'start', release, '--url', worker.url, '--start', start]).status,
    ).toBe(0)
    const again = haldane(['release', 'start', release, '--url', worker.url])
    expect(again.status).toBe(1)
    expect(again.stderr).toContain('is still active')
    expect(again.stderr).toContain('abort it and start the changed file')

    const third = EVENTS / 3
    for (let part = 0; part < 3; part++) {
      const client = createWorkerClient({ url: worker.url, token: null })
      const values = lines
        .slice(part * third, (part + 1) * third)
        .map((line) => encoder.encode(line))
      expect(await client.submit(values)).toMatchObject({
        accepted: third,
        rejected: 0,
        stored: true,
      })
      await die(worker)
      worker = await launch()
    }

    const client = createWorkerClient({ url: worker.url, token: null })
    const seen: WireDecision[] = []
    const ending = new AbortController()
    await client.streamDecisions(
      ROUTE,
      `${ROUTE}#1`,
      (decision) => {
        seen.push(decision)
        if (decision.expires_at === null) ending.abort()
      },
      ending.signal,
    )
    expect(seen.at(-1)).toMatchObject({ action: 'rollback', phase: 'rolled_back' })
    expect(seen.map((decision) => decision.generation)).toEqual(seen.map((_, index) => index + 2))

    const status = haldane(['release', 'status', '--url', worker.url])
    expect(status.stdout).toContain('rolled_back')
    expect(status.stdout).toContain('error_rate_breached')
    expect(await worker.stop()).toBe(0)
    running.delete(worker)

    const replayed = haldane([
      'replay',
      '--release',
      release,
      '--events',
      events,
      '--start',
      start,
      '--json',
    ])
    const decisions = replayed.stdout
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line) as WireDecision)
    expect(seen.map(comparable)).toEqual(decisions.slice(1).map(comparable))

    const counted = haldane([
      'sql',
      '--json',
      'SELECT count() AS rows, uniqExact(kafka_offset) AS places FROM request_events',
    ])
    expect(JSON.parse(counted.stdout)).toEqual({ rows: EVENTS, places: EVENTS })
  })

  it('says who holds the data directory, that a port is taken, and ends with 1', async () => {
    const worker = await launch()
    const port = new URL(worker.url).port
    const locked = haldane(['worker'], { HALDANE_HTTP_PORT: '0' })
    expect(locked.status).toBe(1)
    expect(locked.stderr).toContain(env.HALDANE_DATA_DIR)
    expect(locked.stderr).toContain('another process')
    const taken = haldane(['worker'], {
      HALDANE_HTTP_PORT: port,
      HALDANE_DATA_DIR: join(dir, 'other'),
    })
    expect(taken.status).toBe(1)
    expect(taken.stderr).toContain(port)
    for (const { stderr } of [locked, taken]) expect(stderr).not.toMatch(/^\s+at /m)
    expect(await worker.stop()).toBe(0)
    running.delete(worker)
  })

  it('is alive but not ready while Kafka cannot be reached, in one line an attempt', async () => {
    const worker = await startWorkerProcess({
      ...env,
      HALDANE_DATA_DIR: join(dir, 'unreachable'),
      HALDANE_KAFKA_BROKERS: '127.0.0.1:1',
    })
    running.add(worker)
    await expect(worker.ready(4000)).rejects.toThrow('not ready')
    expect((await fetch(`${worker.url}/livez`)).status).toBe(200)
    expect((await fetch(`${worker.url}/readyz`)).status).toBe(503)
    const attempts = worker
      .stderr()
      .split('\n')
      .filter((line) => line.includes('127.0.0.1:1'))
    expect(attempts.length).toBeGreaterThan(1)
    expect(worker.stderr()).not.toMatch(/^\s+at /m)
    expect(await worker.stop()).toBe(0)
    running.delete(worker)
  })
})
