import { NO_LATENCY_BIN } from '../../domain/histogram.ts'
import { FEEDBACK_KEYS, withFeedback } from './feedback-sql.ts'
import { NO_BUCKET, USER_BUCKET, userText, userTuples } from './user-text.ts'

/** What of a release shapes the statement; everything else is a parameter. */
export interface BlockShape {
  /** Number of absolute latency limits, parameters `limit_0` …: bits of the Float64. */
  readonly limits: number
  /** Number of KPIs, parameters `kpi_0`, `kpi_low_0`, `kpi_high_0` …: name, bounds in millionths. */
  readonly kpis: number
  /** Number of slow bins, parameters `slow_0` …; a history has none. */
  readonly slowBins: number
  readonly byLocale: boolean
  readonly byDevice: boolean
  readonly includeSynthetic: boolean
  /** Whether there is any feedback that may count; without it the statement does not look for it. */
  readonly feedback: boolean
}

// Parameters everywhere: model, environment, stable, canary; length, delay, lookback, from, to in ms.
const FROM = "fromUnixTimestamp64Milli({from:Int64}, 'UTC')"
const TO = "fromUnixTimestamp64Milli({to:Int64}, 'UTC')"
const LOOK_FROM = "fromUnixTimestamp64Milli(greatest({from:Int64} - {lookback:Int64}, 0), 'UTC')"
const ROUTE = 'model_name = {model:String} AND environment = {environment:String}'
const BLOCK = 'intDiv(toUnixTimestamp64Milli(occurred_at), {length:Int64})'
/** A predicate over `request_events`; parameters length, delay. */
export const LATE_EVENT = `(${BLOCK} + 1) * {length:Int64} + {delay:Int64} <= toUnixTimestamp64Milli(arrival_watermark)`

/** 1 stable, 2 canary, 0 neither; a variant counts only where the event names no version. */
const ARM = `multiIf(model_version = {stable:String}, 1, model_version = {canary:String}, 2,
    model_version != '', 0, variant = 'stable', 1, variant = 'canary', 2, 0)`
/** Needs the parameters stable and canary. */
export const RESOLVED_VERSION = `multiIf(model_version != '', toString(model_version), variant = 'stable', {stable:String},
    variant = 'canary', {canary:String}, '')`

const COLUMNS = `traffic, locale, device, is_synthetic, outcome, latency_bin, latency_ms,
    quality_score_e6, kpi_e6, sample_rate`
const EVENT_NAMES = `block, arm, user_bucket, ${COLUMNS}`
const EVENT = `${BLOCK} AS block, ${ARM} AS arm, ${USER_BUCKET} AS user_bucket, ${COLUMNS}`

/** Hashes that occur more than once among the rows that duplicates are looked for in: few. */
const REPEATED = `SELECT request_hash FROM request_events
    WHERE ${ROUTE} AND occurred_at >= ${LOOK_FROM} AND occurred_at < ${TO} AND NOT (${LATE_EVENT})
    GROUP BY request_hash HAVING count() > 1`

/**
 * Events of the range that did not come late, each once, with `is_duplicate`. A row is a duplicate
 * when the row before it of the same request lies in its block or in the lookback before its block:
 * if any earlier row does, that one does.
 */
function eventsOf({ feedback }: BlockShape): string {
  const keys = feedback ? `, ${FEEDBACK_KEYS}` : ''
  const events = `SELECT ${EVENT}${keys}, false AS is_duplicate
    FROM request_events
    WHERE ${ROUTE} AND occurred_at >= ${FROM} AND occurred_at < ${TO} AND NOT (${LATE_EVENT})
        AND request_hash NOT IN (${REPEATED})
    UNION ALL
    SELECT ${EVENT_NAMES}${feedback ? ', request_id, occurred_ms' : ''},
        place > 1 AND before_ms >= block * {length:Int64} - {lookback:Int64} AS is_duplicate
    FROM (
        SELECT ${EVENT}${keys}, occurred_at,
            row_number() OVER request AS place,
            any(toUnixTimestamp64Milli(occurred_at)) OVER (request ROWS BETWEEN 1 PRECEDING AND 1 PRECEDING) AS before_ms
        FROM request_events
        WHERE ${ROUTE} AND occurred_at >= ${LOOK_FROM} AND occurred_at < ${TO} AND NOT (${LATE_EVENT})
            AND request_hash IN (${REPEATED})
        WINDOW request AS (PARTITION BY request_hash, ${RESOLVED_VERSION}, traffic, request_id
            ORDER BY occurred_at, kafka_partition, kafka_offset)
    )
    WHERE occurred_at >= ${FROM}`
  return feedback ? withFeedback(events, 'blocks') : events
}

function indexes(count: number): number[] {
  return Array.from({ length: count }, (_, index) => index)
}

/** True for events the judge may see; without the test for duplicates. */
function judged(shape: BlockShape): string {
  const synthetic = shape.includeSynthetic ? '' : ' AND NOT is_synthetic'
  return `arm != 0 AND traffic = 'live' AND device != 'bot'${synthetic}`
}

/** The sums of a cell and bin, and of a cell and user bucket; `kept` selects the rows that count. */
function cellSums(shape: BlockShape): string[] {
  const quality = "outcome != 'cancelled' AND quality_score_e6 IS NOT NULL"
  return [
    "countIf(outcome != 'cancelled') AS requests",
    "countIf(outcome IN ('error', 'timeout', 'rejected')) AS errors",
    `countIf(latency_bin != ${NO_LATENCY_BIN}) AS latencies`,
    ...indexes(shape.limits).map(
      (at) =>
        `countIf(latency_bin != ${NO_LATENCY_BIN} AND ifNull(latency_ms, inf) > reinterpretAsFloat64({limit_${at}:UInt64})) AS over_${at}`,
    ),
    `countIf(${quality}) AS quality_n`,
    `sumIf(toInt64(ifNull(quality_score_e6, 0)), ${quality}) AS quality_sum`,
    `sumIf(toInt128(toInt64(ifNull(quality_score_e6, 0)) * ifNull(quality_score_e6, 0)), ${quality}) AS quality_squares`,
    ...indexes(shape.kpis).flatMap((at) => {
      const present = `outcome != 'cancelled' AND mapContains(kpi_e6, {kpi_${at}:String})`
      const value = `toInt128(least(greatest(kpi_e6[{kpi_${at}:String}], {kpi_low_${at}:Int64}), {kpi_high_${at}:Int64}))`
      return [
        `countIf(${present}) AS kpi_n_${at}`,
        `sumIf(${value}, ${present}) AS kpi_sum_${at}`,
        `sumIf(${value} * ${value}, ${present}) AS kpi_squares_${at}`,
      ]
    }),
  ]
}

/** What blocks have beside the sums of a history. */
function blockSums(shape: BlockShape): string[] {
  return [
    ...cellSums(shape),
    "countIf(outcome = 'cancelled') AS cancelled",
    "minIf(sample_rate, outcome != 'cancelled') AS rate_low",
    "maxIf(sample_rate, outcome != 'cancelled') AS rate_high",
    ...indexes(shape.slowBins).map(
      (at) => `countIf(latency_bin > {slow_${at}:Int32}) AS slow_${at}`,
    ),
  ]
}

function zerosFor(sums: readonly string[]): string {
  return sums.map(() => '0').join(', ')
}

/**
 * The columns of a cell in the order of `CELL_COLUMNS`, over rows that are one bin each where
 * `counts` holds.
 */
function cellColumns(shape: BlockShape, counts: string): string[] {
  const sum = (column: string) => `sumIf(${column}, ${counts})`
  const list = (of: string, count: number) =>
    count === 0
      ? '[]'
      : `[${indexes(count)
          .map((at) => sum(`${of}_${at}`))
          .join(', ')}]`
  return [
    `${sum('requests')} AS cell_requests`,
    `${sum('errors')} AS cell_errors`,
    `${sum('latencies')} AS cell_latencies`,
    `${list('over', shape.limits)} AS cell_over`,
    `arraySort(groupArrayIf((bin, latencies), latencies > 0 AND ${counts})) AS histogram`,
    `${sum('quality_n')} AS cell_quality_n`,
    `${sum('quality_sum')} AS cell_quality_sum`,
    `${sum('quality_squares')} AS cell_quality_squares`,
    `${list('kpi_n', shape.kpis)} AS cell_kpi_n`,
    `${list('kpi_sum', shape.kpis)} AS cell_kpi_sum`,
    `${list('kpi_squares', shape.kpis)} AS cell_kpi_squares`,
  ]
}

/** Columns of a cell as the tables name them. */
const CELL_COLUMNS = [
  'requests',
  'errors',
  'latencies',
  'over_limit',
  'latency_bins',
  'latency_counts',
  'quality_n',
  'quality_sum_e6',
  'quality_sum_squares_e12',
  'kpi_n',
  'kpi_sum_e6',
  'kpi_sum_squares_e12',
] as const

/** What blocks have beside the columns of a history. */
const BLOCK_CELL_COLUMNS = ['cancelled', 'sample_rate_low', 'sample_rate_high', 'users'] as const

const CELL_VALUES = [
  ...['cell_requests', 'cell_errors', 'cell_latencies'].map(unlessBlock('0')),
  ...['cell_over', 'histogram.1', 'histogram.2'].map(unlessBlock('[]')),
  ...['cell_quality_n', 'cell_quality_sum', 'cell_quality_squares'].map(unlessBlock('0')),
  ...['cell_kpi_n', 'cell_kpi_sum', 'cell_kpi_squares'].map(unlessBlock('[]')),
].join(', ')

const BLOCK_CELL_VALUES = [
  CELL_VALUES,
  ...['cell_cancelled', 'cell_rate_low', 'cell_rate_high'].map(unlessBlock('0')),
].join(', ')

/** The row with arm '' has no values of its own. */
function unlessBlock(nothing: string): (column: string) => string {
  return (column) => `if(cell_arm = 0, ${nothing}, ${column})`
}

const ARM_NAME = "multiIf(cell_arm = 1, 'stable', cell_arm = 2, 'canary', '')"
const ARM_VERSION = "multiIf(cell_arm = 1, {stable:String}, cell_arm = 2, {canary:String}, '')"

export const BLOCK_COLUMNS: readonly string[] = [
  ...['release_id', 'block_start', 'block_length_ms', 'arm', 'model_version', 'locale', 'device'],
  ...CELL_COLUMNS,
  ...BLOCK_CELL_COLUMNS,
  ...['events', 'duplicates', 'late', 'late_canary', 'writer', 'closed_at'],
]

/**
 * One row per cell of the blocks in the range, and one per block with arm ''. Three kinds of rows are
 * put together first: the events that came in time, read once and summed both by (block, cell, bin)
 * and by (block, cell, user bucket), with the ones that are not judged as a cell of arm 0; the late
 * ones, in the block they arrived in; and a row of nothing for every block, so that empty ones are
 * recorded too. Further parameters: release, writer, closed, blocks (their number).
 */
export function closeBlocksSelect(shape: BlockShape): string {
  const kept = `${judged(shape)} AND NOT is_duplicate`
  const sums = blockSums(shape)
  const nothing = zerosFor(sums)
  const byBin = 'by_bin'
  const total = (column: string) => `if(is_block = 1, sumIf(${column}, ${byBin}), 0)`
  return `SELECT {release:String}, fromUnixTimestamp64Milli(block * {length:Int64}, 'UTC'), {length:Int64},
    ${ARM_NAME}, ${ARM_VERSION}, cell_locale, cell_device,
    ${BLOCK_CELL_VALUES},
    if(cell_arm = 0, '', ${userText('cell_users', shape)}),
    block_events, block_duplicates, block_late, block_late_canary,
    {writer:UUID}, {closed:DateTime64(6, 'UTC')}
FROM (
    SELECT block, cell_arm, cell_locale, cell_device, grouping(cell_arm) AS is_block,
        ${total('events')} AS block_events,
        ${total('duplicates')} AS block_duplicates,
        ${total('late')} AS block_late,
        ${total('late_canary')} AS block_late_canary,
        ${cellColumns(shape, byBin).join(',\n        ')},
        sumIf(cancelled, ${byBin}) AS cell_cancelled,
        minIf(rate_low, ${byBin} AND requests > 0) AS cell_rate_low,
        maxIf(rate_high, ${byBin} AND requests > 0) AS cell_rate_high,
        ${userTuples(shape, 'NOT by_bin')} AS cell_users
    FROM (
        SELECT block, cell_arm, cell_locale, cell_device, bin, bucket, grouping(bucket) = 1 AS by_bin,
            count() AS events, countIf(is_duplicate) AS duplicates, 0 AS late, 0 AS late_canary,
            ${sums.join(',\n            ')}
        FROM (
            SELECT *, ${kept} AS kept, if(kept, arm, 0) AS cell_arm,
                ${shape.byLocale ? "if(kept, toString(locale), '')" : "''"} AS cell_locale,
                ${shape.byDevice ? "if(kept, toString(device), '')" : "''"} AS cell_device,
                if(kept, latency_bin, ${NO_LATENCY_BIN}) AS bin, if(kept, user_bucket, ${NO_BUCKET}) AS bucket
            FROM (${eventsOf(shape)})
        )
        GROUP BY GROUPING SETS (
            (block, cell_arm, cell_locale, cell_device, bin),
            (block, cell_arm, cell_locale, cell_device, bucket))
        HAVING by_bin OR bucket != ${NO_BUCKET}
        UNION ALL
        SELECT intDiv(toUnixTimestamp64Milli(arrival_watermark), {length:Int64}) AS block, 0, '', '', ${NO_LATENCY_BIN},
            ${NO_BUCKET}, true, count(), 0, count(), countIf(${ARM} = 2), ${nothing}
        FROM request_events
        WHERE ${ROUTE} AND arrival_watermark >= ${FROM} AND arrival_watermark < ${TO}
            AND occurred_at < ${TO} AND ${LATE_EVENT}
        GROUP BY block
        UNION ALL
        SELECT intDiv({from:Int64}, {length:Int64}) + number, 0, '', '', ${NO_LATENCY_BIN},
            ${NO_BUCKET}, true, 0, 0, 0, 0, ${nothing}
        FROM numbers({blocks:UInt64})
    )
    GROUP BY GROUPING SETS ((block, cell_arm, cell_locale, cell_device), (block))
)
WHERE (is_block = 1 OR cell_arm != 0) AND block NOT IN (
    SELECT intDiv(toUnixTimestamp64Milli(block_start), {length:Int64}) FROM block_metrics
    WHERE release_id = {release:String} AND block_start >= ${FROM} AND block_start < ${TO}
)`
}

export const HISTORY_COLUMNS: readonly string[] = [
  ...['release_id', 'arm', 'model_version', 'locale', 'device', 'range_start', 'range_end'],
  ...CELL_COLUMNS,
  ...['writer', 'closed_at'],
]

/** One row per cohort of the baseline, and one with arm '' that says the history is there. */
export function closeHistorySelect(shape: BlockShape): string {
  const events = `SELECT ${EVENT}${shape.feedback ? `, ${FEEDBACK_KEYS}` : ''} FROM request_events
            WHERE ${ROUTE} AND occurred_at >= ${FROM} AND occurred_at < ${TO} AND NOT (${LATE_EVENT})`
  return `SELECT {release:String}, ${ARM_NAME}, ${ARM_VERSION}, cell_locale, cell_device, ${FROM}, ${TO},
    ${CELL_VALUES}, {writer:UUID}, {closed:DateTime64(6, 'UTC')}
FROM (
    SELECT cell_arm, cell_locale, cell_device,
        ${cellColumns(shape, 'true').join(',\n        ')}
    FROM (
        SELECT arm AS cell_arm, ${shape.byLocale ? 'toString(locale)' : "''"} AS cell_locale,
            ${shape.byDevice ? 'toString(device)' : "''"} AS cell_device, latency_bin AS bin,
            ${cellSums(shape).join(',\n            ')}
        FROM (${shape.feedback ? withFeedback(events, 'history') : events})
        WHERE arm = 1 AND ${judged(shape)}
        GROUP BY cell_arm, cell_locale, cell_device, bin
        UNION ALL
        SELECT 0, '', '', ${NO_LATENCY_BIN}, ${zerosFor(cellSums(shape))}
    )
    GROUP BY cell_arm, cell_locale, cell_device
)
WHERE NOT EXISTS (SELECT 1 FROM block_history WHERE release_id = {release:String})`
}
