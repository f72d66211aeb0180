import type { FastifyInstance } from 'fastify'
import { REQUEST_EVENTS } from '../../contract/event-format.ts'
import type { SubmitResult, WorkerApi } from '../../contract/worker-api.ts'
import type { Clock } from '../../ports.ts'
import { addEndpoint, sendJson } from './endpoint.ts'
import { asSent, EVENTS_BODY_BYTES, eventsIn } from './event-body.ts'
import { problem, sendProblem } from './problem.ts'

const MOST_ERRORS = 1000

/** The first wrong fields, by event. */
function errorsOf(rejected: SubmitResult['rejected']): object[] {
  const errors: object[] = []
  for (const { index, rejections } of rejected) {
    for (const rejection of rejections) {
      if (errors.length === MOST_ERRORS) return errors
      errors.push({ index, ...asSent(rejection) })
    }
  }
  return errors
}

/**
 * `POST /v1/events` and `POST /v1/feedback`, events in any form of `eventsIn`. Answers when the good events are safe: 200 stored, 202 in Kafka; 422 with one
 * error per wrong field when some were rejected, the good ones being kept all the same. `POST /v1/events/validate` says
 * of the same bodies what would be rejected, and keeps nothing.
 */
export function addEventRoutes(app: FastifyInstance, deps: { api: WorkerApi; clock: Clock }): void {
  const { api } = deps
  addDoor(app, deps.clock, '/v1/events', (...events) => api.submitEvents(...events))
  addDoor(app, deps.clock, '/v1/feedback', (...events) => api.submitFeedback(...events))
  addEndpoint(app, '/v1/events/validate', {
    POST: {
      bodyLimit: EVENTS_BODY_BYTES,
      handle: async (request, reply) => {
        const timestampMs = deps.clock.now()
        const { values, headers } = eventsIn(request)
        const rejected: SubmitResult['rejected'][number][] = []
        for (const [index, value] of values.entries()) {
          const event = REQUEST_EVENTS.decode({ value, headers, timestampMs })
          if (Array.isArray(event)) rejected.push({ index, rejections: event })
        }
        const [events, invalid] = [values.length, rejected.length]
        const summary = { events, valid: events - invalid, invalid }
        return sendJson(reply, 200, { summary, errors: errorsOf(rejected) })
      },
    },
  })
}

/** Takes events in any form and keeps the good ones. */
function addDoor(
  app: FastifyInstance,
  clock: Clock,
  url: string,
  submit: WorkerApi['submitEvents'],
): void {
  addEndpoint(app, url, {
    POST: {
      bodyLimit: EVENTS_BODY_BYTES,
      handle: async (request, reply) => {
        const receivedAtMs = clock.now()
        const { values, headers } = eventsIn(request)
        const result = await submit(values, receivedAtMs, headers)
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
