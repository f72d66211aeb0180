import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { onTestFinished } from 'vitest'

interface Answer {
  readonly status: number
  readonly body?: unknown
  /** Store the request, then break the connection instead of answering. */
  readonly hangUp?: boolean
  /** Store the request, then never answer. */
  readonly silent?: boolean
  /** Time before the answer, in which further requests may come. */
  readonly heldMs?: number
}

/** A worker as its clients see it: takes events and acks, streams decisions, can be made to fail. */
export async function openStubWorker() {
  const stub = {
    url: '',
    /** Bodies of POST /v1/events as they came, refused ones too. */
    eventBodies: [] as string[],
    /** Every event taken, in order, repeats included. */
    events: [] as Record<string, unknown>[],
    /** Most posts of events that waited for their answer at the same moment. */
    mostAtOnce: 0,
    acks: [] as Record<string, unknown>[],
    /** Headers of each stream request. */
    streamRequests: [] as IncomingMessage['headers'][],
    authorizations: [] as (string | undefined)[],
    /** Says how to answer the n-th POST of events, from 0. */
    answerEvents: (_attempt: number): Answer => ({ status: 200 }),
    answerAck: (_attempt: number): Answer => ({ status: 204 }),
    send: (decision: object & { generation: number; route: string }) => {
      for (const reader of readers) {
        reader.write(
          `id: ${decision.route}#${decision.generation}\nevent: decision\ndata: ${JSON.stringify(decision)}\n\n`,
        )
      }
    },
    sendText: (text: string) => {
      for (const reader of readers) reader.write(text)
    },
    cutStreams: () => {
      for (const reader of readers.splice(0)) reader.destroy()
    },
    readers: () => readers.length,
  }
  const readers: ServerResponse[] = []
  let ackAttempts = 0
  let waiting = 0

  const server = createServer((request, response) => {
    stub.authorizations.push(request.headers.authorization)
    if (request.method === 'GET') {
      stub.streamRequests.push(request.headers)
      response.writeHead(200, { 'content-type': 'text/event-stream' })
      response.write(':\n\n')
      readers.push(response)
      return
    }
    const chunks: Buffer[] = []
    request.on('data', (chunk: Buffer) => chunks.push(chunk))
    request.on('end', () => {
      const body = Buffer.concat(chunks).toString('utf8')
      if (request.url === '/v1/acks') {
        const answer = stub.answerAck(ackAttempts++)
        if (answer.status < 300) stub.acks.push(JSON.parse(body))
        response.writeHead(answer.status).end()
        return
      }
      const answer = stub.answerEvents(stub.eventBodies.length)
      stub.eventBodies.push(body)
      const lines = body.split('\n').filter((line) => line !== '')
      const stored = answer.status < 300
      if (stored) stub.events.push(...lines.map((line) => JSON.parse(line)))
      if (answer.hangUp === true) {
        request.socket.destroy()
        return
      }
      if (answer.silent === true) return
      const accepted = { accepted: lines.length, rejected: 0, stored: true, errors: [] }
      const respond = () => {
        waiting--
        response
          .writeHead(answer.status, { 'content-type': 'application/json' })
          .end(JSON.stringify(answer.body ?? (stored ? accepted : { detail: 'not now' })))
      }
      stub.mostAtOnce = Math.max(stub.mostAtOnce, ++waiting)
      if (answer.heldMs === undefined) respond()
      else setTimeout(respond, answer.heldMs)
    })
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  onTestFinished(async () => {
    server.closeAllConnections()
    await new Promise((resolve) => server.close(resolve))
  })
  stub.url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  return stub
}
