import { openTopicAdmin, type TopicAdmin } from '../adapters/kafka/topic-admin.ts'
import {
  type FoundTopic,
  type Misfit,
  misfitsOf,
  settingsOf,
} from '../adapters/kafka/topic-settings.ts'
import type { WorkerEnvironment } from '../app.ts'
import type { KafkaConfig } from '../config.ts'
import { HaldaneError } from '../domain/errors.ts'
import { TOPICS, type TopicSpec } from '../domain/topics.ts'
import { EXIT_DONE } from './failure.ts'
import { renderTable, type Terminal } from './terminal.ts'

export interface TopicOptions {
  readonly partitions?: string
  readonly replicationFactor?: string
  readonly dryRun?: boolean
  readonly json?: boolean
}

interface TopicRow {
  readonly topic: string
  readonly state: 'created' | 'would be created' | 'exists'
  readonly partitions: number
  /** Null: the default of the brokers. */
  readonly replicationFactor: number | null
  readonly settings: Readonly<Record<string, string>>
  readonly misfits: readonly Misfit[]
}

/**
 * Creates the topics that are missing and looks whether the others fit; throws `conflict` when some
 * do not, after everything else was done and shown.
 */
export async function createMissingTopics(
  options: TopicOptions,
  kafka: KafkaConfig | null,
  terminal: Terminal,
  { log, clock }: WorkerEnvironment,
): Promise<number> {
  const partitions = countOf('--partitions', options.partitions, 10_000)
  const replicationFactor = countOf('--replication-factor', options.replicationFactor, 100)
  if (kafka === null) {
    throw new HaldaneError('usage', 'topics are of Kafka, and HALDANE_KAFKA_BROKERS is not set', {
      remedy: 'set it to the brokers; without Kafka there is nothing to create',
    })
  }
  const admin = await openTopicAdmin({ ...kafka, clientId: 'haldane', log, clock })
  try {
    const dryRun = options.dryRun === true
    const rows = await settle(admin, { partitions, replicationFactor, dryRun })
    if (options.json === true) for (const row of rows) terminal.out(JSON.stringify(toWire(row)))
    else for (const line of renderRows(rows)) terminal.out(line)
    assertFits(rows)
  } finally {
    await admin.close()
  }
  return EXIT_DONE
}

async function settle(
  admin: TopicAdmin,
  demand: {
    readonly partitions: number | null
    readonly replicationFactor: number | null
    readonly dryRun: boolean
  },
): Promise<TopicRow[]> {
  const { replicationFactor, dryRun } = demand
  const isBusy = (name: string) => name === TOPICS.requests.name || name === TOPICS.feedback.name
  const specs: TopicSpec[] = Object.values(TOPICS).map((topic) =>
    isBusy(topic.name) ? { ...topic, partitions: demand.partitions ?? topic.partitions } : topic,
  )
  const found = await admin.find(specs.map((spec) => spec.name))
  const missing = specs.filter((spec) => !found.has(spec.name))
  await admin.create(missing, { replicationFactor, dryRun })
  return specs.map((spec) => {
    const existing = found.get(spec.name)
    const partitions = isBusy(spec.name) ? demand.partitions : null
    if (existing !== undefined) {
      return existingRow(
        spec,
        existing,
        misfitsOf(spec, { partitions, replicationFactor }, existing),
      )
    }
    return {
      topic: spec.name,
      state: dryRun ? 'would be created' : 'created',
      partitions: spec.partitions,
      replicationFactor,
      settings: settingsOf(spec, replicationFactor),
      misfits: [],
    }
  })
}

function existingRow(spec: TopicSpec, found: FoundTopic, misfits: readonly Misfit[]): TopicRow {
  const names = Object.keys({ 'cleanup.policy': '', ...spec.settings })
  const settings = names.map((name) => [name, found.settings[name] ?? ''])
  return {
    ...{ topic: spec.name, state: 'exists', partitions: found.partitions, misfits },
    replicationFactor: found.replicationFactor,
    settings: Object.fromEntries(settings),
  }
}

function renderRows(rows: readonly TopicRow[]): string[] {
  const titles = [
    { title: 'topic' },
    { title: 'partitions', align: 'right' as const },
    { title: 'replicas', align: 'right' as const },
    { title: 'state' },
    { title: 'settings' },
  ]
  return renderTable(
    titles,
    rows.map((row) => [
      row.topic,
      String(row.partitions),
      row.replicationFactor === null ? 'default' : String(row.replicationFactor),
      row.state === 'exists' ? (row.misfits.length === 0 ? 'fits' : 'does not fit') : row.state,
      Object.entries(row.settings)
        .map(([name, value]) => `${name}=${value}`)
        .join(' '),
    ]),
  )
}

function toWire({ topic, state, partitions, replicationFactor, settings, misfits }: TopicRow) {
  return {
    topic,
    state: state.replaceAll(' ', '_'),
    fits: misfits.length === 0,
    partitions,
    replication_factor: replicationFactor,
    settings,
    misfits: misfits.map(({ setting, found, wanted }) => ({ setting, found, wanted })),
  }
}

function assertFits(rows: readonly TopicRow[]): void {
  const lines = rows.flatMap(({ topic, misfits }) =>
    misfits.map(({ setting, found, wanted }) => `${topic}: ${setting} is ${found}, not ${wanted}`),
  )
  if (lines.length === 0) return
  const repairs = rows.flatMap(({ topic, misfits }) => {
    const changes = misfits.filter(({ alterable }) => alterable)
    const list = changes.map(({ setting, wanted }) => `${setting}=${wanted}`).join(',')
    return list === ''
      ? []
      : [
          `kafka-configs.sh --alter --entity-type topics --entity-name ${topic} --add-config ${list}`,
        ]
  })
  const byHand = 'more partitions: kafka-topics.sh --alter; more replicas: a reassignment'
  const isByHand = rows.some(({ misfits }) => misfits.some(({ alterable }) => !alterable))
  throw new HaldaneError('conflict', `existing topics do not fit\n${lines.join('\n')}`, {
    remedy: [
      'nothing of an existing topic was changed; to change it yourself:',
      ...repairs,
      ...(isByHand ? [byHand] : []),
    ].join('\n  '),
  })
}

function countOf(option: string, text: string | undefined, max: number): number | null {
  if (text === undefined) return null
  const count = /^\d{1,6}$/.test(text) ? Number(text) : 0
  if (count >= 1 && count <= max) return count
  throw new HaldaneError('usage', `${option}: "${text}" is no count`, {
    remedy: `use a whole number from 1 to ${max}`,
  })
}
