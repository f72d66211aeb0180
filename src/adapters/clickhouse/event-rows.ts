import { HaldaneError } from '../../domain/errors.ts'
import { binOf, NO_LATENCY_BIN, UNBOUNDED_BIN } from '../../domain/histogram.ts'
import { DEVICES, OUTCOMES, type RequestEvent, TRAFFICS } from '../../domain/request-event.ts'
import type { EventBatch, RecordPlace } from '../../ports.ts'
import type { ChunkPool } from './chunk-pool.ts'
import { toMillionths } from './fixed-point.ts'
import {
  putInt64,
  putNullableFloat64,
  putNullableInt32,
  putNullableUint16,
  putNullableUint32,
  putNullableUint64,
  putString,
  putVarint,
  roomOf,
} from './row-binary.ts'

// More than all numbers of a row, the prefixes of its strings and of its two maps.
const FIXED_ROOM_BYTES = 320

const NO_MEMORY = Buffer.alloc(0)

/** Rows of `request_events` in RowBinary, columns as in `EVENT_COLUMNS`; a row lies in one chunk. */
export class EventRows implements EventBatch {
  readonly #pool: ChunkPool
  #rows = 0
  #filled: Buffer[] = []
  #filledBytes = 0
  #at = 0
  #chunk: Buffer = NO_MEMORY
  #view = viewOf(NO_MEMORY)
  #released = false

  constructor(pool: ChunkPool) {
    this.#pool = pool
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

  /** Gives the memory to other batches; what is left are the counts. */
  release(): void {
    this.#changeChunk(NO_MEMORY)
    for (const chunk of this.#filled) this.#pool.give(chunk)
    this.#filled = []
    this.#released = true
  }

  add(event: RequestEvent, place: RecordPlace): void {
    const room = roomOfRow(event, place)
    if (this.#at + room > this.#chunk.length) this.#changeChunk(this.#pool.take(room))
    const bytes = this.#chunk
    let at = putPlace(bytes, this.#view, this.#at, place)
    at = putNumbers(bytes, this.#view, at, event)
    at = putTexts(bytes, at, event)
    at = putKpi(bytes, this.#view, at, event.kpi)
    this.#at = putAttributes(bytes, at, event.attributes)
    this.#rows++
  }

  #changeChunk(next: Buffer): void {
    if (this.#at > 0) this.#filled.push(this.#chunk.subarray(0, this.#at))
    this.#filledBytes += this.#at
    this.#at = 0
    this.#chunk = next
    this.#view = viewOf(next)
  }
}

/** `NO_LATENCY_BIN` unless the request counts for latency; unbounded for a timeout without one. */
export function latencyBinOf(event: RequestEvent): number {
  if (event.outcome !== 'ok' && event.outcome !== 'timeout') return NO_LATENCY_BIN
  if (event.latencyMs !== null) return binOf(event.latencyMs)
  return event.outcome === 'timeout' ? UNBOUNDED_BIN : NO_LATENCY_BIN
}

function viewOf(buffer: Buffer): DataView {
  return new DataView(buffer.buffer, buffer.byteOffset, buffer.byteLength)
}

function roomOfRow(event: RequestEvent, place: RecordPlace): number {
  let characters =
    place.topic.length +
    event.requestId.length +
    event.modelName.length +
    event.environment.length +
    event.modelVersion.length +
    event.variant.length +
    event.errorType.length +
    event.locale.length +
    event.region.length +
    event.qualityMetric.length +
    event.predictionLabel.length +
    event.sessionId.length +
    event.releaseId.length
  let room = FIXED_ROOM_BYTES
  if (event.kpi !== null) {
    for (const name in event.kpi) room += roomOf(name) + 8
  }
  if (event.attributes !== null) {
    for (const name in event.attributes) {
      characters += (event.attributes[name] as string).length
      room += roomOf(name) + 5
    }
  }
  return room + characters * 3
}

function putPlace(bytes: Buffer, view: DataView, start: number, place: RecordPlace): number {
  let at = putString(bytes, start, place.topic)
  view.setUint32(at, place.partition, true)
  at = putInt64(view, at + 4, place.offset)
  at = putInt64(view, at, place.timestampMs)
  return putInt64(view, at, place.arrivalWatermarkMs)
}

function putNumbers(bytes: Buffer, view: DataView, start: number, event: RequestEvent): number {
  let at = putInt64(view, start, event.occurredAtMs)
  bytes[at++] = TRAFFICS.indexOf(event.traffic)
  bytes[at++] = OUTCOMES.indexOf(event.outcome)
  bytes[at++] = DEVICES.indexOf(event.device)
  bytes[at++] = event.isSynthetic ? 1 : 0
  bytes[at++] = event.localeReplaced ? 1 : 0
  bytes[at++] = event.deviceReplaced ? 1 : 0
  view.setInt16(at, latencyBinOf(event), true)
  view.setFloat64(at + 2, event.sampleRate, true)
  at = putNullableFloat64(view, at + 10, event.latencyMs)
  at = putNullableFloat64(view, at, event.ttftMs)
  at = putNullableFloat64(view, at, event.confidence)
  at = putNullableUint16(view, at, event.statusCode)
  const quality = event.qualityScore
  at = putNullableInt32(view, at, quality === null ? null : toMillionths(quality))
  at = putNullableUint32(view, at, event.inputTokens)
  at = putNullableUint32(view, at, event.outputTokens)
  at = putNullableUint64(view, at, event.decisionGeneration)
  at = putNullableUint64(view, at, event.memoryBytes)
  return putNullableUint64(view, at, event.memoryLimitBytes)
}

function putTexts(bytes: Buffer, start: number, event: RequestEvent): number {
  let at = putString(bytes, start, event.requestId)
  at = putString(bytes, at, event.modelName)
  at = putString(bytes, at, event.environment)
  at = putString(bytes, at, event.modelVersion)
  at = putString(bytes, at, event.variant)
  at = putString(bytes, at, event.errorType)
  at = putString(bytes, at, event.locale)
  at = putString(bytes, at, event.region)
  at = putString(bytes, at, event.qualityMetric)
  at = putString(bytes, at, event.predictionLabel)
  at = putString(bytes, at, event.sessionId)
  return putString(bytes, at, event.releaseId)
}

function putKpi(bytes: Buffer, view: DataView, start: number, kpi: RequestEvent['kpi']): number {
  if (kpi === null) return putVarint(bytes, start, 0)
  const names = Object.keys(kpi)
  let at = putVarint(bytes, start, names.length)
  for (const name of names) {
    at = putString(bytes, at, name)
    at = putInt64(view, at, toMillionths(kpi[name] as number))
  }
  return at
}

function putAttributes(
  bytes: Buffer,
  start: number,
  attributes: RequestEvent['attributes'],
): number {
  if (attributes === null) return putVarint(bytes, start, 0)
  const names = Object.keys(attributes)
  let at = putVarint(bytes, start, names.length)
  for (const name of names) {
    at = putString(bytes, at, name)
    at = putString(bytes, at, attributes[name] as string)
  }
  return at
}
