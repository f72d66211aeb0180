import type { FileEvent } from '../contract/event-decoder.ts'
import type { EventFormat } from '../contract/event-format.ts'
import type { EventLine } from '../contract/event-lines.ts'
import { createFileClock } from '../contract/file-reference.ts'
import type { Rejection } from '../domain/request-event.ts'

/** Says of each line of a file whether it is an event, in the order of the lines. */
export interface FileJudge {
  take(line: EventLine): void
  /** The lines that still wait for their reference time, at the end of the file. */
  end(): void
}

/**
 * A line is judged by what stands before it, never by how the file was read: too old and in the
 * future against its `recorded_at`, else against the lines around it. Of the first 101 events the
 * verdict comes with the last of them, so it may come after that of a later line.
 */
export function createFileJudge<Event>(options: {
  readonly format: EventFormat<Event>
  onAccepted(line: number, event: FileEvent<Event>, timeMs: number): void
  onRejected(line: number, rejections: readonly Rejection[]): void
}): FileJudge {
  const { format } = options
  const clock = createFileClock<{ line: number; event: FileEvent<Event> }>(
    (timeMs, referenceMs) => format.checkTime(timeMs, referenceMs) === null,
  )

  const settle = (judged: ReturnType<typeof clock.push>) => {
    for (const { item, occurredAtMs, referenceMs, accepted } of judged) {
      if (accepted) options.onAccepted(item.line, item.event, occurredAtMs)
      else {
        const reason = format.checkTime(occurredAtMs, referenceMs)
        options.onRejected(item.line, reason === null ? [] : [reason])
      }
    }
  }

  return {
    take(line) {
      const event = decodeFileLine(format, line)
      if (Array.isArray(event)) options.onRejected(line.line, event)
      else {
        const item = { line: line.line, event }
        settle(clock.push(item, format.timeMsOf(event.event), event.recordedAtMs))
      }
    },
    end: () => settle(clock.end()),
  }
}

/** The event of a line, its time not judged yet. */
export function decodeFileLine<Event>(
  format: EventFormat<Event>,
  { bytes, byteLength }: EventLine,
): FileEvent<Event> | Rejection[] {
  if (bytes !== null) return format.decodeLine(bytes)
  const message = `the line has ${byteLength} bytes; at most 1 MiB is allowed`
  return [{ field: '', code: 'too_large', message }]
}
