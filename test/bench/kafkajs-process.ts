import { Kafka, logLevel } from 'kafkajs'
import { runTask, startMeter, type Usage } from './child.ts'
import type { IngestTask } from './ingest.ts'

/** kafkajs alone: every record is fetched and counted, nothing is done with it. */
await runTask(
  async ({ brokers, topic, groupId, events }: IngestTask): Promise<Usage & { rows: number }> => {
    const kafka = new Kafka({ brokers: [...brokers], logLevel: logLevel.NOTHING })
    const consumer = kafka.consumer({
      groupId,
      maxBytesPerPartition: 8 * 1024 * 1024,
      maxBytes: 32 * 1024 * 1024,
      maxWaitTimeInMs: 100,
    })
    await consumer.connect()
    await consumer.subscribe({ topics: [topic], fromBeginning: true })
    let rows = 0
    let finish: () => void = () => undefined
    const finished = new Promise<void>((resolve) => {
      finish = resolve
    })
    const stopMeter = startMeter()
    await consumer.run({
      autoCommit: false,
      eachBatch: async ({ batch }) => {
        rows += batch.messages.length
        if (rows >= events) finish()
      },
    })
    await finished
    const usage = stopMeter()
    await consumer.disconnect()
    return { ...usage, rows }
  },
)
