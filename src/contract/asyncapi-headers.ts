import { STRUCTURED_TYPE } from './cloud-event.ts'
import { EVENT_TYPES, type EventKind } from './cloud-event-type.ts'
import type { JsonSchema } from './schema-parts.ts'

const text = (description: string): JsonSchema => ({ type: 'string', description })
const time = (description: string): JsonSchema => ({ ...text(description), format: 'date-time' })

/** Attributes of CloudEvents 1.0 in binary mode, which any message may have and bare JSON has not. */
export const CLOUD_EVENT_TRAIT: JsonSchema = {
  headers: {
    type: 'object',
    description: `CloudEvents 1.0 in binary mode: the value is the data. With content-type ${STRUCTURED_TYPE} the value is the whole event (structured mode); without any of these headers it is bare JSON.`,
    properties: {
      ce_specversion: { const: '1.0', description: 'Version of CloudEvents.' },
      ce_id: text('Identifies the event; stands in for a missing request_id.'),
      ce_source: text('Who made the event, a URI or a path.'),
      ce_type: text(
        `Any text but one that ends like the type of another contract; ours are ${Object.values(EVENT_TYPES).join(', ')}.`,
      ),
      ce_time: time('Stands in for a missing time of the event.'),
      ce_subject: text('What the event is about.'),
      'content-type': text('A media type of JSON; application/json when missing.'),
    },
  },
}

/** Headers that workers write on decisions. */
export function decisionHeaders(): JsonSchema {
  return writtenHeaders('decision', {
    ce_subject: text('The release.'),
    ce_time: time('When it was decided.'),
    ce_sequence: {
      ...text('The generation with leading zeros, so that it orders as text.'),
      pattern: '^\\d{20}$',
    },
    ce_expirytime: time('expires_at; missing when the decision holds until the next release.'),
  })
}

function writtenHeaders(kind: EventKind, properties: Readonly<Record<string, JsonSchema>>) {
  const all = {
    ce_specversion: { const: '1.0' },
    ce_id: text('The same for the same event, however often it is sent.'),
    ce_source: { const: '/haldane' },
    ce_type: { const: EVENT_TYPES[kind] },
    ...properties,
    'content-type': { const: 'application/json' },
  }
  const required = Object.keys(all).filter((name) => name !== 'ce_expirytime')
  return { type: 'object', properties: all, required }
}

/** Headers of a dead letter, beside those of the rejected record. */
export function deadLetterHeaders(): JsonSchema {
  const properties = {
    'x-src-topic': text('Topic of the rejected record.'),
    'x-src-partition': text('Its partition.'),
    'x-src-offset': text('Its offset.'),
    'x-src-timestamp': text('Its timestamp, Unix ms.'),
    'x-error-code': text('Code of the first reason: missing, type, range, format, …'),
    'x-error-field': text('Field of the first reason; empty for the whole value.'),
    'x-error-message': text('At most five reasons as sentences.'),
  }
  const size = text(
    'Only on a record that is larger than this topic takes: how large it was. Its value, key and headers are left out.',
  )
  const required = Object.keys(properties)
  return { type: 'object', properties: { ...properties, 'x-value-bytes': size }, required }
}
