import { type LogEntry, logLevel } from 'kafkajs'
import type { Log } from '../../ports.ts'

/**
 * What kafkajs reports as an error although it retries by itself, or although the adapter answers
 * with an error of its own.
 */
const NOISE =
  /coordinator|loading|already exists|Failed to connect|Connection (error|timeout)|ECONNREFUSED|rebalanc|re-?join|not aware of this member|partitioner|leader|does not host this topic|Restarting the consumer|^Crash|^Response |Failed to send messages|Limiting retries|larger than the max message size|SASL|authentication|^Closed connection/i

/** kafkajs' own words, one level below what it calls them and without stacks; noise at debug. */
export function bridgeLog(log: Log): (entry: LogEntry) => void {
  return ({ namespace, level, log: { message, timestamp: _, ...rest } }) => {
    const { stack: _stack, logger: _logger, ...fields } = rest as Record<string, unknown>
    const text = `kafkajs ${namespace}: ${message}`
    const quiet = NOISE.test(`${message} ${String(fields['error'] ?? '')}`)
    if (quiet || level > logLevel.WARN) log.debug(fields, text)
    else if (level === logLevel.WARN) log.info(fields, text)
    else log.warn(fields, text)
  }
}
