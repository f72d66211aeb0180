import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expect } from 'vitest'
import type { WireDecision } from '../../../src/contract/decision.ts'
import { parseReleaseFile } from '../../../src/contract/release-file.ts'
import type { ReleaseSpec } from '../../../src/domain/release.ts'
import { releaseFile } from '../../support/event-generator.ts'
import { type HaldaneRun, runHaldane } from '../../support/run-haldane.ts'
import { withTempDir } from '../../support/temp-store.ts'
import { readDecisions } from './decision-rules.ts'

export interface ReplayInputs {
  /** Lines without line ends, or the file as it is. */
  readonly events: readonly string[] | Uint8Array
  /** Lines of the feedback file. */
  readonly feedback?: readonly string[]
  /** Text of the release file; that of the generated streams when missing. */
  readonly release?: string
  readonly commands?: readonly object[]
  readonly args?: readonly string[]
  readonly env?: Record<string, string>
  /** The events come through standard input in pieces of so many bytes. */
  readonly pieceBytes?: number
}

export interface Replayed extends HaldaneRun {
  readonly decisions: readonly WireDecision[]
  /** Lines of stderr before the summary. */
  readonly notes: readonly string[]
  readonly summary: {
    readonly events: number
    readonly accepted: number
    readonly rejected: number
    readonly duplicates: number
    readonly late: number
    readonly feedback?: Readonly<Record<string, number>>
  }
}

/** `haldane replay --json` on files of the calling test file. Every decision is held to the rules. */
export function useReplay() {
  let directory = ''
  let files = 0
  withTempDir((given) => {
    directory = given
  })

  const file = async (name: string, content: string | Uint8Array): Promise<string> => {
    const path = join(directory, `${++files}-${name}`)
    await writeFile(path, content)
    return path
  }

  const replay = async (inputs: ReplayInputs): Promise<Replayed> => {
    const {
      release = releaseFile(),
      events,
      feedback,
      commands,
      args = [],
      env,
      pieceBytes,
    } = inputs
    const bytes = events instanceof Uint8Array ? events : Buffer.from(`${events.join('\n')}\n`)
    const eventsFile = pieceBytes === undefined ? await file('events.ndjson', bytes) : '-'
    const control = commands?.map((command) => JSON.stringify(command)).join('\n')
    const run = await runHaldane(
      [
        ...['replay', '--json', '--events', eventsFile],
        ...['--release', await file('release.yaml', release)],
        ...(feedback === undefined
          ? []
          : ['--feedback', await file('feedback.ndjson', `${feedback.join('\n')}\n`)]),
        ...(control === undefined ? [] : ['--control', await file('control.ndjson', control)]),
        ...args,
      ],
      {
        ...(env === undefined ? {} : { env }),
        ...(pieceBytes === undefined ? {} : { input: piecesOf(bytes, pieceBytes) }),
      },
    )
    expect([run.exitCode, run.exitCode === 0 ? '' : run.stderr]).toEqual([0, ''])
    const lines = run.stderr.split('\n').slice(0, -1)
    const summary = JSON.parse(lines.at(-1) ?? '') as Replayed['summary']
    expect(Object.keys(summary)).toEqual([
      ...['events', 'accepted', 'rejected', 'duplicates', 'late'],
      ...(feedback === undefined ? [] : ['feedback']),
    ])
    expect(summary.accepted + summary.rejected).toBe(summary.events)
    const decisions = readDecisions(run.stdout, specOf(release))
    // Progress is told when a run takes long.
    const notes = lines.slice(0, -1).filter((line) => !/^read [\d ]+ events …$/.test(line))
    return { ...run, decisions, notes, summary }
  }

  return { file, replay, path: (name: string) => join(directory, name) }
}

export function specOf(release: string): ReleaseSpec {
  const parsed = parseReleaseFile(release, { fileName: 'release.yaml' })
  if ('spec' in parsed) return parsed.spec
  throw new Error(JSON.stringify(parsed.problems))
}

function* piecesOf(bytes: Uint8Array, size: number): Generator<Uint8Array> {
  for (let from = 0; from < bytes.byteLength; from += size) yield bytes.subarray(from, from + size)
}

/** The decisions without `counts`, which alone say how many events were duplicates. */
export function withoutCounts(stdout: string): string {
  return stdout.replaceAll(/"counts":\{[^}]*\}/g, '"counts":{}')
}
