import { CONSUMER_GROUPS, TOPICS } from '../domain/topics.ts'
import { CLOUD_EVENT_TRAIT, deadLetterHeaders, decisionHeaders } from './asyncapi-headers.ts'
import {
  CONTROL_COMMAND_EXAMPLE,
  DECISION_EXAMPLE,
  FEEDBACK_EVENT_EXAMPLE,
  REQUEST_EVENT_EXAMPLE,
  ROUTER_ACK_EXAMPLE,
} from './contract-examples.ts'
import { controlCommandSchema } from './control-command.ts'
import { decisionSchema } from './decision.ts'
import { feedbackEventSchema } from './feedback-event.ts'
import { requestEventSchema } from './request-event.ts'
import { routerAckSchema } from './router-ack.ts'
import { componentRef, componentSchemas } from './schema-components.ts'
import type { JsonSchema } from './schema-parts.ts'

const BINDING = { bindingVersion: '0.5.0' }
const ROUTE_KEY = 'The route, <model_name>/<environment>.'

const SCHEMAS = {
  RequestEvent: requestEventSchema,
  FeedbackEvent: feedbackEventSchema,
  Decision: decisionSchema,
  RouterAck: routerAckSchema,
  ControlCommand: controlCommandSchema,
}

type TopicName = keyof typeof TOPICS

interface Topic {
  readonly title: string
  readonly description: string
  readonly message: string
}

const CHANNELS: Readonly<Record<TopicName, Topic>> = {
  requests: {
    title: 'Request events',
    description:
      'One event per answered request, from the serving services. Order between requests does not matter; the same request twice is counted once.',
    message: 'RequestEvent',
  },
  requestsDeadLetters: {
    title: 'Rejected request events',
    description: 'Records that hold no valid request event: original bytes, and why.',
    message: 'DeadLetter',
  },
  feedback: {
    title: 'Feedback events',
    description:
      'What was found out later about the answer to a request. Counts for quality when it came before the block of its request was closed; keyed like its request, it lies in the partition of the same number.',
    message: 'FeedbackEvent',
  },
  feedbackDeadLetters: {
    title: 'Rejected feedback events',
    description: 'Records that hold no valid feedback event: original bytes, and why.',
    message: 'DeadLetter',
  },
  control: {
    title: 'Control commands',
    description:
      'What people and pipelines want done with releases, in order per route. The same command_id is carried out once.',
    message: 'ControlCommand',
  },
  decisions: {
    title: 'Decisions',
    description:
      'The complete desired traffic of each route, in order per route. Compacted: who joins reads the newest decision of every route. Apply a decision only if its generation is larger than the last one applied.',
    message: 'Decision',
  },
  routing: {
    title: 'Router acks',
    description: 'What routers have applied.',
    message: 'RouterAck',
  },
}

function channelOf(name: TopicName): JsonSchema {
  const { title, description, message } = CHANNELS[name]
  const topic = TOPICS[name]
  return {
    address: topic.name,
    title,
    description,
    messages: { [message]: { $ref: `#/components/messages/${message}` } },
    bindings: {
      kafka: {
        topic: topic.name,
        partitions: topic.partitions,
        topicConfiguration: {
          'cleanup.policy': [topic.compacted ? 'compact' : 'delete'],
          ...Object.fromEntries(
            Object.entries(topic.settings).map(([name, value]) => [name, Number(value)]),
          ),
        },
        ...BINDING,
      },
    },
  }
}

function operation(
  action: 'send' | 'receive',
  channel: TopicName,
  summary: string,
  groupId?: string,
): JsonSchema {
  const group = groupId === undefined ? {} : { groupId: { type: 'string', const: groupId } }
  return {
    action,
    channel: { $ref: `#/channels/${channel}` },
    summary,
    messages: [{ $ref: `#/channels/${channel}/messages/${CHANNELS[channel].message}` }],
    bindings: { kafka: { ...group, ...BINDING } },
  }
}

const OPERATIONS = {
  storeRequests: operation(
    'receive',
    'requests',
    'Workers store every event once.',
    CONSUMER_GROUPS.ingest,
  ),
  queueRequests: operation('send', 'requests', 'Workers pass on events that came over HTTP.'),
  setAsideRequests: operation('send', 'requestsDeadLetters', 'Workers set aside what is no event.'),
  storeFeedback: operation(
    'receive',
    'feedback',
    'Workers store every feedback event once.',
    CONSUMER_GROUPS.feedback,
  ),
  queueFeedback: operation('send', 'feedback', 'Workers pass on feedback that came over HTTP.'),
  setAsideFeedback: operation(
    'send',
    'feedbackDeadLetters',
    'Workers set aside what is no feedback.',
  ),
  takeCommands: operation(
    'receive',
    'control',
    'The worker that owns the partition carries commands out.',
    CONSUMER_GROUPS.control,
  ),
  giveCommands: operation('send', 'control', 'Workers pass on commands that came over HTTP.'),
  decide: operation('send', 'decisions', 'Workers publish each decision after it is recorded.'),
  followDecisions: operation('receive', 'decisions', 'Workers show them to their HTTP readers.'),
  noteAcks: operation(
    'receive',
    'routing',
    'Workers show acks beside the release.',
    CONSUMER_GROUPS.acks,
  ),
  passAcks: operation('send', 'routing', 'Workers pass on acks that came over HTTP.'),
}

const keyed = (description: string) => ({
  kafka: { key: { type: 'string', description }, ...BINDING },
})

function message(name: keyof typeof SCHEMAS, key: string, example: unknown): JsonSchema {
  const { title, description } = SCHEMAS[name].meta() ?? {}
  return {
    name,
    title,
    summary: description,
    contentType: 'application/json',
    ...(name === 'Decision'
      ? { headers: decisionHeaders() }
      : { traits: [{ $ref: '#/components/messageTraits/CloudEvent' }] }),
    payload: componentRef(name),
    bindings: keyed(key),
    examples: [{ name, payload: example }],
  }
}

const MESSAGES = {
  RequestEvent: message(
    'RequestEvent',
    'request_id; any key is taken, and none.',
    REQUEST_EVENT_EXAMPLE,
  ),
  FeedbackEvent: message(
    'FeedbackEvent',
    'request_id; any key is taken, and none.',
    FEEDBACK_EVENT_EXAMPLE,
  ),
  Decision: message('Decision', ROUTE_KEY, DECISION_EXAMPLE),
  RouterAck: message('RouterAck', ROUTE_KEY, ROUTER_ACK_EXAMPLE),
  ControlCommand: message('ControlCommand', ROUTE_KEY, CONTROL_COMMAND_EXAMPLE),
  DeadLetter: {
    name: 'DeadLetter',
    title: 'Dead letter',
    summary: 'A rejected record with its original key, value and headers, and why.',
    contentType: 'application/octet-stream',
    headers: deadLetterHeaders(),
    payload: { description: 'The bytes of the rejected record.' },
    bindings: keyed('Key of the rejected record.'),
  },
}

/** The topics as AsyncAPI 3.1: what `schemas/asyncapi.json` and `/asyncapi.json` hold. */
export function asyncApiDocument(): JsonSchema {
  const names = Object.keys(CHANNELS) as TopicName[]
  return {
    asyncapi: '3.1.0',
    info: {
      title: 'Haldane',
      version: '1',
      description:
        'Topics of canary analysis for machine-learning releases. Fields may be added within v1; readers pass over those they do not know. Without a broker the same log lives inside the worker, and HTTP is the door.',
      license: { name: 'Apache-2.0', url: 'https://www.apache.org/licenses/LICENSE-2.0' },
    },
    defaultContentType: 'application/json',
    channels: Object.fromEntries(names.map((name) => [name, channelOf(name)])),
    operations: OPERATIONS,
    components: {
      schemas: componentSchemas(SCHEMAS, 'draft-7'),
      messages: MESSAGES,
      messageTraits: { CloudEvent: CLOUD_EVENT_TRAIT },
    },
  }
}
