import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { openEmbeddedStore } from '../../src/adapters/clickhouse/embedded-store.ts'
import { createKafkaBus } from '../../src/adapters/kafka/bus.ts'
import { systemClock } from '../../src/adapters/ops/clock.ts'
import { silentLog } from '../../src/adapters/ops/logger.ts'
import { createMetrics } from '../../src/adapters/ops/metrics.ts'
import { REQUEST_EVENTS } from '../../src/contract/event-format.ts'
import { DEFAULT_BATCH_POLICY } from '../../src/pipeline/batch-policy.ts'
import { createIngest } from '../../src/pipeline/ingest.ts'
import { runTask, startMeter, type Usage } from './child.ts'
import type { IngestTask } from './ingest.ts'

/**
 * Haldane's whole way in, as a worker runs it: group, validation, dead letters, rows with their
 * offsets, progress, commit. It ends when the last record is committed.
 */
await runTask(async (task: IngestTask): Promise<Usage & { rows: number }> => {
  const { brokers, topic, groupId, events } = task
  const dataDir = await mkdtemp(join(tmpdir(), 'haldane-bench-'))
  const environment = { clock: systemClock, log: silentLog }
  const store = await openEmbeddedStore({ dataDir, ...environment })
  try {
    await store.migrate()
    const bus = createKafkaBus({ brokers: [...brokers], clientId: 'bench', ...environment })
    let stopMeter = startMeter()
    const usage = await new Promise<Usage>((resolve, reject) => {
      const ingest = createIngest({
        ...{ bus, store, topic, groupId, ...environment },
        format: REQUEST_EVENTS,
        blockTopics: { requests: topic, feedback: 'feedback' },
        metrics: createMetrics('bench'),
        policy: DEFAULT_BATCH_POLICY,
        idleTimeoutMs: 30_000,
        deadLetters: { runMax: 50_000 },
        onStored: (_partition, nextOffset) => {
          if (nextOffset < events) return
          const usage = stopMeter()
          ingest.stop().then(() => resolve(usage), reject)
        },
        onFailure: reject,
      })
      stopMeter = startMeter()
      ingest.start().catch(reject)
    })
    await bus.close()
    const { rows } = await store.query(
      'SELECT count(), uniqExact(kafka_partition, kafka_offset) FROM request_events',
    )
    const [total, distinct] = rows[0] as [number, number]
    if (total !== distinct) throw new Error(`${total} rows of ${distinct} records`)
    return { ...usage, rows: total }
  } finally {
    await store.close()
    await rm(dataDir, { recursive: true, force: true })
  }
})
