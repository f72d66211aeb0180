/**
 * Entry of the fleet's own process: one argument, the config as JSON; HALDANE_TOKEN when the worker
 * asks for one. Speaks HTTP with the worker and messages with its parent, and ends on a message, on
 * SIGTERM, and when the parent is gone.
 */
import { z } from 'zod'
import { HaldaneError, toHaldaneError } from '../domain/errors.ts'
import type { FleetCommand, FleetConfig, FleetMessage } from './fleet-messages.ts'
import { startFleetService } from './fleet-service.ts'

const STATUS_EVERY_MS = 1000
const DRAIN_MS = 3000

const CONFIG = z.strictObject({
  workerUrl: z.url().regex(/[^/]$/),
  route: z.string().regex(/^[^/].*\/[^/]+$/),
  ratePerSecond: z.number().positive().max(100_000),
  seed: z.int(),
  stableVersion: z.string().min(1),
  recordFile: z.string().min(1).nullable().default(null),
})

function readConfig(argument: string | undefined): FleetConfig {
  try {
    return CONFIG.parse(JSON.parse(argument ?? ''))
  } catch (error) {
    throw new HaldaneError('usage', 'The first argument must be the config of the fleet as JSON.', {
      remedy:
        'Give {"workerUrl":"http://127.0.0.1:7625","route":"MODEL/ENVIRONMENT","ratePerSecond":1500,"seed":1,"stableVersion":"1.1.0"}.',
      cause: error,
    })
  }
}

/** Resolves when the message is on its way; a parent that is gone is no reason to fail. */
function report(message: FleetMessage): Promise<void> {
  return new Promise((resolve) => {
    if (process.send === undefined || !process.connected) resolve()
    else process.send(message, () => resolve())
  })
}

/**
 * Resolves when the process is asked to end. Ctrl-C reaches the whole terminal: a fleet with a parent
 * leaves it to the parent, which wants its last events.
 */
function untilAskedToStop(): Promise<void> {
  return new Promise((resolve) => {
    process.on('message', (command: FleetCommand) => {
      if (command.type === 'stop') resolve()
    })
    process.once('disconnect', resolve)
    process.once('SIGTERM', () => resolve())
    process.on('SIGINT', () => {
      if (process.send === undefined) resolve()
    })
  })
}

async function main(): Promise<void> {
  const asked = untilAskedToStop()
  const service = await startFleetService(
    readConfig(process.argv[2]),
    process.env['HALDANE_TOKEN'] || null,
  )
  await report({ type: 'ready', ready: service.ready })
  const timer = setInterval(() => {
    void report({ type: 'status', status: service.status() })
  }, STATUS_EVERY_MS)
  await asked
  clearInterval(timer)
  await service.stop(DRAIN_MS)
  await report({ type: 'stopped', status: service.status() })
}

main()
  .catch(async (thrown: unknown) => {
    const { code, message, remedy } = toHaldaneError(thrown)
    process.stderr.write(`${message}${remedy === undefined ? '' : ` ${remedy}`}\n`)
    process.exitCode = 1
    await report({ type: 'failed', code, message, remedy: remedy ?? null })
  })
  .finally(() => {
    if (process.connected) process.disconnect()
    // Kept-alive connections would hold the process for seconds.
    process.exit()
  })
