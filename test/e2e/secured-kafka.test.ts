import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import {
  AclOperationTypes,
  AclPermissionTypes,
  AclResourceTypes,
  Kafka,
  logLevel,
  ResourcePatternTypes,
} from 'kafkajs'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { createKafkaBus } from '../../src/adapters/kafka/bus.ts'
import { systemClock } from '../../src/adapters/ops/clock.ts'
import { silentLog } from '../../src/adapters/ops/logger.ts'
import type { WireDecision } from '../../src/contract/decision.ts'
import { TOPICS } from '../../src/domain/topics.ts'
import type { Bus } from '../../src/ports.ts'
import { createAuthority } from '../support/certificates.ts'
import { generateEvents, releaseFileAt } from '../support/event-generator.ts'
import { KAFKA_PERMISSIONS } from '../support/kafka-permissions.ts'
import { runHaldane } from '../support/run-haldane.ts'
import {
  PASSWORD,
  type SecuredBroker,
  startSecuredBroker,
  USER,
} from '../support/secured-broker.ts'
import { startWorkerProcess, type WorkerProcess } from '../support/worker-process.ts'

const EVENTS = 6000
/** Of the events of one worker; each begins where the one before has ended, as nothing is late then. */
const SPAN_MS = 5 * 60_000
const WORKERS = ['plain', 'scram-256', 'scram-512-tls', 'tls', 'mutual-tls']

const dir = mkdtempSync(join(tmpdir(), 'haldane-secured-'))
const dataDir = join(dir, 'data')
const passwordFile = file('password', `${PASSWORD}\n`)
const wrongFile = file('wrong', 'not the password\n')
const firstMs = Math.floor((Date.now() - (WORKERS.length + 1) * SPAN_MS) / 5000) * 5000
const startOf = (name: string) => firstMs + WORKERS.indexOf(name) * SPAN_MS

let secured: SecuredBroker
let bus: Bus
let worker: WorkerProcess | null = null
let files = { ca: '', cert: '', key: '', otherCa: '' }

beforeAll(async () => {
  secured = await startSecuredBroker()
  const identity = secured.authority.issue('worker')
  files = {
    ca: file('ca.pem', secured.authority.ca),
    cert: file('worker.pem', identity.cert),
    key: file('worker.key', identity.key),
    otherCa: file('other-ca.pem', createAuthority('another authority').ca),
  }
  const { brokers } = secured.broker
  bus = createKafkaBus({ brokers, clientId: 'test', log: silentLog, clock: systemClock })
  await bus.ensureTopics(Object.values(TOPICS))
  await permit([`User:${USER}`, 'User:CN=worker'])
})

afterEach(async () => {
  await worker?.kill()
  worker = null
})

afterAll(async () => {
  await bus.close()
  await secured.broker.stop()
  rmSync(dir, { recursive: true, force: true })
})

describe('a worker with no more permissions than the manual asks for', () => {
  it.each([
    { name: 'plain', env: () => login('login', 'plain') },
    { name: 'scram-256', env: () => login('login', 'scram-sha-256') },
    { name: 'scram-512-tls', env: () => ({ ...tls('both'), ...login('both', 'scram-sha-512') }) },
    { name: 'tls', env: () => tls('tls') },
    {
      name: 'mutual-tls',
      env: () => ({
        ...tls('mutual'),
        HALDANE_KAFKA_CERT_FILE: files.cert,
        HALDANE_KAFKA_KEY_FILE: files.key,
      }),
    },
  ])('stores events, sorts out bad ones and decides through $name', async ({ name, env }) => {
    const route = `${name}/production`
    worker = await startWorkerProcess({
      ...env(),
      HALDANE_DATA_DIR: dataDir,
      HALDANE_BATCH_AGE_MS: '100',
      HALDANE_IDLE_TIMEOUT_MS: '1000',
    })
    await worker.ready()
    const release = file(
      `${name}.yaml`,
      releaseFileAt(0.3).replace('intent-classifier/production', route),
    )
    const start = new Date(startOf(name)).toISOString()
    const args = ['release', 'start', release, '--url', worker.url, '--start', start]
    expect((await runHaldane(args)).exitCode).toBe(0)
    const before = await deadLetters()
    await produce(name)

    await expect
      .poll(() => lastPhase(route), { timeout: 60_000, interval: 200 })
      .toBe('rolled_back')
    await expect.poll(deadLetters, { timeout: 20_000, interval: 200 }).toBe(before + 1)
    expect(await worker.stop()).toBe(0)
    const statement = `SELECT count() AS rows FROM request_events WHERE model_name = '${name}'`
    const { stdout } = await runHaldane(['sql', statement, '--json'], {
      env: { HALDANE_DATA_DIR: dataDir },
    })
    expect(JSON.parse(stdout)).toEqual({ rows: EVENTS })
  })
})

describe('a worker that Kafka does not let in', () => {
  it.each([
    {
      what: 'a wrong password',
      env: () => ({
        ...login('login', 'scram-sha-512'),
        HALDANE_KAFKA_SASL_PASSWORD_FILE: wrongFile,
      }),
      line: /^error: no contact: Kafka at [\d.:]+: the login was refused, user or password are wrong$/,
    },
    {
      what: 'a certificate of an unknown authority',
      env: () => ({ ...tls('tls'), HALDANE_KAFKA_CA_FILE: files.otherCa }),
      line: /^error: no contact: Kafka at [\d.:]+: the certificate of the broker is not accepted/,
    },
    {
      what: 'no certificate of its own',
      env: () => tls('mutual'),
      line: /^error: no contact: Kafka at [\d.:]+: the broker does not accept the certificate/,
    },
    {
      what: 'a login at a listener that takes none',
      env: () => ({
        ...login('login', 'plain'),
        HALDANE_KAFKA_BROKERS: secured.broker.brokers.join(','),
      }),
      line: /^error: no contact: Kafka at [\d.:]+: this listener takes no login$/,
    },
  ])('because of $what ends with exit code 1, one line and what to do', async ({ env, line }) => {
    const { exitCode, stdout, stderr } = await runHaldane(['worker'], {
      env: { ...env(), HALDANE_DATA_DIR: join(dir, 'unused'), HALDANE_HTTP_PORT: '0' },
    })
    const loud = stderr.split('\n').filter((text) => text !== '' && !isCalm(text))
    expect(loud[0]).toMatch(/^haldane worker on /)
    expect(loud[1]).toMatch(line)
    expect(loud[2]).toMatch(/^ {2}\w.*HALDANE_KAFKA_/)
    expect({ exitCode, stdout, lines: loud.length }).toEqual({ exitCode: 1, stdout: '', lines: 3 })
    expect(stderr).not.toMatch(/not the password|p\/ss/)
  })

  it('because there is no TLS goes on trying, and says so with a hint', async () => {
    worker = await startWorkerProcess({
      ...tls('tls'),
      HALDANE_KAFKA_BROKERS: secured.broker.brokers.join(','),
      HALDANE_DATA_DIR: join(dir, 'unused'),
    })
    await expect
      .poll(() => worker?.stderr().match(/"level":"warn".*$/gm)?.length ?? 0, { timeout: 20_000 })
      .toBeGreaterThan(1)
    for (const line of worker.stderr().match(/^.*"level":"warn".*$/gm) ?? []) {
      expect(JSON.parse(line)).toMatchObject({
        code: 'bus_unavailable',
        msg: expect.stringMatching(
          /^reaching Kafka: .* the TLS handshake broke off; trying again$/,
        ),
        remedy: 'check that the listener speaks TLS, or unset HALDANE_KAFKA_TLS',
      })
    }
    expect(await worker.stop()).toBe(0)
  })
})

function file(name: string, text: string): string {
  const path = join(dir, name)
  writeFileSync(path, text)
  return path
}

function login(listener: string, mechanism: string): Record<string, string> {
  return {
    HALDANE_KAFKA_BROKERS: secured.broker.address(listener),
    HALDANE_KAFKA_SASL_MECHANISM: mechanism,
    HALDANE_KAFKA_SASL_USERNAME: USER,
    HALDANE_KAFKA_SASL_PASSWORD_FILE: passwordFile,
  }
}

function tls(listener: string): Record<string, string> {
  return {
    HALDANE_KAFKA_BROKERS: secured.broker.address(listener),
    HALDANE_KAFKA_TLS: 'true',
    HALDANE_KAFKA_CA_FILE: files.ca,
  }
}

/** A line of the log that is no warning. */
function isCalm(line: string): boolean {
  return line.startsWith('{') && ['debug', 'info'].includes(JSON.parse(line).level)
}

async function permit(principals: readonly string[]): Promise<void> {
  const kafka = new Kafka({ brokers: secured.broker.brokers, logLevel: logLevel.NOTHING })
  const admin = kafka.admin()
  await admin.connect()
  const acl = principals.flatMap((principal) =>
    KAFKA_PERMISSIONS.flatMap(({ resource, name, prefixed, operations }) =>
      operations.map((operation) => ({
        principal,
        host: '*',
        permissionType: AclPermissionTypes.ALLOW,
        operation: AclOperationTypes[operation],
        resourceType: AclResourceTypes[resource],
        resourceName: name,
        resourcePatternType: prefixed
          ? ResourcePatternTypes.PREFIXED
          : ResourcePatternTypes.LITERAL,
      })),
    ),
  )
  await admin.createAcls({ acl })
  await admin.disconnect()
}

async function produce(modelName: string): Promise<void> {
  const events = generateEvents({
    ...{ seed: 1, events: EVENTS, canaryShare: 0.3, modelName },
    ...{ startMs: startOf(modelName), durationMs: SPAN_MS },
    effect: (arm) => (arm === 'canary' ? { errorRate: 0.2 } : {}),
  })
  const encoder = new TextEncoder()
  const records = Array.from(events, (event) => ({
    key: String(event['request_id']),
    value: encoder.encode(JSON.stringify(event)),
  }))
  records.push({ key: 'broken', value: encoder.encode('{"request_id":"broken"}') })
  await bus.produce(TOPICS.requests.name, records)
}

async function deadLetters(): Promise<number> {
  return (await bus.readToEnd(TOPICS.requestsDeadLetters.name, 0)).length
}

async function lastPhase(route: string): Promise<string | undefined> {
  const { name, partitions } = TOPICS.decisions
  const records = await bus.readToEnd(name, bus.partitionFor(route, partitions))
  const decoder = new TextDecoder()
  return records
    .map((record) => JSON.parse(decoder.decode(record.value ?? undefined)) as WireDecision)
    .filter((decision) => decision.route === route)
    .at(-1)?.phase
}
