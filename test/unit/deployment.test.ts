import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, describe, expect, it } from 'vitest'
import { parse } from 'yaml'
import { SETTABLE_NAMES } from '../../src/config/variables.ts'
import { type Config, loadConfig } from '../../src/config.ts'

interface Service {
  readonly image: string
  readonly build?: string
  readonly environment?: Readonly<Record<string, string | number>>
  readonly ports?: readonly string[]
  readonly volumes?: readonly string[]
  readonly secrets?: readonly string[]
  readonly depends_on?: Readonly<Record<string, { readonly condition: string }>>
  readonly healthcheck?: { readonly test?: unknown; readonly disable?: boolean }
  readonly restart?: string
}

interface Compose {
  readonly services: Readonly<Record<string, Service>>
  readonly secrets: Readonly<Record<string, { readonly file: string }>>
  readonly volumes: Readonly<Record<string, unknown>>
}

const ROOT = fileURLToPath(new URL('../../', import.meta.url))
const read = (path: string) => readFileSync(join(ROOT, path), 'utf8')
const compose = parse(read('docker-compose.yml'), { merge: true }) as Compose
const services = Object.entries(compose.services)
const { version } = JSON.parse(read('package.json')) as { version: string }
const dir = mkdtempSync(join(tmpdir(), 'haldane-compose-'))
afterAll(() => rmSync(dir, { recursive: true, force: true }))

/** What a container of the service would read, its secrets lying in a directory of this test. */
function configOf(name: string): Config {
  const { environment = {}, secrets = [] } = compose.services[name] as Service
  const env = Object.entries(environment).map(([variable, value]) => {
    const secret = /^\/run\/secrets\/(.+)$/.exec(String(value))?.[1]
    if (secret === undefined) return [variable, String(value)]
    expect(secrets, `secrets of ${name}`).toContain(secret)
    const path = join(dir, secret)
    writeFileSync(path, `${secret}-0123456789\n`)
    return [variable, path]
  })
  return loadConfig(Object.fromEntries(env))
}

describe('the compose file', () => {
  it.each(services)(
    'gives %s no variable that Haldane does not know',
    (_, { environment = {} }) => {
      const own = Object.keys(environment).filter((name) => name.startsWith('HALDANE_'))
      for (const name of own) expect(SETTABLE_NAMES).toContain(name)
    },
  )

  it('configures setup and worker for Kafka and a server, the worker behind a token', () => {
    const kafka = { brokers: ['kafka:19092'], tls: null, sasl: null }
    const clickhouse = {
      ...{ url: 'http://clickhouse:8123', database: 'haldane', username: 'haldane' },
      password: 'clickhouse-password-0123456789',
    }
    expect(configOf('setup')).toMatchObject({ kafka, clickhouse })
    expect(configOf('worker')).toMatchObject({
      ...{ kafka, clickhouse, httpHost: '0.0.0.0', token: 'token-0123456789' },
    })
  })

  it.each(services)('pins the version of %s', (_, { image, build }) => {
    expect(image).toMatch(/^[a-z/-]+:\d+\.\d+(\.\d+)?$/)
    if (build !== undefined) expect(image).toBe(`haldane:${version}`)
  })

  it.each(services)('publishes ports of %s on loopback only', (_, { ports = [] }) => {
    for (const port of ports) expect(port).toMatch(/^127\.0\.0\.1:\d+:\d+$/)
  })

  it.each(services)('knows whether %s is well', (name, { healthcheck, restart }) => {
    if (name === 'setup') expect({ healthcheck, restart }).toMatchObject({ restart: 'no' })
    else expect(healthcheck?.test).toBeInstanceOf(Array)
  })

  it('starts a worker only after the tables and topics are there', () => {
    const conditions = (name: string) =>
      Object.entries(compose.services[name]?.depends_on ?? {}).map(([on, { condition }]) => [
        on,
        condition,
      ])
    const healthy = [
      ['kafka', 'service_healthy'],
      ['clickhouse', 'service_healthy'],
    ]
    expect(conditions('setup')).toEqual(healthy)
    expect(conditions('worker')).toEqual([['setup', 'service_completed_successfully'], ...healthy])
  })

  it('keeps data in volumes and mounts only files that exist', () => {
    for (const [, { volumes = [], secrets = [] }] of services) {
      for (const volume of volumes) {
        const source = volume.split(':')[0] ?? ''
        if (source.startsWith('./')) expect(existsSync(join(ROOT, source))).toBe(true)
        else expect(compose.volumes).toHaveProperty(source)
      }
      for (const secret of secrets) {
        expect(compose.secrets[secret]?.file).toBe(`deploy/secrets/${secret}`)
      }
    }
    expect(read('.gitignore').split('\n')).toContain('deploy/secrets/')
  })
})

describe('the image', () => {
  const lines = read('Dockerfile').split('\n')
  const allowed = read('.dockerignore').match(/^!.+$/gm) ?? []

  it('runs as a user without rights, from a pinned base', () => {
    expect(lines).toContain('USER node')
    expect(lines.find((line) => line.startsWith('ARG NODE_IMAGE='))).toMatch(/:\d+\.\d+\.\d+-\w+/)
    for (const line of lines.filter((text) => text.startsWith('FROM '))) {
      expect(line).toMatch(/^FROM \$\{NODE_IMAGE\}/)
    }
  })

  it('leaves the embedded engine out', () => {
    const installs = lines.filter((line) => line.includes('npm ci'))
    expect(installs.at(-1)).toContain('--omit=dev --omit=optional')
  })

  it('copies only what the build may see, and what there is', () => {
    const copied = lines
      .filter((line) => line.startsWith('COPY ') && !line.includes('--from='))
      .flatMap((line) => line.split(' ').slice(1, -1))
    expect(copied.length).toBeGreaterThan(8)
    for (const path of copied) {
      expect(allowed).toContain(`!${path.replace('./', '')}`)
      expect(existsSync(join(ROOT, path))).toBe(true)
    }
  })
})
