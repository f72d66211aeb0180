import { readFileSync } from 'node:fs'
import { MAX_METRICS_BYTES, type MetricsFile, readMetricsFile } from '../contract/metrics-file.ts'
import { formatProblem } from '../contract/release-file.ts'
import { HaldaneError } from '../domain/errors.ts'
import type { ReleaseSpec } from '../domain/release.ts'
import { unreadable } from './input-file.ts'

const PROBLEMS_SHOWN = 50

/** A metrics file from disk, or from standard input for `-`; throws `invalid_input` with every problem. */
export async function readMetrics(
  path: string,
  spec: ReleaseSpec,
  needed: readonly ('stable' | 'canary')[],
): Promise<MetricsFile> {
  const name = path === '-' ? 'standard input' : path
  const read = readMetricsFile(await bytesOf(path), name, spec, needed)
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
