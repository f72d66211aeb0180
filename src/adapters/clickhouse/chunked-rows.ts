import { HaldaneError } from '../../domain/errors.ts'
import type { EventBatch, RecordPlace } from '../../ports.ts'
import type { ChunkPool } from './chunk-pool.ts'
import { putInt64, putString } from './row-binary.ts'

/** How events of one kind become rows of their table. */
export interface RowFormat<Event> {
  readonly table: string
  /** In the order `put` writes them. */
  readonly columns: readonly (readonly [name: string, type: string])[]
  /** Bytes that are enough for the row, without its place. */
  roomOf(event: Event): number
  /** Writes all columns after those of the place and returns the position after them. */
  put(bytes: Buffer, view: DataView, at: number, event: Event): number
}

const TIME = "DateTime64(3, 'UTC')"

/** The first columns of every row: where its record stood. */
export const PLACE_COLUMNS: readonly (readonly [name: string, type: string])[] = [
  ['kafka_topic', 'String'],
  ['kafka_partition', 'UInt32'],
  ['kafka_offset', 'UInt64'],
  ['kafka_timestamp', TIME],
  ['arrival_watermark', TIME],
]
// All numbers of a place and the length of its topic.
const PLACE_ROOM_BYTES = 40
const NO_MEMORY = Buffer.alloc(0)

/** Rows in RowBinary, place first, then the columns of the format; a row lies in one chunk. */
export class ChunkedRows<Event> implements EventBatch<Event> {
  readonly format: RowFormat<Event>
  readonly #pool: ChunkPool
  #rows = 0
  #filled: Buffer[] = []
  #filledBytes = 0
  #at = 0
  #chunk: Buffer = NO_MEMORY
  #view = viewOf(NO_MEMORY)
  #released = false
  /** Offset of each row, and the byte it ends before, counted over all chunks. */
  readonly #offsets: number[] = []
  readonly #ends: number[] = []

  constructor(pool: ChunkPool, format: RowFormat<Event>) {
    this.#pool = pool
    this.format = format
  }

  get rows(): number {
    return this.#rows
  }

  get bytes(): number {
    return this.#filledBytes + this.#at
  }

  /** The rows so far, one after the other; valid until the next `add`. */
  contents(): Uint8Array[] {
    if (this.#released) throw new HaldaneError('internal', 'the batch is stored already')
    return [...this.#filled, this.#chunk.subarray(0, this.#at)]
  }

  /** The rows whose offset is not among those present. */
  missing(present: ReadonlySet<number>): { rows: number; chunks: Uint8Array[] } {
    const all = this.contents()
    const chunks: Uint8Array[] = []
    let [start, index, chunkStart] = [0, 0, 0]
    this.#offsets.forEach((offset, row) => {
      const end = this.#ends[row] ?? start
      let chunk = all[index] ?? NO_MEMORY
      while (end - chunkStart > chunk.byteLength && index < all.length) {
        chunkStart += chunk.byteLength
        chunk = all[++index] ?? NO_MEMORY
      }
      if (!present.has(offset)) chunks.push(chunk.subarray(start - chunkStart, end - chunkStart))
      start = end
    })
    return { rows: chunks.length, chunks }
  }

  /** Gives the memory to other batches; what is left are the counts. */
  release(): void {
    this.#changeChunk(NO_MEMORY)
    for (const chunk of this.#filled) this.#pool.give(chunk)
    this.#filled = []
    this.#released = true
  }

  add(event: Event, place: RecordPlace): void {
    const room = PLACE_ROOM_BYTES + place.topic.length * 3 + this.format.roomOf(event)
    if (this.#at + room > this.#chunk.length) this.#changeChunk(this.#pool.take(room))
    const at = putPlace(this.#chunk, this.#view, this.#at, place)
    this.#at = this.format.put(this.#chunk, this.#view, at, event)
    this.#rows++
    this.#offsets.push(place.offset)
    this.#ends.push(this.bytes)
  }

  #changeChunk(next: Buffer): void {
    if (this.#at > 0) this.#filled.push(this.#chunk.subarray(0, this.#at))
    this.#filledBytes += this.#at
    this.#at = 0
    this.#chunk = next
    this.#view = viewOf(next)
  }
}

function viewOf(buffer: Buffer): DataView {
  return new DataView(buffer.buffer, buffer.byteOffset, buffer.byteLength)
}

function putPlace(bytes: Buffer, view: DataView, start: number, place: RecordPlace): number {
  let at = putString(bytes, start, place.topic)
  view.setUint32(at, place.partition, true)
  at = putInt64(view, at + 4, place.offset)
  at = putInt64(view, at, place.timestampMs)
  return putInt64(view, at, place.arrivalWatermarkMs)
}
