import { ConfigResourceTypes, Kafka, logLevel } from 'kafkajs'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { TOPICS } from '../../src/domain/topics.ts'
import { startBroker } from '../support/broker.ts'
import type { TestBroker } from '../support/broker-process.ts'
import { type HaldaneRun, runHaldane } from '../support/run-haldane.ts'

const NAMES = Object.values(TOPICS).map(({ name }) => name)

// It changes topics of the published names, which a broker of the environment may need.
describe.skipIf(process.env['KAFKA_BROKERS'])('haldane topics create', () => {
  let broker: TestBroker
  const admin = () => new Kafka({ brokers: broker.brokers, logLevel: logLevel.NOTHING }).admin()

  beforeAll(async () => {
    broker = await startBroker()
  })
  afterAll(() => broker.stop())

  const create = (...options: string[]): Promise<HaldaneRun> =>
    runHaldane(['topics', 'create', ...options], {
      env: { HALDANE_KAFKA_BROKERS: broker.brokers.join(',') },
    })
  const topicsOnBroker = async () => {
    const connection = admin()
    await connection.connect()
    const names = await connection.listTopics()
    await connection.disconnect()
    return names.filter((name) => NAMES.some((known) => known === name)).sort()
  }

  it('changes nothing in a dry run, and says in one line when there are too few brokers', async () => {
    const dry = await create('--dry-run')
    expect(dry).toMatchObject({ exitCode: 0, stderr: '' })
    expect(dry.stdout.match(/would be created/g)).toHaveLength(NAMES.length)

    const greedy = await create('--replication-factor', '3')
    expect(greedy).toMatchObject({ exitCode: 1, stdout: '' })
    expect(greedy.stderr.split('\n')[0]).toMatch(/^error: cannot create .*fewer brokers than repl/)
    expect(await topicsOnBroker()).toEqual([])
  })

  it('creates what is missing, and finds that it fits the next time', async () => {
    const first = await create('--partitions', '3', '--json')
    expect(first).toMatchObject({ exitCode: 0, stderr: '' })
    const rows = first.stdout.trimEnd().split('\n')
    expect(rows.map((row) => JSON.parse(row).topic)).toEqual(NAMES)
    expect(JSON.parse(rows[0] ?? '')).toMatchObject({ state: 'created', fits: true, partitions: 3 })
    expect(await topicsOnBroker()).toEqual([...NAMES].sort())

    const second = await create('--partitions', '3')
    expect(second).toMatchObject({ exitCode: 0, stderr: '' })
    expect(second.stdout.match(/ fits /g)).toHaveLength(NAMES.length)
    expect(second.stdout).toMatch(/ml\.canary\.decisions\.v1 .*cleanup\.policy=compact/)
  })

  it('leaves a topic that does not fit as it is, and says how to change it', async () => {
    const connection = admin()
    await connection.connect()
    await connection.alterConfigs({
      validateOnly: false,
      resources: [
        {
          type: ConfigResourceTypes.TOPIC,
          name: TOPICS.decisions.name,
          configEntries: [{ name: 'cleanup.policy', value: 'delete' }],
        },
      ],
    })
    await connection.disconnect()
    const { exitCode, stdout, stderr } = await create('--partitions', '12')
    expect(exitCode).toBe(1)
    expect(stdout).toMatch(/ml\.canary\.decisions\.v1 .*does not fit .*cleanup\.policy=delete/)
    expect(stderr).toContain('ml.canary.decisions.v1: cleanup.policy is delete, not compact')
    expect(stderr).toContain('ml.inference.requests.v1: partitions is 3, not 12')
    expect(stderr).toContain(
      'kafka-configs.sh --alter --entity-type topics --entity-name ml.canary.decisions.v1 --add-config cleanup.policy=compact',
    )
  })
})
