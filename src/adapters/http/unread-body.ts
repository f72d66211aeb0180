import type { Readable } from 'node:stream'

const MOST_BYTES = 67_108_864

/**
 * Reads a refused body to its end and keeps nothing of it. Most clients write everything before they
 * read; a connection closed in the middle of that takes the answer with it. False when the client
 * went away, or has sent 64 MiB more and may lose its answer. Never rejects.
 */
export function discardBody(body: Readable, mostBytes = MOST_BYTES): Promise<boolean> {
  return new Promise((resolve) => {
    if (body.readableEnded || body.destroyed) {
      resolve(body.readableEnded)
      return
    }
    let bytes = 0
    const end = (): void => {
      body.off('data', count)
      resolve(body.readableEnded)
    }
    const count = (chunk: Uint8Array): void => {
      bytes += chunk.byteLength
      if (bytes > mostBytes) end()
    }
    // Whoever read it so far has stopped, and would hold it back.
    body.unpipe()
    body.on('data', count)
    for (const event of ['end', 'close', 'error']) body.once(event, end)
    body.resume()
  })
}
