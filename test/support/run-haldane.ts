import { spawn } from 'node:child_process'
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { fileURLToPath } from 'node:url'
import { PROGRAM } from './program.ts'

const ROOT = fileURLToPath(new URL('../../', import.meta.url))

export interface HaldaneRun {
  /** Null when a signal ended it. */
  readonly exitCode: number | null
  readonly stdout: string
  readonly stderr: string
}

/** Runs the command line to its end; `input` goes to its standard input, piece by piece. */
export async function runHaldane(
  args: readonly string[],
  { env = {}, input = [] }: { env?: Record<string, string>; input?: Iterable<Uint8Array> } = {},
): Promise<HaldaneRun> {
  const child = spawn(process.execPath, [PROGRAM, ...args], {
    cwd: ROOT,
    env: { ...process.env, ...env },
    stdio: ['pipe', 'pipe', 'pipe'],
  })
  const ended = new Promise<number | null>((resolve, reject) => {
    child.once('error', reject)
    child.once('close', resolve)
  })
  // A program that refuses its arguments does not read what it is given.
  const fed = pipeline(Readable.from(input, { objectMode: true }), child.stdin).catch(
    () => undefined,
  )
  const [stdout, stderr, exitCode] = await Promise.all([
    textOf(child.stdout),
    textOf(child.stderr),
    ended,
    fed,
  ])
  return { exitCode, stdout, stderr }
}

async function textOf(stream: Readable): Promise<string> {
  const chunks: Buffer[] = []
  for await (const chunk of stream) chunks.push(chunk as Buffer)
  return Buffer.concat(chunks).toString('utf8')
}
