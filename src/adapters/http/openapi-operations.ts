import { DECISION_EXAMPLE, ROUTER_ACK_EXAMPLE } from '../../contract/contract-examples.ts'
import { componentRef } from '../../contract/schema-components.ts'
import { ROUTE } from '../../contract/stored-text.ts'
import { ROUTE_WORDS } from '../../contract/wire-field.ts'
import { answer, type Documented, failures, GUARDED, query, textAnswer } from './openapi-answers.ts'
import { EVENT_OPERATIONS } from './openapi-events.ts'
import { RELEASE_OPERATIONS } from './openapi-releases.ts'

/** Operations that answer without a token. */
const OPEN = { security: [] }

const routeQuery = {
  name: 'route',
  in: 'query',
  description: `Only of this route: ${ROUTE_WORDS}.`,
  schema: { type: 'string', pattern: ROUTE.source },
  example: DECISION_EXAMPLE.route,
}

const decisions: Documented = {
  operationId: 'listDecisions',
  tags: ['decisions'],
  summary: 'The newest decision of every route, or all after a generation',
  parameters: [
    routeQuery,
    query(
      'after',
      'All recorded decisions of the route with a larger generation, ascending; needs route.',
      { pattern: '^\\d{1,15}$' },
    ),
  ],
  responses: {
    200: answer(
      'Decisions.',
      { type: 'array', items: componentRef('Decision') },
      {
        rollback: { value: [DECISION_EXAMPLE] },
      },
    ),
    ...failures(400, ...GUARDED),
  },
}

const stream: Documented = {
  operationId: 'followDecisions',
  tags: ['decisions'],
  summary: 'Follow decisions as server-sent events',
  description:
    'Begins with the newest decision of the route (of every route without one), or after Last-Event-ID with all that were missed. ' +
    'Each event is named decision, its data is one decision as JSON, its id is <route>#<generation>. A comment comes every 15 seconds; ' +
    'who takes nothing in the meantime is sent away with a comment and resumes by Last-Event-ID.',
  parameters: [
    routeQuery,
    {
      name: 'Last-Event-ID',
      in: 'header',
      description:
        'Id of the last event taken, <route>#<generation>; anything else counts as none.',
      schema: { type: 'string' },
      example: `${DECISION_EXAMPLE.route}#${DECISION_EXAMPLE.generation}`,
    },
  ],
  responses: {
    200: textAnswer(
      'A stream without end.',
      'text/event-stream',
      `id: ${DECISION_EXAMPLE.route}#${DECISION_EXAMPLE.generation}\nevent: decision\ndata: ${JSON.stringify(DECISION_EXAMPLE)}\n\n`,
    ),
    ...failures(400, ...GUARDED),
  },
}

const acks: Documented = {
  operationId: 'acknowledge',
  tags: ['decisions'],
  summary: 'Say which decision a router applied',
  requestBody: {
    required: true,
    content: {
      'application/json': { schema: componentRef('RouterAck'), example: ROUTER_ACK_EXAMPLE },
    },
  },
  responses: {
    204: { description: 'Noted.' },
    ...failures(413, 415, 422, 429, ...GUARDED),
  },
}

const verbose = query('verbose', 'With it, whatever its value, the answer is text.', {})

function health(operationId: string, summary: string, mayFail: boolean): Documented {
  const content = {
    'application/json': { schema: componentRef('Health') },
    'text/plain': { schema: { type: 'string' }, example: '[+]store ok\nreadyz check passed\n' },
  }
  return {
    operationId,
    tags: ['operation'],
    summary,
    ...OPEN,
    parameters: [verbose],
    responses: {
      200: { description: 'Well.', content },
      ...(mayFail ? { 503: { description: 'Not ready.', content } } : {}),
      ...failures(415, 500),
    },
  }
}

const metrics: Documented = {
  operationId: 'readMetrics',
  tags: ['operation'],
  summary: 'Figures for Prometheus',
  responses: {
    200: textAnswer('Prometheus text exposition.', 'text/plain', 'haldane_decisions_total 3\n'),
    ...failures(...GUARDED),
  },
}

function contractDocument(operationId: string, summary: string): Documented {
  return {
    operationId,
    tags: ['contracts'],
    summary,
    ...OPEN,
    parameters: [
      {
        name: 'If-None-Match',
        in: 'header',
        description: 'ETag of the copy at hand.',
        schema: { type: 'string' },
      },
    ],
    responses: {
      200: {
        ...answer('The document.', { type: 'object' }),
        headers: { ETag: { description: 'Names this version.', schema: { type: 'string' } } },
      },
      304: { description: 'The copy at hand is the present one.' },
      ...failures(415, 500),
    },
  }
}

/** Every address and method the worker offers, without HEAD; `{id}` stands where a route has `:id`. */
export const OPERATIONS: Readonly<Record<string, Readonly<Record<string, Documented>>>> = {
  ...EVENT_OPERATIONS,
  '/v1/decisions': { get: decisions },
  '/v1/decisions/stream': { get: stream },
  '/v1/acks': { post: acks },
  ...RELEASE_OPERATIONS,
  '/livez': { get: health('isAlive', 'Whether the process answers', false) },
  '/healthz': { get: health('isHealthy', 'The same as /livez', false) },
  '/readyz': { get: health('isReady', 'Whether the worker is ready, part by part', true) },
  '/metrics': { get: metrics },
  '/openapi.json': { get: contractDocument('describeHttp', 'This document') },
  '/asyncapi.json': { get: contractDocument('describeTopics', 'The topics, as AsyncAPI 3.1') },
}
