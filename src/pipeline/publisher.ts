import { decodeDecision } from '../contract/decision.ts'
import { decisionRecord } from '../contract/outgoing-events.ts'
import type { Decision } from '../domain/decision.ts'
import { toHaldaneError } from '../domain/errors.ts'
import type { Bus, Clock, DecisionStore, FencedProducer, Log, Metrics } from '../ports.ts'
import { PATIENT, retry } from './retry.ts'

/**
 * Publishes recorded decisions of the routes of one control partition. A decision is in the table
 * before it gets here, so whatever a crash left unpublished is found by comparing the table with
 * the topic; publishing twice is harmless, because routers compare generations.
 */
export interface Publisher {
  publish(decision: Decision): Promise<void>
  /**
   * Fences any older publisher, reads the route's partition to its end and publishes the recorded
   * decisions above the largest generation found there. Returns that generation, 0 without any.
   */
  catchUp(route: string): Promise<number>
  close(): Promise<void>
}

export function createPublisher(options: {
  readonly bus: Bus
  readonly store: DecisionStore
  readonly clock: Clock
  readonly log: Log
  readonly metrics: Metrics
  readonly topic: string
  /** Unique per control partition, the same for every worker that may own it. */
  readonly producerId: string
}): Publisher {
  const { bus, store, clock, log, metrics, topic } = options
  const ending = new AbortController()
  let producer: Promise<FencedProducer> | null = null

  const open = () => {
    producer ??= bus.fencedProducer(options.producerId)
    // A failed start must not be remembered for ever.
    producer.catch(() => {
      producer = null
    })
    return producer
  }

  const publish = (decision: Decision) =>
    retry(async () => (await open()).produce(topic, [decisionRecord(decision)]), PATIENT, clock, {
      signal: ending.signal,
      onRetry: (error, delayMs) => {
        metrics.count('haldane_publish_failures_total', {})
        const { route, generation } = decision
        log.warn(
          { route, generation, delayMs },
          `publishing failed, trying again: ${error.message}`,
        )
      },
    })

  return {
    publish,
    async catchUp(route) {
      // The partition may have been another worker's since: its producer has shut out the one here.
      const before = producer
      producer = null
      await open()
      before?.then((fenced) => fenced.close()).catch(() => undefined)
      const partition = bus.partitionFor(route, await bus.partitionCount(topic))
      const records = await bus.readToEnd(topic, partition)
      let published = 0
      for (const record of records) {
        published = Math.max(published, generationOf(record, route, log))
      }
      const missing = await store.decisions({ route, afterGeneration: published })
      // An empty topic needs only the present state, not the route's whole history.
      const due = published === 0 ? missing.slice(-1) : missing
      for (const decision of due) await publish(decision)
      if (due.length > 0) log.info({ route, published: due.length }, 'caught up on decisions')
      return published
    },
    async close() {
      ending.abort()
      await (await producer)?.close()
    },
  }
}

function generationOf(
  record: {
    readonly key: Uint8Array | null
    readonly value: Uint8Array | null
    readonly offset: number
  },
  route: string,
  log: Log,
): number {
  const text = new TextDecoder()
  if (record.key === null || record.value === null || text.decode(record.key) !== route) return 0
  try {
    return decodeDecision(text.decode(record.value)).generation
  } catch (thrown) {
    const { message } = toHaldaneError(thrown)
    log.warn({ route, offset: record.offset }, `unreadable record among the decisions: ${message}`)
    return 0
  }
}
