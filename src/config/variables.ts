import { DEFAULT_BATCH_POLICY } from '../pipeline/batch-policy.ts'
import type { LogLevel } from '../ports.ts'
import {
  brokerList,
  flag,
  httpOrigin,
  integer,
  type Kind,
  type Parsed,
  pemFile,
  text,
  word,
} from './kinds.ts'

type Need =
  | { readonly name: 'HALDANE_KAFKA_TLS'; readonly value: true }
  | {
      readonly name:
        | 'HALDANE_KAFKA_BROKERS'
        | 'HALDANE_KAFKA_SASL_MECHANISM'
        | 'HALDANE_CLICKHOUSE_URL'
      readonly value?: undefined
    }

/** One variable of the environment, as data: what reads it, shows it and documents it. */
export interface Variable<T = unknown> {
  readonly kind: Kind<T>
  /** One line for people. */
  readonly meaning: string
  /** Null: without a value. */
  readonly default: string | null
  /** Where Kafka makes another default sensible. */
  readonly defaultBesideKafka?: string
  /** Never shown; `<name>_FILE` may name a file that holds it. */
  readonly secret: boolean
  /** It means nothing, and most likely a mistake, unless this other one is set (to `value`). */
  readonly needs?: Need
}

export const LOG_LEVELS = ['debug', 'info', 'warn', 'error', 'silent'] as const satisfies LogLevel[]

/** Over HTTP somebody waits for each batch; from Kafka larger batches cost less. */
const BATCH_AGE_EMBEDDED_MS = 200

const BROKERS = { name: 'HALDANE_KAFKA_BROKERS' } as const
const TLS = { name: 'HALDANE_KAFKA_TLS', value: true } as const
const SASL = { name: 'HALDANE_KAFKA_SASL_MECHANISM' } as const
const SERVER = { name: 'HALDANE_CLICKHOUSE_URL' } as const

export const VARIABLES = {
  HALDANE_KAFKA_BROKERS: variable(brokerList, 'brokers to begin with; unset: log in the process'),
  HALDANE_KAFKA_TLS: variable(flag, 'TLS to the brokers', { default: 'false', needs: BROKERS }),
  HALDANE_KAFKA_CA_FILE: variable(
    pemFile('CERTIFICATE'),
    'authorities that sign certificates of brokers; unset: those Node knows',
    { needs: TLS },
  ),
  HALDANE_KAFKA_CERT_FILE: variable(
    pemFile('CERTIFICATE'),
    'own certificate, where brokers ask for one',
    { needs: TLS },
  ),
  HALDANE_KAFKA_KEY_FILE: variable(
    pemFile('PRIVATE KEY'),
    'key of the own certificate, without a passphrase',
    { needs: TLS },
  ),
  HALDANE_KAFKA_SASL_MECHANISM: variable(
    word(['plain', 'scram-sha-256', 'scram-sha-512']),
    'how to log in; unset: no login',
    { needs: BROKERS },
  ),
  HALDANE_KAFKA_SASL_USERNAME: variable(text('any text'), 'user to log in as', { needs: SASL }),
  HALDANE_KAFKA_SASL_PASSWORD: variable(text('any text'), 'password of the user', {
    secret: true,
    needs: SASL,
  }),
  HALDANE_KAFKA_SESSION_TIMEOUT_MS: variable(
    integer(1000, 300_000, 'milliseconds'),
    'after so long without a sign of life the partitions of a worker go to another',
    { default: '45000' },
  ),
  HALDANE_CLICKHOUSE_URL: variable(httpOrigin, 'ClickHouse server; unset: embedded engine'),
  HALDANE_CLICKHOUSE_DATABASE: variable(
    text('a letter, then at most 63 letters, digits and _', /^[A-Za-z][A-Za-z0-9_]{0,63}$/),
    'database on the server',
    { default: 'haldane', needs: SERVER },
  ),
  HALDANE_CLICKHOUSE_USER: variable(text('any text'), 'user on the server', {
    default: 'default',
    needs: SERVER,
  }),
  HALDANE_CLICKHOUSE_PASSWORD: variable(text('any text'), 'password of the user; unset: none', {
    secret: true,
    needs: SERVER,
  }),
  HALDANE_CLICKHOUSE_CA_FILE: variable(
    pemFile('CERTIFICATE'),
    'authorities that sign the certificate of the server; unset: those Node knows',
    { needs: SERVER },
  ),
  HALDANE_DATA_DIR: variable(text('a path'), 'directory of the embedded engine', {
    default: '.haldane',
  }),
  HALDANE_HTTP_HOST: variable(
    text('a name or address of this machine'),
    'address to listen at; any but loopback needs HALDANE_TOKEN',
    { default: '127.0.0.1' },
  ),
  HALDANE_HTTP_PORT: variable(integer(0, 65_535), 'port to listen at; 0: any free one', {
    default: '7625',
  }),
  HALDANE_TOKEN: variable(
    text('at least 16 visible ASCII characters without spaces', /^[\x21-\x7e]{16,4096}$/),
    'bearer token of the HTTP door',
    { secret: true },
  ),
  HALDANE_POLICY: variable(
    text('a path'),
    'organisation policy that release files extend when they name none',
  ),
  HALDANE_LOG_LEVEL: variable(word(LOG_LEVELS), 'least severe line of the log that is written', {
    default: 'info',
  }),
  HALDANE_BATCH_ROWS: variable(integer(1, 500_000), 'rows after which a batch is stored', {
    default: String(DEFAULT_BATCH_POLICY.rowsMax),
  }),
  HALDANE_BATCH_AGE_MS: variable(
    integer(10, 60_000, 'milliseconds'),
    'age after which a batch is stored',
    {
      default: String(BATCH_AGE_EMBEDDED_MS),
      defaultBesideKafka: String(DEFAULT_BATCH_POLICY.ageMaxMs),
    },
  ),
  HALDANE_IDLE_TIMEOUT_MS: variable(
    integer(100, 3_600_000, 'milliseconds'),
    'after so long without events a partition holds no block open',
    { default: '30000' },
  ),
  HALDANE_TICK_MS: variable(
    integer(10, 60_000, 'milliseconds'),
    'pause between two looks at the releases',
    { default: '500' },
  ),
} as const

export type VariableName = keyof typeof VARIABLES

/** What each variable holds; null when it is not set and has no default. */
export type Values = {
  readonly [Name in VariableName]: ValueOf<(typeof VARIABLES)[Name]['kind']> | null
}

type ValueOf<K extends Kind<unknown>> = Extract<ReturnType<K['parse']>, { value: unknown }>['value']

export const VARIABLE_NAMES = Object.keys(VARIABLES) as readonly VariableName[]

export function variableOf(name: VariableName): Variable {
  return VARIABLES[name]
}

/** Every name that may be set, the `_FILE` forms of secrets included. */
export const SETTABLE_NAMES: readonly string[] = VARIABLE_NAMES.flatMap((name) =>
  variableOf(name).secret ? [name, `${name}_FILE`] : [name],
)

function variable<T>(
  kind: { readonly allowed: string; parse(text: string): Parsed<T> },
  meaning: string,
  options: Partial<Pick<Variable, 'default' | 'defaultBesideKafka' | 'secret' | 'needs'>> = {},
): Variable<T> {
  return { kind, meaning, default: null, secret: false, ...options }
}
