import type { FastifyInstance, FastifyRequest } from 'fastify'
import { encodeDecision } from '../../contract/decision.ts'
import { ROUTE_WORDS, splitRoute } from '../../contract/wire-field.ts'
import type { WorkerApi } from '../../contract/worker-api.ts'
import type { Decision } from '../../domain/decision.ts'
import type { DecisionStreams } from './decision-streams.ts'
import { addEndpoint, queryText } from './endpoint.ts'
import { DoorError } from './problem.ts'

function routeOf(request: FastifyRequest): string | null {
  const route = queryText(request, 'route')
  if (route === null || splitRoute(route) !== null) return route
  throw new DoorError('malformed', `${JSON.stringify(route)} is not a route.`, {
    remedy: `A route is ${ROUTE_WORDS}.`,
  })
}

function generationOf(request: FastifyRequest): number | null {
  const after = queryText(request, 'after')
  if (after === null) return null
  if (!/^\d{1,15}$/.test(after)) {
    throw new DoorError('malformed', `after=${after} is not a generation.`, {
      remedy: 'Give the generation of the last decision you have, 0 for all.',
    })
  }
  return Number(after)
}

/**
 * `GET /v1/decisions`: the newest decision of every route or of one; with `after`, all recorded ones
 * of the route with a larger generation. `GET /v1/decisions/stream`: the same as they are made.
 */
export function addDecisionRoutes(
  app: FastifyInstance,
  deps: { api: WorkerApi; streams: DecisionStreams },
): void {
  const { api, streams } = deps

  async function decisionsFor(request: FastifyRequest): Promise<Decision[]> {
    const route = routeOf(request)
    const after = generationOf(request)
    if (after === null) return api.latestDecisions(route === null ? {} : { route })
    if (route === null) {
      throw new DoorError('malformed', 'after counts the decisions of one route.', {
        remedy: 'Add route=<model_name>/<environment>.',
      })
    }
    return api.decisionsAfter(route, after)
  }

  addEndpoint(app, '/v1/decisions', {
    GET: {
      handle: async (request, reply) => {
        const decisions = await decisionsFor(request)
        return reply
          .type('application/json; charset=utf-8')
          .send(`[${decisions.map(encodeDecision).join(',')}]`)
      },
    },
  })
  addEndpoint(app, '/v1/decisions/stream', {
    GET: {
      head: false,
      handle: async (request, reply) => {
        await streams.open(request, reply, routeOf(request))
      },
    },
  })
}
