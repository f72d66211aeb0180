import {
  type Cluster,
  type ConsumerCrashEvent,
  type ConsumerGroupJoinEvent,
  type Consumer as KafkaConsumer,
  PartitionAssigners,
} from 'kafkajs'
import { HaldaneError } from '../../domain/errors.ts'
import type { ConsumeOptions, Consumer } from '../../ports.ts'
import { accessFailure } from './access-failure.ts'
import { within } from './attempts.ts'
import { type BatchHandler, createBatchHandler } from './batches.ts'
import type { KafkaContext } from './client.ts'
import { type Commits, createCommits } from './commits.ts'
import { explain, isCoordinatorMoving, unsupportedCodec } from './failure.ts'
import { createMembership, type Membership } from './membership.ts'
import { openTopicReader } from './topic-reader.ts'
import { createWatchdog, type Watchdog } from './watchdog.ts'

/** A broker that does not answer must not keep a stopping process alive. */
const LEAVE_TIME_MAX_MS = 5000

interface Parts {
  readonly context: KafkaContext
  readonly options: ConsumeOptions
  readonly member: Membership
  readonly consumer: KafkaConsumer
  readonly commits: Commits
  readonly watchdog: Watchdog
}

/** Joins the group and delivers batches until stopped; `onClosed` is told when it ended. */
export async function consume(
  context: KafkaContext,
  options: ConsumeOptions,
  onClosed: () => void,
): Promise<Consumer> {
  const { topic, groupId } = options
  const { tuning, brokers } = context
  const log = context.log.child({ topic, groupId })
  const member = createMembership()
  const { consumer, cluster } = createKafkaConsumer(context, groupId, () => !member.stopping)
  const commits = createCommits(context, options, member, consumer, cluster)
  const batches = createBatchHandler(member, options, tuning.heartbeatIntervalMs, log)

  let startFailure: Error | null = null
  let started = false
  const end = (error: Error) => {
    close()
    if (started) options.onCrash(error)
    else startFailure = error
  }

  const watchdog = createWatchdog(tuning.rebalanceTimeoutMs + 2 * tuning.requestTimeoutMs, () => {
    member.stopping = true
    member.assignment = null
    void consumer.disconnect().catch(() => undefined)
    end(silence(options, brokers))
  })
  const close = () => {
    watchdog.stop()
    onClosed()
  }
  followMembership({ context, options, member, consumer, commits, watchdog }, end)
  try {
    await consumer.connect()
    await consumer.subscribe({ topics: [topic], fromBeginning: true })
    // On a fresh broker the coordinator loads for a moment; kafkajs would start all over.
    await commits.committed(0)
    await consumer.run({
      autoCommit: false,
      eachBatchAutoResolve: false,
      partitionsConsumedConcurrently: tuning.partitionsAtOnce,
      eachBatch: (payload) => batches.handle(payload),
    })
  } catch (thrown) {
    member.stopping = true
    watchdog.stop()
    await within(context.clock, LEAVE_TIME_MAX_MS, consumer.disconnect())
    throw explain(thrown, `cannot consume ${topic}`, brokers)
  }
  if (startFailure !== null) throw startFailure
  started = true
  return toConsumer({ context, options, member, consumer, commits, watchdog }, batches, close)
}

function createKafkaConsumer(
  context: KafkaContext,
  groupId: string,
  mayRestart: () => boolean,
): { consumer: KafkaConsumer; cluster: Cluster } {
  const { tuning } = context
  const captured: Cluster[] = []
  const consumer = context.patient().consumer({
    groupId,
    sessionTimeout: tuning.sessionTimeoutMs,
    rebalanceTimeout: tuning.rebalanceTimeoutMs,
    heartbeatInterval: tuning.heartbeatIntervalMs,
    maxBytesPerPartition: tuning.fetchBytesPerPartitionMax,
    maxBytes: tuning.fetchBytesMax,
    maxWaitTimeInMs: tuning.fetchWaitMaxMs,
    allowAutoTopicCreation: false,
    retry: {
      retries: tuning.retries,
      restartOnFailure: async (error) => mayRestart() && accessFailure(error)?.retryable !== false,
    },
    partitionAssigners: [
      (config) => {
        captured.push(config.cluster)
        return PartitionAssigners.roundRobin(config)
      },
    ],
  })
  const [cluster] = captured
  if (cluster === undefined) throw new HaldaneError('internal', 'kafkajs gave no cluster')
  return { consumer, cluster }
}

/** Keeps the membership in step with what kafkajs reports, and reports assignments and the end. */
function followMembership(parts: Parts, end: (error: Error) => void): void {
  const { context, options, member, consumer, watchdog } = parts
  const { events } = consumer
  let drained = true
  let number = 0

  const join = ({ payload }: ConsumerGroupJoinEvent) => {
    if (member.stopping) throw new HaldaneError('internal', 'the consumer is being stopped')
    const partitions = [...(payload.memberAssignment[options.topic] ?? [])].sort((a, b) => a - b)
    number++
    member.assignment = {
      number,
      partitions: new Set(partitions),
      clean: drained,
      rejoin: false,
      fenced: false,
    }
    member.positions.clear()
    applyPauses(member, consumer, options.topic)
    options.onAssigned(partitions, number)
  }

  consumer.on(events.REQUEST, watchdog.sign)
  consumer.on(events.REQUEST_TIMEOUT, watchdog.sign)
  // kafkajs says so before it joins again with nothing left to hand out, and when it (re)connects.
  consumer.on(events.CONNECT, () => {
    drained = true
  })
  consumer.on(events.FETCH_START, () => {
    drained = false
  })
  consumer.on(events.REBALANCING, () => {
    drained = true
    if (member.assignment !== null) member.assignment.rejoin = true
  })
  consumer.on(events.GROUP_JOIN, (event) => {
    try {
      join(event)
    } catch (thrown) {
      member.failure ??= thrown instanceof Error ? thrown : new Error(String(thrown))
      throw member.failure
    }
  })
  consumer.on(events.CRASH, ({ payload }: ConsumerCrashEvent) => {
    watchdog.sign()
    const partitions = [...(member.assignment?.partitions ?? [])]
    member.assignment = null
    member.send = null
    if (payload.restart) {
      const { message } = explain(payload.error, 'consuming is interrupted', context.brokers)
      const level = isCoordinatorMoving(payload.error) ? 'debug' : 'warn'
      context.log[level]({ topic: options.topic, groupId: options.groupId }, message)
    } else if (!member.stopping) {
      member.stopping = true
      if (member.failure !== null) end(member.failure)
      else void describeCrash(parts, partitions, payload.error).then(end)
    }
  })
}

function applyPauses(member: Membership, consumer: KafkaConsumer, topic: string): void {
  if (member.paused.size > 0) consumer.pause([{ topic, partitions: [...member.paused] }])
}

/** kafkajs does not say where records are that it cannot decode; reading once more does. */
async function describeCrash(
  parts: Parts,
  partitions: readonly number[],
  thrown: Error,
): Promise<Error> {
  const { context, options, member, commits } = parts
  const what = `consuming ${options.topic} ended`
  if (unsupportedCodec(thrown) === null) return explain(thrown, what, context.brokers)
  try {
    const reader = await openTopicReader(context, options.topic)
    try {
      const first = await reader.offsets('first', partitions)
      for (const partition of partitions) {
        const position =
          member.positions.get(partition) ??
          (await commits.committed(partition)).offset ??
          first.get(partition) ??
          0
        await reader.fetch(new Map([[partition, position]]))
      }
    } finally {
      await reader.close()
    }
  } catch (found) {
    return explain(found, what, context.brokers)
  }
  return explain(thrown, what, context.brokers)
}

function silence(options: ConsumeOptions, brokers: readonly string[]): HaldaneError {
  return new HaldaneError(
    'bus_unavailable',
    `consuming ${options.topic} has stalled: nothing was heard of Kafka at ${brokers.join(', ')}`,
    { remedy: 'start the consumer anew', retryable: true },
  )
}

function toConsumer(parts: Parts, batches: BatchHandler, close: () => void): Consumer {
  const { context, member, consumer, commits } = parts
  const { topic } = parts.options
  let stopped: Promise<void> | null = null

  const stop = async () => {
    member.stopping = true
    const leaving = consumer.disconnect().catch(() => undefined)
    await batches.idle()
    await within(context.clock, LEAVE_TIME_MAX_MS, leaving)
    member.assignment = null
    close()
  }
  const whileRunning = (action: () => void) => {
    try {
      action()
    } catch {
      // Between two runs kafkajs knows no partitions; the next assignment brings the pauses.
    }
  }

  return {
    commit: (partition, nextOffset, metadata) => commits.commit(partition, nextOffset, metadata),
    committed: (partition) => commits.committed(partition),
    pause(partitions) {
      for (const partition of partitions) member.paused.add(partition)
      whileRunning(() => applyPauses(member, consumer, topic))
    },
    resume(partitions) {
      for (const partition of partitions) member.paused.delete(partition)
      whileRunning(() => consumer.resume([{ topic, partitions: [...partitions] }]))
    },
    stop() {
      stopped ??= stop()
      return stopped
    },
  }
}
