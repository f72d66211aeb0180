import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, it } from 'vitest'
import { listSettings, loadConfig } from '../../src/config.ts'
import { HaldaneError } from '../../src/domain/errors.ts'
import { createAuthority } from '../support/certificates.ts'

const dir = mkdtempSync(join(tmpdir(), 'haldane-config-'))
afterAll(() => rmSync(dir, { recursive: true, force: true }))

const authority = createAuthority()
const identity = authority.issue('worker')
const caFile = file('ca.pem', authority.ca)
const certFile = file('worker.pem', identity.cert)
const keyFile = file('worker.key', identity.key)

function file(name: string, text: string): string {
  const path = join(dir, name)
  writeFileSync(path, text)
  return path
}

function problemsOf(env: Record<string, string>): string[] {
  try {
    loadConfig(env)
  } catch (thrown) {
    if (thrown instanceof HaldaneError && thrown.code === 'invalid_input') {
      return thrown.message.split('\n')
    }
    throw thrown
  }
  return []
}

describe('the environment of a worker', () => {
  it('needs nothing: in-process log, embedded engine, loopback', () => {
    expect(loadConfig({ PATH: '/bin' })).toMatchObject({
      kafka: null,
      clickhouse: null,
      dataDir: '.haldane',
      httpHost: '127.0.0.1',
      httpPort: 7625,
      token: null,
      policyFile: null,
      logLevel: 'info',
      batch: { rowsMax: 50_000, ageMaxMs: 200 },
      idleTimeoutMs: 30_000,
      tickMs: 500,
      kafkaSessionTimeoutMs: 45_000,
    })
  })

  it('lets batches grow older beside Kafka, unless told otherwise', () => {
    const env = { HALDANE_KAFKA_BROKERS: 'a:9092,b:9093' }
    expect(loadConfig(env)).toMatchObject({
      kafka: { brokers: ['a:9092', 'b:9093'], tls: null, sasl: null },
      batch: { ageMaxMs: 1000 },
    })
    expect(loadConfig({ ...env, HALDANE_BATCH_AGE_MS: '50' }).batch.ageMaxMs).toBe(50)
  })

  it('takes an empty variable for one that is not set', () => {
    expect(loadConfig({ HALDANE_KAFKA_BROKERS: '', HALDANE_TOKEN_FILE: '' }).kafka).toBeNull()
  })

  it('gives TLS and the login to Kafka, the mechanism as Kafka spells it', () => {
    const config = loadConfig({
      HALDANE_KAFKA_BROKERS: 'a:9092',
      HALDANE_KAFKA_TLS: 'True',
      HALDANE_KAFKA_CA_FILE: caFile,
      HALDANE_KAFKA_CERT_FILE: certFile,
      HALDANE_KAFKA_KEY_FILE: keyFile,
      HALDANE_KAFKA_SASL_MECHANISM: 'SCRAM-SHA-512',
      HALDANE_KAFKA_SASL_USERNAME: 'haldane',
      HALDANE_KAFKA_SASL_PASSWORD_FILE: file('password', 'geheim\r\n'),
    })
    expect(config.kafka).toEqual({
      brokers: ['a:9092'],
      tls: { ca: authority.ca, cert: identity.cert, key: identity.key },
      sasl: { mechanism: 'scram-sha-512', username: 'haldane', password: 'geheim' },
    })
  })

  it('gives the address, the database and the user of a ClickHouse server', () => {
    expect(loadConfig({ HALDANE_CLICKHOUSE_URL: 'http://ch:8123/' }).clickhouse).toEqual({
      url: 'http://ch:8123',
      database: 'haldane',
      username: 'default',
      password: '',
      ca: null,
    })
    const config = loadConfig({
      HALDANE_CLICKHOUSE_URL: 'https://ch:8443',
      HALDANE_CLICKHOUSE_DATABASE: 'canary',
      HALDANE_CLICKHOUSE_USER: 'writer',
      HALDANE_CLICKHOUSE_PASSWORD: 'geheim',
      HALDANE_CLICKHOUSE_CA_FILE: caFile,
    })
    expect(config.clickhouse).toEqual({
      url: 'https://ch:8443',
      database: 'canary',
      username: 'writer',
      password: 'geheim',
      ca: authority.ca,
    })
  })

  it('drops one newline, and only one, at the end of a secret file', () => {
    const path = file('token', 'a token of many letters\n'.replaceAll(' ', '-'))
    expect(loadConfig({ HALDANE_TOKEN_FILE: path }).token).toBe('a-token-of-many-letters')
    const two = file('password-2', 'geheim\n\n')
    const env = { HALDANE_CLICKHOUSE_URL: 'http://ch:1', HALDANE_CLICKHOUSE_PASSWORD_FILE: two }
    expect(loadConfig(env).clickhouse?.password).toBe('geheim\n')
  })
})

describe('an environment that is wrong', () => {
  it('is told with every problem at once, name, value and what is allowed', () => {
    expect(
      problemsOf({
        HALDANE_HTTP_PORT: '70000',
        HALDANE_TICK_MS: '1e3',
        HALDANE_LOG_LEVEL: 'loud',
        HALDANE_KAFKA_BROKERS: 'broker',
      }),
    ).toEqual([
      'HALDANE_KAFKA_BROKERS is "broker": allowed: host:port, several separated by commas, without a scheme or spaces',
      'HALDANE_HTTP_PORT is "70000": allowed: a whole number from 0 to 65535',
      'HALDANE_LOG_LEVEL is "loud": allowed: debug, info, warn, error, silent',
      'HALDANE_TICK_MS is "1e3": allowed: a whole number of milliseconds from 10 to 60000',
    ])
  })

  it('never repeats a secret, nor credentials inside an address', () => {
    const problems = problemsOf({
      HALDANE_TOKEN: 'top-secret',
      HALDANE_CLICKHOUSE_URL: 'https://me:top-secret@ch:8443',
      HALDANE_KAFKA_BROKERS: 'SASL_SSL://me:top/sec,ret@broker:9092',
      HALDANE_TOKN: 'top-secret',
    }).join('\n')
    expect(problems).not.toMatch(/top|sec|ret\b/)
    expect(problems).toContain('HALDANE_TOKEN is ***: allowed: at least 16')
    expect(problems).toContain('HALDANE_CLICKHOUSE_URL is "https://***@ch:8443"')
    expect(problems).toContain('use HALDANE_CLICKHOUSE_USER and HALDANE_CLICKHOUSE_PASSWORD_FILE')
    expect(problems).toContain('HALDANE_KAFKA_BROKERS is "SASL_SSL://***@broker:9092"')
  })

  it('names the variable a mistyped one most likely stands for', () => {
    expect(problemsOf({ HALDANE_KAFKA_BROKER: 'a:1', HALDANE_COLOUR: 'x' })).toEqual([
      'HALDANE_KAFKA_BROKER is not a variable of Haldane; did you mean "HALDANE_KAFKA_BROKERS"?',
      'HALDANE_COLOUR is not a variable of Haldane',
    ])
  })

  it('is not what Kubernetes adds for a service of that name', () => {
    expect(
      problemsOf({
        HALDANE_SERVICE_HOST: '10.0.0.1',
        HALDANE_SERVICE_PORT: '7625',
        HALDANE_SERVICE_PORT_HTTP: '7625',
        HALDANE_PORT: 'tcp://10.0.0.1:7625',
        HALDANE_PORT_7625_TCP: 'tcp://10.0.0.1:7625',
        HALDANE_PORT_7625_TCP_PROTO: 'tcp',
        HALDANE_KAFKA_PORT_9092_TCP_ADDR: '10.0.0.2',
      }),
    ).toEqual([])
    expect(problemsOf({ HALDANE_PORT: '7625' })).toHaveLength(1)
  })

  it.each([
    ['both set', { HALDANE_TOKEN: 'x', HALDANE_TOKEN_FILE: 'y' }, 'are both set'],
    ['absent', { HALDANE_TOKEN_FILE: join(dir, 'none') }, `none": there is no such file`],
    ['a directory', { HALDANE_TOKEN_FILE: dir }, 'it is a directory'],
    ['empty', { HALDANE_TOKEN_FILE: file('empty', '\n') }, 'the file is empty'],
  ])('says which secret file is %s', (_, env, expected) => {
    const [problem, ...others] = problemsOf(env as unknown as Record<string, string>)
    expect(problem).toContain('HALDANE_TOKEN_FILE')
    expect(problem).toContain(expected)
    expect(others).toEqual([])
  })

  it('is one that sets a part of a door that is not there', () => {
    expect(
      problemsOf({
        HALDANE_KAFKA_TLS: 'true',
        HALDANE_KAFKA_SASL_USERNAME: 'me',
        HALDANE_CLICKHOUSE_PASSWORD: 'geheim',
      }),
    ).toEqual([
      'HALDANE_KAFKA_TLS has no effect: HALDANE_KAFKA_BROKERS is not set',
      'HALDANE_KAFKA_SASL_USERNAME has no effect: HALDANE_KAFKA_SASL_MECHANISM is not set',
      'HALDANE_CLICKHOUSE_PASSWORD has no effect: HALDANE_CLICKHOUSE_URL is not set',
    ])
  })

  it.each([
    [
      'authorities without TLS',
      { HALDANE_KAFKA_CA_FILE: caFile },
      'HALDANE_KAFKA_CA_FILE has no effect: HALDANE_KAFKA_TLS is not true',
    ],
    [
      'a certificate without its key',
      { HALDANE_KAFKA_TLS: 'true', HALDANE_KAFKA_CERT_FILE: certFile },
      'HALDANE_KAFKA_KEY_FILE is not set: HALDANE_KAFKA_CERT_FILE needs it',
    ],
    [
      'the key of another certificate',
      {
        HALDANE_KAFKA_TLS: 'true',
        HALDANE_KAFKA_CERT_FILE: certFile,
        HALDANE_KAFKA_KEY_FILE: file('other.key', authority.issue('other').key),
      },
      'HALDANE_KAFKA_KEY_FILE is not the key of HALDANE_KAFKA_CERT_FILE',
    ],
    [
      'a file that is no certificate',
      { HALDANE_KAFKA_TLS: 'true', HALDANE_KAFKA_CA_FILE: keyFile },
      'there is no "BEGIN CERTIFICATE" in the file',
    ],
    [
      'a certificate that cannot be read',
      {
        HALDANE_KAFKA_TLS: 'true',
        HALDANE_KAFKA_CA_FILE: file('broken.pem', authority.ca.replace(/\nMII/, '\nXXX')),
      },
      'HALDANE_KAFKA_CA_FILE: the file holds no certificate that can be read',
    ],
    [
      'a mechanism alone',
      { HALDANE_KAFKA_SASL_MECHANISM: 'plain', HALDANE_KAFKA_SASL_USERNAME: 'me' },
      'HALDANE_KAFKA_SASL_PASSWORD is not set: HALDANE_KAFKA_SASL_MECHANISM needs it (or its _FILE form)',
    ],
  ])('has half of what Kafka needs: %s', (_, env, expected) => {
    const problems = problemsOf({ HALDANE_KAFKA_BROKERS: 'a:1', ...env } as Record<string, string>)
    expect(problems).toHaveLength(1)
    expect(problems[0]).toContain(expected)
  })

  it.each(['http://ch:8123/haldane', 'http://ch:8123?database=x', 'ch:8123', 'tcp://ch:9000'])(
    'names a ClickHouse server as %s',
    (url) => {
      expect(problemsOf({ HALDANE_CLICKHOUSE_URL: url })).toHaveLength(1)
    },
  )

  it('opens the door to other machines without a token', () => {
    expect(problemsOf({ HALDANE_HTTP_HOST: '0.0.0.0' })).toEqual([
      'HALDANE_TOKEN is not set: HALDANE_HTTP_HOST is "0.0.0.0", which other machines can reach (HALDANE_TOKEN_FILE does too)',
    ])
    expect(problemsOf({ HALDANE_HTTP_HOST: 'localhost' })).toEqual([])
  })

  it('has authorities for a server without TLS', () => {
    const env = { HALDANE_CLICKHOUSE_URL: 'http://ch:1', HALDANE_CLICKHOUSE_CA_FILE: caFile }
    expect(problemsOf(env)).toEqual([
      'HALDANE_CLICKHOUSE_CA_FILE has no effect: HALDANE_CLICKHOUSE_URL is not https',
    ])
  })
})

describe('the list of settings', () => {
  it('says where each value is from, and shows no secret', () => {
    const list = listSettings({
      HALDANE_HTTP_PORT: '8000',
      HALDANE_TOKEN_FILE: file('token-2', 'a-token-of-many-letters'),
    })
    const of = (name: string) => list.find((setting) => setting.name === name)
    expect(of('HALDANE_HTTP_PORT')).toMatchObject({ shown: '8000', source: 'environment' })
    expect(of('HALDANE_TOKEN')).toMatchObject({ shown: '***', source: 'file' })
    expect(of('HALDANE_BATCH_AGE_MS')).toMatchObject({ shown: '200', source: 'default' })
    expect(of('HALDANE_KAFKA_BROKERS')).toMatchObject({ shown: null, source: 'default' })
  })
})
