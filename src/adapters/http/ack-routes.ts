import type { FastifyInstance } from 'fastify'
import { recordHeaders } from '../../contract/cloud-event-http.ts'
import { decodeRouterAck } from '../../contract/router-ack.ts'
import type { WorkerApi } from '../../contract/worker-api.ts'
import { addEndpoint, bodyBytes } from './endpoint.ts'
import { asSent } from './event-body.ts'
import { DoorError } from './problem.ts'

/**
 * `POST /v1/acks`: a router says which generation it applied, as JSON or a CloudEvent. 204, or 422
 * with every wrong field.
 */
export function addAckRoutes(app: FastifyInstance, deps: { api: WorkerApi }): void {
  addEndpoint(app, '/v1/acks', {
    POST: {
      handle: async (request, reply) => {
        const ack = decodeRouterAck(bodyBytes(request), recordHeaders(request.headers))
        if (Array.isArray(ack)) {
          const errors = ack.map(asSent)
          const first = errors[0]
          const where = first === undefined || first.field === '' ? '' : `${first.field}: `
          throw new DoorError('invalid_input', `The ack is not valid. ${where}${first?.message}`, {
            remedy: 'Send route, router_id, applied_generation and applied_at.',
            extensions: { errors },
          })
        }
        await deps.api.acknowledge(ack)
        return reply.code(204).send()
      },
    },
  })
}
