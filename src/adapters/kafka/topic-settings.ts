import type { ITopicConfig } from 'kafkajs'
import type { TopicSpec } from '../../domain/topics.ts'

/** A topic as it is on the cluster. */
export interface FoundTopic {
  readonly partitions: number
  /** Of the partition with the fewest. */
  readonly replicationFactor: number
  /** Effective ones, by Kafka's names. */
  readonly settings: Readonly<Record<string, string>>
}

/** What somebody asks for beyond the published topic itself. */
export interface TopicDemand {
  /** Null: any number. */
  readonly partitions: number | null
  /** Null: the broker's default. */
  readonly replicationFactor: number | null
}

/** In what an existing topic differs so that it would lose or refuse records. */
export interface Misfit {
  readonly setting: string
  readonly found: string
  readonly wanted: string
  /** True when the topic's configuration can be altered to cure it. */
  readonly alterable: boolean
}

/** Durable through the loss of one broker, where there are enough of them. */
const REPLICAS_FOR_TWO_IN_SYNC = 3

export function toTopicConfig(spec: TopicSpec, replicationFactor: number | null = null) {
  const settings = settingsOf(spec, replicationFactor)
  const config: ITopicConfig = {
    topic: spec.name,
    numPartitions: spec.partitions,
    configEntries: Object.entries(settings).map(([name, value]) => ({ name, value })),
  }
  return replicationFactor === null ? config : { ...config, replicationFactor }
}

export function settingsOf(
  spec: TopicSpec,
  replicationFactor: number | null,
): Readonly<Record<string, string>> {
  const durable = (replicationFactor ?? 0) >= REPLICAS_FOR_TWO_IN_SYNC
  return {
    ...(spec.compacted ? { 'cleanup.policy': 'compact' } : {}),
    ...spec.settings,
    ...(durable ? { 'min.insync.replicas': '2' } : {}),
  }
}

/** More than what is wanted (longer kept, larger records, more replicas) always fits. */
export function misfitsOf(spec: TopicSpec, demand: TopicDemand, found: FoundTopic): Misfit[] {
  const misfits: Misfit[] = []
  const atLeast = (setting: string, is: number, wanted: number | null) => {
    if (wanted === null || is >= wanted) return
    misfits.push({ setting, found: String(is), wanted: `${wanted}`, alterable: false })
  }
  atLeast('partitions', found.partitions, demand.partitions)
  atLeast('replication factor', found.replicationFactor, demand.replicationFactor)

  const policy = found.settings['cleanup.policy'] ?? 'delete'
  const wantedPolicy = spec.compacted ? 'compact' : 'delete'
  if (policy !== wantedPolicy) {
    misfits.push({
      ...{ setting: 'cleanup.policy', found: policy, wanted: wantedPolicy, alterable: true },
    })
  }
  for (const setting of ['retention.ms', 'max.message.bytes']) {
    const wanted = spec.settings?.[setting]
    const is = found.settings[setting]
    if (wanted === undefined || is === undefined || is === '-1' || Number(is) >= Number(wanted)) {
      continue
    }
    misfits.push({ setting, found: is, wanted, alterable: true })
  }
  return misfits
}
