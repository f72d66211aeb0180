import type { BlocksResult, BlocksTask } from './blocks-process.ts'
import { runChild } from './child.ts'
import { benchIngest, type IngestResult, type Note } from './ingest.ts'
import { benchMemory } from './memory.ts'
import { benchReplay } from './replay.ts'
import { count, type ResultRow } from './report.ts'

const RATIO_MIN = 2.5
const TICK_MS_MAX = 250
/** Room for noise: medians of one and the same size have differed by up to 1.27 x between runs. */
const GROWTH_MAX = 1.5
const REPLAY_MIN = 100_000
const RSS_MB_MAX = 700

const EVENTS_PER_BLOCK = 10_000
const MEASURED_BLOCKS = 40
const STORED_EVENTS = [1_000_000, 10_000_000] as const

export async function runIngest(
  brokers: readonly string[],
  events: number,
  say: Note,
): Promise<ResultRow[]> {
  say(`
ingest: one topic, one partition, ${count(events)} events produced once; then each contender in a
process of its own with a group of its own, one after the other in the order of the table, from the
first record to the last. Clock: from the start of consuming, for the Kafka engine only from the
moment it has the partition, until all rows are stored (Haldane: committed too). Rows are counted.`)
  const results = await benchIngest(brokers, events, say)
  const ratio = rateOf(results, 2) / rateOf(results, 1)
  return [
    ...results.map((result) => plain('ingest', result.name, describeIngest(result))),
    {
      part: 'ingest',
      figure: 'Haldane / Kafka engine',
      measured: `${ratio.toFixed(2)} x`,
      bar: `>= ${RATIO_MIN} x`,
      met: ratio >= RATIO_MIN,
    },
  ]
}

function rateOf(results: readonly IngestResult[], at: number): number {
  return results[at]?.eventsPerSecond ?? Number.NaN
}

function describeIngest({ eventsPerSecond, cpuSecondsPerMillion, rssMb }: IngestResult): string {
  return `${count(eventsPerSecond)} events/s, ${cpuSecondsPerMillion.toFixed(1)} CPU s/M, ${count(rssMb)} MB`
}

export async function runBlocks(say: Note): Promise<ResultRow[]> {
  say(`
blocks: a worker's analyzer on an embedded store, 60 cohorts x 5 guardrails, ${count(EVENTS_PER_BLOCK)} events a block
of 10 s. Everything stored has been judged; then ${MEASURED_BLOCKS} times: one more block is stored, and the tick
that closes, reads, folds, assesses and decides one block is timed, from the call to its end.`)
  const rows: ResultRow[] = []
  const medians: number[] = []
  for (const storedEvents of STORED_EVENTS) {
    const task = { storedEvents, eventsPerBlock: EVENTS_PER_BLOCK, measuredBlocks: MEASURED_BLOCKS }
    const result = await runChild<BlocksTask, BlocksResult>('./blocks-process.ts', task)
    const [tick, close, read] = [result.tickMs, result.closeMs, result.readMs].map(spreadOf)
    if (tick === undefined || close === undefined || read === undefined) continue
    medians.push(tick.median)
    say(
      `  ${count(result.storedEvents)} stored: close ${describe(close)}, read ${describe(read)}, ${result.decisions} decisions`,
    )
    rows.push({
      part: 'blocks',
      figure: `one block, ${count(storedEvents)} events stored`,
      measured: describe(tick),
      bar: `max <= ${TICK_MS_MAX} ms`,
      met: tick.max <= TICK_MS_MAX,
    })
  }
  const growth = (medians[1] ?? Number.NaN) / (medians[0] ?? Number.NaN)
  rows.push({
    part: 'blocks',
    figure: 'median, ten times as many stored',
    measured: `${growth.toFixed(2)} x`,
    bar: `<= ${GROWTH_MAX} x`,
    met: growth <= GROWTH_MAX,
  })
  return rows
}

interface Spread {
  readonly median: number
  readonly max: number
}

function spreadOf(values: readonly number[]): Spread {
  const sorted = [...values].sort((a, b) => a - b)
  return { median: sorted[sorted.length >> 1] ?? Number.NaN, max: sorted.at(-1) ?? Number.NaN }
}

function describe({ median, max }: Spread): string {
  return `median ${median.toFixed(0)} ms, max ${max.toFixed(0)} ms`
}

export async function runReplay(events: number, say: Note): Promise<ResultRow[]> {
  say(`
replay: ${count(events)} events in a file, ${count(EVENTS_PER_BLOCK)} a block, the release of the blocks part; what
\`haldane replay --json\` does, in a process of its own, on an empty store.`)
  const result = await benchReplay(events, EVENTS_PER_BLOCK)
  const { eventsPerSecond, eventsPerSecondWithStart, cpuSecondsPerMillion, rssMb } = result
  const cost = `${cpuSecondsPerMillion.toFixed(1)} CPU s/M, ${count(rssMb)} MB`
  return [
    {
      part: 'replay',
      figure: `${count(result.events)} events, ${result.decisions} decisions`,
      measured: `${count(eventsPerSecond)} events/s, ${cost}`,
      bar: `>= ${count(REPLAY_MIN)} events/s`,
      met: eventsPerSecond >= REPLAY_MIN,
    },
    plain(
      'replay',
      'with start and end of the process',
      `${count(eventsPerSecondWithStart)} events/s`,
    ),
  ]
}

export async function runMemory(
  brokers: readonly string[],
  events: number,
  say: Note,
): Promise<ResultRow[]> {
  say(`
rss: a whole worker process, as built for the package, on Kafka with 6 partitions and a release active; it
finds ${count(events)} events, stores and judges them all. Resident memory from its first moment on.`)
  const result = await benchMemory(brokers, events, EVENTS_PER_BLOCK)
  const rate = count(result.events / result.seconds)
  return [
    {
      part: 'rss',
      figure: 'worker under load, largest',
      measured: `${count(result.rssMb)} MB`,
      bar: `<= ${RSS_MB_MAX} MB`,
      met: result.rssMb <= RSS_MB_MAX,
    },
    plain(
      'rss',
      `median; ${result.blocks} blocks judged`,
      `${count(result.medianRssMb)} MB, ${rate} events/s`,
    ),
  ]
}

function plain(part: string, figure: string, measured: string): ResultRow {
  return { part, figure, measured, bar: '', met: null }
}
