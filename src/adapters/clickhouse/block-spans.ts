import type { BlockRange } from '../../ports.ts'

/** A run of blocks: start of the first, end of the last. */
export interface BlockSpan {
  readonly fromMs: number
  readonly toMs: number
}

const DAY_MS = 86_400_000
const BLOCKS_WRITTEN_AT_ONCE = 1000
const EVENTS_AGGREGATED_AT_ONCE = 125_000
const BLOCKS_READ_AT_ONCE = 128

/**
 * The blocks that are not recorded yet, in runs that start in one UTC day: rows of one statement then
 * go into one table partition, and so into one part, which is written whole or not at all.
 */
export function missingSpans(range: BlockRange, recorded: ReadonlySet<number>): BlockSpan[] {
  const lengthMs = range.spec.blocks.lengthMs
  const spans: BlockSpan[] = []
  let fromMs = range.fromMs
  for (let blockMs = range.fromMs; blockMs <= range.toMs; blockMs += lengthMs) {
    const isOpen = blockMs < range.toMs && !recorded.has(blockMs)
    const goesOn = isOpen && dayOf(blockMs) === dayOf(fromMs) && !isLong(fromMs, blockMs, lengthMs)
    if (goesOn) continue
    if (blockMs > fromMs) spans.push({ fromMs, toMs: blockMs })
    fromMs = isOpen ? blockMs : blockMs + lengthMs
  }
  return spans
}

function isLong(fromMs: number, toMs: number, lengthMs: number): boolean {
  return toMs - fromMs >= BLOCKS_WRITTEN_AT_ONCE * lengthMs
}

function dayOf(timeMs: number): number {
  return Math.floor(timeMs / DAY_MS)
}

/** Cuts a span so that a statement has not too many events to hold in memory; a block stays whole. */
export function cutByEvents(
  span: BlockSpan,
  lengthMs: number,
  eventsOf: ReadonlyMap<number, number>,
): BlockSpan[] {
  const spans: BlockSpan[] = []
  let { fromMs } = span
  let events = 0
  for (let blockMs = span.fromMs; blockMs < span.toMs; blockMs += lengthMs) {
    const own = eventsOf.get(blockMs) ?? 0
    if (own > 0 && events > 0 && events + own > EVENTS_AGGREGATED_AT_ONCE) {
      spans.push({ fromMs, toMs: blockMs })
      fromMs = blockMs
      events = 0
    }
    events += own
  }
  spans.push({ fromMs, toMs: span.toMs })
  return spans
}

/** The whole range, in runs that are read at once. */
export function* readingSpans(range: BlockRange): Generator<BlockSpan> {
  const stepMs = BLOCKS_READ_AT_ONCE * range.spec.blocks.lengthMs
  for (let fromMs = range.fromMs; fromMs < range.toMs; fromMs += stepMs) {
    yield { fromMs, toMs: Math.min(range.toMs, fromMs + stepMs) }
  }
}
