// Sends request events over HTTP, in batches, without ever holding up the service it runs in.
// Needs nothing but Node 20.
//
//   node http-producer.mjs events.ndjson   # one event a line
//   node http-producer.mjs                 # a hundred made-up ones
import { createReadStream } from 'node:fs'
import { createInterface } from 'node:readline'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { sampleEvents } from './sample-events.mjs'

const { WORKER_URL = 'http://127.0.0.1:7625', HALDANE_TOKEN = '' } = process.env

const BATCH_EVENTS = 1000
const BATCH_BYTES = 1_000_000 // the worker takes up to 16 MiB and 100,000 events at once
const LINGER_MS = 200 // how long an event waits for others
const WAITING_MAX = 50_000 // beyond it new events are dropped: better than a service out of memory

/** `send` is what your service calls once per request, when the answer is out. */
export function createProducer({ url = WORKER_URL, token = HALDANE_TOKEN, log = console.error }) {
  const totals = { sent: 0, accepted: 0, rejected: 0, dropped: 0, retries: 0 }
  const waiting = []
  let wake = () => {}
  let closing = false

  /** One batch, repeated byte for byte until the worker has it; it knows repeats by request_id. */
  async function deliver(lines) {
    const body = `${lines.join('\n')}\n`
    for (let failures = 0; ; failures++) {
      const { answer, waitMs, reason } = await post(body, lines.length)
      if (answer !== null) {
        totals.accepted += answer.accepted
        totals.rejected += answer.rejected
        // The good ones are kept. Sending the bad ones again would not make them better.
        for (const { index, field, message } of answer.errors ?? []) {
          log(`rejected: ${field}: ${message} in ${lines[index]?.slice(0, 200)}`)
        }
        return
      }
      totals.retries++
      const backOffMs = Math.min(10_000, 100 * 2 ** Math.min(failures, 10))
      const delayMs = Math.max(waitMs, backOffMs * (0.5 + Math.random() / 2))
      log(`${reason}; ${lines.length} events again in ${Math.round(delayMs)} ms`)
      await sleep(delayMs)
    }
  }

  async function post(body, events) {
    try {
      const response = await fetch(`${url}/v1/events`, {
        method: 'POST',
        headers: {
          'content-type': 'application/x-ndjson',
          ...(token === '' ? {} : { authorization: `Bearer ${token}` }),
        },
        body,
        signal: AbortSignal.timeout(30_000),
      })
      const text = await response.text()
      const { status } = response
      // 200 stored · 202 in Kafka · 422 some of them are not valid, the others are stored.
      if (status === 200 || status === 202 || status === 422) return { answer: JSON.parse(text) }
      const reason = `the worker answered ${status}: ${text.slice(0, 300)}`
      // 429 (too much is waiting) and 503 (starting, shutting down) say when to come again.
      const waitMs = Number(response.headers.get('retry-after') ?? 0) * 1000
      const again = status >= 500 || status === 429 || status === 408
      if (again) return { answer: null, waitMs, reason }
      log(reason) // 401, 413 …: the same bytes would be refused for ever
      return { answer: { accepted: 0, rejected: events } }
    } catch (error) {
      const reason = `no answer: ${error.cause?.message ?? error.message}`
      return { answer: null, waitMs: 0, reason }
    }
  }

  /** At least one event, however large it is. */
  function takeBatch() {
    let events = 0
    for (let bytes = 0; events < Math.min(BATCH_EVENTS, waiting.length); events++) {
      bytes += waiting[events].length
      if (events > 0 && bytes > BATCH_BYTES) break
    }
    return waiting.splice(0, events)
  }

  /** One batch at a time, so that events arrive in the order in which they were made. */
  async function run() {
    while (waiting.length > 0 || !closing) {
      if (waiting.length < BATCH_EVENTS && !closing) {
        await Promise.race([sleep(LINGER_MS), new Promise((resolve) => (wake = resolve))])
      }
      const batch = takeBatch()
      if (batch.length > 0) await deliver(batch)
    }
  }
  const running = run()

  return {
    totals,
    /** Never waits and never throws. False when the event was dropped. */
    send(event) {
      totals.sent++
      if (waiting.length >= WAITING_MAX) {
        totals.dropped++
        return false
      }
      waiting.push(typeof event === 'string' ? event : JSON.stringify(event))
      if (waiting.length >= BATCH_EVENTS) wake()
      return true
    },
    /** How many events wait; a reader of a file slows down by it. */
    waiting: () => waiting.length,
    /** Sends the rest. Call it when the service stops. */
    async close() {
      closing = true
      wake()
      await running
    },
  }
}

async function main(file) {
  const producer = createProducer({})
  const lines =
    file === undefined
      ? sampleEvents(100)
      : createInterface({ input: createReadStream(file), crlfDelay: Number.POSITIVE_INFINITY })
  for await (const line of lines) {
    while (producer.waiting() >= WAITING_MAX / 2) await sleep(20)
    if (line !== '') producer.send(line)
  }
  await producer.close()
  console.log(JSON.stringify(producer.totals))
}

if (process.argv[1] === fileURLToPath(import.meta.url)) await main(process.argv[2])
