import { createReadStream, readFileSync } from 'node:fs'
import { dirname, resolve } from 'node:path'
import { loadConfig } from '../config.ts'
import { formatProblem, parseReleaseFile } from '../contract/release-file.ts'
import { parseRfc3339 } from '../contract/rfc3339.ts'
import { HaldaneError } from '../domain/errors.ts'
import type { ReleaseSpec } from '../domain/release.ts'

const CHUNK_BYTES = 1024 * 1024

/** The text of a file somebody named; throws `invalid_input` with the reason in words. */
export function readInput(path: string): string {
  try {
    return readFileSync(path, 'utf8')
  } catch (cause) {
    throw unreadable(path, cause)
  }
}

/** A release file from disk; a policy it extends is looked for beside it. */
export function readReleaseFile(path: string): ReleaseSpec {
  const defaultPolicy = loadConfig(process.env).policyFile
  const parsed = parseReleaseFile(readInput(path), {
    fileName: path,
    readPolicy: (policy) =>
      readFileSync(policy === defaultPolicy ? policy : resolve(dirname(path), policy), 'utf8'),
    defaultPolicy,
  })
  if ('spec' in parsed) return parsed.spec
  throw new HaldaneError('invalid_input', parsed.problems.map(formatProblem).join('\n'), {
    remedy: 'nothing was started',
  })
}

/**
 * The bytes of a file somebody named, piece by piece; `-` is standard input. Throws `invalid_input`
 * before the first of them when it cannot be read.
 */
export async function openInput(path: string): Promise<AsyncIterable<Uint8Array>> {
  if (path === '-') return process.stdin
  const stream = createReadStream(path, { highWaterMark: CHUNK_BYTES })
  await new Promise<void>((resolve, reject) => {
    stream.once('readable', resolve)
    stream.once('end', resolve)
    stream.once('error', (cause) => reject(unreadable(path, cause)))
  })
  return stream
}

export function unreadable(path: string, cause: unknown): HaldaneError {
  const code = (cause as { code?: string }).code
  const why =
    code === 'ENOENT'
      ? 'there is no such file'
      : code === 'EISDIR'
        ? 'it is a directory'
        : code === 'EACCES'
          ? 'it may not be read'
          : String(cause)
  return new HaldaneError('invalid_input', `${path}: ${why}`, { cause })
}

/** A time somebody wrote for an option; throws `usage`. */
export function parseTime(option: string, text: string): number {
  const timeMs = parseRfc3339(text)
  if (timeMs !== null) return timeMs
  throw new HaldaneError('usage', `${option}: "${text}" is no time`, {
    remedy: 'write it like 2026-11-23T10:00:00Z',
  })
}
