import { spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { afterAll, describe, expect, it } from 'vitest'
import type { WireDecision } from '../../../src/contract/decision.ts'
import { releaseFileAt } from '../../support/event-generator.ts'
import { type PlacedLine, scoredLater } from '../../support/feedback-stream.ts'
import { PROGRAM } from '../../support/program.ts'
import { startWorkerProcess, type WorkerProcess } from '../../support/worker-process.ts'

const EVENTS = 18_000
const SPAN_MS = 4 * 60_000
const PARTS = 3

const dir = mkdtempSync(join(tmpdir(), 'haldane-feedback-'))
const env = {
  HALDANE_DATA_DIR: join(dir, 'data'),
  HALDANE_TICK_MS: '50',
  HALDANE_BATCH_AGE_MS: '50',
  HALDANE_IDLE_TIMEOUT_MS: '120000',
}
let worker: WorkerProcess | null = null

afterAll(async () => {
  await worker?.kill()
  rmSync(dir, { recursive: true, force: true })
})

async function launch(): Promise<WorkerProcess> {
  const started = await startWorkerProcess(env)
  await started.ready()
  return started
}

function haldane(args: readonly string[]) {
  return spawnSync(process.execPath, [PROGRAM, ...args], {
    env: { ...process.env, ...env },
    encoding: 'utf8',
    timeout: 60_000,
    maxBuffer: 64 * 1024 * 1024,
  })
}

async function post(url: string, lines: readonly PlacedLine[]) {
  const response = await fetch(url, {
    method: 'POST',
    headers: { 'content-type': 'application/x-ndjson' },
    body: lines.map(({ line }) => line).join('\n'),
  })
  return { status: response.status, answer: await response.json() }
}

async function lastDecision(url: string): Promise<WireDecision> {
  for (const untilMs = Date.now() + 60_000; Date.now() < untilMs; await delay(100)) {
    const decisions = (await (await fetch(`${url}/v1/decisions`)).json()) as WireDecision[]
    if (decisions[0]?.expires_at === null) return decisions[0]
  }
  throw new Error(`no last decision: ${worker?.stderr()}`)
}

function comparable({ decided_at, expires_at, decided_by, ...rest }: WireDecision) {
  return { ...rest, ended: expires_at === null }
}

describe('feedback over HTTP', () => {
  it('rolls a canary back that nothing else tells from stable, killed on the way, as a replay does', {
    timeout: 180_000,
  }, async () => {
    const startMs = Math.floor((Date.now() - SPAN_MS - 20_000) / 5000) * 5000
    const start = new Date(startMs).toISOString()
    const { requests, feedback } = scoredLater(
      {
        ...{ seed: 21, events: EVENTS, startMs, durationMs: SPAN_MS, canaryShare: 0.3 },
        effect: (arm) => (arm === 'canary' ? { qualityMean: 0.78 } : {}),
      },
      3000,
    )
    const file = (name: string, lines: readonly PlacedLine[]) => {
      writeFileSync(join(dir, name), lines.map(({ line }) => line).join('\n'))
      return join(dir, name)
    }
    const release = join(dir, 'release.yaml')
    writeFileSync(release, releaseFileAt(0.3))

    worker = await launch()
    const started = haldane(['release', 'start', release, '--url', worker.url, '--start', start])
    expect(started.status).toBe(0)
    for (let part = 0; part < PARTS; part++) {
      const cut = (lines: readonly PlacedLine[]) =>
        lines.slice((part * EVENTS) / PARTS, ((part + 1) * EVENTS) / PARTS)
      const stored = { accepted: EVENTS / PARTS, rejected: 0, stored: true }
      const given = await post(`${worker.url}/v1/feedback`, cut(feedback))
      expect(given).toEqual({ status: 200, answer: stored })
      // Stored, but not judged yet: the block of none of it can have been closed.
      await worker.kill()
      worker = await launch()
      const sent = await post(`${worker.url}/v1/events`, cut(requests))
      expect(sent).toEqual({ status: 200, answer: stored })
    }
    const last = await lastDecision(worker.url)
    expect(last).toMatchObject({ action: 'rollback', phase: 'rolled_back' })
    expect(last.reasons.map(({ code }) => code)).toContain('quality_breached')

    const bad = [feedback[0], { line: '{"request_id":"x"}', atMs: 0, requestId: 'x' }] as const
    const half = await post(`${worker.url}/v1/feedback`, bad as readonly PlacedLine[])
    expect(half.status).toBe(422)
    expect(half.answer).toMatchObject({ accepted: 1, rejected: 1, stored: true })
    expect((half.answer as { errors: object[] }).errors).toContainEqual(
      expect.objectContaining({ index: 1, field: 'model_name', code: 'missing' }),
    )
    const metrics = await (await fetch(`${worker.url}/metrics`)).text()
    expect(metrics).toContain(
      'haldane_events_rejected_total{topic="ml.inference.feedback.v1",code="missing"} 1',
    )
    expect(await worker.stop()).toBe(0)
    worker = null

    const counted = haldane([
      ...['sql', '--json'],
      'SELECT count() AS rows, uniqExact(kafka_offset) AS places FROM feedback_events',
    ])
    expect(JSON.parse(counted.stdout)).toEqual({ rows: EVENTS + 1, places: EVENTS + 1 })
    const recorded = haldane([
      'sql',
      '--json',
      'SELECT decision FROM decisions ORDER BY generation',
    ])
    const decisions = recorded.stdout
      .trimEnd()
      .split('\n')
      .map((row) => JSON.parse((JSON.parse(row) as { decision: string }).decision) as WireDecision)
    const replayed = haldane([
      ...['replay', '--release', release, '--start', start, '--json'],
      ...['--events', file('events.ndjson', requests)],
      ...['--feedback', file('feedback.ndjson', feedback)],
    ])
    const expected = replayed.stdout
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line) as WireDecision)
    expect(decisions.map(comparable)).toEqual(expected.map(comparable))
  })
})
