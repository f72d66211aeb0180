import { contradictions } from './config/contradictions.ts'
import { type Environment, readSettings, type Setting, type Settings } from './config/settings.ts'
import type { Values } from './config/variables.ts'
import { HaldaneError } from './domain/errors.ts'
import { type BatchPolicy, DEFAULT_BATCH_POLICY } from './pipeline/batch-policy.ts'
import type { LogLevel } from './ports.ts'

export const ROLES = ['ingest', 'analyze', 'api'] as const
export type Role = (typeof ROLES)[number]

export interface KafkaConfig {
  /** `host:port` each. */
  readonly brokers: readonly string[]
  /** PEM texts; `ca` null: the authorities Node knows. */
  readonly tls: {
    readonly ca: string | null
    readonly cert: string | null
    readonly key: string | null
  } | null
  readonly sasl: {
    readonly mechanism: 'plain' | 'scram-sha-256' | 'scram-sha-512'
    readonly username: string
    readonly password: string
  } | null
}

export interface ClickHouseConfig {
  /** `http(s)://host:port`, never with credentials. */
  readonly url: string
  readonly database: string
  readonly username: string
  /** Empty: none. */
  readonly password: string
  /** PEM text; null: the authorities Node knows. */
  readonly ca: string | null
}

/** Everything a worker is told from outside, checked and frozen. */
export interface Config {
  /** Null: the log inside the process. */
  readonly kafka: KafkaConfig | null
  /** Null: the embedded engine. */
  readonly clickhouse: ClickHouseConfig | null
  readonly dataDir: string
  readonly httpHost: string
  readonly httpPort: number
  readonly token: string | null
  /** Organisation policy that release files extend when they name none. */
  readonly policyFile: string | null
  readonly logLevel: LogLevel
  readonly roles: readonly Role[]
  readonly batch: BatchPolicy
  readonly idleTimeoutMs: number
  readonly tickMs: number
  /** After this long without a sign of life a dead worker's partitions go to another. */
  readonly kafkaSessionTimeoutMs: number
}

/**
 * Reads the environment and the files it names. Throws every problem at once as `invalid_input`,
 * one a line; secrets are never repeated.
 */
export function loadConfig(env: Environment, roles: readonly Role[] = ROLES): Config {
  const { values } = checkedSettings(env)
  return Object.freeze({
    kafka: kafkaOf(values),
    clickhouse: clickhouseOf(values),
    dataDir: present(values, 'HALDANE_DATA_DIR'),
    httpHost: present(values, 'HALDANE_HTTP_HOST'),
    httpPort: present(values, 'HALDANE_HTTP_PORT'),
    token: values.HALDANE_TOKEN,
    policyFile: values.HALDANE_POLICY,
    logLevel: present(values, 'HALDANE_LOG_LEVEL'),
    roles,
    batch: {
      ...DEFAULT_BATCH_POLICY,
      rowsMax: present(values, 'HALDANE_BATCH_ROWS'),
      ageMaxMs: present(values, 'HALDANE_BATCH_AGE_MS'),
    },
    idleTimeoutMs: present(values, 'HALDANE_IDLE_TIMEOUT_MS'),
    tickMs: present(values, 'HALDANE_TICK_MS'),
    kafkaSessionTimeoutMs: present(values, 'HALDANE_KAFKA_SESSION_TIMEOUT_MS'),
  })
}

/** The effective value of every variable and where it is from; throws like `loadConfig`. */
export function listSettings(env: Environment): readonly Setting[] {
  return checkedSettings(env).list
}

function checkedSettings(env: Environment): Settings {
  const settings = readSettings(env)
  const problems = [...settings.problems, ...contradictions(settings)]
  if (problems.length === 0) return settings
  throw new HaldaneError('invalid_input', problems.join('\n'), {
    remedy:
      'correct the environment and start again; `haldane config check` repeats only this check',
  })
}

function kafkaOf(values: Values): KafkaConfig | null {
  const { HALDANE_KAFKA_BROKERS: brokers, HALDANE_KAFKA_SASL_MECHANISM: mechanism } = values
  if (brokers === null) return null
  const tls = {
    ca: values.HALDANE_KAFKA_CA_FILE,
    cert: values.HALDANE_KAFKA_CERT_FILE,
    key: values.HALDANE_KAFKA_KEY_FILE,
  }
  const username = values.HALDANE_KAFKA_SASL_USERNAME ?? ''
  const password = values.HALDANE_KAFKA_SASL_PASSWORD ?? ''
  return {
    brokers,
    tls: values.HALDANE_KAFKA_TLS === true ? tls : null,
    sasl: mechanism === null ? null : { mechanism, username, password },
  }
}

function clickhouseOf(values: Values): ClickHouseConfig | null {
  const { HALDANE_CLICKHOUSE_URL: url } = values
  if (url === null) return null
  return {
    url,
    database: present(values, 'HALDANE_CLICKHOUSE_DATABASE'),
    username: present(values, 'HALDANE_CLICKHOUSE_USER'),
    password: values.HALDANE_CLICKHOUSE_PASSWORD ?? '',
    ca: values.HALDANE_CLICKHOUSE_CA_FILE,
  }
}

/** Of a variable with a default, whose value was checked. */
function present<Name extends keyof Values>(
  values: Values,
  name: Name,
): Exclude<Values[Name], null> {
  const value = values[name]
  if (value === null) throw new HaldaneError('internal', `${name} has no value`)
  return value as Exclude<Values[Name], null>
}
