import type { FastifyInstance } from 'fastify'
import type { WorkerApi } from '../../contract/worker-api.ts'
import type { Clock } from '../../ports.ts'
import type { Access } from './access.ts'
import { addAckRoutes } from './ack-routes.ts'
import { addDecisionRoutes } from './decision-routes.ts'
import type { DecisionStreams } from './decision-streams.ts'
import { addDocumentRoutes, DOCUMENT_URLS } from './document-routes.ts'
import { addEventRoutes } from './event-routes.ts'
import { addHealthRoutes, HEALTH_URLS } from './health-routes.ts'
import { addReleaseRoutes } from './release-routes.ts'

/** Addresses that answer without a token. */
export const OPEN_URLS: ReadonlySet<string> = new Set([...HEALTH_URLS, ...DOCUMENT_URLS])

export interface RouteParts {
  readonly api: WorkerApi
  readonly clock: Clock
  readonly access: Access
  readonly streams: DecisionStreams
  readonly version: string
  readonly draining: () => boolean
  /** Of a worker without the role `api`: only what operates it. */
  readonly healthOnly: boolean
}

/** Everything a worker offers over HTTP; `openapi-operations.ts` documents the same. */
export function addRoutes(app: FastifyInstance, parts: RouteParts): void {
  addHealthRoutes(app, parts)
  if (parts.healthOnly) return
  addEventRoutes(app, parts)
  addDecisionRoutes(app, parts)
  addReleaseRoutes(app, parts)
  addAckRoutes(app, parts)
  addDocumentRoutes(app)
}
