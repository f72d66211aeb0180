import { connect, type Socket } from 'node:net'
import { expect, onTestFinished } from 'vitest'
import { createHttpServer, type HttpServerOptions } from '../../../../src/adapters/http/server.ts'
import { createFakeWorker, createLogKeeper, createManualClock } from './fake-worker.ts'

/** A server on a free port before a fake worker, closed when the test ends. */
export async function openDoor(options: Partial<HttpServerOptions> = {}) {
  const worker = createFakeWorker()
  const manual = createManualClock()
  const keeper = createLogKeeper()
  const server = await createHttpServer({
    host: '127.0.0.1',
    port: 0,
    token: null,
    api: worker.api,
    log: keeper.log,
    clock: manual.clock,
    version: '0.1.0',
    ...options,
  })
  onTestFinished(() => server.close())
  return { server, url: server.url, worker, manual, lines: keeper.lines }
}

/** Sends bytes as they are and collects what comes back until the other side closes. */
export async function speak(url: string, request: string): Promise<string> {
  const socket = await plug(url)
  socket.write(request)
  const chunks: Buffer[] = []
  for await (const chunk of socket) chunks.push(chunk as Buffer)
  return Buffer.concat(chunks).toString('utf8')
}

export function plug(url: string): Promise<Socket> {
  const { hostname, port } = new URL(url)
  return new Promise((resolve, reject) => {
    const socket = connect(Number(port), hostname, () => resolve(socket))
    socket.on('error', reject)
  })
}

export async function problemIn(response: Response): Promise<Record<string, unknown>> {
  if (response.headers.get('content-type') !== 'application/problem+json') {
    throw new Error(`no problem: ${response.headers.get('content-type')}`)
  }
  const body = (await response.json()) as Record<string, unknown>
  if (body['status'] !== response.status) throw new Error('the statuses differ')
  return body
}

/** Waits until a value is as expected; patient, for the machine may be busy. */
export function eventually<T>(read: () => T) {
  return expect.poll(read, { timeout: 4500, interval: 5 })
}
