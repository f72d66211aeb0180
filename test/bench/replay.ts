import { createWriteStream } from 'node:fs'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { runChild } from './child.ts'
import { eventLines, startOf } from './events.ts'
import { RELEASE } from './release.ts'
import type { ReplayResult, ReplayTask } from './replay-process.ts'

export interface ReplayMeasure {
  readonly events: number
  readonly eventsPerBlock: number
  readonly decisions: number
  /** From reading the first byte of the release file to the summary. */
  readonly eventsPerSecond: number
  /** With the start and the end of the process. */
  readonly eventsPerSecondWithStart: number
  readonly cpuSecondsPerMillion: number
  readonly rssMb: number
}

export async function benchReplay(events: number, eventsPerBlock: number): Promise<ReplayMeasure> {
  const directory = await mkdtemp(join(tmpdir(), 'haldane-bench-'))
  try {
    const task = {
      release: join(directory, 'release.yaml'),
      events: join(directory, 'events.ndjson'),
    }
    await writeFile(task.release, RELEASE)
    await writeEvents(task.events, events, eventsPerBlock)
    const startedAt = performance.now()
    const result = await runChild<ReplayTask, ReplayResult>('./replay-process.ts', task)
    const wholeSeconds = (performance.now() - startedAt) / 1000
    if (result.summary.accepted !== events) throw new Error(JSON.stringify(result.summary))
    return {
      events,
      eventsPerBlock,
      decisions: result.decisions,
      eventsPerSecond: events / result.seconds,
      eventsPerSecondWithStart: events / wholeSeconds,
      cpuSecondsPerMillion: (result.cpuSeconds / events) * 1e6,
      rssMb: result.rssMb,
    }
  } finally {
    await rm(directory, { recursive: true, force: true })
  }
}

async function writeEvents(path: string, events: number, eventsPerBlock: number): Promise<void> {
  const lines = eventLines({ events, eventsPerBlock, startMs: startOf(events, eventsPerBlock) })
  await pipeline(Readable.from(chunksOf(lines)), createWriteStream(path))
}

function* chunksOf(lines: Iterable<string>): Generator<string> {
  let chunk: string[] = []
  for (const line of lines) {
    chunk.push(line)
    if (chunk.length < 5000) continue
    yield `${chunk.join('\n')}\n`
    chunk = []
  }
  yield `${chunk.join('\n')}\n`
}
