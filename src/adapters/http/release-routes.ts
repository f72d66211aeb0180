import type { FastifyInstance, FastifyRequest } from 'fastify'
import { parseRfc3339 } from '../../contract/rfc3339.ts'
import { hasLength, isObject } from '../../contract/stored-text.ts'
import { isStoredText } from '../../contract/wire-field.ts'
import type { ReleaseView, WorkerApi } from '../../contract/worker-api.ts'
import type { CommandOutcome } from '../../ports.ts'
import { addEndpoint, bodyJson, bodyText, queryText, sendJson } from './endpoint.ts'
import { DoorError } from './problem.ts'
import { encodeReleaseView, verdictOf } from './release-view.ts'

const KINDS = ['pause', 'resume', 'promote', 'abort', 'rollback'] as const
/** Who acts when the request does not say. */
const NOBODY = 'unknown'
// Bounds of the control command that carries these texts.
export const LONGEST_NAME = 256
export const LONGEST_REASON = 1024
export const LONGEST_FILE_NAME = 1024
export const LONGEST_FILE = 262_144

function recordedText(name: string, value: unknown, atMost: number, fallback: string): string {
  if (value === undefined || value === null) return fallback
  if (isStoredText(value, 0, atMost)) return value
  const message = `must be a text of at most ${atMost} characters, without NUL`
  throw new DoorError('invalid_input', `${name} ${message}.`, {
    extensions: { errors: [{ field: name, code: 'format', message }] },
  })
}

function author(by: unknown, reason: unknown): { by: string; reason: string } {
  return {
    by: recordedText('by', by === '' ? undefined : by, LONGEST_NAME, NOBODY),
    reason: recordedText('reason', reason, LONGEST_REASON, ''),
  }
}

/** The release file in the body. */
function sourceOf(request: FastifyRequest): string {
  const source = bodyText(request)
  if (source.trim() === '') {
    throw new DoorError('malformed', 'The body is empty.', {
      remedy: 'Send the release file as the body, YAML or JSON.',
    })
  }
  if (!hasLength(source, 1, LONGEST_FILE)) {
    throw new DoorError('too_large', `A release file has at most ${LONGEST_FILE} characters.`, {
      remedy: 'Send the release file alone.',
    })
  }
  return source
}

/** Event time from which a release is judged; none given means from now on. */
function startTime(text: string | undefined): { startAtMs?: number } {
  if (text === undefined) return {}
  const startAtMs = parseRfc3339(text)
  if (startAtMs !== null) return { startAtMs }
  throw new DoorError('invalid_input', 'start must be a time like 2026-11-23T10:00:00Z.', {
    extensions: { errors: [{ field: 'start', code: 'format', message: 'an RFC 3339 time' }] },
  })
}

function optionalQuery(request: FastifyRequest, name: string): string | undefined {
  return queryText(request, name) ?? undefined
}

/** Name the file is called in messages. Our client percent-encodes it, people may not. */
function fileNameOf(request: FastifyRequest): string {
  const header = request.headers['x-file-name']
  if (typeof header !== 'string' || header === '') return 'release.yaml'
  let name = header
  try {
    name = decodeURIComponent(header)
  } catch {
    // A plain name with a percent sign.
  }
  return recordedText('x-file-name', name, LONGEST_FILE_NAME, '')
}

function releaseIdOf(request: FastifyRequest): string {
  return (request.params as { id: string }).id
}

function noSuchRelease(releaseId: string): DoorError {
  return new DoorError('not_found', `There is no release ${releaseId}.`, {
    remedy: 'GET /v1/releases lists them.',
  })
}

/** What was done, in wire form. Throws `conflict` when it was not done. */
function receiptOf(outcome: CommandOutcome): Readonly<Record<string, string>> {
  if (outcome.outcome === 'rejected') {
    throw new DoorError('conflict', outcome.message, {
      remedy: 'GET /v1/releases shows how the releases stand.',
      extensions: { release_id: outcome.releaseId, command_id: outcome.commandId },
    })
  }
  return {
    release_id: outcome.releaseId,
    command_id: outcome.commandId,
    message: outcome.message,
  }
}

/** Releases: list, show, verdict for gates, start, and the five commands. */
export function addReleaseRoutes(app: FastifyInstance, deps: { api: WorkerApi }): void {
  const { api } = deps

  async function existing(request: FastifyRequest): Promise<ReleaseView> {
    const releaseId = releaseIdOf(request)
    const view = await api.release(releaseId)
    if (view === null) throw noSuchRelease(releaseId)
    return view
  }

  addEndpoint(app, '/v1/releases', {
    GET: {
      handle: async (_request, reply) =>
        sendJson(reply, 200, (await api.releases()).map(encodeReleaseView)),
    },
    POST: {
      handle: async (request, reply) => {
        const outcome = await api.startRelease({
          source: sourceOf(request),
          fileName: fileNameOf(request),
          ...author(optionalQuery(request, 'by'), optionalQuery(request, 'reason')),
          ...startTime(optionalQuery(request, 'start')),
        })
        const receipt = receiptOf(outcome)
        reply.header('location', `/v1/releases/${encodeURIComponent(outcome.releaseId)}`)
        return sendJson(reply, 201, receipt)
      },
    },
  })

  addEndpoint(app, '/v1/releases/:id', {
    GET: {
      handle: async (request, reply) =>
        sendJson(reply, 200, encodeReleaseView(await existing(request))),
    },
  })

  addEndpoint(app, '/v1/releases/:id/verdict', {
    GET: {
      handle: async (request, reply) =>
        sendJson(reply, 200, { data: verdictOf(encodeReleaseView(await existing(request))) }),
    },
  })

  for (const kind of KINDS) {
    addEndpoint(app, `/v1/releases/:id/${kind}`, {
      POST: {
        handle: async (request, reply) => {
          const body = bodyJson(request) ?? {}
          if (!isObject(body)) {
            throw new DoorError('malformed', 'The body must be one JSON object.', {
              remedy: 'Send {"by": "who", "reason": "why"}.',
            })
          }
          const outcome = await api.commandRelease({
            releaseId: releaseIdOf(request),
            kind,
            ...author(body['by'], body['reason']),
          })
          return sendJson(reply, 200, receiptOf(outcome))
        },
      },
    })
  }
}
