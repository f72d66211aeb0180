import type { BrokerExtras, JavaBroker } from './broker-java.ts'
import { answers, type TestBroker } from './broker-process.ts'

/** One node, no waiting for group members, few partitions of the internal topics. */
const SETTINGS: Readonly<Record<string, string>> = {
  'offsets.topic.replication.factor': '1',
  'offsets.topic.num.partitions': '4',
  'transaction.state.log.replication.factor': '1',
  'transaction.state.log.min.isr': '1',
  'transaction.state.log.num.partitions': '4',
  'share.coordinator.state.topic.replication.factor': '1',
  'share.coordinator.state.topic.min.isr': '1',
  'group.initial.rebalance.delay.ms': '0',
  'group.min.session.timeout.ms': '500',
  'auto.create.topics.enable': 'false',
  'log.cleaner.backoff.ms': '300',
  // A node that was killed is let in again only after its old session is over.
  'broker.session.timeout.ms': '2000',
  'broker.heartbeat.interval.ms': '500',
}

/**
 * The broker named by `KAFKA_BROKERS` (comma separated), else one in Docker, else one on Java.
 * Rejects with what to install when none of them works. `settings` add to `server.properties`,
 * except for a broker of the environment; `fullSpeed` is for measurements, and matters on Java only.
 */
export async function startBroker(
  settings: Readonly<Record<string, string>> = {},
  { fullSpeed = false } = {},
): Promise<TestBroker> {
  const named = process.env['KAFKA_BROKERS']
  if (named) return environmentBroker(named.split(',').map((address) => address.trim()))

  const merged = { ...SETTINGS, ...settings }
  const docker = await import('./broker-docker.ts')
  if (await docker.isDockerRunning()) return docker.startDockerBroker(merged)

  return startOnJava(merged, { listeners: {}, scramUsers: [], fullSpeed })
}

/** Always on Java, as its storage and its listeners are prepared here; rejects without one. */
export async function startPreparedBroker(
  settings: Readonly<Record<string, string>>,
  extras: BrokerExtras,
): Promise<JavaBroker> {
  return startOnJava({ ...SETTINGS, ...settings }, extras)
}

async function startOnJava(
  settings: Readonly<Record<string, string>>,
  extras: BrokerExtras,
): Promise<JavaBroker> {
  const { brokerJars, findJava } = await import('./broker-jars.ts')
  const java = await findJava()
  if ('missing' in java) throw noBroker(java.missing)
  const jars = await brokerJars().catch((error: Error) => {
    throw noBroker(error.message)
  })
  const { startJavaBroker } = await import('./broker-java.ts')
  return startJavaBroker(java.command, jars, settings, extras)
}

function noBroker(reason: string): Error {
  return new Error(
    `These tests need a Kafka broker and none can be started: KAFKA_BROKERS is not set, no Docker daemon answers, ${reason}.\n` +
      'Set KAFKA_BROKERS=host:port, or start Docker, or install Java 17 or newer and Maven.',
  )
}

async function environmentBroker(brokers: string[]): Promise<TestBroker> {
  for (const address of brokers) {
    if (!(await answers(address))) {
      throw new Error(`KAFKA_BROKERS names ${address}, but no Kafka broker answers there.`)
    }
  }
  const refuse = (verb: string) => async () => {
    throw new Error(`A broker named by KAFKA_BROKERS cannot be ${verb} by a test.`)
  }
  return {
    brokers,
    kind: 'environment',
    stop: async () => {},
    pause: refuse('paused'),
    resume: refuse('resumed'),
    kill: refuse('killed'),
    restart: refuse('restarted'),
  }
}
