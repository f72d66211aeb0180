// Sends request events to Kafka, in batches, without ever holding up the service it runs in.
// Needs `npm install kafkajs`.
//
//   KAFKA_BROKERS=localhost:9092 node kafka-producer.mjs events.ndjson   # one event a line
//   KAFKA_BROKERS=localhost:9092 node kafka-producer.mjs                 # a hundred made-up ones
import { createReadStream } from 'node:fs'
import { createInterface } from 'node:readline'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { CompressionTypes, Kafka, logLevel, Partitioners } from 'kafkajs'
import { sampleEvents } from './sample-events.mjs'

const { KAFKA_BROKERS = 'localhost:9092' } = process.env
const TOPIC = 'ml.inference.requests.v1'

const BATCH_EVENTS = 1000
const LINGER_MS = 200 // how long an event waits for others
const WAITING_MAX = 50_000 // beyond it new events are dropped: better than a service out of memory

/** `send` is what your service calls once per request, when the answer is out. */
export async function createProducer({ brokers = KAFKA_BROKERS.split(','), log = console.error }) {
  const kafka = new Kafka({ clientId: 'haldane-example', brokers, logLevel: logLevel.ERROR })
  const producer = kafka.producer({
    // The Java partitioner: the same key goes to the same partition, whoever sends it.
    createPartitioner: Partitioners.DefaultPartitioner,
    allowAutoTopicCreation: false,
  })
  await producer.connect()
  const totals = { sent: 0, delivered: 0, dropped: 0, retries: 0 }
  const waiting = []
  let closing = false

  async function deliver(messages) {
    for (let failures = 0; ; failures++) {
      try {
        // A repeat after an unknown outcome may arrive twice; request_id makes it count once.
        await producer.send({
          topic: TOPIC,
          acks: -1,
          compression: CompressionTypes.GZIP,
          messages,
        })
        totals.delivered += messages.length
        return
      } catch (error) {
        totals.retries++
        log(`${error.message}; ${messages.length} events again`)
        await sleep(Math.min(10_000, 100 * 2 ** Math.min(failures, 10)))
      }
    }
  }

  async function run() {
    while (waiting.length > 0 || !closing) {
      if (waiting.length < BATCH_EVENTS && !closing) await sleep(LINGER_MS)
      const batch = waiting.splice(0, BATCH_EVENTS)
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
      // The key spreads requests over the partitions and keeps a repeat beside its first.
      const { request_id: key } = event
      waiting.push({ key, value: JSON.stringify(event), timestamp: String(Date.now()) })
      return true
    },
    /** How many events wait; a reader of a file slows down by it. */
    waiting: () => waiting.length,
    /** Sends the rest. Call it when the service stops. */
    async close() {
      closing = true
      await running
      await producer.disconnect()
    },
  }
}

async function main(file) {
  const producer = await createProducer({})
  const lines =
    file === undefined
      ? sampleEvents(100)
      : createInterface({ input: createReadStream(file), crlfDelay: Number.POSITIVE_INFINITY })
  for await (const line of lines) {
    while (producer.waiting() >= WAITING_MAX / 2) await sleep(20)
    if (line !== '') producer.send(typeof line === 'string' ? JSON.parse(line) : line)
  }
  await producer.close()
  console.log(JSON.stringify(producer.totals))
}

if (process.argv[1] === fileURLToPath(import.meta.url)) await main(process.argv[2])
