import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { FeedbackEvent } from '../../src/domain/feedback-event.ts'
import { binOf } from '../../src/domain/histogram.ts'
import type { RequestEvent } from '../../src/domain/request-event.ts'
import type { EventBatch, PartitionProgress, ReleaseRecord, Store } from '../../src/ports.ts'
import { MIDNIGHT, plainEvent } from '../integration/store/random-events.ts'
import { plainFeedback } from '../integration/store/random-feedback.ts'
import { buildSpec } from '../support/builders.ts'
import { DECISION } from '../unit/contract/decision-samples.ts'

const BLOCK = 10_000
const NOON = MIDNIGHT + 43_200_000

/** What every store guarantees, whatever is behind it. The factory gives one with all its tables. */
export function describeStore(name: string, createStore: () => Promise<Store>): void {
  describe(name, () => {
    let store: Store
    let count = 0
    beforeAll(async () => {
      store = await createStore()
    })
    afterAll(() => store.close())

    const unique = (word: string) => `${word}-${count++}`
    const specOf = (modelName: string) => buildSpec({ route: `${modelName}/production`, modelName })
    const put = async (
      topic: string,
      events: readonly Partial<RequestEvent>[],
      place: { partition?: number; from?: number; arrivalWatermarkMs?: number } = {},
    ) => {
      const batch = store.newBatch()
      events.forEach((event, index) => {
        batch.add(plainEvent(event), {
          topic,
          partition: place.partition ?? 0,
          offset: (place.from ?? 0) + index,
          timestampMs: NOON,
          arrivalWatermarkMs: place.arrivalWatermarkMs ?? 0,
        })
      })
      await store.insertEvents(batch)
    }

    describe('tables', () => {
      it('are migrated once: repeating it applies nothing', async () => {
        expect(await store.migrate()).toEqual([])
        expect(await store.pendingMigrations()).toEqual([])
      })

      it('answer a ping', async () => {
        await expect(store.ping()).resolves.toBeUndefined()
      })
    })

    describe('events', () => {
      it('are found by their offsets, ascending, from an offset on, each partition for itself', async () => {
        const topic = unique('topic')
        await put(topic, [{}, {}, {}], { from: 7 })
        await put(topic, [{}, {}], { from: 3 })
        await put(topic, [{}], { partition: 1, from: 100 })
        expect([...(await store.presentOffsets(topic, 0, 4))]).toEqual([4, 7, 8, 9])
        expect([...(await store.presentOffsets(topic, 1, 0))]).toEqual([100])
        expect([...(await store.presentOffsets(topic, 2, 0))]).toEqual([])
        expect([...(await store.presentOffsets(unique('topic'), 0, 0))]).toEqual([])
      })

      it('take offsets up to 2^53', async () => {
        const topic = unique('topic')
        await put(topic, [{}], { from: Number.MAX_SAFE_INTEGER })
        const present = await store.presentOffsets(topic, 0, Number.MAX_SAFE_INTEGER - 1)
        expect([...present]).toEqual([Number.MAX_SAFE_INTEGER])
      })

      it('of an empty batch change nothing', async () => {
        const batch = store.newBatch()
        expect(batch.rows).toBe(0)
        expect(batch.bytes).toBe(0)
        await expect(store.insertEvents(batch)).resolves.toBeUndefined()
      })

      it('of a range are stored once, however often it is sent', async () => {
        const topic = unique('topic')
        const day = 86_400_000
        const send = async (from: number, to: number, sentBefore: boolean) => {
          const batch = store.newBatch()
          for (let offset = from; offset <= to; offset++) {
            const place = { topic, partition: 0, offset, timestampMs: NOON, arrivalWatermarkMs: 0 }
            batch.add(plainEvent({ occurredAtMs: NOON + (offset % 3) * day }), place)
          }
          await store.insertEvents(batch, { topic, partition: 0, from, to, sentBefore })
        }
        await send(0, 9, false)
        await send(0, 9, true)
        await send(10, 14, true)
        await send(15, 19, false)
        await send(15, 19, true)
        const present = await store.presentOffsets(topic, 0, 0)
        expect([...present]).toEqual(Array.from({ length: 20 }, (_, offset) => offset))
      })

      it('count in their batch', () => {
        const batch = store.newBatch()
        const place = { topic: 't', partition: 0, offset: 0, timestampMs: 0, arrivalWatermarkMs: 0 }
        batch.add(plainEvent(), place)
        const { bytes } = batch
        batch.add(plainEvent(), place)
        expect(batch.rows).toBe(2)
        expect(batch.bytes).toBe(2 * bytes)
      })

      it('of 100,000 rows over 120 days go in with one call', async () => {
        const topic = unique('topic')
        const modelName = unique('model')
        const batch = store.newBatch()
        const day = 86_400_000
        for (let offset = 0; offset < 100_000; offset++) {
          const occurredAtMs = NOON + (offset % 120) * day
          const place = { topic, partition: 0, offset, timestampMs: NOON, arrivalWatermarkMs: 0 }
          batch.add(plainEvent({ modelName, requestId: `r${offset}`, occurredAtMs }), place)
        }
        await store.insertEvents(batch)
        const present = await store.presentOffsets(topic, 0, 0)
        expect(present.length).toBe(100_000)
        expect(present.every((offset, index) => offset === index)).toBe(true)
        const range = { releaseId: unique('release'), spec: specOf(modelName) }
        const fromMs = NOON + 119 * day
        await store.closeBlocks({ ...range, fromMs, toMs: fromMs + BLOCK })
        const [block] = await store.readBlocks({ ...range, fromMs, toMs: fromMs + BLOCK })
        expect(block?.events).toBe(833)
      })
    })

    describe('progress', () => {
      const progressOf = (topic: string, partition: number): PartitionProgress => ({
        topic,
        partition,
        nextOffset: 10,
        maxEventTimeMs: NOON,
        caughtUp: false,
        updatedAtMs: NOON + 1,
      })

      it('is what was saved last, per partition, ascending', async () => {
        const topic = unique('topic')
        expect(await store.progress(topic)).toEqual([])
        await store.saveProgress([progressOf(topic, 1), progressOf(topic, 0)])
        await store.saveProgress([{ ...progressOf(topic, 1), nextOffset: 11, caughtUp: true }])
        await store.saveProgress([{ ...progressOf(topic, 1), nextOffset: 9, maxEventTimeMs: 0 }])
        await store.saveProgress([])
        expect(await store.progress(topic)).toEqual([
          progressOf(topic, 0),
          { ...progressOf(topic, 1), nextOffset: 9, maxEventTimeMs: 0 },
        ])
      })
    })

    describe('blocks', () => {
      const rangeOf = (modelName: string, blocks: number) => ({
        releaseId: `${modelName}/production/1.1.0`,
        spec: specOf(modelName),
        fromMs: NOON,
        toMs: NOON + blocks * BLOCK,
      })

      it('are recorded for a time without any event, one by one', async () => {
        const range = rangeOf(unique('model'), 3)
        expect(await store.newestBlockEndMs(range.releaseId, range.spec)).toBeNull()
        expect(await store.earliestEventMs(range.spec)).toBeNull()
        await store.closeBlocks(range)
        const empty = { cells: [], events: 0, duplicates: 0, late: 0, lateCanary: 0 }
        expect(await store.readBlocks(range)).toEqual(
          [0, 1, 2].map((index) => ({
            startMs: NOON + index * BLOCK,
            endMs: NOON + (index + 1) * BLOCK,
            ...empty,
          })),
        )
        expect(await store.newestBlockEndMs(range.releaseId, range.spec)).toBe(range.toMs)
      })

      it('never change once recorded, whatever is stored later', async () => {
        const modelName = unique('model')
        const range = rangeOf(modelName, 2)
        await put(unique('topic'), [{ modelName, occurredAtMs: NOON }])
        await store.closeBlocks({ ...range, toMs: NOON + BLOCK })
        const first = await store.readBlocks(range)
        expect(first.map(({ events }) => events)).toEqual([1])
        await put(unique('topic'), [
          { modelName, occurredAtMs: NOON + 1, requestId: 'another' },
          { modelName, occurredAtMs: NOON + BLOCK, requestId: 'next' },
        ])
        await store.closeBlocks(range)
        await store.closeBlocks(range)
        const both = await store.readBlocks(range)
        expect(both[0]).toEqual(first[0])
        expect(both.map(({ events }) => events)).toEqual([1, 1])
      })

      it('of two releases on one route are kept apart', async () => {
        const modelName = unique('model')
        const range = rangeOf(modelName, 1)
        const again = { ...range, releaseId: `${range.releaseId}~2` }
        await put(unique('topic'), [{ modelName, occurredAtMs: NOON }])
        await store.closeBlocks(range)
        expect(await store.readBlocks(again)).toEqual([])
        await store.closeBlocks(again)
        expect(await store.readBlocks(again)).toEqual(await store.readBlocks(range))
      })

      it('count a late event in the block it arrived in, per arm, and judge it nowhere', async () => {
        const modelName = unique('model')
        const range = rangeOf(modelName, 6)
        const late = [
          { modelName, occurredAtMs: NOON + 9999, requestId: 'a', modelVersion: '1.1.0' },
          {
            modelName,
            occurredAtMs: NOON + 1,
            requestId: 'b',
            modelVersion: '',
            variant: 'canary',
          },
          { modelName, occurredAtMs: NOON + 2, requestId: 'c' },
        ]
        await put(unique('topic'), late, { arrivalWatermarkMs: NOON + 40_000 })
        await put(unique('topic'), [{ modelName, occurredAtMs: NOON + 3, requestId: 'd' }], {
          arrivalWatermarkMs: NOON + 39_999,
        })
        await store.closeBlocks(range)
        const blocks = await store.readBlocks(range)
        expect(blocks.map(({ events }) => events)).toEqual([1, 0, 0, 0, 3, 0])
        expect(blocks.map((block) => block.late)).toEqual([0, 0, 0, 0, 3, 0])
        expect(blocks[4]).toMatchObject({ cells: [], lateCanary: 2, duplicates: 0 })
        expect(await store.earliestEventMs(range.spec)).toBe(NOON + 3)
      })

      it('count a repeated request once, the earliest, also when the two came by two partitions', async () => {
        const modelName = unique('model')
        const range = rangeOf(modelName, 1)
        const event = { modelName, occurredAtMs: NOON + 5, latencyMs: 100 }
        await put(unique('topic'), [{ ...event, latencyMs: 300 }], { partition: 1 })
        await put(unique('topic'), [event, { ...event, traffic: 'shadow' }], { partition: 0 })
        await store.closeBlocks(range)
        const [block] = await store.readBlocks(range)
        expect(block).toMatchObject({ events: 3, duplicates: 1 })
        expect(block?.cells.map(({ metrics }) => [metrics.requests, metrics.bins])).toEqual([
          [1, [463]],
        ])
      })

      it('stay exact where doubles would not: values far apart are summed as integers', async () => {
        const modelName = unique('model')
        const spec = {
          ...specOf(modelName),
          guardrails: [
            {
              metric: {
                kind: 'kpi' as const,
                name: 'kpi.v' as const,
                key: 'v',
                bounds: [-1e9, 1e9] as const,
              },
              limit: { kind: 'max_drop' as const, value: 1 },
              written: 'max_drop: 1',
              importance: 1,
              severity: 'critical' as const,
              dryRun: false,
              cohorts: 'all' as const,
            },
          ],
        }
        const values = [1e9, 0.000001, -1e9, 1e9]
        await put(
          unique('topic'),
          values.map((v, index) => ({
            modelName,
            occurredAtMs: NOON,
            requestId: `r${index}`,
            kpi: { v },
          })),
        )
        const range = { ...rangeOf(modelName, 1), spec }
        await store.closeBlocks(range)
        const [block] = await store.readBlocks(range)
        const squares = Number(3n * 10n ** 30n + 1n) / 1e12
        expect(block?.cells[0]?.metrics.kpis).toEqual([
          { n: 4, sum: 1_000_000_000.000001, sumSquares: squares },
        ])
      })
    })

    describe('users of a block', () => {
      const rangeOf = (modelName: string, blocks: number) => ({
        releaseId: `${modelName}/production/1.1.0`,
        spec: specOf(modelName),
        fromMs: NOON,
        toMs: NOON + blocks * BLOCK,
      })
      const events = (modelName: string, count: number, sessions: readonly string[]) =>
        Array.from({ length: count }, (_, index) => ({
          ...{ modelName, occurredAtMs: NOON, requestId: `r${index}`, latencyMs: index * 10 },
          sessionId: sessions[index % sessions.length] ?? '',
        }))

      it('stay in one bucket on every machine; the bin decides who is slow', async () => {
        const range = { ...rangeOf(unique('model'), 1), slowBins: [binOf(25), 0] }
        await put(unique('topic'), events(range.spec.modelName, 6, ['user-1', 'user-2', '']))
        await store.closeBlocks(range)
        const [block] = await store.readBlocks(range)
        expect(block?.cells[0]?.metrics.users).toEqual({
          ...{ buckets: [40, 47], requests: [2, 2], errors: [0, 0], latencies: [2, 2] },
          overLimit: [],
          overSlowBin: [
            [1, 1],
            [2, 1],
          ],
          ...{ qualityN: [0, 0], qualitySum: [0, 0], kpiN: [], kpiSum: [] },
        })
      })

      it('are missing where no request names one, and so is everything else that is as usual', async () => {
        const range = rangeOf(unique('model'), 1)
        await put(unique('topic'), events(range.spec.modelName, 3, ['']))
        await store.closeBlocks(range)
        const [block] = await store.readBlocks(range)
        const { users, cancelled, sampleRates } = block?.cells[0]?.metrics ?? {}
        expect([users, cancelled, sampleRates]).toEqual([undefined, undefined, undefined])
      })

      it('come with what was cancelled and the sample rates of what was not', async () => {
        const range = rangeOf(unique('model'), 2)
        const [event = {}] = events(range.spec.modelName, 1, ['user-1'])
        const cancelled = { ...event, outcome: 'cancelled' as const, sampleRate: 0.01 }
        await put(unique('topic'), [
          { ...event, sampleRate: 0.5 },
          { ...event, requestId: 'r-2', sampleRate: 0.25 },
          { ...cancelled, requestId: 'r-3' },
          { ...cancelled, requestId: 'r-4', occurredAtMs: NOON + BLOCK },
        ])
        await store.closeBlocks(range)
        const [block, next] = await store.readBlocks(range)
        expect(block?.cells[0]?.metrics).toMatchObject({
          ...{ requests: 2, cancelled: 1, sampleRates: [0.25, 0.5] },
          users: { requests: [2] },
        })
        expect(next?.cells.map(({ metrics }) => metrics)).toEqual([
          {
            ...{ requests: 0, errors: 0, latencies: 0, overLimit: [], bins: [], counts: [] },
            ...{ quality: { n: 0, sum: 0, sumSquares: 0 }, kpis: [], cancelled: 1 },
          },
        ])
      })
    })

    describe('events of a range', () => {
      it('end with the block by which there are so many', async () => {
        const modelName = unique('model')
        const spec = specOf(modelName)
        const at = (block: number) => ({ modelName, occurredAtMs: NOON + block * BLOCK + 1 })
        await put(unique('topic'), [at(0), at(2), at(2), at(5)])
        const range = { releaseId: modelName, spec, fromMs: NOON, toMs: NOON + 9 * BLOCK }
        const ends = [1, 2, 3, 4, 5].map(async (events) => store.endOfEvents(range, events))
        expect(await Promise.all(ends)).toEqual([1, 3, 3, 6, 9].map((end) => NOON + end * BLOCK))
      })
    })

    describe('anomalies', () => {
      it('are counted over every route, by the same rules as in blocks', async () => {
        const spec = specOf(unique('model'))
        const before = await store.countAnomalies(spec)
        const mine = { modelName: spec.modelName, occurredAtMs: NOON }
        const other = { ...mine, modelName: unique('other') }
        await put(unique('topic'), [
          mine,
          { ...mine, modelVersion: '', variant: 'stable' },
          { ...mine, occurredAtMs: NOON + BLOCK + 60_000 },
          other,
          { ...other, modelVersion: '', variant: 'stable' },
          { ...other, occurredAtMs: NOON + 9999 },
        ])
        const late = { arrivalWatermarkMs: NOON + BLOCK + 30_000 }
        await put(unique('topic'), [mine, { ...other, requestId: 'late' }], late)
        const after = await store.countAnomalies(spec)
        expect(after.duplicates - before.duplicates).toBe(2)
        expect(after.late - before.late).toBe(2)
      })
    })

    describe('history', () => {
      it('is recorded once per release, also when there was nothing yet', async () => {
        const modelName = unique('model')
        const spec = specOf(modelName)
        const range = { releaseId: unique('release'), spec, fromMs: NOON, toMs: NOON + BLOCK }
        const event = { modelName, occurredAtMs: NOON }
        await store.closeHistory(range)
        await put(unique('topic'), [event])
        await store.closeHistory(range)
        expect(await store.readHistory(range.releaseId, spec)).toEqual([])

        const other = { ...range, releaseId: unique('release') }
        await store.closeHistory(other)
        await put(unique('topic'), [{ ...event, requestId: 'later' }])
        await store.closeHistory(other)
        const cells = await store.readHistory(other.releaseId, spec)
        expect(cells.map(({ metrics }) => metrics.requests)).toEqual([1])
      })

      it('leaves the canary and late events out and counts duplicates as they are', async () => {
        const modelName = unique('model')
        const spec = specOf(modelName)
        const range = { releaseId: unique('release'), spec, fromMs: NOON, toMs: NOON + BLOCK }
        const event = { modelName, occurredAtMs: NOON }
        await put(unique('topic'), [event, event, { ...event, modelVersion: '1.1.0' }])
        await put(unique('topic'), [event], { arrivalWatermarkMs: NOON + BLOCK + 30_000 })
        await store.closeHistory(range)
        const cells = await store.readHistory(range.releaseId, spec)
        expect(cells).toHaveLength(1)
        expect(cells[0]).toMatchObject({
          cohort: { locale: 'en-US', device: 'mobile' },
          metrics: { requests: 2, latencies: 2, bins: [374], counts: [2] },
        })
      })
    })

    describe('feedback', () => {
      const give = async (
        topic: string,
        events: readonly Partial<FeedbackEvent>[],
        place: { partition?: number; from?: number; arrivalWatermarkMs?: number } = {},
      ) => {
        const batch = store.feedback.newBatch()
        events.forEach((event, index) => {
          batch.add(plainFeedback({ observedAtMs: NOON + 5000, ...event }), {
            topic,
            partition: place.partition ?? 0,
            offset: (place.from ?? 0) + index,
            timestampMs: NOON,
            arrivalWatermarkMs: place.arrivalWatermarkMs ?? 0,
          })
        })
        await store.feedback.insertEvents(batch)
      }
      const qualityOf = async (modelName: string, tries = 1) => {
        const spec = specOf(modelName)
        const range = { spec, fromMs: NOON, toMs: NOON + BLOCK }
        const releaseId = `${modelName}/production/1.1.0~${tries}`
        await store.closeBlocks({ ...range, releaseId })
        const [block] = await store.readBlocks({ ...range, releaseId })
        await store.closeHistory({ ...range, releaseId })
        const history = await store.readHistory(releaseId, spec)
        const cells = [...(block?.cells ?? []), ...history]
        return cells.map(({ metrics: { quality } }) => [quality.n, quality.sum])
      }
      const LAST = NOON + BLOCK + 30_000 - 1

      it('is found by its offsets, apart from request events of the same topic and place', async () => {
        const topic = unique('topic')
        await put(topic, [{}, {}], { from: 3 })
        await give(topic, [{}, {}, {}], { from: 7 })
        expect([...(await store.feedback.presentOffsets(topic, 0, 8))]).toEqual([8, 9])
        expect([...(await store.presentOffsets(topic, 0, 0))]).toEqual([3, 4])
        const foreign = store.newBatch() as unknown as EventBatch<FeedbackEvent>
        await expect(store.feedback.insertEvents(foreign)).rejects.toThrow('another store')
      })

      it('keeps every field, whatever text it holds', async () => {
        const requestId = unique('request')
        const given = {
          label: '“quoted”, \t\n; -- é😀',
          qualityMetric: 'm',
          annotatorKind: 'LLM',
          modelVersion: '1.0.0-rc.1+b',
        } as const
        await give(unique('topic'), [{ requestId, ...given, qualityScore: null }])
        const { rows } = await store.query(
          `SELECT label, quality_metric, annotator_kind, model_version, quality_score_e6 FROM feedback_events WHERE request_id = '${requestId}'`,
        )
        expect(rows).toEqual([[given.label, 'm', 'LLM', '1.0.0-rc.1+b', null]])
      })

      it('gives a request without a score that of its earliest feedback', async () => {
        const modelName = unique('model')
        const event = { modelName, occurredAtMs: NOON }
        await give(unique('topic'), [
          { modelName, requestId: 'a', qualityScore: 0.25, observedAtMs: NOON + 6000 },
          { modelName, requestId: 'a', qualityScore: 0.5 },
          { modelName, requestId: 'a', qualityScore: 0.75 },
          { modelName, requestId: 'own', qualityScore: 0 },
          { modelName, requestId: 'nobody', qualityScore: 0 },
          { modelName, requestId: 'b', qualityScore: null, label: 'x', observedAtMs: NOON },
          { modelName, requestId: 'b', qualityScore: 0.125, observedAtMs: LAST },
        ])
        await put(unique('topic'), [
          { ...event, requestId: 'a' },
          { ...event, requestId: 'own', qualityScore: 1 },
          { ...event, requestId: 'b' },
          { ...event, requestId: 'silent' },
        ])
        expect(await qualityOf(modelName)).toEqual([
          [3, 1.625],
          [3, 1.625],
        ])
      })

      it('counts once for a request that was sent twice', async () => {
        const modelName = unique('model')
        const event = { modelName, occurredAtMs: NOON, requestId: 'twice' }
        await put(unique('topic'), [event, { ...event, occurredAtMs: NOON + 1 }])
        await give(unique('topic'), [{ modelName, requestId: 'twice' }])
        expect((await qualityOf(modelName))[0]).toEqual([1, 0.5])
      })

      it.each([
        ['observed at the end', { observedAtMs: LAST + 1 }, 0],
        ['that arrived at the end', {}, LAST + 1],
        ['of another version', { modelVersion: '1.1.0' }, 0],
        ['of another environment', { environment: 'staging' }, 0],
        ['observed long before', { observedAtMs: NOON - 600_001 }, 0],
      ])('%s does not count', async (_, change, arrivalWatermarkMs) => {
        const modelName = unique('model')
        const requestId = 'r-1'
        await put(unique('topic'), [{ modelName, requestId, occurredAtMs: NOON }])
        await give(unique('topic'), [{ modelName, ...change }], { arrivalWatermarkMs })
        expect(await qualityOf(modelName)).toEqual([
          [0, 0],
          [0, 0],
        ])
      })

      it('that counts at the last millisecond by place, version and arrival does count', async () => {
        const modelName = unique('model')
        await put(unique('topic'), [{ modelName, occurredAtMs: NOON }])
        const at = { modelName, observedAtMs: NOON - 600_000, modelVersion: '1.0.0' }
        await give(unique('topic'), [{ ...at, qualityScore: 0.25 }], {
          partition: 1,
          arrivalWatermarkMs: LAST,
        })
        await give(unique('topic'), [{ ...at, qualityScore: 0.75 }], { from: 9 })
        expect((await qualityOf(modelName))[0]).toEqual([1, 0.75])
        const spec = specOf(modelName)
        expect(await store.countFeedback(spec)).toEqual({ late: 0, unknown: 0 })
        await give(unique('topic'), [{ modelName, observedAtMs: LAST + 1 }])
        await give(unique('topic'), [{ modelName, requestId: 'nobody' }])
        expect(await store.countFeedback(spec)).toEqual({ late: 1, unknown: 1 })
      })
    })

    describe('releases', () => {
      const releaseOf = (releaseId: string, route: string): ReleaseRecord => ({
        releaseId,
        spec: { ...buildSpec(), route },
        source: 'route: m/production # as written, "quoted"\n\tand more; --',
        startedAtMs: NOON,
        startedBy: 'ann@example.org',
        controlPartition: 3,
        commandId: `start ${releaseId}`,
      })

      it('come back as they were, in the order they were recorded, each once', async () => {
        const route = unique('route')
        const [b, a] = [unique('release'), unique('release')]
        await store.recordRelease(releaseOf(b, route))
        await store.recordRelease(releaseOf(a, route))
        await store.recordRelease({ ...releaseOf(b, route), startedBy: 'somebody else' })
        expect(await store.releases({ route })).toEqual([releaseOf(b, route), releaseOf(a, route)])
        expect(await store.releases({ releaseId: a })).toEqual([releaseOf(a, route)])
        expect(await store.releases({ route: unique('route') })).toEqual([])
        const all = await store.releases({})
        expect(all.map(({ releaseId }) => releaseId)).toEqual(expect.arrayContaining([b, a]))
      })

      it('keep the first outcome of a command', async () => {
        const commandId = unique('command')
        expect(await store.outcome(commandId)).toBeNull()
        const outcome = { commandId, outcome: 'accepted', releaseId: 'r', message: 'ok' } as const
        await store.recordOutcome(outcome)
        await store.recordOutcome({ ...outcome, outcome: 'rejected' })
        expect(await store.outcome(commandId)).toEqual(outcome)
      })
    })

    describe('decisions', () => {
      const decisionOf = (route: string, generation: number, releaseId = 'r') => ({
        ...DECISION,
        route,
        generation,
        releaseId,
        decisionId: `${route}/${generation}`,
      })

      it('come back as they were, ascending by generation, each once', async () => {
        const route = unique('route')
        for (const generation of [2, 1, 3, 2]) {
          await store.recordDecision(decisionOf(route, generation))
        }
        await store.recordDecision({ ...decisionOf(route, 3), decidedBy: 'a zombie' })
        expect(await store.decisions({ route })).toEqual([1, 2, 3].map((g) => decisionOf(route, g)))
        expect(await store.decisions({ route, afterGeneration: 1, limit: 1 })).toEqual([
          decisionOf(route, 2),
        ])
        expect(await store.decisions({ route, afterGeneration: 3 })).toEqual([])
      })

      it('are found by release and the newest by route', async () => {
        const [one, two] = [unique('route'), unique('route')]
        const releaseId = unique('release')
        await store.recordDecision(decisionOf(one, 1))
        await store.recordDecision(decisionOf(one, 2, releaseId))
        await store.recordDecision({ ...decisionOf(two, 1), expiresAtMs: null })
        expect(await store.decisions({ releaseId })).toEqual([decisionOf(one, 2, releaseId)])
        expect(await store.latestDecisions(one)).toEqual([decisionOf(one, 2, releaseId)])
        expect(await store.latestDecisions(unique('route'))).toEqual([])
        const latest = await store.latestDecisions()
        expect(latest.filter(({ route }) => route === one || route === two)).toEqual([
          decisionOf(one, 2, releaseId),
          { ...decisionOf(two, 1), expiresAtMs: null },
        ])
      })
    })

    describe('questions of people', () => {
      it('are answered with column names and rows, in any reading statement', async () => {
        expect(await store.query("SELECT 1 AS a, 'x;y' AS b; ")).toEqual({
          columns: ['a', 'b'],
          rows: [[1, 'x;y']],
        })
        expect(await store.query('SELECT 1 AS a WHERE 0')).toEqual({ columns: ['a'], rows: [] })
        const { rows } = await store.query('SHOW TABLES')
        expect(rows.flat()).toContain('v_decisions')
        expect((await store.query('DESCRIBE TABLE v_decisions')).rows.length).toBeGreaterThan(5)
      })

      it.each([
        'DROP TABLE decisions',
        'SELECT 1; DROP TABLE decisions',
        "INSERT INTO router_acks (route) VALUES ('x')",
        'WITH 1 AS a INSERT INTO router_acks (applied_generation) SELECT a',
        'SET max_threads = 1',
        'SELECT * FROM nowhere',
      ])('are refused when they do more than read or make no sense: %s', async (statement) => {
        await expect(store.query(statement)).rejects.toMatchObject({ code: 'invalid_input' })
      })
    })

    describe('router acks', () => {
      it('show the newest of each router of the route, in whatever order they came', async () => {
        const route = unique('route')
        const ack = (routerId: string, appliedGeneration: number, appliedAtMs: number) => ({
          route,
          routerId,
          appliedGeneration,
          appliedAtMs,
        })
        expect(await store.acks(route)).toEqual([])
        await store.recordAcks([ack('late', 1, NOON), ack('first', 3, NOON + 2), ack('a', 5, NOON)])
        await store.recordAcks([ack('middle', 1, NOON), ack('late', 2, NOON + 1)])
        await store.recordAcks([ack('middle', 3, NOON + 2), ack('first', 2, NOON + 1)])
        await store.recordAcks([ack('middle', 2, NOON + 1), ack('late', 3, NOON + 2)])
        await store.recordAcks([])
        expect(await store.acks(route)).toEqual([
          ack('a', 5, NOON),
          ...['first', 'late', 'middle'].map((router) => ack(router, 3, NOON + 2)),
        ])
      })
    })
  })
}
