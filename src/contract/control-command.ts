import { z } from 'zod'
import type { Rejection } from '../domain/request-event.ts'
import { type MessageHeaders, NO_HEADERS, readUtf8Message } from './cloud-event.ts'
import { rejectionsOf } from './rejection-text.ts'
import { formatTime, parseRfc3339 } from './rfc3339.ts'
import { isObject } from './stored-text.ts'
import {
  characters,
  documented,
  ROUTE_WORDS,
  requiredTime,
  routeText,
  storedText,
  TIME_WORDS,
} from './wire-field.ts'

export const COMMAND_KINDS = ['start', 'pause', 'resume', 'promote', 'abort', 'rollback'] as const
type CommandKind = (typeof COMMAND_KINDS)[number]

const MAX_SOURCE_LENGTH = 262_144

/** What somebody wants done with a release. */
export interface ControlCommand {
  readonly commandId: string
  readonly kind: CommandKind
  readonly route: string
  /** Missing for `start`, which makes a new one. */
  readonly releaseId?: string
  /** When it was given, Unix ms. */
  readonly atMs: number
  readonly by: string
  readonly reason: string
  /** Text of the release file; always there for `start`. */
  readonly source?: string
  /** Name of that file, for its problems. */
  readonly fileName?: string
  /** Event time from which to judge, Unix ms; the time of the record when missing. */
  readonly startAtMs?: number
}

const always = { when: ({ value }: { value: unknown }) => isObject(value) }

/** A control command in wire form. Unknown fields are ignored. */
export const controlCommandSchema = z
  .object({
    command_id: documented(
      storedText(1, 128),
      'Identifies the command; the same id is carried out once',
      characters(1, 128),
    ),
    kind: documented(z.enum(COMMAND_KINDS), 'What to do', COMMAND_KINDS.join(', ')),
    route: documented(routeText(), 'Route of the release', ROUTE_WORDS),
    release_id: documented(
      storedText(1, 256).nullish(),
      'The release; a start makes a new one',
      characters(1, 256),
    ),
    at: documented(requiredTime(), 'When the command was given', TIME_WORDS, {
      format: 'date-time',
    }),
    by: documented(storedText(1, 256), 'Who gave it', characters(1, 256)),
    reason: documented(storedText(0, 1024), 'Why', characters(0, 1024)),
    source: documented(
      storedText(1, MAX_SOURCE_LENGTH).nullish(),
      'Text of the release file; required for start',
      characters(1, MAX_SOURCE_LENGTH),
    ),
    file_name: documented(
      storedText(1, 1024).nullish(),
      'Name of the release file, shown with its problems',
      characters(1, 1024),
    ),
    start_at: documented(
      requiredTime().nullish(),
      'Event time from which a start is judged; the time of the record when missing',
      TIME_WORDS,
      { format: 'date-time' },
    ),
  })
  .refine((command) => command.kind !== 'start' || command.source != null, {
    ...always,
    path: ['source'],
    params: { code: 'missing' },
  })
  .meta({ title: 'Control command', description: 'What somebody wants done with a release.' })

type WireControlCommand = z.output<typeof controlCommandSchema>

/** The command a message or a line holds, bare or as a CloudEvent, or every reason why it holds none. */
export function decodeControlCommand(
  value: Uint8Array | null,
  headers: MessageHeaders = NO_HEADERS,
): ControlCommand | Rejection[] {
  const object = readUtf8Message(value, headers, 'command')
  if (Array.isArray(object)) return object
  const parsed = controlCommandSchema.safeParse(object)
  if (!parsed.success) return rejectionsOf(controlCommandSchema, parsed.error, object)
  const wire = parsed.data
  return {
    commandId: wire.command_id,
    kind: wire.kind,
    route: wire.route,
    ...(wire.release_id == null ? {} : { releaseId: wire.release_id }),
    atMs: parseRfc3339(wire.at) ?? Number.NaN,
    by: wire.by,
    reason: wire.reason,
    ...(wire.source == null ? {} : { source: wire.source }),
    ...(wire.file_name == null ? {} : { fileName: wire.file_name }),
    ...(wire.start_at == null ? {} : { startAtMs: parseRfc3339(wire.start_at) ?? Number.NaN }),
  }
}

/** One line of JSON in UTF-8; inverse of `decodeControlCommand`. */
export function encodeControlCommand(command: ControlCommand): Uint8Array {
  const { releaseId, source, fileName, startAtMs } = command
  const wire: WireControlCommand = {
    command_id: command.commandId,
    kind: command.kind,
    route: command.route,
    ...(releaseId === undefined ? {} : { release_id: releaseId }),
    at: formatTime(command.atMs),
    by: command.by,
    reason: command.reason,
    ...(source === undefined ? {} : { source }),
    ...(fileName === undefined ? {} : { file_name: fileName }),
    ...(startAtMs === undefined ? {} : { start_at: formatTime(startAtMs) }),
  }
  return new TextEncoder().encode(JSON.stringify(wire))
}
