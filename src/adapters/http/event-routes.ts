import type { FastifyInstance, FastifyRequest } from 'fastify'
import { createLineSplitter, splitJsonArray } from '../../contract/event-lines.ts'
import type { SubmitResult, WorkerApi } from '../../contract/worker-api.ts'
import { HaldaneError } from '../../domain/errors.ts'
import type { Clock } from '../../ports.ts'
import { addEndpoint, bodyBytes, mediaType, sendJson } from './endpoint.ts'
import { DoorError, problem, sendProblem } from './problem.ts'

export const EVENTS_BODY_BYTES = 16_777_216
export const MOST_EVENTS = 100_000
const MOST_ERRORS = 1000
/** Bytes that are split into lines at once, so that a body of tiny lines is refused early. */
const SLICE_BYTES = 65_536

/** Media types of one event a line. */
export const EVENT_LINE_TYPES = ['application/x-ndjson', 'application/jsonl', 'text/plain']
const JSON_TYPES = new Set(['application/json', ''])
const OPEN_LIST = 0x5b

function tooMany(): DoorError {
  return new DoorError('too_large', 'The body holds more than 100,000 events.', {
    remedy: 'Send the events in several requests.',
  })
}

function valuesOfLines(body: Uint8Array): Uint8Array[] {
  const splitter = createLineSplitter(body.byteLength)
  const values: Uint8Array[] = []
  const add = (lines: ReturnType<typeof splitter.end>): void => {
    for (const { bytes } of lines) if (bytes !== null) values.push(bytes)
    if (values.length > MOST_EVENTS) throw tooMany()
  }
  for (let from = 0; from < body.byteLength; from += SLICE_BYTES) {
    add(splitter.push(body.subarray(from, from + SLICE_BYTES)))
  }
  add(splitter.end())
  return values
}

function valuesOfList(body: Uint8Array): Uint8Array[] {
  let values: Uint8Array[]
  try {
    values = splitJsonArray(body, MOST_EVENTS)
  } catch (thrown) {
    if (!(thrown instanceof HaldaneError)) throw thrown
    throw new DoorError('malformed', `The body cannot be split into events: ${thrown.message}.`, {
      ...(thrown.remedy === undefined ? {} : { remedy: thrown.remedy }),
    })
  }
  if (values.length > MOST_EVENTS) throw tooMany()
  return values
}

/** First byte that is neither white space nor part of a byte order mark; undefined when there is none. */
function firstByte(body: Uint8Array): number | undefined {
  const marked = body[0] === 0xef && body[1] === 0xbb && body[2] === 0xbf
  return body.subarray(marked ? 3 : 0).find((byte) => byte > 0x20)
}

/** The bytes of each event, as they were sent. */
function valuesOf(request: FastifyRequest): Uint8Array[] {
  const type = mediaType(request)
  const asLines = EVENT_LINE_TYPES.includes(type)
  if (!asLines && !JSON_TYPES.has(type)) {
    throw new DoorError('unsupported_media_type', `Events cannot be read from ${type}.`, {
      remedy:
        'Send application/json (one event or a list), or one event a line as application/x-ndjson, application/jsonl or text/plain.',
      headers: { accept: ['application/json', ...EVENT_LINE_TYPES].join(', ') },
    })
  }
  const body = bodyBytes(request)
  const first = firstByte(body)
  const values = asLines
    ? valuesOfLines(body)
    : first === OPEN_LIST
      ? valuesOfList(body)
      : first === undefined
        ? []
        : [body]
  if (values.length === 0) {
    throw new DoorError('malformed', 'There is no event in the body.', {
      remedy: 'Send a JSON list of events, or one event a line as application/x-ndjson.',
    })
  }
  return values
}

/** The first wrong fields, by event. */
function errorsOf(rejected: SubmitResult['rejected']): object[] {
  const errors: object[] = []
  for (const { index, rejections } of rejected) {
    for (const { field, code, message } of rejections) {
      if (errors.length === MOST_ERRORS) return errors
      errors.push({ index, field, code, message })
    }
  }
  return errors
}

/**
 * `POST /v1/events`. Answers when the good events are safe: 200 stored, 202 in Kafka; 422 with one
 * error per wrong field when some were rejected, the good ones being kept all the same.
 */
export function addEventRoutes(app: FastifyInstance, deps: { api: WorkerApi; clock: Clock }): void {
  addEndpoint(app, '/v1/events', {
    POST: {
      bodyLimit: EVENTS_BODY_BYTES,
      handle: async (request, reply) => {
        const receivedAtMs = deps.clock.now()
        const values = valuesOf(request)
        const result = await deps.api.submitEvents(values, receivedAtMs)
        const { accepted, stored } = result
        const rejected = result.rejected.length
        if (rejected === 0) {
          return sendJson(reply, stored ? 200 : 202, { accepted, rejected, stored })
        }
        const kept = accepted === 0 ? 'None was kept' : `The other ${accepted} were kept`
        return sendProblem(
          reply,
          problem(
            'invalid_input',
            `${rejected} of ${values.length} events are not valid. ${kept}.`,
            'Correct the events named in errors and send only those again.',
            { accepted, rejected, stored, errors: errorsOf(result.rejected) },
          ),
        )
      },
    },
  })
}
