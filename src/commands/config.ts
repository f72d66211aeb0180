import type { Environment } from '../config/settings.ts'
import { type Config, listSettings, loadConfig } from '../config.ts'
import { EXIT_DONE } from './failure.ts'
import { renderTable, type Terminal } from './terminal.ts'

/** Says what a worker of this environment would use; throws every problem at once. */
export function runConfigCheck(env: Environment, terminal: Terminal): number {
  const config = loadConfig(env)
  terminal.out(
    `the configuration is valid: ${busOf(config)}, ${storeOf(config)}, ${doorOf(config)}`,
  )
  return EXIT_DONE
}

/** The effective value of every variable and where it is from; secrets are masked. */
export function runConfigShow(
  options: { readonly json?: boolean },
  env: Environment,
  terminal: Terminal,
): number {
  const settings = listSettings(env)
  if (options.json === true) {
    for (const { name, shown, source } of settings) {
      terminal.out(JSON.stringify({ name, value: shown, source }))
    }
    return EXIT_DONE
  }
  const rows = settings.map(({ name, shown, source }) => [name, shown ?? '–', source])
  const titles = [{ title: 'name' }, { title: 'value' }, { title: 'from' }]
  for (const line of renderTable(titles, rows)) terminal.out(line)
  return EXIT_DONE
}

function busOf({ kafka }: Config): string {
  if (kafka === null) return 'log in the process'
  const login =
    kafka.sasl === null ? 'no login' : `${kafka.sasl.mechanism} as ${kafka.sasl.username}`
  const lock = kafka.tls === null ? 'no TLS' : 'TLS'
  return `Kafka at ${kafka.brokers.join(', ')} (${lock}, ${login})`
}

function storeOf({ clickhouse, dataDir }: Config): string {
  if (clickhouse === null) return `embedded engine in ${dataDir}`
  return `ClickHouse at ${clickhouse.url} (database ${clickhouse.database})`
}

function doorOf({ httpHost, httpPort, token }: Config): string {
  const guard = token === null ? 'without a token' : 'with a token'
  return `HTTP at ${httpHost}:${httpPort} ${guard}`
}
