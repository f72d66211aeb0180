import { createReadStream, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { openEmbeddedStore } from '../adapters/clickhouse/embedded-store.ts'
import type { WorkerEnvironment } from '../app.ts'
import { type ControlCommand, decodeControlCommand } from '../contract/control-command.ts'
import { decisionToWire, encodeDecision } from '../contract/decision.ts'
import type { Decision } from '../domain/decision.ts'
import { HaldaneError } from '../domain/errors.ts'
import type { Rejection } from '../domain/request-event.ts'
import { replay } from '../pipeline/replay.ts'
import { EXIT_DONE } from './failure.ts'
import { formatCount } from './figures.ts'
import { parseTime, readInput, readReleaseFile, unreadable } from './input-file.ts'
import { renderDecisionLine, renderEvidence, renderReasons } from './release-screen.ts'
import { createProgress, type Terminal } from './terminal.ts'

const REJECTIONS_SHOWN = 20
const CHUNK_BYTES = 1024 * 1024

export interface ReplayArguments {
  readonly release: string
  readonly events: string
  readonly split: string
  readonly start?: string
  readonly control?: string
  readonly batchRows?: string
  readonly json?: boolean
}

/** Runs a recorded stream through the pipeline; decisions on stdout, the summary last on stderr. */
export async function runReplay(
  options: ReplayArguments,
  terminal: Terminal,
  { log, clock }: WorkerEnvironment,
): Promise<number> {
  const spec = readReleaseFile(options.release)
  const startMs = options.start === undefined ? null : parseTime('--start', options.start)
  const commands = options.control === undefined ? [] : readCommands(options.control)
  requireSplit(options.split)
  const chunks = await openEvents(options.events)

  const dataDir = mkdtempSync(join(tmpdir(), 'haldane-replay-'))
  let newest: Decision | null = null
  const report = createRejectionReport(options.events, terminal)
  const progress = createProgress(terminal, () => clock.now())
  try {
    const store = await openEmbeddedStore({ dataDir, clock, log })
    try {
      await store.migrate()
      const summary = await replay({
        ...{ store, spec, chunks, startMs, commands },
        ...(options.batchRows === undefined ? {} : { batchRows: Number(options.batchRows) }),
        onRejected: report.add,
        onProgress: (lines) => progress(() => `read ${formatCount(lines)} events …`),
        onDecision: (decision) => {
          newest = decision
          if (options.json === true) terminal.out(encodeDecision(decision))
          else terminal.out(renderDecisionLine(decisionToWire(decision), terminal.color))
        },
      })
      if (options.json !== true) showEnd(newest, terminal)
      report.end()
      terminal.note(JSON.stringify(summary))
    } finally {
      await store.close()
    }
  } finally {
    rmSync(dataDir, { recursive: true, force: true })
  }
  return EXIT_DONE
}

function showEnd(newest: Decision | null, terminal: Terminal): void {
  if (newest === null) {
    terminal.note('no event of the route: no release to decide on')
    return
  }
  const wire = decisionToWire(newest)
  for (const line of ['', ...renderReasons(wire, terminal.color), '']) terminal.out(line)
  for (const line of renderEvidence(wire.evidence, terminal.color)) terminal.out(line)
}

/** Rejected lines as `FILE:LINE: field: message`, the first few, then how many more. */
function createRejectionReport(file: string, terminal: Terminal) {
  let lines = 0
  return {
    add(line: number, rejections: readonly Rejection[]) {
      lines++
      if (lines > REJECTIONS_SHOWN) return
      for (const { field, message } of rejections) {
        terminal.note([`${file}:${line}`, field, message].filter((part) => part !== '').join(': '))
      }
    },
    end() {
      const more = lines - REJECTIONS_SHOWN
      if (more > 0) terminal.note(`… and ${formatCount(more)} more rejected lines`)
    },
  }
}

function requireSplit(split: string): void {
  if (split === 'observed') return
  const remedy =
    split === 'assigned'
      ? 'the sample-ratio test is not part of this version: use --split observed'
      : 'allowed is observed'
  throw new HaldaneError('usage', `--split: "${split}" cannot be used`, { remedy })
}

function readCommands(path: string): ControlCommand[] {
  const commands: ControlCommand[] = []
  const problems: string[] = []
  for (const [index, line] of readInput(path).split('\n').entries()) {
    if (line.trim() === '') continue
    const command = decodeControlCommand(new TextEncoder().encode(line))
    if (Array.isArray(command)) {
      for (const { field, message } of command) {
        problems.push(`${path}:${index + 1}: ${field}: ${message}`)
      }
    } else commands.push(command)
  }
  if (problems.length > 0) throw new HaldaneError('invalid_input', problems.join('\n'))
  return commands.sort((a, b) => a.atMs - b.atMs)
}

/** Fails before anything else is done when the file cannot be read; `-` is standard input. */
async function openEvents(path: string): Promise<AsyncIterable<Uint8Array>> {
  if (path === '-') return process.stdin
  const stream = createReadStream(path, { highWaterMark: CHUNK_BYTES })
  await new Promise<void>((resolve, reject) => {
    stream.once('readable', resolve)
    stream.once('end', resolve)
    stream.once('error', (cause) => reject(unreadable(path, cause)))
  })
  return stream
}
