import { describe, expect, it } from 'vitest'
import { createChunkPool } from '../../../../src/adapters/clickhouse/chunk-pool.ts'
import { ChunkedRows } from '../../../../src/adapters/clickhouse/chunked-rows.ts'
import { EVENT_ROWS, latencyBinOf } from '../../../../src/adapters/clickhouse/event-rows.ts'
import { plainEvent } from '../../../integration/store/random-events.ts'

const bytesOf = (batch: { contents(): Uint8Array[] }) => Buffer.concat(batch.contents())
const place = { topic: 't', partition: 1, offset: 2, timestampMs: 3, arrivalWatermarkMs: 4 }

describe('a batch of events', () => {
  it('counts its rows and bytes and gives exactly these bytes', () => {
    const batch = new ChunkedRows(createChunkPool(), EVENT_ROWS)
    batch.add(plainEvent(), place)
    expect(batch.rows).toBe(1)
    expect(bytesOf(batch)).toHaveLength(batch.bytes)
    expect([...bytesOf(batch).subarray(0, 6)]).toEqual([1, 0x74, 1, 0, 0, 0])
  })

  it('grows as far as it must and keeps what is in it', () => {
    const batch = new ChunkedRows(createChunkPool(), EVENT_ROWS)
    const event = plainEvent({
      predictionLabel: 'é'.repeat(256),
      attributes: Object.fromEntries(
        Array.from({ length: 16 }, (_, index) => [
          `name-${index}`.padEnd(64, '€'),
          '😀'.repeat(128),
        ]),
      ),
      kpi: { ['k'.repeat(64)]: 1 },
    })
    batch.add(event, place)
    const one = bytesOf(batch)
    for (let index = 1; index < 500; index++) batch.add(event, place)
    expect(batch.bytes).toBe(500 * one.length)
    expect(batch.bytes).toBeGreaterThan(2 << 20)
    const all = bytesOf(batch)
    for (const index of [0, 1, 250, 499]) {
      const row = all.subarray(index * one.length, (index + 1) * one.length)
      expect(one.equals(row)).toBe(true)
    }
  })
})

describe('the missing rows of a batch', () => {
  it('are exactly the bytes of the rows whose offset is not present, over all chunks', () => {
    const batch = new ChunkedRows(createChunkPool(), EVENT_ROWS)
    const alone = (offset: number) => {
      const one = new ChunkedRows(createChunkPool(), EVENT_ROWS)
      one.add(plainEvent({ requestId: `r${'x'.repeat(offset % 50)}` }), { ...place, offset })
      return bytesOf(one)
    }
    for (let offset = 0; offset < 30_000; offset++) {
      const event = plainEvent({ requestId: `r${'x'.repeat(offset % 50)}` })
      batch.add(event, { ...place, offset })
    }
    expect(batch.contents().length).toBeGreaterThan(2)
    const wanted = [0, 1, 9999, 17_000, 29_999]
    const present = new Set<number>()
    for (let offset = 0; offset < 30_000; offset++) {
      if (!wanted.includes(offset)) present.add(offset)
    }
    const { rows, chunks } = batch.missing(present)
    expect(rows).toBe(wanted.length)
    expect(Buffer.concat(chunks).equals(Buffer.concat(wanted.map(alone)))).toBe(true)
    expect(Buffer.concat(batch.missing(new Set()).chunks).equals(bytesOf(batch))).toBe(true)
  })
})

describe('a batch whose memory was given back', () => {
  it('still counts, is not stored twice, and leaves its memory to the next one', () => {
    const pool = createChunkPool()
    const first = new ChunkedRows(pool, EVENT_ROWS)
    first.add(plainEvent(), place)
    const [memory] = first.contents()
    const bytes = first.bytes
    first.release()
    expect([first.rows, first.bytes]).toEqual([1, bytes])
    expect(() => first.contents()).toThrow('stored already')
    const second = new ChunkedRows(pool, EVENT_ROWS)
    second.add(plainEvent(), place)
    expect(second.contents()[0]?.buffer).toBe(memory?.buffer)
  })
})

describe('the latency bin of an event', () => {
  it.each([
    ['ok', 100, 463],
    ['timeout', 100, 463],
    ['ok', 0, -32_767],
    ['timeout', null, 32_767],
    ['error', 100, -32_768],
    ['cancelled', 100, -32_768],
    ['rejected', null, -32_768],
  ] as const)('of %s with %s ms is %i', (outcome, latencyMs, bin) => {
    expect(latencyBinOf(plainEvent({ outcome, latencyMs }))).toBe(bin)
  })
})
