const CHUNK_BYTES = 1 << 20
const CHUNKS_KEPT = 32

/** Memory for rows on their way into the store, used again and again. */
export interface ChunkPool {
  /** At least so many bytes, whatever is in them. */
  take(bytes: number): Buffer
  /** A chunk, or the beginning of one, that nobody reads any more. */
  give(chunk: Buffer): void
}

/**
 * Batches of 16 MB that are allocated anew each time lie outside the heap of the runtime, which then
 * frees them late: a busy worker would hold several times what it needs.
 */
export function createChunkPool(): ChunkPool {
  const free: ArrayBufferLike[] = []
  return {
    take(bytes) {
      if (bytes > CHUNK_BYTES) return Buffer.allocUnsafeSlow(bytes)
      const memory = free.pop()
      return memory === undefined ? Buffer.allocUnsafeSlow(CHUNK_BYTES) : Buffer.from(memory)
    },
    give({ buffer }) {
      if (buffer.byteLength === CHUNK_BYTES && free.length < CHUNKS_KEPT) free.push(buffer)
    },
  }
}
