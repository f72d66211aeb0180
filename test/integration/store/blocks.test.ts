import { describe, expect, it } from 'vitest'
import { mulberry32 } from '../../support/event-generator.ts'
import { useTempStore } from '../../support/temp-store.ts'
import { isLate, naiveBlocks, naiveHistory } from './naive-blocks.ts'
import { randomEvents, randomSpec, rangeOf, slowBinsOf } from './random-events.ts'

const EVENTS = 1500
const fixed = Array.from({ length: 8 }, (_, seed) => seed)
const seeds = [...fixed, Date.now() % 1_000_000]

describe('blocks of random events', () => {
  const temp = useTempStore()

  it.each(seeds)('are what the plain reading of the rules says, seed %i', async (seed) => {
    const { store } = temp()
    const random = mulberry32(seed)
    const spec = randomSpec(seed)
    const rows = randomEvents(seed, spec, EVENTS)
    for (let at = 0; at < rows.length; ) {
      const batch = store.newBatch()
      const end = at + 1 + Math.floor(random() * 700)
      for (const { event, place } of rows.slice(at, end)) batch.add(event, place)
      await store.insertEvents(batch)
      at = end
    }

    const { fromMs, toMs } = rangeOf(rows, spec)
    const slowBins = slowBinsOf(seed)
    const range = { releaseId: `${spec.route}/${spec.canary}`, spec, fromMs, toMs, slowBins }
    const expected = naiveBlocks(rows, spec, fromMs, toMs, { slowBins })
    for (let round = 0; round < 3; round++) {
      const from = pickBlock(random(), 0, expected.length)
      const to = pickBlock(random(), from, Math.min(expected.length, from + 40))
      await store.closeBlocks({ ...range, fromMs: startOf(from), toMs: startOf(to) })
    }
    await store.closeBlocks(range)
    const blocks = await store.readBlocks(range)

    expect(blocks.length).toBe(expected.length)
    // Many blocks are empty; the others are compared first, so that a difference is easy to read.
    const filled = expected.filter(({ events }) => events > 0)
    expect(blocks.filter(({ events }) => events > 0)).toEqual(filled)
    expect(blocks).toEqual(expected)
    const cells = filled.flatMap((block) => block.cells.map(({ metrics }) => metrics))
    expect(cells.some(({ users }) => users === undefined)).toBe(true)
    expect(cells.some(({ users }) => (users?.buckets.length ?? 0) > 1)).toBe(true)
    expect(cells.some(({ sampleRates }) => sampleRates !== undefined)).toBe(true)
    expect(cells.some(({ cancelled = 0 }) => cancelled > 0)).toBe(true)
    const summaries =
      "SELECT count() FROM block_metrics WHERE arm = '' AND (users != '' OR cancelled > 0)"
    expect((await store.query(summaries)).rows).toEqual([[0]])
    expect(await store.newestBlockEndMs(range.releaseId, spec)).toBe(toMs)

    await store.closeHistory(range)
    const history = await store.readHistory(range.releaseId, spec)
    expect(history).toEqual(naiveHistory(rows, spec, fromMs, toMs))

    const inTime = rows.filter(
      (row) =>
        row.event.modelName === spec.modelName &&
        row.event.environment === spec.environment &&
        !isLate(row, spec),
    )
    const earliest = Math.min(...inTime.map(({ event }) => event.occurredAtMs))
    expect(await store.earliestEventMs(spec)).toBe(earliest)

    function startOf(block: number): number {
      return fromMs + block * spec.blocks.lengthMs
    }
  })
})

function pickBlock(share: number, from: number, to: number): number {
  return from + Math.floor(share * (to - from + 1))
}
