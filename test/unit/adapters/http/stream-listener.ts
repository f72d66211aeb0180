import { onTestFinished } from 'vitest'
import {
  createEventStreamParser,
  type StreamMessage,
} from '../../../../src/contract/event-stream-parser.ts'

export interface StreamListener {
  readonly response: Response
  /** All text received so far. */
  text(): string
  /** The next messages; rejects when the stream ends before. */
  take(count: number): Promise<StreamMessage[]>
  /** Waits until the text holds the words. */
  sees(words: string): Promise<void>
  /** All messages not yet taken, once the stream has ended. */
  rest(): Promise<StreamMessage[]>
  leave(): void
}

/** Reads a stream of decisions as a plain client, without any reconnecting. */
export async function listen(
  url: string,
  options: { route?: string; lastEventId?: string; token?: string } = {},
): Promise<StreamListener> {
  const { route, lastEventId, token } = options
  const query = route === undefined ? '' : `?route=${encodeURIComponent(route)}`
  const ending = new AbortController()
  const response = await fetch(`${url}/v1/decisions/stream${query}`, {
    headers: {
      ...(lastEventId === undefined ? {} : { 'last-event-id': lastEventId }),
      ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
    },
    signal: ending.signal,
  })
  onTestFinished(() => ending.abort())
  const messages: StreamMessage[] = []
  let text = ''
  let ended = response.headers.get('content-type')?.startsWith('text/event-stream') !== true
  let wake = (): void => {}

  async function read(): Promise<void> {
    const parser = createEventStreamParser()
    const decoder = new TextDecoder()
    for await (const chunk of response.body as unknown as AsyncIterable<Uint8Array>) {
      text += decoder.decode(chunk, { stream: true })
      messages.push(...parser.push(chunk))
      wake()
    }
  }
  if (!ended) {
    void read()
      .catch(() => {})
      .finally(() => {
        ended = true
        wake()
      })
  }

  async function until(holds: () => boolean): Promise<void> {
    while (!holds()) {
      if (ended) throw new Error(`the stream ended; it said: ${text}`)
      await new Promise<void>((resolve) => {
        wake = resolve
      })
    }
  }

  return {
    response,
    text: () => text,
    async take(count) {
      await until(() => messages.length >= count)
      return messages.splice(0, count)
    },
    sees: (words) => until(() => text.includes(words)),
    async rest() {
      await until(() => ended).catch(() => {})
      while (!ended) await new Promise<void>((resolve) => setImmediate(resolve))
      return messages.splice(0)
    },
    leave: () => ending.abort(),
  }
}
