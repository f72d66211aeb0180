import { execFileSync } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { connect, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { createWorkerClient } from '../../../src/adapters/http/client.ts'
import { generateEvents, releaseFile, toLines } from '../../support/event-generator.ts'
import { startWorkerProcess, type WorkerProcess } from '../../support/worker-process.ts'

const ROUTE = 'intent-classifier/production'
const TOKEN = 'the-right-token-of-this-worker'
const STREAMS_MAX = 1000
const AT_ONCE = 500
/** Each client holds a file descriptor here and one in the worker; some machines have few. */
const CLIENTS = Math.min(10_000, descriptorsMax() - 1000)
const dir = mkdtempSync(join(tmpdir(), 'haldane-doors-'))

let worker: WorkerProcess

beforeAll(async () => {
  worker = await startWorkerProcess({
    HALDANE_DATA_DIR: join(dir, 'data'),
    HALDANE_TOKEN: TOKEN,
    HALDANE_LOG_LEVEL: 'debug',
    HALDANE_TICK_MS: '50',
    // Events wait for each other, so that too many can wait.
    HALDANE_BATCH_AGE_MS: '2000',
    HALDANE_BATCH_ROWS: '500000',
  })
  await worker.ready()
})

afterAll(async () => {
  await worker.kill()
  rmSync(dir, { recursive: true, force: true })
})

describe('the decision stream of a worker', () => {
  it(`takes ${STREAMS_MAX} of ${CLIENTS} clients, refuses the others with 503, and goes on`, async () => {
    const before = residentMiB(worker.pid)
    const clients: Client[] = []
    for (let opened = 0; opened < CLIENTS; opened += AT_ONCE) {
      const wave = Array.from({ length: Math.min(AT_ONCE, CLIENTS - opened) }, () =>
        openStream(worker.url),
      )
      clients.push(...(await Promise.all(wave)))
    }
    const reading = clients.filter(({ text }) => text().startsWith('HTTP/1.1 200 '))
    const refused = clients.filter(({ text }) => text().startsWith('HTTP/1.1 503 '))
    expect([reading.length, refused.length]).toEqual([STREAMS_MAX, CLIENTS - STREAMS_MAX])
    expect(refused.at(-1)?.text()).toMatch(/^retry-after: \d+\r$/m)
    expect(refused.at(-1)?.text()).toContain('content-type: application/problem+json')
    expect(refused.at(-1)?.text()).toContain('/problems/too-many-streams')
    expect(residentMiB(worker.pid) - before).toBeLessThan(300)

    const client = createWorkerClient({ url: worker.url, token: TOKEN })
    const answer = await fetch(`${worker.url}/v1/releases`, {
      method: 'POST',
      headers: { authorization: `Bearer ${TOKEN}`, 'content-type': 'application/yaml' },
      body: releaseFile(),
    })
    expect(answer.ok, await answer.text()).toBe(true)
    await expect
      .poll(() => reading.filter(({ text }) => text().includes('"release_started"')).length, {
        timeout: 60_000,
      })
      .toBe(STREAMS_MAX)
    for (const one of clients) one.close()

    // Their places are free again.
    const ending = new AbortController()
    const seen: number[] = []
    await expect
      .poll(async () => (await openAndClose(worker.url)).slice(0, 12), { timeout: 30_000 })
      .toBe('HTTP/1.1 200')
    await client.streamDecisions(
      ROUTE,
      null,
      ({ generation }) => {
        seen.push(generation)
        ending.abort()
      },
      ending.signal,
    )
    expect(seen).toEqual([1])
  }, 180_000)
})

describe('a wrong token', () => {
  it('is answered 401 wherever it stands, and no token is ever logged', async () => {
    const wrong = 'a-wrong-token-nobody-may-read'
    for (const [path, headers] of [
      ['/v1/decisions', { authorization: `Bearer ${wrong}` }],
      ['/v1/decisions', { authorization: `Basic ${wrong}` }],
      [`/v1/decisions?token=${wrong}&access_token=${TOKEN}`, {}],
      [`/v1/nothing/${wrong}`, { authorization: `Bearer ${TOKEN}x` }],
      ['/v1/decisions', { cookie: `token=${TOKEN}` }],
    ] as const) {
      const answer = await fetch(worker.url + path, { headers })
      expect([path, answer.status]).toEqual([path, 401])
      const text = await answer.text()
      expect(text).not.toContain(wrong)
      expect(text).not.toContain(TOKEN)
    }
    const right = await fetch(`${worker.url}/v1/decisions`, {
      headers: { authorization: `Bearer ${TOKEN}` },
    })
    expect(right.status).toBe(200)
    expect(worker.stderr()).toContain('request answered')
    expect(worker.stderr()).not.toContain(wrong)
    expect(worker.stderr()).not.toContain(TOKEN)
  })
})

describe('a worker with too much to do', () => {
  it('answers 429 with Retry-After, keeps what it took, and takes the rest later', async () => {
    const common = { startMs: Date.now() - 60_000, durationMs: 50_000, canaryShare: 0.5 }
    const bodies = Array.from({ length: 8 }, (_, seed) =>
      toLines(generateEvents({ ...common, seed, events: 30_000, modelName: 'busy' })).join('\n'),
    )
    const send = async (body: string) => {
      const answer = await fetch(`${worker.url}/v1/events`, {
        method: 'POST',
        headers: { authorization: `Bearer ${TOKEN}`, 'content-type': 'application/x-ndjson' },
        body,
      })
      return { body, answer, told: (await answer.json()) as Record<string, unknown> }
    }
    let left = bodies
    let accepted = 0
    let refusals = 0
    for (let round = 0; left.length > 0 && round < 20; round++) {
      const results = await Promise.all(left.map(send))
      for (const { answer, told } of results) {
        if (answer.status === 200) accepted += Number(told['accepted'])
        else {
          expect(answer.status).toBe(429)
          expect(answer.headers.get('retry-after')).toBe('1')
          expect(answer.headers.get('content-type')).toBe('application/problem+json')
          expect(told).toMatchObject({ type: '/problems/overloaded', status: 429 })
          refusals++
        }
      }
      left = results.filter(({ answer }) => answer.status === 429).map(({ body }) => body)
    }
    expect(refusals).toBeGreaterThan(0)
    expect(accepted).toBe(8 * 30_000)
  }, 120_000)
})

interface Client {
  text(): string
  close(): void
}

/** Resolves when the head of the answer is there; the connection stays open. */
function openStream(url: string): Promise<Client> {
  return new Promise((resolve, reject) => {
    const { hostname, port, host } = new URL(url)
    const socket: Socket = connect({ port: Number(port), host: hostname })
    let text = ''
    socket.setEncoding('utf8')
    socket.once('error', reject)
    socket.once('connect', () => {
      const path = `/v1/decisions/stream?route=${encodeURIComponent(ROUTE)}`
      socket.write(
        `GET ${path} HTTP/1.1\r\nhost: ${host}\r\nauthorization: Bearer ${TOKEN}\r\n\r\n`,
      )
    })
    socket.on('data', (chunk: string) => {
      text += chunk
      if (text.includes('\r\n\r\n')) resolve({ text: () => text, close: () => socket.destroy() })
    })
  })
}

async function openAndClose(url: string): Promise<string> {
  const client = await openStream(url)
  client.close()
  return client.text()
}

function residentMiB(pid: number): number {
  return Number(execFileSync('ps', ['-o', 'rss=', '-p', String(pid)])) / 1024
}

/** What Node raises its limit to when it starts. */
function descriptorsMax(): number {
  const text = execFileSync('sh', ['-c', 'ulimit -Hn'], { encoding: 'utf8' }).trim()
  return text === 'unlimited' ? 20_000 : Number(text)
}
