import { BATCH_TYPE, SPEC_VERSION, STRUCTURED_TYPE } from './cloud-event.ts'
import type { JsonSchema } from './schema-parts.ts'
import { TIME_WORDS } from './wire-field.ts'

const text = (description: string): JsonSchema => ({ type: 'string', minLength: 1, description })

/** The structured form of a CloudEvent as it is read here: what is named means something. */
export const CLOUD_EVENT: JsonSchema = {
  title: 'CloudEvent',
  description: `A CloudEvent 1.0 in structured mode (${STRUCTURED_TYPE}), or an element of ${BATCH_TYPE}. Other attributes are ignored.`,
  type: 'object',
  properties: {
    specversion: { const: SPEC_VERSION, description: 'Version of CloudEvents.' },
    id: text('Stands in for a missing request_id.'),
    source: text('Who made the event: a URI or a path.'),
    type: text('Any text but one that ends like the type of another contract.'),
    time: {
      type: ['string', 'null'],
      format: 'date-time',
      description: `Stands in for a missing time of the data: ${TIME_WORDS}.`,
    },
    datacontenttype: {
      type: ['string', 'null'],
      description: 'A media type of JSON in UTF-8; application/json when missing.',
    },
    data: {
      type: ['object', 'null'],
      description: 'The event itself; what id and time stand in for may be missing.',
    },
    data_base64: {
      type: ['string', 'null'],
      contentEncoding: 'base64',
      description: 'The event itself as Base64 of its JSON text; instead of data.',
    },
  },
  required: ['specversion', 'id', 'source', 'type'],
}
