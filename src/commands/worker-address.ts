import type { Command } from 'commander'
import { createWorkerClient, type WorkerClient } from '../adapters/http/client.ts'
import { loadConfig } from '../config.ts'

/** Where the worker is: `--url`, else by the environment. */
export function urlOf(command: Command): string {
  const { url } = command.opts<{ url?: string }>()
  if (url !== undefined) return url
  const { httpHost, httpPort } = loadConfig(process.env)
  return `http://${httpHost.includes(':') ? `[${httpHost}]` : httpHost}:${httpPort}`
}

export function clientOf(command: Command): WorkerClient {
  return createWorkerClient({ url: urlOf(command), token: loadConfig(process.env).token })
}
