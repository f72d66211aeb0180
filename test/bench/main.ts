import { parseArgs } from 'node:util'
import { startBroker } from '../support/broker.ts'
import { runJudge } from './judge.ts'
import { runBlocks, runIngest, runMemory, runReplay } from './parts.ts'
import { describeMachine, type ResultRow, renderResults } from './report.ts'

const PARTS = ['ingest', 'blocks', 'judge', 'replay', 'rss'] as const
type Part = (typeof PARTS)[number]

const USAGE = `npm run bench -- [--only ${PARTS.join(',')}] [--events N]
  --only    parts to run, separated by commas; all without it
  --events  events for ingest (default 1500000), replay and rss (default 1000000 each)`

const { parts, events } = readArguments()
const say = (text: string) => process.stderr.write(`${text}\n`)
say(describeMachine())

const needsBroker = parts.includes('ingest') || parts.includes('rss')
const broker = needsBroker ? await startBroker({}, { fullSpeed: true }) : null
const rows: ResultRow[] = []
try {
  if (broker !== null) say(`Kafka broker: ${broker.kind}, on the same machine unless named`)
  const brokers = broker?.brokers ?? []
  for (const part of parts) {
    if (part === 'ingest') rows.push(...(await runIngest(brokers, events ?? 1_500_000, say)))
    else if (part === 'blocks') rows.push(...(await runBlocks(say)))
    else if (part === 'judge') rows.push(...(await runJudge(say)))
    else if (part === 'replay') rows.push(...(await runReplay(events ?? 1_000_000, say)))
    else rows.push(...(await runMemory(brokers, events ?? 1_000_000, say)))
  }
} finally {
  await broker?.stop()
}
for (const line of renderResults(rows)) process.stdout.write(`${line}\n`)
process.exit(rows.every((row) => row.met !== false) ? 0 : 1)

function readArguments(): { parts: readonly Part[]; events: number | null } {
  try {
    const { values } = parseArgs({
      options: { only: { type: 'string' }, events: { type: 'string' } },
    })
    const named = values.only?.split(',') ?? PARTS
    const parts = PARTS.filter((part) => named.includes(part))
    const events = values.events === undefined ? null : Number(values.events)
    if (parts.length < named.length) throw new Error(`unknown part in ${values.only}`)
    if (events !== null && !(Number.isInteger(events) && events >= 100_000)) {
      throw new Error('--events: a whole number, at least 100000')
    }
    return { parts, events }
  } catch (error) {
    process.stderr.write(`${error instanceof Error ? error.message : error}\n\n${USAGE}\n`)
    process.exit(2)
  }
}
