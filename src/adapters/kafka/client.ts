import { connect as connectPlain, isIP, type Socket } from 'node:net'
import { type ConnectionOptions, connect as connectTls } from 'node:tls'
import {
  type Cluster,
  type ISocketFactory,
  Kafka,
  type KafkaConfig,
  logLevel,
  PartitionAssigners,
} from 'kafkajs'
import { HaldaneError } from '../../domain/errors.ts'
import type { Clock, Log } from '../../ports.ts'
import { bridgeLog } from './log-bridge.ts'
import { type KafkaLogin, saslOptions } from './login.ts'
import { calmRequestQueue } from './request-queue.ts'

/** Sizes and times of the client. The defaults suit one worker on a small machine. */
export interface KafkaTuning {
  /** A member that sends no heartbeat for so long leaves its group. */
  readonly sessionTimeoutMs: number
  /** A handler may finish within this time when the group rebalances; later it is a zombie. */
  readonly rebalanceTimeoutMs: number
  readonly heartbeatIntervalMs: number
  readonly fetchBytesPerPartitionMax: number
  readonly fetchBytesMax: number
  /** Longest wait of the broker for new records: the granularity of pause, resume and stop. */
  readonly fetchWaitMaxMs: number
  /** Partitions of a consumer whose handlers may run at the same time. */
  readonly partitionsAtOnce: number
  /** One request becomes one record batch a partition, and brokers refuse batches over 1 MiB. */
  readonly sendBytesMax: number
  /** Longest time for one request of a producer, all attempts together. */
  readonly sendTimeoutMs: number
  readonly connectionTimeoutMs: number
  readonly requestTimeoutMs: number
  /** Time to answer a ping or a look-up. */
  readonly probeTimeoutMs: number
  /** Attempts after the first, with doubling delays from 200 ms to 5 s: 8 last about 20 s. */
  readonly retries: number
}

export const DEFAULT_TUNING: KafkaTuning = {
  sessionTimeoutMs: 45_000,
  rebalanceTimeoutMs: 60_000,
  heartbeatIntervalMs: 3000,
  fetchBytesPerPartitionMax: 2 * 1024 * 1024,
  fetchBytesMax: 4 * 1024 * 1024,
  fetchWaitMaxMs: 100,
  partitionsAtOnce: 3,
  sendBytesMax: 900_000,
  sendTimeoutMs: 120_000,
  connectionTimeoutMs: 5000,
  requestTimeoutMs: 30_000,
  probeTimeoutMs: 5000,
  retries: 8,
}

export interface KafkaTls {
  readonly ca: string | null
  readonly cert: string | null
  readonly key: string | null
}

export interface KafkaBusOptions {
  /** `host:port` each. */
  readonly brokers: readonly string[]
  /** PEM texts; `ca` null: the authorities Node knows. Missing or null: no TLS. */
  readonly tls?: KafkaTls | null
  /** Missing or null: no login. */
  readonly sasl?: KafkaLogin | null
  readonly clientId: string
  readonly log: Log
  readonly clock: Clock
  readonly tuning?: Partial<KafkaTuning>
}

/** What every part of the adapter works with. */
export interface KafkaContext {
  readonly brokers: readonly string[]
  readonly log: Log
  readonly clock: Clock
  readonly tuning: KafkaTuning
  /**
   * A client that outlasts a broker's restart. A fresh one each time: consumers made by one client
   * share what they believe to be committed.
   */
  patient(): Kafka
  /** A client that says at once when no broker answers. */
  brief(): Kafka
}

export function createKafkaContext(options: KafkaBusOptions): KafkaContext {
  calmRequestQueue()
  const tuning = { ...DEFAULT_TUNING, ...options.tuning }
  const log = options.log.child({ component: 'kafka' })
  const common: KafkaConfig = {
    clientId: options.clientId,
    brokers: [...options.brokers],
    ...credentialsOf(options),
    connectionTimeout: tuning.connectionTimeoutMs,
    socketFactory: openSocket,
    logLevel: logLevel.INFO,
    logCreator: () => bridgeLog(log),
  }
  const backoff = { initialRetryTime: 200, maxRetryTime: 5000, multiplier: 2 }
  const patient: KafkaConfig = {
    ...common,
    requestTimeout: tuning.requestTimeoutMs,
    retry: { ...backoff, retries: tuning.retries },
  }
  const brief: KafkaConfig = {
    ...common,
    connectionTimeout: Math.min(tuning.connectionTimeoutMs, tuning.probeTimeoutMs),
    requestTimeout: tuning.probeTimeoutMs,
    retry: { ...backoff, retries: options.brokers.length - 1 },
  }
  return {
    brokers: options.brokers,
    log,
    clock: options.clock,
    tuning,
    patient: () => new Kafka(patient),
    brief: () => new Kafka(brief),
  }
}

function credentialsOf({ tls = null, sasl = null }: KafkaBusOptions): Partial<KafkaConfig> {
  const given = Object.entries(tls ?? {}).filter(([, pem]) => pem !== null)
  return {
    ...(tls === null ? {} : { ssl: Object.fromEntries(given) as ConnectionOptions }),
    ...(sasl === null ? {} : { sasl: saslOptions(sasl) }),
  }
}

/**
 * As kafkajs' own, but without Node's warning of a listener leak: while a broker is away, kafkajs
 * adds a listener to the same closed socket at every attempt.
 */
const openSocket: ISocketFactory = ({ host, port, ssl, onConnect }) => {
  const name = isIP(host) === 0 ? { servername: host } : {}
  const socket: Socket = ssl
    ? connectTls({ host, port, ...name, ...ssl }, onConnect)
    : connectPlain({ host, port }, onConnect)
  socket.setKeepAlive(true, 60_000)
  socket.setMaxListeners(0)
  return socket
}

/**
 * Metadata, offsets and fetches without a group. kafkajs hands its cluster only to partition
 * assigners, so this one comes from a consumer that never runs; it reads committed records only.
 */
export function openCluster(kafka: Kafka): Cluster {
  const captured: Cluster[] = []
  kafka.consumer({
    groupId: 'unused',
    allowAutoTopicCreation: false,
    partitionAssigners: [
      (config) => {
        captured.push(config.cluster)
        return PartitionAssigners.roundRobin(config)
      },
    ],
  })
  const [cluster] = captured
  if (cluster === undefined) throw new HaldaneError('internal', 'kafkajs gave no cluster')
  return cluster
}
