import type { Producer, Transaction } from 'kafkajs'
import { HaldaneError } from '../../domain/errors.ts'
import type { FencedProducer } from '../../ports.ts'
import { answered, within, withRetries } from './attempts.ts'
import type { KafkaContext } from './client.ts'
import { explain, isProducerFenced, isTransient } from './failure.ts'
import { createPartitioner, cutRequests } from './outgoing.ts'
import type { Topics } from './topics.ts'

/** A transaction right after another one waits until the broker has written its markers. */
const RETRY_FIRST_MS = 50
/** Longer than for other clients: giving up inside a transaction makes the producer useless. */
const RETRIES_MORE = 8
const CLOSE_TIME_MAX_MS = 5000

/**
 * A transactional producer: one transaction for each call. The transaction of the next call is
 * opened ahead, because that is how kafkajs announces the producer and fences older ones.
 */
export async function openFencedProducer(
  context: KafkaContext,
  topics: Topics,
  id: string,
  onClosed: () => void,
): Promise<FencedProducer> {
  const { brokers, clock, tuning } = context
  const producer = context.patient().producer({
    transactionalId: id,
    maxInFlightRequests: 1,
    allowAutoTopicCreation: false,
    createPartitioner,
    retry: { initialRetryTime: RETRY_FIRST_MS, retries: tuning.retries + RETRIES_MORE },
  })
  let ready: Transaction
  try {
    ready = await announce(context, producer)
  } catch (thrown) {
    await within(clock, CLOSE_TIME_MAX_MS, producer.disconnect())
    throw explain(thrown, `cannot open the producer ${id}`, brokers)
  }
  /** Why nothing can be sent any more; a fenced producer must never announce itself again. */
  let over: HaldaneError | null = null
  let queue: Promise<unknown> = Promise.resolve()

  const inTime = <T>(work: Promise<T>) => answered(clock, tuning.sendTimeoutMs, work)

  const fail = (thrown: unknown): HaldaneError => {
    if (isProducerFenced(thrown)) over = fenced(id)
    return over ?? explain(thrown, `cannot publish as ${id}`, brokers)
  }

  /** After it the producer is as before the call, or over. */
  const abort = async (transaction: Transaction, failure: unknown) => {
    try {
      await inTime(transaction.abort())
      // A request that may still arrive would have the sequence numbers of the next one, which
      // the broker would then drop as a repetition.
      if (isTransient(failure)) over = outcomeUnknown(id)
      else ready = await producer.transaction()
    } catch (thrown) {
      over = isProducerFenced(thrown) ? fenced(id) : outcomeUnknown(id)
    }
  }

  const runTransaction: FencedProducer['produce'] = async (topic, records) => {
    if (over !== null) throw over
    const transaction = ready
    try {
      for (const messages of cutRequests(records, tuning.sendBytesMax, clock.now())) {
        await inTime(transaction.send({ topic, messages, acks: -1 }))
      }
    } catch (thrown) {
      const failure = fail(thrown)
      if (over === null) await abort(transaction, thrown)
      throw over ?? failure
    }
    try {
      await inTime(transaction.commit())
      ready = await producer.transaction()
    } catch (thrown) {
      over = isProducerFenced(thrown) ? fenced(id) : outcomeUnknown(id)
      throw over
    }
  }

  return {
    produce(topic, records) {
      const result = queue.then(async () => {
        if (records.length === 0) return
        await topics.check(topic, partitionsOf(records))
        await runTransaction(topic, records)
      })
      queue = result.catch(() => undefined)
      return result
    },
    async close() {
      await queue
      over ??= closed(id)
      await within(clock, CLOSE_TIME_MAX_MS, producer.disconnect())
      onClosed()
    },
  }
}

/** Coordinators of a fresh broker load for a moment; an announcement repeated is harmless. */
async function announce(context: KafkaContext, producer: Producer): Promise<Transaction> {
  await producer.connect()
  return withRetries(context.clock, () => producer.transaction())
}

export function partitionsOf(records: readonly { readonly partition?: number }[]): Set<number> {
  const partitions = new Set<number>()
  for (const { partition } of records) if (partition !== undefined) partitions.add(partition)
  return partitions
}

function fenced(id: string): HaldaneError {
  return new HaldaneError('fenced', `another producer has taken over ${id}`, {
    remedy: 'publish nothing more: whoever took over goes on',
  })
}

function outcomeUnknown(id: string): HaldaneError {
  return new HaldaneError(
    'bus_unavailable',
    `Kafka was lost while ${id} ended a transaction: its records are in the topic, or not`,
    { remedy: 'open the producer anew and read what the topic has' },
  )
}

function closed(id: string): HaldaneError {
  return new HaldaneError('bus_unavailable', `the producer ${id} is closed`)
}
