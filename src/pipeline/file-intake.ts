import type { EventFormat } from '../contract/event-format.ts'
import { createLineSplitter } from '../contract/event-lines.ts'
import type { Rejection } from '../domain/request-event.ts'
import type { EventBatch, EventStore } from '../ports.ts'
import { createFileJudge } from './file-judge.ts'

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
  let batch: EventBatch<Event> = store.newBatch()
  let inserting: Promise<void> = Promise.resolve()
  let accepted = 0
  let rejected = 0
  let maxEventTimeMs = 0
  let lines = 0

  const judge = createFileJudge({
    format,
    onAccepted(line, { event, recordedAtMs }, timeMs) {
      batch.add(event, {
        topic,
        partition: 0,
        offset: line,
        timestampMs: recordedAtMs ?? timeMs,
        arrivalWatermarkMs: maxEventTimeMs,
      })
      accepted++
      maxEventTimeMs = Math.max(maxEventTimeMs, Math.min(timeMs, recordedAtMs ?? timeMs))
    },
    onRejected(line, rejections) {
      rejected++
      options.onRejected(line, rejections)
    },
  })

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
      lines++
      judge.take(line)
      if (batch.rows >= batchRows) await flush()
    }
    options.onProgress(lines)
  }
  for (const line of splitter.end()) judge.take(line)
  judge.end()
  await flush()
  await inserting
  return { accepted, rejected, maxEventTimeMs }
}
