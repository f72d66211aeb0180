import { decodeRouterAck } from '../contract/router-ack.ts'
import type { AckStore, Bus, Consumer, Log, RouterAck } from '../ports.ts'
import { commitOrLeave } from './commit-or-leave.ts'

/** Reads router acks back from their topic into the store. Unreadable ones are logged and passed. */
export function createAckReader(options: {
  readonly bus: Bus
  readonly store: AckStore
  readonly log: Log
  readonly topic: string
  readonly groupId: string
  onFailure(error: Error): void
}): { start(): Promise<void>; stop(): Promise<void> } {
  const { bus, store, log, topic } = options
  let consumer: Promise<Consumer> | null = null
  return {
    async start() {
      consumer = bus.consume({
        topic,
        groupId: options.groupId,
        onAssigned: () => undefined,
        onBatch: async (batch) => {
          const acks: RouterAck[] = []
          for (const record of batch.records) {
            const ack = decodeRouterAck(record.value, record.headers)
            if (Array.isArray(ack)) {
              const { partition, offset } = record
              const why = ack.map(({ field, message }) => `${field}: ${message}`).join('; ')
              log.warn({ topic, partition, offset }, `unreadable router ack skipped: ${why}`)
            } else acks.push(ack)
          }
          await store.recordAcks(acks)
          const last = batch.records.at(-1)
          if (last === undefined) return
          await commitOrLeave(await consumer, batch.partition, last.offset + 1)
        },
        onCrash: options.onFailure,
      })
      await consumer
    },
    async stop() {
      await (await consumer)?.stop()
    },
  }
}
