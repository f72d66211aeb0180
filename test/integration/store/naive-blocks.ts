import type {
  Arm,
  BlockCell,
  CellMetrics,
  ClosedBlock,
  HistoryCell,
  Moments,
  UserBuckets,
} from '../../../src/domain/block.ts'
import { type Cohort, cohortKey } from '../../../src/domain/cohort.ts'
import type { FeedbackEvent } from '../../../src/domain/feedback-event.ts'
import { binOf, UNBOUNDED_BIN } from '../../../src/domain/histogram.ts'
import { kpisOf, latencyLimitsOf, type ReleaseSpec } from '../../../src/domain/release.ts'
import type { RequestEvent } from '../../../src/domain/request-event.ts'
import type { RecordPlace } from '../../../src/ports.ts'
import { cityHash64 } from './city-hash.ts'

/** An event as it was stored. */
export interface Stored {
  readonly event: RequestEvent
  readonly place: RecordPlace
}

/** Feedback as it was stored. */
export interface StoredFeedback {
  readonly event: FeedbackEvent
  readonly place: RecordPlace
}

/**
 * What a store must say about blocks, written down as plainly as possible: every rule is one
 * function, every row is looked at for every block.
 */
export function naiveBlocks(
  all: readonly Stored[],
  spec: ReleaseSpec,
  fromMs: number,
  toMs: number,
  {
    feedback = [],
    slowBins = [],
  }: {
    readonly feedback?: readonly StoredFeedback[]
    readonly slowBins?: readonly number[]
  } = {},
): ClosedBlock[] {
  const { lengthMs } = spec.blocks
  const route = all.filter((row) => isOfRoute(row, spec))
  const inTime = route.filter((row) => !isLate(row, spec))
  const late = route.filter((row) => isLate(row, spec))
  const duplicates = duplicatesOf(inTime, spec)
  const blocks: ClosedBlock[] = []
  for (let startMs = fromMs; startMs < toMs; startMs += lengthMs) {
    const endMs = startMs + lengthMs
    const isInside = (timeMs: number) => timeMs >= startMs && timeMs < endMs
    const own = inTime.filter((row) => isInside(row.event.occurredAtMs))
    const arrived = late.filter((row) => isInside(row.place.arrivalWatermarkMs))
    const judged = own
      .filter((row) => isJudged(row, spec) && !duplicates.has(row))
      .map((row) => scored(row, spec, feedback))
    blocks.push({
      startMs,
      endMs,
      cells: cellsOf(judged, spec, (events) => metricsInBlock(events, spec, slowBins)),
      events: own.length + arrived.length,
      duplicates: own.filter((row) => duplicates.has(row)).length,
      late: arrived.length,
      lateCanary: arrived.filter((row) => armOf(row.event, spec) === 'canary').length,
    })
  }
  return blocks
}

export function naiveHistory(
  all: readonly Stored[],
  spec: ReleaseSpec,
  fromMs: number,
  toMs: number,
  feedback: readonly StoredFeedback[] = [],
): HistoryCell[] {
  const rows = all.filter(
    (row) =>
      isOfRoute(row, spec) &&
      !isLate(row, spec) &&
      isJudged(row, spec) &&
      armOf(row.event, spec) === 'stable' &&
      row.event.occurredAtMs >= fromMs &&
      row.event.occurredAtMs < toMs,
  )
  const scores = rows.map((row) =>
    row.event.occurredAtMs < toMs - 3_600_000 ? row : scored(row, spec, feedback),
  )
  const cells = cellsOf(scores, spec, (events) => metricsOf(events, spec))
  return cells.map(({ cohort, metrics }) => ({ cohort, metrics }))
}

/** The request with the score it is judged by: its own, else that of the earliest timely feedback. */
function scored(row: Stored, spec: ReleaseSpec, feedback: readonly StoredFeedback[]): Stored {
  if (row.event.qualityScore !== null) return row
  const { lengthMs, watermarkMs } = spec.blocks
  const { event } = row
  const blockEndMs = (Math.floor(event.occurredAtMs / lengthMs) + 1) * lengthMs
  const counting = feedback
    .filter(
      ({ event: given, place }) =>
        given.requestId === event.requestId &&
        given.modelName === event.modelName &&
        given.environment === event.environment &&
        (given.modelVersion === '' || given.modelVersion === versionOf(event, spec)) &&
        given.qualityScore !== null &&
        given.observedAtMs >= event.occurredAtMs - 600_000 &&
        given.observedAtMs < blockEndMs + watermarkMs &&
        place.arrivalWatermarkMs < blockEndMs + watermarkMs,
    )
    .sort(
      (a, b) =>
        a.event.observedAtMs - b.event.observedAtMs ||
        a.place.partition - b.place.partition ||
        a.place.offset - b.place.offset,
    )
  return { ...row, event: { ...event, qualityScore: counting[0]?.event.qualityScore ?? null } }
}

function isOfRoute({ event }: Stored, spec: ReleaseSpec): boolean {
  return event.modelName === spec.modelName && event.environment === spec.environment
}

export function isLate({ event, place }: Stored, spec: ReleaseSpec): boolean {
  const { lengthMs, watermarkMs } = spec.blocks
  const blockEndMs = (Math.floor(event.occurredAtMs / lengthMs) + 1) * lengthMs
  return blockEndMs + watermarkMs <= place.arrivalWatermarkMs
}

function versionOf(event: RequestEvent, spec: ReleaseSpec): string {
  if (event.modelVersion !== '') return event.modelVersion
  if (event.variant === 'stable') return spec.stable
  if (event.variant === 'canary') return spec.canary
  return ''
}

function armOf(event: RequestEvent, spec: ReleaseSpec): Arm | null {
  const version = versionOf(event, spec)
  if (version === spec.stable) return 'stable'
  return version === spec.canary ? 'canary' : null
}

function isJudged({ event }: Stored, spec: ReleaseSpec): boolean {
  return (
    armOf(event, spec) !== null &&
    event.traffic === 'live' &&
    event.device !== 'bot' &&
    (spec.includeSynthetic || !event.isSynthetic)
  )
}

/** Rows with an earlier row of the same request, in the row's block or the lookback before it. */
function duplicatesOf(inTime: readonly Stored[], spec: ReleaseSpec): Set<Stored> {
  const { lengthMs, duplicateLookbackMs } = spec.blocks
  const isSame = (a: RequestEvent, b: RequestEvent) =>
    a.requestId === b.requestId &&
    a.traffic === b.traffic &&
    versionOf(a, spec) === versionOf(b, spec)
  const duplicates = new Set<Stored>()
  for (const row of inTime) {
    const startMs = Math.floor(row.event.occurredAtMs / lengthMs) * lengthMs
    const hasEarlier = inTime.some(
      (other) =>
        isSame(other.event, row.event) &&
        isBefore(other, row) &&
        other.event.occurredAtMs >= startMs - duplicateLookbackMs,
    )
    if (hasEarlier) duplicates.add(row)
  }
  return duplicates
}

function isBefore(a: Stored, b: Stored): boolean {
  return (
    (a.event.occurredAtMs - b.event.occurredAtMs ||
      a.place.partition - b.place.partition ||
      a.place.offset - b.place.offset) < 0
  )
}

function cellsOf(
  rows: readonly Stored[],
  spec: ReleaseSpec,
  metricsOfCell: (events: readonly RequestEvent[]) => CellMetrics,
): BlockCell[] {
  const cells = new Map<string, { arm: Arm; cohort: Cohort; events: RequestEvent[] }>()
  for (const { event } of rows) {
    const arm = armOf(event, spec) as Arm
    const cohort = {
      ...(spec.cohorts.by.includes('locale') ? { locale: event.locale } : {}),
      ...(spec.cohorts.by.includes('device') ? { device: event.device } : {}),
    }
    const key = `${arm}|${cohortKey(cohort)}`
    const cell = cells.get(key) ?? { arm, cohort, events: [] }
    cell.events.push(event)
    cells.set(key, cell)
  }
  const order = ({ arm, cohort }: { arm: Arm; cohort: Cohort }) =>
    `${arm === 'stable' ? 0 : 1} ${cohort.locale ?? ''} ${cohort.device ?? ''}`
  return [...cells.values()]
    .sort((a, b) => (order(a) < order(b) ? -1 : 1))
    .map(({ arm, cohort, events }) => ({ arm, cohort, metrics: metricsOfCell(events) }))
}

/** What only blocks have: cancelled requests, sample rates other than 1, and users. */
function metricsInBlock(
  events: readonly RequestEvent[],
  spec: ReleaseSpec,
  slowBins: readonly number[],
): CellMetrics {
  const counted = events.filter((event) => event.outcome !== 'cancelled')
  const rates = counted.map(({ sampleRate }) => sampleRate)
  const byUser = new Map<number, RequestEvent[]>()
  for (const event of counted) {
    if (event.sessionId === '') continue
    const bucket = Number(cityHash64(event.sessionId) % 64n)
    byUser.set(bucket, [...(byUser.get(bucket) ?? []), event])
  }
  const buckets = [...byUser.keys()].sort((a, b) => a - b)
  const each = buckets.map((bucket) => metricsOf(byUser.get(bucket) ?? [], spec))
  const binsOf = ({ bins, counts }: CellMetrics, above: number) =>
    bins.reduce((sum, bin, at) => sum + (bin > above ? (counts[at] ?? 0) : 0), 0)
  const users: UserBuckets = {
    buckets,
    requests: each.map(({ requests }) => requests),
    errors: each.map(({ errors }) => errors),
    latencies: each.map(({ latencies }) => latencies),
    overLimit: latencyLimitsOf(spec).map((_, at) => each.map((own) => own.overLimit[at] ?? 0)),
    overSlowBin: slowBins.map((slow) => each.map((own) => binsOf(own, slow))),
    qualityN: each.map(({ quality }) => quality.n),
    qualitySum: each.map(({ quality }) => quality.sum),
    kpiN: kpisOf(spec).map((_, at) => each.map((own) => own.kpis[at]?.n ?? 0)),
    kpiSum: kpisOf(spec).map((_, at) => each.map((own) => own.kpis[at]?.sum ?? 0)),
  }
  return {
    ...metricsOf(events, spec),
    ...(counted.length < events.length ? { cancelled: events.length - counted.length } : {}),
    ...(rates.some((rate) => rate < 1)
      ? { sampleRates: [Math.min(...rates), Math.max(...rates)] as const }
      : {}),
    ...(buckets.length > 0 ? { users } : {}),
  }
}

function metricsOf(events: readonly RequestEvent[], spec: ReleaseSpec): CellMetrics {
  const counted = events.filter((event) => event.outcome !== 'cancelled')
  const timed = events.filter((event) => event.outcome === 'ok' || event.outcome === 'timeout')
  const histogram = new Map<number, number>()
  for (const { latencyMs } of timed) {
    const bin = latencyMs === null ? UNBOUNDED_BIN : binOf(latencyMs)
    histogram.set(bin, (histogram.get(bin) ?? 0) + 1)
  }
  const bins = [...histogram.keys()].sort((a, b) => a - b)
  return {
    requests: counted.length,
    errors: counted.filter((event) => event.outcome !== 'ok').length,
    latencies: timed.length,
    overLimit: latencyLimitsOf(spec).map(
      (limit) => timed.filter(({ latencyMs }) => latencyMs === null || latencyMs > limit).length,
    ),
    bins,
    counts: bins.map((bin) => histogram.get(bin) ?? 0),
    quality: momentsOf(counted.flatMap(({ qualityScore }) => qualityScore ?? [])),
    kpis: kpisOf(spec).map(({ key, bounds: [low, high] }) =>
      momentsOf(
        counted
          .flatMap(({ kpi }) => kpi?.[key] ?? [])
          .map((value) => Math.min(high, Math.max(low, value))),
      ),
    ),
  }
}

function momentsOf(values: readonly number[]): Moments {
  const millionths = values.map((value) => BigInt(Math.round(value * 1e6)))
  const sum = millionths.reduce((total, value) => total + value, 0n)
  const sumSquares = millionths.reduce((total, value) => total + value * value, 0n)
  return { n: values.length, sum: Number(sum) / 1e6, sumSquares: Number(sumSquares) / 1e12 }
}
