import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { createWorkerClient } from '../../src/adapters/http/client.ts'
import { createKafkaBus } from '../../src/adapters/kafka/bus.ts'
import { systemClock } from '../../src/adapters/ops/clock.ts'
import { silentLog } from '../../src/adapters/ops/logger.ts'
import { TOPICS } from '../../src/domain/topics.ts'
import { startWorkerProcess, type WorkerProcess } from '../support/worker-process.ts'
import { BUILT, build } from './build.ts'
import { BLOCK_MS, eventLines, startOf } from './events.ts'
import { RELEASE } from './release.ts'

export interface MemoryMeasure {
  readonly events: number
  readonly seconds: number
  readonly blocks: number
  readonly rssMb: number
  /** In the middle of the samples taken while events came in. */
  readonly medianRssMb: number
}

const SAMPLE_MS = 100
const SEND_AT_ONCE = 20_000
const LIMIT_MS = 300_000

/**
 * The built worker in a process of its own, on Kafka, with a release active. It finds a backlog on the six
 * partitions of the request topic, takes it in as fast as it can and judges it, until every block
 * behind the watermark is judged; its memory is sampled from its first moment.
 */
export async function benchMemory(
  brokers: readonly string[],
  events: number,
  eventsPerBlock: number,
): Promise<MemoryMeasure> {
  await build()
  const startMs = startOf(events, eventsPerBlock)
  await produce(brokers, eventLines({ events, eventsPerBlock, startMs }))
  const directory = await mkdtemp(join(tmpdir(), 'haldane-bench-'))
  const startedAt = performance.now()
  const env = {
    HALDANE_KAFKA_BROKERS: brokers.join(','),
    HALDANE_DATA_DIR: join(directory, 'data'),
    HALDANE_LOG_LEVEL: 'warn',
  }
  const worker = await startWorkerProcess(env, [], BUILT)
  const samples = sampleMemory(worker.pid)
  try {
    await worker.ready()
    const client = createWorkerClient({ url: worker.url, token: null })
    await client.startRelease({
      ...{ source: RELEASE, fileName: 'release.yaml', by: 'bench', reason: '' },
      startAtMs: startMs,
    })
    const blocks = Math.floor(events / eventsPerBlock) - WATERMARK_MS / BLOCK_MS - 1
    await untilJudged(worker, events, blocks)
    const seconds = (performance.now() - startedAt) / 1000
    const { rssMb, medianRssMb } = await samples.stop()
    const code = await worker.stop()
    if (code !== 0) throw new Error(`the worker ended with ${code}: ${worker.stderr()}`)
    return { events, seconds, blocks, rssMb, medianRssMb }
  } finally {
    await worker.kill()
    await rm(directory, { recursive: true, force: true })
  }
}

const WATERMARK_MS = 30_000

/** What users run; from source, the compiler would be in the same process. */
async function produce(brokers: readonly string[], lines: Iterable<string>): Promise<void> {
  const environment = { clock: systemClock, log: silentLog }
  const bus = createKafkaBus({ brokers: [...brokers], clientId: 'bench', ...environment })
  try {
    await bus.ensureTopics([TOPICS.requests])
    let records: { key: string; value: Buffer }[] = []
    let count = 0
    for (const line of lines) {
      records.push({ key: `r${count++}`, value: Buffer.from(line) })
      if (records.length < SEND_AT_ONCE) continue
      await bus.produce(TOPICS.requests.name, records)
      records = []
    }
    await bus.produce(TOPICS.requests.name, records)
  } finally {
    await bus.close()
  }
}

/** Waits until everything is stored and the release has judged all closable blocks. */
async function untilJudged(worker: WorkerProcess, events: number, blocks: number): Promise<void> {
  const untilMs = Date.now() + LIMIT_MS
  for (;;) {
    const text = await (await fetch(`${worker.url}/metrics`)).text()
    const stored = sumOf(text, /^haldane_events_consumed_total\{.*\} (\d+)$/gm)
    const closed = sumOf(text, /^haldane_blocks_closed_total (\d+)$/gm)
    if (stored >= events && closed >= blocks) return
    if (Date.now() > untilMs) {
      throw new Error(
        `${stored} of ${events} events, ${closed} of ${blocks} blocks: ${worker.stderr()}`,
      )
    }
    await sleep(500)
  }
}

function sumOf(text: string, pattern: RegExp): number {
  return [...text.matchAll(pattern)].reduce((sum, match) => sum + Number(match[1]), 0)
}

/** Resident memory of a process, sampled until stopped; the peak is the kernel's own where it tells. */
function sampleMemory(pid: number) {
  const samples: number[] = []
  let stopped = false
  const loop = (async () => {
    while (!stopped) {
      const sample = await memoryOf(pid, 'VmRSS').catch(() => null)
      if (sample === null) return
      samples.push(sample)
      await sleep(SAMPLE_MS)
    }
  })()
  return {
    async stop() {
      stopped = true
      await loop
      const peakMb = await memoryOf(pid, 'VmHWM')
      const sorted = samples.sort((a, b) => a - b)
      return { rssMb: peakMb, medianRssMb: sorted[sorted.length >> 1] as number }
    },
  }
}

async function memoryOf(pid: number, name: 'VmRSS' | 'VmHWM'): Promise<number> {
  const status = await readFile(`/proc/${pid}/status`, 'utf8')
  const kilobytes = new RegExp(`^${name}:\\s+(\\d+) kB`, 'm').exec(status)?.[1]
  return Number(kilobytes) / 1024
}
