import { readFileSync } from 'node:fs'
import { decisionToWire, encodeDecision } from '../contract/decision.ts'
import { MAX_METRICS_BYTES, type MetricsFile, readMetricsFile } from '../contract/metrics-file.ts'
import { formatProblem } from '../contract/release-file.ts'
import { HaldaneError } from '../domain/errors.ts'
import type { ReleaseSpec } from '../domain/release.ts'
import { judgeMetrics } from '../pipeline/judge-metrics.ts'
import { notesOn } from '../pipeline/metrics-notes.ts'
import { EXIT_OF_ACTION } from './failure.ts'
import { readReleaseFile, unreadable } from './input-file.ts'
import { renderJudgement } from './judge-screen.ts'
import type { Terminal } from './terminal.ts'

const PROBLEMS_SHOWN = 50

export interface JudgeArguments {
  readonly release: string
  readonly metrics: string
  readonly json?: boolean
  readonly trustPoints?: boolean
}

/** One decision from aggregated numbers: no store, no network, no clock. */
export async function runJudge(options: JudgeArguments, terminal: Terminal): Promise<number> {
  const spec = readReleaseFile(options.release)
  const file = readMetrics(options.metrics, await bytesOf(options.metrics), spec)
  for (const note of notesOn(file, spec)) terminal.note(`note: ${note}`)
  const decision = judgeMetrics(spec, file, { trustPoints: options.trustPoints === true })
  if (options.json === true) terminal.out(encodeDecision(decision))
  else {
    const lines = renderJudgement(decisionToWire(decision), file, terminal.color)
    for (const line of lines) terminal.out(line)
  }
  return EXIT_OF_ACTION[decision.action]
}

function readMetrics(path: string, bytes: Uint8Array, spec: ReleaseSpec): MetricsFile {
  const name = path === '-' ? 'standard input' : path
  const read = readMetricsFile(bytes, name, spec)
  if ('file' in read) return read.file
  const lines = read.problems.slice(0, PROBLEMS_SHOWN).map(formatProblem)
  const more = read.problems.length - lines.length
  if (more > 0) lines.push(`… and ${more} more`)
  throw new HaldaneError('invalid_input', lines.join('\n'), { remedy: 'nothing was judged' })
}

/** Of standard input no more than the largest file and what tells that it is larger. */
async function bytesOf(path: string): Promise<Uint8Array> {
  if (path === '-') {
    const chunks: Buffer[] = []
    let length = 0
    for await (const chunk of process.stdin as AsyncIterable<Buffer>) {
      chunks.push(chunk)
      length += chunk.length
      if (length > MAX_METRICS_BYTES) break
    }
    return Buffer.concat(chunks)
  }
  try {
    return readFileSync(path)
  } catch (cause) {
    throw unreadable(path, cause)
  }
}
