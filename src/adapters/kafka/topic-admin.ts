import kafkajs, { type Admin } from 'kafkajs'
import type { TopicSpec } from '../../domain/topics.ts'
import { createKafkaContext, type KafkaBusOptions } from './client.ts'
import { explain } from './failure.ts'
import { type FoundTopic, toTopicConfig } from './topic-settings.ts'
import { createTopics, untilOnline } from './topics.ts'

/** For people who set a cluster up: looks at topics and creates them, with settings and replicas. */
export interface TopicAdmin {
  /** The topics of these names that exist. */
  find(names: readonly string[]): Promise<Map<string, FoundTopic>>
  /** All or none; a dry run asks Kafka whether it would. */
  create(
    specs: readonly TopicSpec[],
    options: { readonly replicationFactor: number | null; readonly dryRun: boolean },
  ): Promise<void>
  close(): Promise<void>
}

const CREATE_TIME_MAX_MS = 30_000

/** Rejects within seconds, in words, when no broker answers or lets this client in. */
export async function openTopicAdmin(options: KafkaBusOptions): Promise<TopicAdmin> {
  const context = createKafkaContext(options)
  const { brokers } = context
  const probe = createTopics(context)
  await probe.ping().finally(() => probe.close())
  const admin = context.patient().admin()
  const asked = async <T>(what: string, question: () => Promise<T>): Promise<T> => {
    try {
      return await question()
    } catch (thrown) {
      throw explain(thrown, what, brokers)
    }
  }
  await asked('no contact', () => admin.connect())

  return {
    find: (names) => asked('cannot look at topics', () => findTopics(admin, names)),
    async create(specs, { replicationFactor, dryRun }) {
      if (specs.length === 0) return
      const names = specs.map((spec) => spec.name).join(', ')
      await asked(`cannot create ${names}`, async () => {
        await admin.createTopics({
          topics: specs.map((spec) => toTopicConfig(spec, replicationFactor)),
          validateOnly: dryRun,
          waitForLeaders: !dryRun,
          timeout: CREATE_TIME_MAX_MS,
        })
        if (!dryRun) for (const spec of specs) await untilOnline(context, spec.name)
      })
    },
    close: () => admin.disconnect(),
  }
}

async function findTopics(
  admin: Admin,
  names: readonly string[],
): Promise<Map<string, FoundTopic>> {
  const existing = new Set(await admin.listTopics())
  const topics = names.filter((name) => existing.has(name))
  if (topics.length === 0) return new Map()
  const metadata = await admin.fetchTopicMetadata({ topics })
  const { resources } = await admin.describeConfigs({
    includeSynonyms: false,
    resources: topics.map((name) => ({ type: kafkajs.ConfigResourceTypes.TOPIC, name })),
  })
  const settings = new Map(
    resources.map(({ resourceName, configEntries }) => [
      resourceName,
      Object.fromEntries(configEntries.map((entry) => [entry.configName, entry.configValue])),
    ]),
  )
  return new Map(
    metadata.topics.map(({ name, partitions }) => [
      name,
      {
        partitions: partitions.length,
        replicationFactor: Math.min(...partitions.map(({ replicas }) => replicas.length)),
        settings: settings.get(name) ?? {},
      },
    ]),
  )
}
