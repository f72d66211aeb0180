import { openWorkerStore } from './adapters/clickhouse/open-store.ts'
import { createHttpServer } from './adapters/http/server.ts'
import { createKafkaBus } from './adapters/kafka/bus.ts'
import { createMemoryBus, type MemoryBus } from './adapters/memory/bus.ts'
import { createMetrics } from './adapters/ops/metrics.ts'
import { createPolicyFiles } from './adapters/ops/policy-files.ts'
import type { Config } from './config.ts'
import { type HaldaneError, toHaldaneError } from './domain/errors.ts'
import { CONSUMER_GROUPS, TOPICS } from './domain/topics.ts'
import { createAckReader } from './pipeline/acks.ts'
import { createAnalyzer } from './pipeline/analyze.ts'
import { createControl } from './pipeline/control.ts'
import { createEventIntakes, type EventIntakes } from './pipeline/event-intake.ts'
import { createLifecycle } from './pipeline/lifecycle.ts'
import { createPatientStore } from './pipeline/patient-store.ts'
import { createPublisher } from './pipeline/publisher.ts'
import { PATIENT, retry } from './pipeline/retry.ts'
import { createService, type Service } from './pipeline/service.ts'
import { createStartingApi } from './pipeline/starting-api.ts'
import type { Bus, Clock, EventStore, Log, Metrics, Store } from './ports.ts'

/** More than the batches of the largest size that a log can have sent. */
const OFFSETS_ON_THEIR_WAY_MAX = 10_000_000
const BLOCK_TOPICS = { requests: TOPICS.requests.name, feedback: TOPICS.feedback.name }

export interface Worker {
  /** Where it listens. */
  readonly url: string
  /** Resolves when everything runs. */
  readonly ready: Promise<void>
  /** Resolves with the reason when the worker cannot go on. */
  readonly failure: Promise<HaldaneError>
  /** Stops taking work, stores what is open, closes everything. */
  stop(): Promise<void>
}

export interface WorkerEnvironment {
  readonly log: Log
  readonly clock: Clock
  readonly version: string
}

/**
 * Builds and starts a worker. The door opens first and says `not ready` until store and bus answer;
 * what is merely unreachable is tried again for ever, anything else ends the worker.
 */
export async function startWorker(config: Config, environment: WorkerEnvironment): Promise<Worker> {
  const { log, clock, version } = environment
  const lifecycle = createLifecycle(log)
  const metrics = createMetrics(version)
  const api = createStartingApi(() => metrics.expose())
  const ending = new AbortController()
  let fail: (error: Error) => void = () => undefined
  const failure = new Promise<HaldaneError>((resolve) => {
    fail = (error) => resolve(toHaldaneError(error))
  })

  const door = await createHttpServer({
    host: config.httpHost,
    port: config.httpPort,
    token: config.token,
    api,
    healthOnly: !config.roles.includes('api'),
    log,
    clock,
    version,
  })
  lifecycle.defer('http', () => door.close())

  const run = async () => {
    const parts = { config, environment, metrics, lifecycle, fail, signal: ending.signal }
    const service = await startParts(parts, () => metrics.expose())
    api.open(service)
    log.info({ url: door.url, ...placeOf(config) }, 'ready')
  }
  const ready = run()
  ready.catch(fail)

  return {
    url: door.url,
    ready,
    failure,
    async stop() {
      door.drain()
      ending.abort()
      await ready.catch(() => undefined)
      await lifecycle.close()
    },
  }
}

function placeOf({ clickhouse, dataDir }: Config): object {
  return clickhouse === null ? { dataDir } : { clickhouse: clickhouse.url }
}

interface Parts {
  readonly config: Config
  readonly environment: WorkerEnvironment
  readonly metrics: Metrics
  readonly lifecycle: ReturnType<typeof createLifecycle>
  readonly signal: AbortSignal
  fail(error: Error): void
}

async function startParts(parts: Parts, exposeMetrics: () => Promise<string>): Promise<Service> {
  const { config, environment, metrics, lifecycle, fail } = parts
  const { log, clock } = environment
  const patiently = patience(parts)

  const store = await patiently('opening the store', () =>
    openWorkerStore({ ...config, clock, log }),
  )
  lifecycle.defer('store', () => store.close())

  const { bus, memory } = await openBus(config, environment, store)
  lifecycle.defer('bus', () => bus.close())
  await patiently('reaching Kafka', () => bus.ping())
  await patiently('creating topics', () => bus.ensureTopics(topicsOf(config)))

  const abort = (error: Error) => {
    for (const intake of Object.values(intakes)) intake.fail(error)
    fail(error)
  }
  const intakes = createEventIntakes({
    ...{ bus, store, clock, metrics, logger: log, log: memory },
    topics: BLOCK_TOPICS,
    policy: config.batch,
    idleTimeoutMs: config.idleTimeoutMs,
    onFailure: abort,
  })
  const patient = createPatientStore(store, { clock, log, signal: parts.signal })
  const analyzer = createAnalyzer({
    store: patient,
    clock,
    log,
    metrics,
    topics: BLOCK_TOPICS,
    idleTimeoutMs: config.idleTimeoutMs,
    tickMs: config.tickMs,
    publisherFor: publishers(parts, bus, patient),
    onFailure: fail,
  })
  const service = createService({
    store,
    clock,
    log,
    analyzer,
    submitEvents: intakes.requests.submit,
    submitFeedback: intakes.feedback.submit,
    sendCommand: (record) => bus.produce(TOPICS.control.name, [record]),
    sendAck: (record) => bus.produce(TOPICS.routing.name, [record]),
    policies: createPolicyFiles(config.policyFile),
    checks: [
      { name: 'store', check: () => store.ping().then(() => 'answers') },
      { name: 'bus', check: () => bus.ping().then(() => 'answers') },
    ],
    exposeMetrics,
  })
  if (config.roles.includes('api')) {
    const follower = await patiently('following decisions', () =>
      bus.follow(TOPICS.decisions.name, (record) => service.onDecisionRecord(record)),
    )
    lifecycle.defer('decision follower', () => follower.close())
  }
  await startLoops(parts, { bus, patient, analyzer, intakes, fail: abort })
  return service
}

interface Made {
  readonly bus: Bus
  readonly patient: Store
  readonly analyzer: ReturnType<typeof createAnalyzer>
  readonly intakes: EventIntakes
  fail(error: Error): void
}

/** Analysis first, so that it is there for what ingest brings; it stops last. */
async function startLoops(parts: Parts, made: Made): Promise<void> {
  const { roles } = parts.config
  if (roles.includes('analyze')) await startAnalysis(parts, made)
  if (roles.includes('ingest')) await startIngest(parts, made.intakes)
  if (roles.includes('analyze')) made.analyzer.start()
}

async function startAnalysis(parts: Parts, made: Made): Promise<void> {
  const { config, environment, lifecycle } = parts
  const { log, clock } = environment
  const { bus, patient, analyzer, fail } = made
  const policies = createPolicyFiles(config.policyFile)
  const control = createControl({
    ...{ bus, store: patient, clock, log, analyzer, policies, onFailure: fail },
    topic: TOPICS.control.name,
    groupId: CONSUMER_GROUPS.control,
  })
  const acks = createAckReader({
    ...{ bus, store: patient, log, onFailure: fail },
    topic: TOPICS.routing.name,
    groupId: CONSUMER_GROUPS.acks,
  })
  lifecycle.defer('analysis', () => analyzer.stop())
  const patiently = patience(parts)
  await patiently('reading commands', () => control.start())
  lifecycle.defer('control', () => control.stop())
  await patiently('reading router acks', () => acks.start())
  lifecycle.defer('router acks', () => acks.stop())
}

async function startIngest(parts: Parts, intakes: EventIntakes): Promise<void> {
  const patiently = patience(parts)
  // Feedback first: a block must not be closed before it is known whether feedback waits.
  for (const { name, ingest } of [intakes.feedback, intakes.requests]) {
    await patiently(`reading ${name}`, () => ingest.start())
    parts.lifecycle.defer(`ingest of ${name}`, () => ingest.stop())
  }
}

/** What is only unreachable is tried again until the worker ends. */
function patience({ environment: { log, clock }, signal }: Parts) {
  return <T>(what: string, operation: () => Promise<T>) =>
    retry(operation, PATIENT, clock, {
      signal,
      onRetry: (error, delayMs) =>
        log.warn(
          { delayMs, code: error.code, remedy: error.remedy },
          `${what}: ${error.message}; trying again`,
        ),
    })
}

/** One publisher per control partition, opened when its first release is taken over. */
function publishers({ environment, metrics, lifecycle }: Parts, bus: Bus, store: Store) {
  const { log, clock } = environment
  const open = new Map<number, ReturnType<typeof createPublisher>>()
  return (controlPartition: number) => {
    const known = open.get(controlPartition)
    if (known !== undefined) return known
    const publisher = createPublisher({
      ...{ bus, store, clock, log, metrics },
      topic: TOPICS.decisions.name,
      producerId: `haldane-decisions-${controlPartition}`,
    })
    open.set(controlPartition, publisher)
    lifecycle.defer(`publisher ${controlPartition}`, () => publisher.close())
    return publisher
  }
}

async function openBus(
  config: Config,
  { clock, log }: WorkerEnvironment,
  store: Store,
): Promise<{ bus: Bus; memory: MemoryBus | null }> {
  if (config.kafka !== null) {
    const sessionTimeoutMs = config.kafkaSessionTimeoutMs
    const heartbeatIntervalMs = Math.min(3000, sessionTimeoutMs / 3)
    const tuning = { sessionTimeoutMs, heartbeatIntervalMs }
    const bus = createKafkaBus({ ...config.kafka, clientId: 'haldane', log, clock, tuning })
    return { bus, memory: null }
  }
  const isShared = config.clickhouse !== null
  const next = new Map<string, number>()
  for (const [events, topic] of [
    [store, BLOCK_TOPICS.requests],
    [store.feedback, BLOCK_TOPICS.feedback],
  ] as const) {
    next.set(topic, await nextOffsetOf(events, topic, isShared))
  }
  const startOffsets = (topic: string) => next.get(topic) ?? 0
  const memory = createMemoryBus({ clock, log, startOffsets })
  return { bus: memory, memory }
}

/**
 * A new log must not give offsets away that rows in the store already have, or will have when what the
 * log before sent to a server is carried out.
 */
async function nextOffsetOf(
  store: Pick<EventStore, 'progress' | 'presentOffsets'>,
  topic: string,
  isShared: boolean,
): Promise<number> {
  const progress = (await store.progress(topic)).find((row) => row.partition === 0)
  const from = progress?.nextOffset ?? 0
  const present = await store.presentOffsets(topic, 0, from)
  const next = Math.max(from, (present.at(-1) ?? -1) + 1)
  return isShared ? next + OFFSETS_ON_THEIR_WAY_MAX : next
}

function topicsOf(config: Config) {
  const embedded = config.kafka === null
  return Object.values(TOPICS).map((topic) => (embedded ? { ...topic, partitions: 1 } : topic))
}
