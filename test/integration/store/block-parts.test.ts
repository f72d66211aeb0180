import { beforeAll, describe, expect, it } from 'vitest'
import { z } from 'zod'
import { buildSpec } from '../../support/builders.ts'
import { useTempStore } from '../../support/temp-store.ts'
import { MIDNIGHT, plainEvent } from './random-events.ts'

const BLOCK = 10_000
const COHORTS = 70

describe('the rows of a block', () => {
  const temp = useTempStore()
  const range = {
    releaseId: 'parts',
    spec: buildSpec(),
    fromMs: MIDNIGHT,
    toMs: MIDNIGHT + 1000 * BLOCK,
  }

  beforeAll(() => temp().engine.analysis.define('stop_merges', 'SYSTEM STOP MERGES block_metrics'))

  async function parts(): Promise<number[]> {
    const row = z.object({ rows: z.int() })
    const sql =
      "SELECT rows FROM system.parts WHERE table = 'block_metrics' AND active ORDER BY rows"
    const rows = await temp().engine.analysis.select({ name: 'parts', sql, row })
    return rows.map((part) => part.rows)
  }

  it('of 1,000 blocks of 70 cohorts are written as one part, so no crash can leave some of them', async () => {
    const { store } = temp()
    const batch = store.newBatch()
    for (let offset = 0; offset < 1000 * COHORTS; offset++) {
      const event = plainEvent({
        requestId: `r${offset}`,
        occurredAtMs: MIDNIGHT + Math.floor(offset / COHORTS) * BLOCK,
        locale: `x-c${offset % COHORTS}`,
      })
      const place = { topic: 't', partition: 0, offset, timestampMs: 0, arrivalWatermarkMs: 0 }
      batch.add(event, place)
    }
    await store.insertEvents(batch)
    await store.closeBlocks(range)
    expect(await parts()).toEqual([1000 * (COHORTS + 1)])
    const blocks = await store.readBlocks(range)
    expect(blocks).toHaveLength(1000)
    expect(blocks.every((block) => block.cells.length === COHORTS)).toBe(true)
  })

  it('are cut at midnight, where a new table partition begins', async () => {
    const { store } = temp()
    const before = (await parts()).length
    const releaseId = 'midnight'
    const fromMs = MIDNIGHT + 86_400_000 - BLOCK
    const around = { ...range, releaseId, fromMs, toMs: fromMs + 2 * BLOCK }
    await store.closeBlocks(around)
    expect((await parts()).length).toBe(before + 2)
    expect(await store.readBlocks(around)).toHaveLength(2)
  })

  it('of two writers are never mixed: the one that closed first counts, as a whole', async () => {
    const { engine, store } = temp()
    const day = { ...range, toMs: range.fromMs + 3 * BLOCK }
    const before = await store.readBlocks(day)
    const copyAs = (writer: string, seconds: number) =>
      engine.analysis.insertSelect({
        name: 'second_writer',
        table: 'block_metrics',
        columns: ['*'],
        select: `SELECT * REPLACE (toUUID('${writer}') AS writer, closed_at + ${seconds} AS closed_at,
            requests + 1000 AS requests, events + 1000 AS events)
          FROM block_metrics WHERE release_id = 'parts' AND locale != 'x-c3' AND block_metrics.events + block_metrics.requests < 1000`,
      })
    await copyAs('00000000-0000-0000-0000-000000000001', 60)
    expect(await store.readBlocks(day)).toEqual(before)

    await copyAs('ffffffff-0000-0000-0000-000000000001', -60)
    const after = await store.readBlocks(day)
    expect(after).toHaveLength(3)
    for (const block of after) {
      expect(block.cells).toHaveLength(COHORTS - 1)
      expect(new Set(block.cells.map(({ metrics }) => metrics.requests))).not.toContain(1)
    }
  })
})
