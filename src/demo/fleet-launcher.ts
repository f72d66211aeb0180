import { type ChildProcess, fork } from 'node:child_process'
import { extname } from 'node:path'
import { fileURLToPath } from 'node:url'
import { HaldaneError } from '../domain/errors.ts'
import type { FleetConfig, FleetMessage, FleetReady, FleetStatus } from './fleet-messages.ts'

export interface FleetListeners {
  readonly onStatus: (status: FleetStatus) => void
  /** The process ended without being asked to. */
  readonly onCrash: (error: HaldaneError) => void
}

export interface FleetLaunch {
  /** Passed to the worker as bearer token; null when it asks for none. */
  readonly token: string | null
  /** Node options of the child; those of this process when missing. */
  readonly execArgv?: readonly string[]
  /** Loading and warming up take about two seconds of one core. */
  readonly readyTimeoutMs?: number
  readonly stopTimeoutMs?: number
}

export interface RunningFleet {
  readonly pid: number | null
  readonly ready: FleetReady
  /** Ends the load and the process. Resolves with the last status, null if the process had to be killed. */
  stop(): Promise<FleetStatus | null>
}

/**
 * Starts the fleet in a process of its own, from source or from the build, whichever this file is.
 * Resolves when it serves; rejects with what the process said, or `internal` when it said nothing.
 */
export async function launchFleet(
  config: FleetConfig,
  listeners: FleetListeners,
  launch: FleetLaunch,
): Promise<RunningFleet> {
  const child = forkFleet(config, launch)
  const lastWords = collectErrors(child)
  let stopping = false
  let failure: HaldaneError | null = null
  let stopped: FleetStatus | null = null

  const exited = new Promise<void>((resolve) => {
    child.once('close', () => resolve())
    child.once('error', (cause) => {
      failure ??= new HaldaneError('internal', 'The fleet process could not be started.', { cause })
      resolve()
    })
  })
  const ready = new Promise<FleetReady>((resolve) => {
    child.on('message', (message: FleetMessage) => {
      if (message.type === 'ready') resolve(message.ready)
      else if (message.type === 'status') listeners.onStatus(message.status)
      else if (message.type === 'stopped') stopped = message.status
      else failure = errorOf(message)
    })
  })
  const crash = (): HaldaneError =>
    failure ?? new HaldaneError('internal', `The fleet process ended. ${lastWords()}`.trim())

  const stop = async (): Promise<FleetStatus | null> => {
    stopping = true
    if (child.connected) child.send({ type: 'stop' }, () => {})
    await endWithin(child, exited, launch.stopTimeoutMs ?? 6000)
    return stopped
  }

  const timeout = new AbortController()
  const readyTimeoutMs = launch.readyTimeoutMs ?? 60_000
  const started = await Promise.race([ready, exited, expire(readyTimeoutMs, timeout.signal)])
  timeout.abort()
  if (started === undefined) {
    if (child.exitCode === null && child.signalCode === null && failure === null) {
      await stop()
      throw new HaldaneError('internal', `The fleet was not ready within ${readyTimeoutMs} ms.`)
    }
    throw crash()
  }
  void exited.then(() => {
    if (!stopping) listeners.onCrash(crash())
  })
  return { pid: child.pid ?? null, ready: started, stop }
}

function forkFleet(config: FleetConfig, launch: FleetLaunch): ChildProcess {
  // `.ts` from source, `.js` from the build.
  const extension = extname(fileURLToPath(import.meta.url))
  const entry = fileURLToPath(new URL(`./fleet-process${extension}`, import.meta.url))
  const { HALDANE_TOKEN: _, ...env } = process.env
  return fork(entry, [JSON.stringify(config)], {
    // A debugger port can be opened once only.
    execArgv: (launch.execArgv ?? process.execArgv).filter((flag) => !flag.startsWith('--inspect')),
    env: launch.token === null ? env : { ...env, HALDANE_TOKEN: launch.token },
    stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
  })
}

/** Keeps the end of what the process wrote to stderr. */
function collectErrors(child: ChildProcess): () => string {
  let text = ''
  child.stderr?.setEncoding('utf8').on('data', (chunk: string) => {
    text = (text + chunk).slice(-2000)
  })
  return () => text.trim()
}

/** Waits for the end; after the time, SIGTERM, and two seconds later SIGKILL. */
async function endWithin(
  child: ChildProcess,
  exited: Promise<void>,
  timeoutMs: number,
): Promise<void> {
  const terminate = setTimeout(() => child.kill('SIGTERM'), timeoutMs)
  const kill = setTimeout(() => child.kill('SIGKILL'), timeoutMs + 2000)
  await exited
  clearTimeout(terminate)
  clearTimeout(kill)
}

function expire(ms: number, signal: AbortSignal): Promise<undefined> {
  return new Promise((resolve) => {
    const timer = setTimeout(() => resolve(undefined), ms)
    signal.addEventListener('abort', () => {
      clearTimeout(timer)
      resolve(undefined)
    })
  })
}

function errorOf(message: Extract<FleetMessage, { type: 'failed' }>): HaldaneError {
  const { code, message: text, remedy } = message
  return new HaldaneError(code, text, remedy === null ? {} : { remedy })
}
