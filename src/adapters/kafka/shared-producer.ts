import type { Producer, ProducerRecord } from 'kafkajs'
import { answered } from './attempts.ts'
import type { KafkaContext } from './client.ts'
import { isTransient } from './failure.ts'
import { createPartitioner } from './outgoing.ts'

export interface SharedProducer {
  send(request: ProducerRecord): Promise<void>
  close(): Promise<void>
}

/**
 * One producer for all plain writes. Not idempotent on purpose: after a request that timed out,
 * kafkajs would give its sequence numbers to other records, which the broker drops as repeated.
 * A producer that failed is thrown away, because kafkajs does not always recover one.
 */
export function createSharedProducer(context: KafkaContext): SharedProducer {
  const { clock, tuning } = context
  let current: Promise<Producer> | null = null

  const connect = async () => {
    const producer = context.patient().producer({
      idempotent: false,
      allowAutoTopicCreation: false,
      createPartitioner,
    })
    await producer.connect()
    return producer
  }
  const disconnect = async (producer: Promise<Producer> | null) => {
    await producer?.then((connected) => connected.disconnect()).catch(() => undefined)
  }

  return {
    async send(request) {
      current ??= connect()
      const used = current
      try {
        const sending = used.then((producer) => producer.send(request))
        await answered(clock, tuning.sendTimeoutMs, sending)
      } catch (thrown) {
        if (isTransient(thrown) && current === used) {
          current = null
          void disconnect(used)
        }
        throw thrown
      }
    },
    async close() {
      await disconnect(current)
    },
  }
}
