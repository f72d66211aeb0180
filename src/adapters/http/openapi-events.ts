import { BATCH_TYPE, SPEC_VERSION, STRUCTURED_TYPE } from '../../contract/cloud-event.ts'
import { EVENT_TYPES } from '../../contract/cloud-event-type.ts'
import { FEEDBACK_EVENT_EXAMPLE, REQUEST_EVENT_EXAMPLE } from '../../contract/contract-examples.ts'
import { componentRef } from '../../contract/schema-components.ts'
import type { JsonSchema } from '../../contract/schema-parts.ts'
import { EVENT_LINE_TYPES, EVENTS_BODY_BYTES, MOST_EVENTS } from './event-body.ts'
import { answer, type Documented, failures, GUARDED } from './openapi-answers.ts'

interface Kind {
  readonly schema: JsonSchema
  readonly example: object
  readonly cloudEvent: JsonSchema
}

const REQUEST: Kind = {
  schema: componentRef('RequestEvent'),
  example: REQUEST_EVENT_EXAMPLE,
  cloudEvent: {
    specversion: SPEC_VERSION,
    id: REQUEST_EVENT_EXAMPLE.request_id,
    source: '/services/intent-classifier',
    type: `com.example.${EVENT_TYPES.request}`,
    time: REQUEST_EVENT_EXAMPLE.occurred_at,
    data: REQUEST_EVENT_EXAMPLE,
  },
}

const FEEDBACK: Kind = {
  schema: componentRef('FeedbackEvent'),
  example: FEEDBACK_EVENT_EXAMPLE,
  cloudEvent: {
    specversion: SPEC_VERSION,
    id: 'f-1',
    source: '/services/support-desk',
    type: `com.example.${EVENT_TYPES.feedback}`,
    time: FEEDBACK_EVENT_EXAMPLE.observed_at,
    data: FEEDBACK_EVENT_EXAMPLE,
  },
}

function bodyOf({ schema, example, cloudEvent }: Kind): JsonSchema {
  const list = { type: 'array', minItems: 1, maxItems: MOST_EVENTS, items: schema }
  const line = {
    schema: { type: 'string', description: 'One event a line; blank lines are none.' },
    example: `${JSON.stringify(example)}\n`,
  }
  return {
    required: true,
    content: {
      'application/json': {
        schema: { oneOf: [schema, list] },
        examples: {
          one: { summary: 'One event', value: example },
          list: { summary: 'A list of events', value: [example] },
        },
      },
      ...Object.fromEntries(EVENT_LINE_TYPES.map((type) => [type, line])),
      [STRUCTURED_TYPE]: { schema: componentRef('CloudEvent'), example: cloudEvent },
      [BATCH_TYPE]: {
        schema: { type: 'array', maxItems: MOST_EVENTS, items: componentRef('CloudEvent') },
        example: [cloudEvent],
      },
    },
  }
}

const FORMS =
  `At most ${MOST_EVENTS} events and ${EVENTS_BODY_BYTES / 1_048_576} MiB. Each is bare JSON or a CloudEvent 1.0; ` +
  'of one event the envelope may stand in ce- headers (binary mode). '
const REQUEST_FORMS = `${FORMS}A missing occurred_at is the time of the CloudEvent, else that of receipt; a missing request_id is its id.`

const RECEIPTS = {
  200: answer('All events are in the store.', componentRef('EventsReceipt'), {
    stored: { value: { accepted: 1, rejected: 0, stored: true } },
  }),
  202: answer('All events are in Kafka and will be stored.', componentRef('EventsReceipt'), {
    queued: { value: { accepted: 1, rejected: 0, stored: false } },
  }),
  ...failures(400, 413, 415, 422, 429, 507, ...GUARDED),
}

const events: Documented = {
  operationId: 'sendEvents',
  tags: ['events'],
  summary: 'Send request events',
  description: `Answers when the good events are safe. Sending the same events again after a failure is harmless: duplicates are counted once. ${REQUEST_FORMS}`,
  requestBody: bodyOf(REQUEST),
  responses: RECEIPTS,
}

const feedback: Documented = {
  operationId: 'sendFeedback',
  tags: ['events'],
  summary: 'Send feedback about answered requests',
  description: `Answers when the good events are safe. A request without a quality score of its own gets that of its earliest feedback, if that came before its block was closed. Sending the same feedback again is harmless. ${FORMS}A missing observed_at is the time of the CloudEvent, else that of receipt.`,
  requestBody: bodyOf(FEEDBACK),
  responses: RECEIPTS,
}

const validation: Documented = {
  operationId: 'validateEvents',
  tags: ['events'],
  summary: 'Look at request events without keeping them',
  description: `Says what sending the same body would reject, and why. ${REQUEST_FORMS}`,
  requestBody: bodyOf(REQUEST),
  responses: {
    200: answer('What is wrong, if anything.', componentRef('EventsReport'), {
      report: {
        value: {
          summary: { events: 2, valid: 1, invalid: 1 },
          errors: [
            { index: 1, field: 'latency_ms', code: 'type', message: 'is the text "slow"; …' },
          ],
        },
      },
    }),
    ...failures(400, 413, 415, ...GUARDED),
  },
}

/** What takes events. */
export const EVENT_OPERATIONS: Readonly<Record<string, Readonly<Record<string, Documented>>>> = {
  '/v1/events': { post: events },
  '/v1/events/validate': { post: validation },
  '/v1/feedback': { post: feedback },
}
