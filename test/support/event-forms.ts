import {
  type HttpMessage,
  httpBinary,
  structuredText,
} from '../../src/contract/cloud-event-writer.ts'

/** The same event, as each form writes it. */
export interface EventForms {
  /** With its own id and time. */
  readonly bare: string
  /** Id and time are those of the envelope alone, here and below. */
  readonly structured: string
  readonly binary: HttpMessage
}

const DATA = {
  model_name: 'intent-classifier',
  environment: 'production',
  model_version: '1.5.0',
  outcome: 'ok',
  latency_ms: 41.25,
  locale: 'de_de',
  device: 'Mobile',
  quality_score: 0.93,
  kpi: { revenue: 1.5 },
  attributes: { größe: '€ 5' },
}

export function eventForms(id: string, occurredAt: string): EventForms {
  const event = {
    id,
    source: '/services/intent classifier',
    type: 'com.example.ml.inference.request.v1',
    subject: DATA.model_name,
    timeMs: Date.parse(occurredAt),
    data: JSON.stringify(DATA),
  }
  return {
    bare: JSON.stringify({ request_id: id, occurred_at: occurredAt, ...DATA }),
    structured: structuredText(event),
    binary: httpBinary(event),
  }
}

/** All that is stored of request events, but for the places they came from and when. */
export const STORED_SQL = `
  SELECT * EXCEPT (
    kafka_topic, kafka_partition, kafka_offset, kafka_timestamp, arrival_watermark, inserted_at
  )
  FROM request_events ORDER BY request_id`
