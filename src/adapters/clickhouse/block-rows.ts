import type {
  Arm,
  BlockCell,
  CellMetrics,
  ClosedBlock,
  HistoryCell,
  Moments,
  OpenMetrics,
} from '../../domain/block.ts'
import type { Cohort } from '../../domain/cohort.ts'
import { HaldaneError } from '../../domain/errors.ts'
import type { ReleaseSpec } from '../../domain/release.ts'
import { fromMillionths, fromSquaredMillionths } from './fixed-point.ts'
import { usersOf } from './user-text.ts'

/** Columns of a cell, in the order `StoredCell` takes them; sums as text, they outgrow 2^53. */
const HISTORY_CELL = `arm, locale, device, requests, errors, latencies, over_limit, latency_bins, latency_counts,
    quality_n, toString(quality_sum_e6), toString(quality_sum_squares_e12),
    kpi_n, arrayMap(x -> toString(x), kpi_sum_e6), arrayMap(x -> toString(x), kpi_sum_squares_e12)`
const BLOCK_CELL = `${HISTORY_CELL}, cancelled, sample_rate_low, sample_rate_high, users`

export const READ_BLOCKS = `SELECT toUnixTimestamp64Milli(block_start),
    toString(writer), toUnixTimestamp64Micro(closed_at), events, duplicates, late, late_canary, ${BLOCK_CELL}
FROM block_metrics
WHERE release_id = {release:String}
    AND block_start >= fromUnixTimestamp64Milli({from:Int64}, 'UTC')
    AND block_start < fromUnixTimestamp64Milli({to:Int64}, 'UTC')
ORDER BY block_start`

export const READ_HISTORY = `SELECT toString(writer), toUnixTimestamp64Micro(closed_at), ${HISTORY_CELL}
FROM block_history
WHERE release_id = {release:String}`

type StoredCell = readonly [
  arm: Arm | '',
  locale: string,
  device: string,
  requests: number,
  errors: number,
  latencies: number,
  overLimit: number[],
  bins: number[],
  counts: number[],
  qualityN: number,
  qualitySum: string,
  qualitySumSquares: string,
  kpiN: number[],
  kpiSum: string[],
  kpiSumSquares: string[],
]
/** What a cell of a block has beside one of a history. */
type StoredRest = readonly [
  cancelled: number,
  sampleRateLow: number,
  sampleRateHigh: number,
  users: string,
]
type StoredBlockRow = readonly [
  startMs: number,
  writer: string,
  closedAtUs: number,
  events: number,
  duplicates: number,
  late: number,
  lateCanary: number,
  ...cell: StoredCell,
  ...rest: StoredRest,
]
type StoredHistoryRow = readonly [writer: string, closedAtUs: number, ...cell: StoredCell]

const BLOCK_ROW_LENGTH = 26
const HISTORY_ROW_LENGTH = 17

/** Blocks of rows that ascend by block start; of several writers of a block the first one counts. */
export function blocksOf(tuples: readonly unknown[][], spec: ReleaseSpec): ClosedBlock[] {
  const blocks: ClosedBlock[] = []
  for (let from = 0; from < tuples.length; ) {
    const startMs = blockRow(tuples[from])[0]
    const rows: StoredBlockRow[] = []
    while (from < tuples.length && blockRow(tuples[from])[0] === startMs) {
      rows.push(blockRow(tuples[from++]))
    }
    blocks.push(blockOf(startMs, rows, spec))
  }
  return blocks
}

function blockOf(startMs: number, rows: StoredBlockRow[], spec: ReleaseSpec): ClosedBlock {
  const own = rowsOfFirstWriter(rows, 1)
  const cells: BlockCell[] = []
  let totals = { events: 0, duplicates: 0, late: 0, lateCanary: 0 }
  for (const row of own) {
    const [, , , events, duplicates, late, lateCanary, ...cell] = row
    const arm = cell[0]
    if (arm === '') totals = { events, duplicates, late, lateCanary }
    else cells.push({ arm, cohort: cohortOf(cell, spec), metrics: blockMetricsOf(cell) })
  }
  cells.sort((a, b) => armOrder(a.arm) - armOrder(b.arm) || compareCohorts(a.cohort, b.cohort))
  return { startMs, endMs: startMs + spec.blocks.lengthMs, cells, ...totals }
}

/** Cells of the recorded history, ascending by cohort; none when there is none. */
export function historyOf(tuples: readonly unknown[][], spec: ReleaseSpec): HistoryCell[] {
  const cells: HistoryCell[] = []
  for (const row of rowsOfFirstWriter(tuples.map(historyRow), 0)) {
    const [, , ...cell] = row
    if (cell[0] !== '') cells.push({ cohort: cohortOf(cell, spec), metrics: metricsOf(cell) })
  }
  return cells.sort((a, b) => compareCohorts(a.cohort, b.cohort))
}

/** All rows of the writer that wrote first; `at` is the place of the writer, its time comes next. */
function rowsOfFirstWriter<Row extends readonly unknown[]>(
  rows: readonly Row[],
  at: number,
): Row[] {
  let first = rows[0]
  if (first === undefined) return []
  for (const row of rows) {
    const earlier = Number(row[at + 1]) - Number(first[at + 1])
    if (earlier < 0 || (earlier === 0 && String(row[at]) < String(first[at]))) first = row
  }
  const writer = first[at]
  return rows.filter((row) => row[at] === writer)
}

function blockRow(tuple: unknown[] | undefined): StoredBlockRow {
  if (tuple?.length !== BLOCK_ROW_LENGTH || typeof tuple[0] !== 'number') throw unexpected()
  return tuple as unknown as StoredBlockRow
}

function historyRow(tuple: unknown[]): StoredHistoryRow {
  if (tuple.length !== HISTORY_ROW_LENGTH) throw unexpected()
  return tuple as unknown as StoredHistoryRow
}

function unexpected(): HaldaneError {
  return new HaldaneError('internal', 'unexpected row from block_metrics or block_history')
}

function cohortOf(
  [, locale, device]: readonly [string, string, string, ...unknown[]],
  spec: ReleaseSpec,
): Cohort {
  return {
    ...(spec.cohorts.by.includes('locale') ? { locale } : {}),
    ...(spec.cohorts.by.includes('device') ? { device } : {}),
  }
}

function metricsOf(cell: readonly [...StoredCell, ...unknown[]]): CellMetrics {
  const [, , , requests, errors, latencies, overLimit, bins, counts] = cell
  const [qualityN, qualitySum, qualitySumSquares, kpiN, kpiSum, kpiSumSquares] = cell.slice(
    9,
    15,
  ) as [number, string, string, number[], string[], string[]]
  return {
    requests,
    errors,
    latencies,
    overLimit,
    bins,
    counts,
    quality: momentsOf(qualityN, qualitySum, qualitySumSquares),
    kpis: kpiN.map((n, index) => momentsOf(n, kpiSum[index] ?? '0', kpiSumSquares[index] ?? '0')),
  }
}

function blockMetricsOf(cell: readonly [...StoredCell, ...StoredRest]): CellMetrics {
  const metrics: OpenMetrics = metricsOf(cell)
  const [cancelled, low, high, text] = cell.slice(15) as unknown as StoredRest
  const users = usersOf(text, metrics.overLimit.length, metrics.kpis.length)
  const isKnown = low > 0 && high > 0
  if (cancelled > 0) metrics.cancelled = cancelled
  if (isKnown && (low < 1 || high < 1)) metrics.sampleRates = [low, high]
  if (users !== undefined) metrics.users = users
  return metrics
}

function momentsOf(n: number, sum: string, sumSquares: string): Moments {
  return { n, sum: fromMillionths(sum), sumSquares: fromSquaredMillionths(sumSquares) }
}

function armOrder(arm: Arm): number {
  return arm === 'stable' ? 0 : 1
}

function compareCohorts(a: Cohort, b: Cohort): number {
  return compareText(a.locale ?? '', b.locale ?? '') || compareText(a.device ?? '', b.device ?? '')
}

/** Locales and devices are ASCII, so code units order as code points do. */
function compareText(a: string, b: string): number {
  if (a === b) return 0
  return a < b ? -1 : 1
}
