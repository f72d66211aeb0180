import { existsSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { openEmbeddedStore } from '../adapters/clickhouse/embedded-store.ts'
import type { WorkerEnvironment } from '../app.ts'
import { type ControlCommand, decodeControlCommand } from '../contract/control-command.ts'
import { decisionToWire, encodeDecision } from '../contract/decision.ts'
import type { Decision } from '../domain/decision.ts'
import { HaldaneError } from '../domain/errors.ts'
import type { ReleaseSpec } from '../domain/release.ts'
import { replay } from '../pipeline/replay.ts'
import { EXIT_DONE } from './failure.ts'
import { formatCount } from './figures.ts'
import { openInput, parseTime, readInput, readReleaseFile } from './input-file.ts'
import { createRejectionReport } from './rejection-report.ts'
import { renderDecisionLine, renderEvidence, renderReasons } from './release-screen.ts'
import { createProgress, type Terminal } from './terminal.ts'

const PROBLEMS_SHOWN = 20
const REMOVAL_WAIT_MS = 20
const REMOVALS_AWAY = 3
const REMOVALS_MAX = 100

export interface ReplayArguments {
  readonly release: string
  readonly events: string
  readonly feedback?: string
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
  const commands =
    options.control === undefined ? [] : readCommands(options.control, spec, terminal)
  const batchRows = options.batchRows === undefined ? {} : parseBatchRows(options.batchRows)
  const split = parseSplit(options.split)
  if (options.events === '-' && options.feedback === '-') {
    throw new HaldaneError('usage', 'events and feedback cannot both come from standard input', {
      remedy: 'give one of them as a file',
    })
  }
  const chunks = await openInput(options.events)
  const feedback = options.feedback === undefined ? null : await openInput(options.feedback)

  let newest: Decision | null = null
  const report = createRejectionReport(options.events, terminal)
  const feedbackReport = createRejectionReport(options.feedback ?? '', terminal)
  const progress = createProgress(terminal, () => clock.now())
  await withScratchDir(async (dataDir) => {
    const store = await openEmbeddedStore({ dataDir, clock, log })
    try {
      await store.migrate()
      const summary = await replay({
        ...{ store, spec, split, chunks, feedback, startMs, commands, ...batchRows },
        onRejected: report.add,
        onFeedbackRejected: feedbackReport.add,
        onProgress: (lines) => progress(() => `read ${formatCount(lines)} events …`),
        onDecision: (decision) => {
          newest = decision
          if (options.json === true) terminal.out(encodeDecision(decision))
          else terminal.out(renderDecisionLine(decisionToWire(decision), terminal.color))
        },
      })
      feedbackReport.end()
      report.end()
      if (newest === null) terminal.note(`no event of ${spec.route}: no release to decide on`)
      else if (options.json !== true) showEnd(newest, terminal)
      terminal.note(JSON.stringify(summary))
    } finally {
      await store.close()
    }
  })
  return EXIT_DONE
}

/** A directory for the store of one replay, gone at its end, also when a signal ends it. */
async function withScratchDir(use: (directory: string) => Promise<void>): Promise<void> {
  const signals = ['SIGINT', 'SIGTERM'] as const
  const end = (signal: NodeJS.Signals) => {
    try {
      removeForGood(directory)
    } finally {
      for (const one of signals) process.off(one, end)
      process.kill(process.pid, signal)
    }
  }
  // Heard before there is anything to leave behind; answered at the next turn of the event loop.
  for (const signal of signals) process.on(signal, end)
  const directory = mkdtempSync(join(tmpdir(), 'haldane-replay-'))
  try {
    await use(directory)
  } finally {
    for (const signal of signals) process.off(signal, end)
    rmSync(directory, { recursive: true, force: true })
  }
}

/**
 * Threads of the engine may still be writing when a signal comes: a directory fills again while it is
 * emptied, or comes back. Gone is what has stayed away for a while.
 */
function removeForGood(directory: string): void {
  const waiting = new Int32Array(new SharedArrayBuffer(4))
  let away = 0
  for (let attempt = 0; attempt < REMOVALS_MAX && away < REMOVALS_AWAY; attempt++) {
    away = existsSync(directory) ? 0 : away + 1
    try {
      rmSync(directory, { recursive: true, force: true })
    } catch {
      away = 0
    }
    Atomics.wait(waiting, 0, 0, REMOVAL_WAIT_MS)
  }
}

function showEnd(newest: Decision, terminal: Terminal): void {
  const wire = decisionToWire(newest)
  for (const line of ['', ...renderReasons(wire, terminal.color), '']) terminal.out(line)
  for (const line of renderEvidence(wire.evidence, terminal.color)) terminal.out(line)
}

function parseBatchRows(text: string): { batchRows: number } {
  const batchRows = /^\d{1,9}$/.test(text) ? Number(text) : 0
  if (batchRows > 0) return { batchRows }
  throw new HaldaneError('usage', `--batch-rows: "${text}" is no number of rows`, {
    remedy: 'write a whole number from 1, or leave it out',
  })
}

function parseSplit(split: string): 'assigned' | 'observed' {
  if (split === 'observed' || split === 'assigned') return split
  throw new HaldaneError('usage', `--split: "${split}" is not known`, {
    remedy: 'write observed (the split of the file is taken as it is) or assigned',
  })
}

/** Recorded commands to the release of the file, by time; a recording has those of all routes. */
function readCommands(path: string, spec: ReleaseSpec, terminal: Terminal): ControlCommand[] {
  const commands: ControlCommand[] = []
  const problems: string[] = []
  for (const [index, line] of readInput(path).split('\n').entries()) {
    if (line.trim() === '') continue
    const command = decodeControlCommand(new TextEncoder().encode(line))
    if (Array.isArray(command)) {
      for (const { field, message } of command) {
        const place = [`${path}:${index + 1}`, field, message]
        problems.push(place.filter((part) => part !== '').join(': '))
      }
    } else commands.push(command)
  }
  const more = problems.length - PROBLEMS_SHOWN
  if (more > 0) problems.splice(PROBLEMS_SHOWN, more, `… and ${formatCount(more)} more`)
  if (problems.length > 0) throw new HaldaneError('invalid_input', problems.join('\n'))
  const own = commands.filter((command) => isGivenTo(command, spec))
  const others = commands.length - own.length
  if (others > 0) {
    terminal.note(`${path}: ${formatCount(others)} commands to other releases are left out`)
  }
  return own.sort((a, b) => a.atMs - b.atMs)
}

/** A release that was tried again has `~2` after its name; here it is the same. */
function isGivenTo({ route, releaseId }: ControlCommand, spec: ReleaseSpec): boolean {
  if (route !== spec.route) return false
  return releaseId === undefined || releaseId.replace(/~\d+$/, '') === `${route}/${spec.canary}`
}
