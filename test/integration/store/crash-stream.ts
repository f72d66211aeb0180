import { buildSpec } from '../../support/builders.ts'
import { mulberry32 } from '../../support/event-generator.ts'
import type { Stored } from './naive-blocks.ts'
import { MIDNIGHT, plainEvent } from './random-events.ts'

const EVENTS_PER_BLOCK = 60
export const CRASH_BLOCKS = 60

const spec = buildSpec({ blocks: { lengthMs: 1000, watermarkMs: 0, duplicateLookbackMs: 3000 } })

/** Half of the blocks before midnight, half after: some batches and some closings cross it. */
export const crashSpec = {
  spec,
  blocks: spec.blocks,
  firstMs: MIDNIGHT - (CRASH_BLOCKS / 2) * spec.blocks.lengthMs,
}

/** The same rows for the same seed; every seventh repeats the one three before it. */
export function crashRows(seed: number): Stored[] {
  const random = mulberry32(seed)
  const rows: Stored[] = []
  const stepMs = spec.blocks.lengthMs / EVENTS_PER_BLOCK
  for (let offset = 0; offset < CRASH_BLOCKS * EVENTS_PER_BLOCK; offset++) {
    const occurredAtMs = crashSpec.firstMs + Math.floor(offset * stepMs)
    const before = rows[offset - 3]
    const repeats = offset % 7 === 0 && before !== undefined
    const event = plainEvent({
      occurredAtMs,
      requestId: repeats ? before.event.requestId : `r${offset}`,
      modelVersion: random() < 0.3 ? '1.1.0' : '1.0.0',
      latencyMs: random() * 100,
      locale: random() < 0.5 ? 'de-DE' : 'en-US',
      outcome: random() < 0.1 ? 'error' : 'ok',
    })
    const place = { topic: 'crash', partition: 0, offset, timestampMs: occurredAtMs }
    rows.push({ event, place: { ...place, arrivalWatermarkMs: 0 } })
  }
  return rows
}
