import { startWorker, type WorkerEnvironment } from '../app.ts'
import { type Config, loadConfig, ROLES, type Role } from '../config.ts'
import { HaldaneError } from '../domain/errors.ts'
import { EXIT_DONE, reportFailure } from './failure.ts'
import type { Terminal } from './terminal.ts'

/** What a graceful stop may take before the process ends anyway. */
const DRAIN_DEADLINE_MS = 20_000

/** Runs a worker until a signal or until it cannot go on; returns the exit code. */
export async function runWorker(
  options: { readonly role?: string },
  terminal: Terminal,
  environment: WorkerEnvironment,
): Promise<number> {
  const config = loadConfig(process.env, parseRoles(options.role))
  requireShared(config)
  const worker = await startWorker(config, environment)
  const place = config.clickhouse?.url ?? config.dataDir
  terminal.note(`haldane worker on ${worker.url} (data in ${place}); stop it with Ctrl-C`)
  const stopped = untilSignal()
  const failure = await Promise.race([worker.failure, stopped])
  const code = failure === null ? EXIT_DONE : reportFailure(failure, terminal)
  const watchdog = setTimeout(() => {
    terminal.note('error: the worker did not close in time; what was not stored will be read again')
    process.exit(1)
  }, DRAIN_DEADLINE_MS)
  watchdog.unref()
  await worker.stop()
  clearTimeout(watchdog)
  return code
}

/** Resolves with null at the first SIGINT or SIGTERM; the second one ends the process at once. */
function untilSignal(): Promise<null> {
  return new Promise((resolve) => {
    for (const signal of ['SIGINT', 'SIGTERM'] as const) {
      process.once(signal, () => {
        resolve(null)
        process.once(signal, () => process.exit(1))
      })
    }
  })
}

function parseRoles(text: string | undefined): readonly Role[] {
  if (text === undefined) return ROLES
  const roles = text.split(',').map((word) => word.trim())
  const unknown = roles.find((role) => !(ROLES as readonly string[]).includes(role))
  if (unknown !== undefined) {
    throw new HaldaneError('usage', `--role: unknown role "${unknown}"`, {
      remedy: `allowed are ${ROLES.join(', ')}, separated by commas`,
    })
  }
  return ROLES.filter((role) => roles.includes(role))
}

/** Roles can be in different processes only where these meet: in Kafka and on a ClickHouse server. */
function requireShared({ roles, kafka, clickhouse }: Config): void {
  const missing = ROLES.filter((role) => !roles.includes(role))
  if (missing.length === 0 || (kafka !== null && clickhouse !== null)) return
  const own = kafka === null ? 'the log inside the process' : 'the embedded store'
  throw new HaldaneError('usage', `--role: ${missing.join(', ')} would have no worker`, {
    remedy: `${own} belongs to one process, which needs every role: leave --role out, or set HALDANE_KAFKA_BROKERS and HALDANE_CLICKHOUSE_URL`,
  })
}
