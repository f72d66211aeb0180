import { binOf, NO_LATENCY_BIN, UNBOUNDED_BIN } from '../../domain/histogram.ts'
import { DEVICES, OUTCOMES, type RequestEvent, TRAFFICS } from '../../domain/request-event.ts'
import type { RowFormat } from './chunked-rows.ts'
import { EVENT_COLUMNS } from './event-columns.ts'
import { toMillionths } from './fixed-point.ts'
import {
  putInt64,
  putNullableFloat64,
  putNullableInt32,
  putNullableUint16,
  putNullableUint32,
  putNullableUint64,
  putString,
  putVarint,
  roomOf,
} from './row-binary.ts'

// More than all numbers of a row, the prefixes of its strings and of its two maps.
const FIXED_ROOM_BYTES = 320

/** Rows of `request_events`. */
export const EVENT_ROWS: RowFormat<RequestEvent> = {
  table: 'request_events',
  columns: EVENT_COLUMNS,
  roomOf: roomOfRow,
  put(bytes, view, start, event) {
    let at = putNumbers(bytes, view, start, event)
    at = putTexts(bytes, at, event)
    at = putKpi(bytes, view, at, event.kpi)
    return putAttributes(bytes, at, event.attributes)
  },
}

/** `NO_LATENCY_BIN` unless the request counts for latency; unbounded for a timeout without one. */
export function latencyBinOf(event: RequestEvent): number {
  if (event.outcome !== 'ok' && event.outcome !== 'timeout') return NO_LATENCY_BIN
  if (event.latencyMs !== null) return binOf(event.latencyMs)
  return event.outcome === 'timeout' ? UNBOUNDED_BIN : NO_LATENCY_BIN
}

function roomOfRow(event: RequestEvent): number {
  let characters =
    event.requestId.length +
    event.modelName.length +
    event.environment.length +
    event.modelVersion.length +
    event.variant.length +
    event.errorType.length +
    event.locale.length +
    event.region.length +
    event.qualityMetric.length +
    event.predictionLabel.length +
    event.sessionId.length +
    event.releaseId.length
  let room = FIXED_ROOM_BYTES
  if (event.kpi !== null) {
    for (const name in event.kpi) room += roomOf(name) + 8
  }
  if (event.attributes !== null) {
    for (const name in event.attributes) {
      characters += (event.attributes[name] as string).length
      room += roomOf(name) + 5
    }
  }
  return room + characters * 3
}

function putNumbers(bytes: Buffer, view: DataView, start: number, event: RequestEvent): number {
  let at = putInt64(view, start, event.occurredAtMs)
  bytes[at++] = TRAFFICS.indexOf(event.traffic)
  bytes[at++] = OUTCOMES.indexOf(event.outcome)
  bytes[at++] = DEVICES.indexOf(event.device)
  bytes[at++] = event.isSynthetic ? 1 : 0
  bytes[at++] = event.localeReplaced ? 1 : 0
  bytes[at++] = event.deviceReplaced ? 1 : 0
  view.setInt16(at, latencyBinOf(event), true)
  view.setFloat64(at + 2, event.sampleRate, true)
  at = putNullableFloat64(view, at + 10, event.latencyMs)
  at = putNullableFloat64(view, at, event.ttftMs)
  at = putNullableFloat64(view, at, event.confidence)
  at = putNullableUint16(view, at, event.statusCode)
  const quality = event.qualityScore
  at = putNullableInt32(view, at, quality === null ? null : toMillionths(quality))
  at = putNullableUint32(view, at, event.inputTokens)
  at = putNullableUint32(view, at, event.outputTokens)
  at = putNullableUint64(view, at, event.decisionGeneration)
  at = putNullableUint64(view, at, event.memoryBytes)
  return putNullableUint64(view, at, event.memoryLimitBytes)
}

function putTexts(bytes: Buffer, start: number, event: RequestEvent): number {
  let at = putString(bytes, start, event.requestId)
  at = putString(bytes, at, event.modelName)
  at = putString(bytes, at, event.environment)
  at = putString(bytes, at, event.modelVersion)
  at = putString(bytes, at, event.variant)
  at = putString(bytes, at, event.errorType)
  at = putString(bytes, at, event.locale)
  at = putString(bytes, at, event.region)
  at = putString(bytes, at, event.qualityMetric)
  at = putString(bytes, at, event.predictionLabel)
  at = putString(bytes, at, event.sessionId)
  return putString(bytes, at, event.releaseId)
}

function putKpi(bytes: Buffer, view: DataView, start: number, kpi: RequestEvent['kpi']): number {
  if (kpi === null) return putVarint(bytes, start, 0)
  const names = Object.keys(kpi)
  let at = putVarint(bytes, start, names.length)
  for (const name of names) {
    at = putString(bytes, at, name)
    at = putInt64(view, at, toMillionths(kpi[name] as number))
  }
  return at
}

function putAttributes(
  bytes: Buffer,
  start: number,
  attributes: RequestEvent['attributes'],
): number {
  if (attributes === null) return putVarint(bytes, start, 0)
  const names = Object.keys(attributes)
  let at = putVarint(bytes, start, names.length)
  for (const name of names) {
    at = putString(bytes, at, name)
    at = putString(bytes, at, attributes[name] as string)
  }
  return at
}
