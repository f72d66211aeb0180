import { request } from 'node:http'
import { expect, it, onTestFinished } from 'vitest'
import { createWorkerClient } from '../../../src/adapters/http/client.ts'
import { createHttpServer } from '../../../src/adapters/http/server.ts'
import { systemClock } from '../../../src/adapters/ops/clock.ts'
import { workerDoor } from '../../../src/commands/events.ts'
import { REQUEST_EVENTS } from '../../../src/contract/event-format.ts'
import type { SubmitResult } from '../../../src/contract/worker-api.ts'
import { sendFile } from '../../../src/pipeline/file-sender.ts'
import { createService, type ServiceOptions } from '../../../src/pipeline/service.ts'
import { generateEvents, toLines } from '../../support/event-generator.ts'
import { silentLog } from '../../support/temp-store.ts'

/** A worker whose store answers when the test says so. */
async function openSlowWorker() {
  let held: (() => void)[] = []
  let holding = true
  const service = createService({
    log: silentLog,
    clock: systemClock,
    submitEvents: async (values): Promise<SubmitResult> => {
      if (holding) await new Promise<void>((resolve) => held.push(resolve))
      return { accepted: values.length, rejected: [], stored: true }
    },
  } as Partial<ServiceOptions> as ServiceOptions)
  const server = await createHttpServer({
    ...{ host: '127.0.0.1', port: 0, token: null, version: 'test' },
    ...{ api: service, log: silentLog, clock: systemClock },
  })
  onTestFinished(() => server.close())
  const release = () => {
    holding = false
    for (const answer of held) answer()
    held = []
  }
  return { url: server.url, release, waiting: () => held.length }
}

function post(url: string, body: string): Promise<{ status: number; retryAfter: string }> {
  return new Promise((resolve, reject) => {
    const headers = { 'content-type': 'application/x-ndjson' }
    const sent = request(`${url}/v1/events`, { method: 'POST', headers }, (answer) => {
      answer.resume()
      const status = answer.statusCode ?? 0
      resolve({ status, retryAfter: String(answer.headers['retry-after']) })
    })
    sent.on('error', reject)
    sent.end(body)
  })
}

it('answers 429 while 200,000 events wait, says when to come back, and then takes everything', async () => {
  const { url, release, waiting } = await openSlowWorker()
  const full = '{}\n'.repeat(100_000)
  const first = [post(url, full), post(url, full)]
  await expect.poll(waiting, { timeout: 10_000 }).toBe(2)
  expect(await post(url, '{}\n')).toEqual({ status: 429, retryAfter: '1' })

  const startMs = Date.now() - 60_000
  const events = generateEvents({
    ...{ seed: 1, events: 30_000, startMs, durationMs: 50_000, canaryShare: 0.5 },
  })
  const text = `${toLines(events).join('\n')}\n`
  const retries: string[] = []
  const totals = { events: 0, accepted: 0, refused: 0 }
  const client = createWorkerClient({ url, token: null })
  async function* chunks() {
    yield Buffer.from(text)
  }
  await sendFile(
    {
      ...{ chunks: chunks(), clock: systemClock, rate: null, format: REQUEST_EVENTS },
      send: workerDoor(client, url).send,
      onRefused: () => undefined,
      onProgress: () => undefined,
      onRetry: ({ code }, delayMs) => {
        retries.push(`${code} ${delayMs}`)
        release()
      },
    },
    totals,
  )
  expect(retries).toEqual(['overloaded 1000'])
  expect(totals).toEqual({ events: 30_000, accepted: 30_000, refused: 0 })
  expect((await Promise.all(first)).map(({ status }) => status)).toEqual([200, 200])
})
