import {
  createServer,
  type IncomingHttpHeaders,
  type IncomingMessage,
  type ServerResponse,
} from 'node:http'
import type { AddressInfo } from 'node:net'
import { onTestFinished } from 'vitest'

export interface ScriptedRequest {
  readonly method: string
  readonly path: string
  readonly headers: IncomingHttpHeaders
  readonly body: string
  readonly atMs: number
}

interface Reply {
  readonly status: number
  readonly headers?: Record<string, string>
  readonly body?: unknown
}

/** A worker that answers as the test says; decisions go to whoever follows the stream. */
export async function scriptWorker(answer: (request: ScriptedRequest) => Reply | 'stream') {
  const requests: ScriptedRequest[] = []
  const streams = new Set<ServerResponse>()
  const serve = async (incoming: IncomingMessage, response: ServerResponse) => {
    const chunks: Buffer[] = []
    for await (const chunk of incoming) chunks.push(chunk as Buffer)
    const request = {
      method: incoming.method ?? '',
      path: incoming.url ?? '',
      headers: incoming.headers,
      body: Buffer.concat(chunks).toString(),
      atMs: Date.now(),
    }
    requests.push(request)
    const reply = answer(request)
    if (reply !== 'stream') {
      response.writeHead(reply.status, { 'content-type': 'application/json', ...reply.headers })
      response.end(reply.body === undefined ? '' : JSON.stringify(reply.body))
      return
    }
    response.writeHead(200, { 'content-type': 'text/event-stream', connection: 'close' })
    response.write('retry: 2000\n\n')
    streams.add(response)
    response.once('close', () => streams.delete(response))
  }
  const server = createServer((incoming, response) => void serve(incoming, response))
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  onTestFinished(() => {
    server.closeAllConnections()
    server.close()
  })
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    requests,
    streams,
    publish(decision: { route: string; generation: number }) {
      const frame = `id: ${decision.route}#${decision.generation}\nevent: decision\ndata: ${JSON.stringify(decision)}\n\n`
      for (const stream of streams) stream.write(frame)
    },
    publishText(text: string) {
      for (const stream of streams) stream.write(text)
    },
    hangUp() {
      for (const stream of streams) stream.destroy()
    },
  }
}
