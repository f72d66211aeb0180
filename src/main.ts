#!/usr/bin/env node
import { readFileSync } from 'node:fs'
import { systemClock } from './adapters/ops/clock.ts'
import { createLog } from './adapters/ops/logger.ts'
import { runProgram } from './commands/program.ts'
import { processTerminal } from './commands/terminal.ts'
import { LOG_LEVELS } from './config/variables.ts'
import type { LogLevel } from './ports.ts'

const packageFile = new URL('../package.json', import.meta.url)
const { version } = JSON.parse(readFileSync(packageFile, 'utf8')) as { version: string }

/** People at a terminal read the verbs' own lines; the log is for workers. */
function logLevel(argv: readonly string[]): LogLevel {
  const given = process.env['HALDANE_LOG_LEVEL']?.toLowerCase()
  const known = LOG_LEVELS.find((level) => level === given)
  if (known !== undefined) return known
  return argv[0] === 'worker' ? 'info' : 'error'
}

const argv = process.argv.slice(2)
process.exitCode = await runProgram(argv, version, {
  terminal: processTerminal(process.env),
  environment: () => ({
    log: createLog({ level: logLevel(argv), version }),
    clock: systemClock,
    version,
  }),
})
// Engines and sockets are closed by the verbs; a forgotten handle must not keep the shell waiting.
process.exit()
