import type { FileEvent } from '../contract/event-decoder.ts'
import type { EventFormat } from '../contract/event-format.ts'
import { createLineSplitter, type EventLine } from '../contract/event-lines.ts'
import { createFileClock } from '../contract/file-reference.ts'
import type { Rejection } from '../domain/request-event.ts'
import type { EventBatch, EventStore } from '../ports.ts'

/** One part per table partition, and few of them: the batch size is a matter of speed alone. */
const BATCH_ROWS = 100_000

export interface FileIntakeResult {
  readonly accepted: number
  readonly rejected: number
  /** Largest event time, capped by `recorded_at` where a line has it; 0 without events. */
  readonly maxEventTimeMs: number
}

export interface FileIntakeOptions<Event> {
  readonly store: EventStore<Event>
  readonly format: EventFormat<Event>
  /** The file stands for a topic of this name with one partition; offsets are line numbers. */
  readonly topic: string
  readonly chunks: AsyncIterable<Uint8Array>
  onRejected(line: number, rejections: readonly Rejection[]): void
  onProgress(lines: number): void
  /** Rows per insert; results do not depend on it. */
  readonly batchRows?: number
}

interface Waiting<Event> {
  readonly line: number
  readonly file: FileEvent<Event>
}

/**
 * Stores the events of a file as if they had come through a topic with one partition, in the order
 * of the lines: a line is late, too old or in the future by what stood before it, never by batches.
 */
export async function storeFile<Event>(
  options: FileIntakeOptions<Event>,
): Promise<FileIntakeResult> {
  const { store, format, topic } = options
  const batchRows = options.batchRows ?? BATCH_ROWS
  const splitter = createLineSplitter()
  const clock = createFileClock<Waiting<Event>>(
    (timeMs, referenceMs) => format.checkTime(timeMs, referenceMs) === null,
  )
  let batch: EventBatch<Event> = store.newBatch()
  let inserting: Promise<void> = Promise.resolve()
  let accepted = 0
  let rejected = 0
  let maxEventTimeMs = 0
  let lines = 0

  const reject = (line: number, rejections: readonly Rejection[]) => {
    rejected++
    options.onRejected(line, rejections)
  }

  const settle = (judged: ReturnType<typeof clock.push>) => {
    for (const { item, occurredAtMs, referenceMs, accepted: timely } of judged) {
      if (!timely) {
        const reason = format.checkTime(occurredAtMs, referenceMs)
        reject(item.line, reason === null ? [] : [reason])
        continue
      }
      const { event, recordedAtMs } = item.file
      batch.add(event, {
        topic,
        partition: 0,
        offset: item.line,
        timestampMs: recordedAtMs ?? occurredAtMs,
        arrivalWatermarkMs: maxEventTimeMs,
      })
      accepted++
      maxEventTimeMs = Math.max(
        maxEventTimeMs,
        Math.min(occurredAtMs, recordedAtMs ?? occurredAtMs),
      )
    }
  }

  const take = ({ line, bytes, byteLength }: EventLine) => {
    lines++
    if (bytes === null) {
      const message = `the line has ${byteLength} bytes; at most 1 MiB is allowed`
      reject(line, [{ field: '', code: 'too_large', message }])
      return
    }
    const file = format.decodeLine(bytes)
    if (Array.isArray(file)) reject(line, file)
    else settle(clock.push({ line, file }, format.timeMsOf(file.event), file.recordedAtMs))
  }

  /** While one batch is inserted the next one fills. */
  const flush = async () => {
    await inserting
    const full = batch
    batch = store.newBatch()
    inserting = full.rows === 0 ? Promise.resolve() : store.insertEvents(full)
    inserting.catch(() => undefined)
  }

  for await (const chunk of options.chunks) {
    for (const line of splitter.push(chunk)) {
      take(line)
      if (batch.rows >= batchRows) await flush()
    }
    options.onProgress(lines)
  }
  for (const line of splitter.end()) take(line)
  settle(clock.end())
  await flush()
  await inserting
  return { accepted, rejected, maxEventTimeMs }
}
