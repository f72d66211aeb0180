import { type Logger, pino, stdTimeFunctions } from 'pino'
import type { Log, LogLevel } from '../../ports.ts'

/** JSON lines on stderr: stdout belongs to results. Never given values of events. */
export function createLog(options: { level: LogLevel; version: string }): Log {
  const logger = pino(
    {
      level: options.level,
      base: { service: 'haldane', version: options.version },
      timestamp: stdTimeFunctions.isoTime,
      formatters: { level: (label) => ({ level: label }) },
      redact: ['*.password', '*.token', '*.sasl', 'token', 'password'],
    },
    { write: (line: string) => process.stderr.write(line) },
  )
  return wrap(logger)
}

export const silentLog: Log = {
  debug: () => undefined,
  info: () => undefined,
  warn: () => undefined,
  error: () => undefined,
  child: () => silentLog,
}

function wrap(logger: Logger): Log {
  return {
    debug: (fields, message) => logger.debug(fields, message),
    info: (fields, message) => logger.info(fields, message),
    warn: (fields, message) => logger.warn(fields, message),
    error: (fields, message) => logger.error(fields, message),
    child: (fields) => wrap(logger.child(fields)),
  }
}
