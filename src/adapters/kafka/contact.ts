import type { Broker, Cluster } from 'kafkajs'
import { answered } from './attempts.ts'
import { type KafkaContext, openCluster } from './client.ts'
import { isTransient } from './failure.ts'

/** Asks any broker that answers, or says within a few probe timeouts that none does. */
export interface Contact {
  ask<T>(question: (broker: Broker) => Promise<T>): Promise<T>
  close(): Promise<void>
}

/** A cluster that failed is thrown away: kafkajs does not always recover one. */
export function createContact(context: KafkaContext): Contact {
  const { clock, tuning } = context
  let cluster: Cluster | null = null

  const drop = async () => {
    const dropped = cluster
    cluster = null
    await dropped?.disconnect().catch(() => undefined)
  }

  const askOnce = async <T>(question: (broker: Broker) => Promise<T>): Promise<T> => {
    cluster ??= openCluster(context.brief())
    const asked = cluster
    const asking = anyBroker(asked).then(question)
    try {
      return await answered(clock, 2 * tuning.probeTimeoutMs, asking)
    } catch (thrown) {
      if (isTransient(thrown) && cluster === asked) void drop()
      throw thrown
    }
  }

  return {
    async ask(question) {
      const isFresh = cluster === null
      try {
        return await askOnce(question)
      } catch (thrown) {
        // An old connection may have died with a broker that is back already.
        if (isFresh || !isTransient(thrown)) throw thrown
        return askOnce(question)
      }
    },
    close: drop,
  }
}

async function anyBroker(cluster: Cluster): Promise<Broker> {
  for (const nodeId of cluster.getNodeIds()) {
    try {
      return await cluster.findBroker({ nodeId: String(nodeId) })
    } catch {
      // The next one may answer.
    }
  }
  await cluster.connect()
  await cluster.refreshMetadata()
  const [nodeId] = cluster.getNodeIds()
  return cluster.findBroker({ nodeId: String(nodeId) })
}
