import { CLOUD_EVENT } from '../../contract/cloud-event-schema.ts'
import { decisionSchema } from '../../contract/decision.ts'
import { evidenceSchema } from '../../contract/evidence.ts'
import { feedbackEventSchema } from '../../contract/feedback-event.ts'
import {
  eventsReceiptSchema,
  eventsReportSchema,
  healthSchema,
  problemSchema,
  receiptSchema,
} from '../../contract/http-answers.ts'
import { releaseFileSchema } from '../../contract/release-file-schema.ts'
import { releaseViewSchema, verdictSchema } from '../../contract/release-view-schema.ts'
import { requestEventSchema } from '../../contract/request-event.ts'
import { routerAckSchema } from '../../contract/router-ack.ts'
import { componentSchemas } from '../../contract/schema-components.ts'
import type { JsonSchema } from '../../contract/schema-parts.ts'
import { problemAnswers } from './openapi-answers.ts'
import { OPERATIONS } from './openapi-operations.ts'

const SCHEMAS = {
  RequestEvent: requestEventSchema,
  FeedbackEvent: feedbackEventSchema,
  Decision: decisionSchema,
  Evidence: evidenceSchema,
  RouterAck: routerAckSchema,
  Release: releaseViewSchema,
  Verdict: verdictSchema,
  Receipt: receiptSchema,
  EventsReceipt: eventsReceiptSchema,
  EventsReport: eventsReportSchema,
  Health: healthSchema,
  Problem: problemSchema,
}

/** The HTTP of a worker as OpenAPI 3.1: what `schemas/openapi.json` and `/openapi.json` hold. */
export function openApiDocument(): JsonSchema {
  return {
    openapi: '3.1.1',
    info: {
      title: 'Haldane',
      version: '1',
      summary: 'Canary analysis for machine-learning releases',
      description:
        'Events in, decisions out, and the releases between them. Fields may be added within v1; readers pass over those they do not know. ' +
        'Every GET but the stream also answers HEAD; a method that is not offered is answered 405 with Allow. ' +
        'Bodies may be gzip (content-encoding); their limits are those of what comes out. Requests that are no HTTP, or arrive too slowly, are answered 400, 408 or 431 with a problem.',
      license: { name: 'Apache-2.0', identifier: 'Apache-2.0' },
    },
    servers: [{ url: 'http://127.0.0.1:7625', description: 'An embedded worker' }],
    security: [{ token: [] }, {}],
    tags: [
      { name: 'events', description: 'What services send' },
      { name: 'decisions', description: 'What routers follow' },
      { name: 'releases', description: 'What people and pipelines steer' },
      { name: 'operation', description: 'For probes and monitoring' },
      { name: 'contracts', description: 'What is offered, for machines' },
    ],
    paths: OPERATIONS,
    components: {
      securitySchemes: {
        token: {
          type: 'http',
          scheme: 'bearer',
          description:
            'The value of HALDANE_TOKEN. A worker without one is bound to the loopback and asks for none.',
        },
      },
      responses: problemAnswers(),
      schemas: {
        ...componentSchemas(SCHEMAS, 'draft-2020-12'),
        CloudEvent: CLOUD_EVENT,
        ReleaseFile: releaseFileSchema(),
      },
    },
  }
}
