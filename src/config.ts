import { z } from 'zod'
import { HaldaneError } from './domain/errors.ts'
import { type BatchPolicy, DEFAULT_BATCH_POLICY } from './pipeline/batch-policy.ts'
import type { LogLevel } from './ports.ts'

export const ROLES = ['ingest', 'analyze', 'api'] as const
export type Role = (typeof ROLES)[number]

/** Everything a worker is told from outside, checked and frozen. */
export interface Config {
  /** Null: the log inside the process. */
  readonly kafkaBrokers: readonly string[] | null
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

const milliseconds = (fallback: number, min: number, max: number) =>
  z.coerce.number().int().min(min).max(max).default(fallback)

const schema = z.object({
  HALDANE_KAFKA_BROKERS: z
    .string()
    .regex(/^[^\s,:]+:\d+(,[^\s,:]+:\d+)*$/, 'host:port, several separated by commas')
    .optional(),
  HALDANE_CLICKHOUSE_URL: z
    .undefined(
      'a ClickHouse server is not supported in this version: unset it, the embedded engine is used',
    )
    .optional(),
  HALDANE_DATA_DIR: z.string().min(1).default('.haldane'),
  HALDANE_HTTP_HOST: z.string().min(1).default('127.0.0.1'),
  HALDANE_HTTP_PORT: z.coerce.number().int().min(0).max(65_535).default(7625),
  HALDANE_TOKEN: z.string().min(16, 'at least 16 characters').optional(),
  HALDANE_POLICY: z.string().min(1).optional(),
  HALDANE_LOG_LEVEL: z.enum(['debug', 'info', 'warn', 'error', 'silent']).default('info'),
  HALDANE_BATCH_ROWS: z.coerce
    .number()
    .int()
    .min(1)
    .max(500_000)
    .default(DEFAULT_BATCH_POLICY.rowsMax),
  HALDANE_BATCH_AGE_MS: z.coerce.number().int().min(10).max(60_000).optional(),
  HALDANE_IDLE_TIMEOUT_MS: milliseconds(30_000, 100, 3_600_000),
  HALDANE_TICK_MS: milliseconds(500, 10, 60_000),
  HALDANE_KAFKA_SESSION_TIMEOUT_MS: milliseconds(45_000, 1000, 300_000),
})

/** Over HTTP somebody waits for each batch; from Kafka larger batches cost less. */
const BATCH_AGE_EMBEDDED_MS = 200

/** Every problem of the environment at once, as `invalid_input`. Secrets are never repeated. */
export function loadConfig(
  env: Readonly<Record<string, string | undefined>>,
  roles: readonly Role[] = ROLES,
): Config {
  const named = Object.fromEntries(
    Object.entries(env).filter(([name, value]) => name.startsWith('HALDANE_') && value !== ''),
  )
  const parsed = schema.safeParse(named)
  if (!parsed.success) {
    const lines = parsed.error.issues.map(({ path, message }) => {
      const name = String(path[0])
      const seen = name === 'HALDANE_TOKEN' ? '' : ` (is ${JSON.stringify(named[name])})`
      return `${name}${seen}: ${message}`
    })
    throw new HaldaneError('invalid_input', lines.join('\n'), {
      remedy: 'correct the environment and start again',
    })
  }
  const { data } = parsed
  const kafkaBrokers = data.HALDANE_KAFKA_BROKERS?.split(',') ?? null
  const embeddedAgeMs =
    kafkaBrokers === null ? BATCH_AGE_EMBEDDED_MS : DEFAULT_BATCH_POLICY.ageMaxMs
  return Object.freeze({
    kafkaBrokers,
    dataDir: data.HALDANE_DATA_DIR,
    httpHost: data.HALDANE_HTTP_HOST,
    httpPort: data.HALDANE_HTTP_PORT,
    token: data.HALDANE_TOKEN ?? null,
    policyFile: data.HALDANE_POLICY ?? null,
    logLevel: data.HALDANE_LOG_LEVEL,
    roles,
    batch: {
      ...DEFAULT_BATCH_POLICY,
      rowsMax: data.HALDANE_BATCH_ROWS,
      ageMaxMs: data.HALDANE_BATCH_AGE_MS ?? embeddedAgeMs,
    },
    idleTimeoutMs: data.HALDANE_IDLE_TIMEOUT_MS,
    tickMs: data.HALDANE_TICK_MS,
    kafkaSessionTimeoutMs: data.HALDANE_KAFKA_SESSION_TIMEOUT_MS,
  })
}
