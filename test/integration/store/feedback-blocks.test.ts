import { describe, expect, it } from 'vitest'
import { mulberry32 } from '../../support/event-generator.ts'
import { useTempStore } from '../../support/temp-store.ts'
import { naiveBlocks, naiveHistory } from './naive-blocks.ts'
import { randomEvents, randomSpec, rangeOf, slowBinsOf } from './random-events.ts'
import { randomFeedback } from './random-feedback.ts'

const EVENTS = 1200
const FEEDBACK = 1500
const fixed = Array.from({ length: 8 }, (_, seed) => seed)
const seeds = [...fixed, Date.now() % 1_000_000]

describe('blocks of random events with random feedback', () => {
  const temp = useTempStore()

  it.each(seeds)('are what the plain reading of the rules says, seed %i', async (seed) => {
    const { store } = temp()
    const random = mulberry32(seed)
    const spec = randomSpec(seed)
    const rows = randomEvents(seed, spec, EVENTS)
    const feedback = randomFeedback(seed, spec, rows, FEEDBACK)
    const events = store.newBatch()
    for (const { event, place } of rows) events.add(event, place)
    await store.insertEvents(events)
    for (let at = 0; at < feedback.length; ) {
      const batch = store.feedback.newBatch()
      const end = at + 1 + Math.floor(random() * 700)
      for (const { event, place } of feedback.slice(at, end)) batch.add(event, place)
      await store.feedback.insertEvents(batch)
      at = end
    }

    const { fromMs, toMs } = rangeOf(rows, spec)
    const slowBins = slowBinsOf(seed)
    const range = { releaseId: `${spec.route}/${spec.canary}`, spec, fromMs, toMs, slowBins }
    const expected = naiveBlocks(rows, spec, fromMs, toMs, { feedback, slowBins })
    const scores = (blocks: typeof expected) =>
      blocks.reduce((sum, { cells }) => sum + cells.reduce((n, c) => n + c.metrics.quality.n, 0), 0)
    expect(scores(expected)).toBeGreaterThan(scores(naiveBlocks(rows, spec, fromMs, toMs)) + 20)

    const middleMs = fromMs + Math.floor(expected.length / 2) * spec.blocks.lengthMs
    await store.closeBlocks({ ...range, fromMs: middleMs })
    await store.closeBlocks(range)
    const blocks = await store.readBlocks(range)
    const filled = expected.filter((block) => block.events > 0)
    expect(blocks.filter((block) => block.events > 0)).toEqual(filled)
    expect(blocks).toEqual(expected)

    await store.closeHistory(range)
    const history = await store.readHistory(range.releaseId, spec)
    expect(history).toEqual(naiveHistory(rows, spec, fromMs, toMs, feedback))
  })
})
