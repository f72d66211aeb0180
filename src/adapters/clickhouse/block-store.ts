import { randomUUID } from 'node:crypto'
import { z } from 'zod'
import { kpisOf, latencyLimitsOf, type ReleaseSpec } from '../../domain/release.ts'
import type { BlockRange, BlockStore } from '../../ports.ts'
import { blocksOf, historyOf, READ_BLOCKS, READ_HISTORY } from './block-rows.ts'
import { type BlockSpan, cutByEvents, missingSpans, readingSpans } from './block-spans.ts'
import {
  BLOCK_COLUMNS,
  type BlockShape,
  closeBlocksSelect,
  closeHistorySelect,
  HISTORY_COLUMNS,
  LATE_EVENT,
} from './block-sql.ts'
import type { Engine } from './engine.ts'
import { evaluationRow, NULLABLE_EVALUATION_COLUMNS } from './evaluation-row.ts'
import { SCORES_OF_RANGE } from './feedback-sql.ts'
import { toMillionths } from './fixed-point.ts'
import type { NamedQuery, SqlParams } from './sql-connection.ts'

// Everything a statement gives is one block of rows, whatever its size, and so one part on disk.
// Compiled to machine code, these statements take longer and hold more.
const AGGREGATION = {
  max_insert_threads: 1,
  min_insert_block_size_rows: 1_000_000_000,
  min_insert_block_size_bytes: 0,
  max_bytes_before_external_group_by: 268_435_456,
  compile_expressions: 0,
  compile_aggregate_expressions: 0,
  compile_sort_description: 0,
}
// Of the history only the end is joined with feedback, and that by a join that may go to disk: quality
// needs no more, and a day of feedback may be too much for both.
const SCORED_HISTORY_MS = 3_600_000
const JOIN_ON_DISK = {
  join_algorithm: 'grace_hash',
  grace_hash_join_initial_buckets: 16,
  max_bytes_in_join: 100_000_000,
}
// Stored KPI values lie within ±1e15 millionths.
const LARGEST_BOUND = 1e15

const RECORDED: NamedQuery<{ start: number }> = {
  name: 'recorded_blocks',
  sql: `SELECT DISTINCT toUnixTimestamp64Milli(block_start) AS start FROM block_metrics
WHERE release_id = {release:String} AND arm = ''
    AND block_start >= fromUnixTimestamp64Milli({from:Int64}, 'UTC')
    AND block_start < fromUnixTimestamp64Milli({to:Int64}, 'UTC')`,
  row: z.object({ start: z.int() }),
}

const ANY_SCORES: NamedQuery<{ scores: boolean }> = {
  name: 'any_scores',
  sql: `SELECT true AS scores FROM feedback_events WHERE ${SCORES_OF_RANGE} LIMIT 1`,
  row: z.object({ scores: z.boolean() }),
}

const EVENTS_PER_BLOCK: NamedQuery<{ start: number; events: number }> = {
  name: 'events_per_block',
  sql: `SELECT intDiv(toUnixTimestamp64Milli(occurred_at), {length:Int64}) * {length:Int64} AS start, count() AS events
FROM request_events
WHERE model_name = {model:String} AND environment = {environment:String}
    AND occurred_at >= fromUnixTimestamp64Milli({from:Int64}, 'UTC')
    AND occurred_at < fromUnixTimestamp64Milli({to:Int64}, 'UTC')
GROUP BY start`,
  row: z.object({ start: z.int(), events: z.int() }),
}

const NEWEST: NamedQuery<{ start: number; blocks: number }> = {
  name: 'newest_block',
  sql: `SELECT toUnixTimestamp64Milli(max(block_start)) AS start, count() AS blocks FROM block_metrics
WHERE release_id = {release:String} AND arm = ''`,
  row: z.object({ start: z.int(), blocks: z.int() }),
}

// The first hour is found in the order of the table, reading stops there; then its first event.
const EARLIEST_WHERE = `model_name = {model:String} AND environment = {environment:String} AND NOT (${LATE_EVENT})`
const EARLIEST: NamedQuery<{ earliest: number; events: number }> = {
  name: 'earliest_event',
  sql: `SELECT toUnixTimestamp64Milli(min(occurred_at)) AS earliest, count() AS events FROM request_events
WHERE ${EARLIEST_WHERE} AND toStartOfHour(occurred_at) = (
    SELECT toStartOfHour(occurred_at) AS hour FROM request_events
    WHERE ${EARLIEST_WHERE} ORDER BY hour LIMIT 1
)`,
  row: z.object({ earliest: z.int(), events: z.int() }),
}

/** Blocks, histories and evaluations, on the connection for analysis. */
export function createBlockStore(
  engine: Engine,
  recordTime: () => string,
): Omit<BlockStore, 'countAnomalies' | 'countFeedback'> {
  const sql = engine.analysis
  /** Whether any feedback may count for the range. */
  async function hasScores({ spec, fromMs, toMs, feedback = true }: BlockRange): Promise<boolean> {
    if (!feedback) return false
    const { modelName: model, environment, blocks } = spec
    const range = { scored_from: fromMs, to: toMs, delay: blocks.watermarkMs }
    return (await sql.select(ANY_SCORES, { model, environment, ...range })).length > 0
  }

  async function spansToClose(range: BlockRange): Promise<BlockSpan[]> {
    const { releaseId: release, fromMs: from, toMs: to, spec } = range
    const recorded = await sql.select(RECORDED, { release, from, to })
    const spans = missingSpans(range, new Set(recorded.map((row) => row.start)))
    const cut = []
    for (const span of spans) {
      const counts = await eventsPerBlock(spec, span)
      cut.push(cutByEvents(span, spec.blocks.lengthMs, counts))
    }
    return cut.flat()
  }

  async function eventsPerBlock(spec: ReleaseSpec, span: BlockSpan): Promise<Map<number, number>> {
    const lengthMs = spec.blocks.lengthMs
    // A single block is not cut, so nothing needs to be known about it.
    if (span.toMs - span.fromMs <= lengthMs) return new Map()
    const rows = await sql.select(EVENTS_PER_BLOCK, {
      model: spec.modelName,
      environment: spec.environment,
      length: lengthMs,
      from: span.fromMs,
      to: span.toMs,
    })
    return new Map(rows.map((row) => [row.start, row.events]))
  }

  return {
    async endOfEvents(range, events) {
      const { spec, toMs } = range
      const { lengthMs } = spec.blocks
      const counts = await eventsPerBlock(spec, range)
      let seen = 0
      for (let blockMs = range.fromMs; blockMs < toMs; blockMs += lengthMs) {
        seen += counts.get(blockMs) ?? 0
        if (seen >= events) return blockMs + lengthMs
      }
      return toMs
    },

    async closeBlocks(range) {
      const { spec, releaseId } = range
      const spans = await spansToClose(range)
      if (spans.length === 0) return
      const { slowBins = [] } = range
      const shape = shapeOf(spec, await hasScores(range), slowBins.length)
      for (const span of spans) {
        await sql.insertSelect({
          name: 'close_blocks',
          table: 'block_metrics',
          columns: BLOCK_COLUMNS,
          select: closeBlocksSelect(shape),
          params: {
            ...rangeParams(spec, releaseId, span),
            ...shapeParams(spec),
            ...Object.fromEntries(slowBins.map((bin, index) => [`slow_${index}`, bin])),
            lookback: spec.blocks.duplicateLookbackMs,
            blocks: (span.toMs - span.fromMs) / spec.blocks.lengthMs,
            writer: randomUUID(),
            closed: recordTime(),
          },
          settings: AGGREGATION,
        })
        await engine.releaseMemory()
      }
    },

    async readBlocks(range) {
      const { spec, releaseId } = range
      const blocks = []
      for (const span of readingSpans(range)) {
        const params = { release: releaseId, from: span.fromMs, to: span.toMs }
        blocks.push(blocksOf(await sql.selectTuples('read_blocks', READ_BLOCKS, params), spec))
      }
      return blocks.flat()
    },

    async newestBlockEndMs(releaseId, spec) {
      const [newest] = await sql.select(NEWEST, { release: releaseId })
      if (newest === undefined || newest.blocks === 0) return null
      return newest.start + spec.blocks.lengthMs
    },

    async closeHistory(range) {
      const { spec, releaseId } = range
      const scores = await hasScores({ ...range, fromMs: scoredFromOf(range) })
      await sql.insertSelect({
        name: 'close_history',
        table: 'block_history',
        columns: HISTORY_COLUMNS,
        select: closeHistorySelect(shapeOf(spec, scores)),
        params: {
          ...rangeParams(spec, releaseId, range),
          scored_from: scoredFromOf(range),
          ...shapeParams(spec),
          writer: randomUUID(),
          closed: recordTime(),
        },
        settings: { ...AGGREGATION, ...JOIN_ON_DISK },
      })
      await engine.releaseMemory()
    },

    async readHistory(releaseId, spec) {
      const params = { release: releaseId }
      return historyOf(await sql.selectTuples('read_history', READ_HISTORY, params), spec)
    },

    async earliestEventMs(spec) {
      const { modelName: model, environment, blocks } = spec
      const params = { model, environment, length: blocks.lengthMs, delay: blocks.watermarkMs }
      const [first] = await sql.select(EARLIEST, params)
      return first === undefined || first.events === 0 ? null : first.earliest
    },

    async recordEvaluations(releaseId, evaluations) {
      const recordedAt = recordTime()
      const rows = evaluations.flatMap(({ windowEndMs, rows }) =>
        rows.map((row) => evaluationRow(releaseId, windowEndMs, row, recordedAt)),
      )
      await sql.insertRows({
        name: 'record_evaluations',
        table: 'evaluations',
        rows,
        nullable: NULLABLE_EVALUATION_COLUMNS,
      })
    },
  }
}

function shapeOf(spec: ReleaseSpec, feedback: boolean, slowBins = 0): BlockShape {
  return {
    limits: latencyLimitsOf(spec).length,
    kpis: kpisOf(spec).length,
    slowBins,
    byLocale: spec.cohorts.by.includes('locale'),
    byDevice: spec.cohorts.by.includes('device'),
    includeSynthetic: spec.includeSynthetic,
    feedback,
  }
}

function rangeParams(spec: ReleaseSpec, release: string, { fromMs, toMs }: BlockSpan): SqlParams {
  return {
    release,
    model: spec.modelName,
    environment: spec.environment,
    stable: spec.stable,
    canary: spec.canary,
    length: spec.blocks.lengthMs,
    delay: spec.blocks.watermarkMs,
    from: fromMs,
    scored_from: fromMs,
    to: toMs,
  }
}

function scoredFromOf({ fromMs, toMs }: BlockSpan): number {
  return Math.max(fromMs, toMs - SCORED_HISTORY_MS)
}

function shapeParams(spec: ReleaseSpec): SqlParams {
  const params: Record<string, string | number> = {}
  latencyLimitsOf(spec).forEach((limit, index) => {
    params[`limit_${index}`] = bitsOf(limit)
  })
  kpisOf(spec).forEach(({ key, bounds: [low, high] }, index) => {
    params[`kpi_${index}`] = key
    params[`kpi_low_${index}`] = boundOf(low)
    params[`kpi_high_${index}`] = boundOf(high)
  })
  return params
}

/** The engine reads decimal numbers a little off; bits are exact. */
function bitsOf(value: number): string {
  return new DataView(new Float64Array([value]).buffer).getBigUint64(0, true).toString()
}

function boundOf(value: number): number {
  return Math.max(-LARGEST_BOUND, Math.min(LARGEST_BOUND, toMillionths(value)))
}
