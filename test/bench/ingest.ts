import { createKafkaBus } from '../../src/adapters/kafka/bus.ts'
import { systemClock } from '../../src/adapters/ops/clock.ts'
import { silentLog } from '../../src/adapters/ops/logger.ts'
import { runChild, type Usage } from './child.ts'
import { eventLines, startOf } from './events.ts'

/** Ingest contenders read the same topic of one partition from its beginning. */
export interface IngestTask {
  readonly brokers: readonly string[]
  readonly topic: string
  readonly groupId: string
  readonly events: number
}

export interface IngestResult {
  readonly name: string
  readonly eventsPerSecond: number
  readonly cpuSecondsPerMillion: number
  readonly rssMb: number
}

const EVENTS_PER_BLOCK = 10_000
const SEND_AT_ONCE = 20_000

const CONTENDERS = [
  { name: 'kafkajs, counting only', id: 'kafkajs' },
  { name: 'ClickHouse Kafka engine', id: 'kafka-engine' },
  { name: 'Haldane, whole path', id: 'haldane' },
] as const

export type Note = (text: string) => void

export async function benchIngest(
  brokers: readonly string[],
  events: number,
  note: Note,
): Promise<IngestResult[]> {
  const topic = `haldane-bench-${process.pid}-${Date.now()}`
  await fillTopic(brokers, topic, events, note)
  const results: IngestResult[] = []
  for (const { name, id } of CONTENDERS) {
    const task: IngestTask = { brokers, topic, groupId: `${topic}-${id}`, events }
    const { rows, ...usage } = await runChild<IngestTask, Usage & { rows: number }>(
      `./${id}-process.ts`,
      task,
    )
    if (rows !== events) throw new Error(`${name}: ${rows} rows of ${events} events`)
    const result = {
      name,
      eventsPerSecond: events / usage.seconds,
      cpuSecondsPerMillion: (usage.cpuSeconds / events) * 1e6,
      rssMb: usage.rssMb,
    }
    note(`  ${name}: ${Math.round(result.eventsPerSecond)} events/s`)
    results.push(result)
  }
  return results
}

async function fillTopic(
  brokers: readonly string[],
  topic: string,
  events: number,
  note: Note,
): Promise<void> {
  const startedAt = performance.now()
  const environment = { clock: systemClock, log: silentLog }
  const bus = createKafkaBus({ brokers: [...brokers], clientId: 'bench', ...environment })
  const specs = [topic, `${topic}.dlq`].map((name) => ({ name, partitions: 1, compacted: false }))
  await bus.ensureTopics(specs)
  let bytes = 0
  let records: { key: null; value: Buffer }[] = []
  const send = async () => {
    await bus.produce(topic, records)
    records = []
  }
  const startMs = startOf(events, EVENTS_PER_BLOCK)
  for (const line of eventLines({ events, eventsPerBlock: EVENTS_PER_BLOCK, startMs })) {
    const value = Buffer.from(line)
    bytes += value.byteLength
    records.push({ key: null, value })
    if (records.length === SEND_AT_ONCE) await send()
  }
  await send()
  await bus.close()
  const seconds = ((performance.now() - startedAt) / 1000).toFixed(1)
  note(`  ${events} events of ${Math.round(bytes / events)} bytes on one partition in ${seconds} s`)
}
