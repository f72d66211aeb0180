import { decisionToWire, encodeDecision } from '../contract/decision.ts'
import { judgeMetrics } from '../pipeline/judge-metrics.ts'
import { notesOn } from '../pipeline/metrics-notes.ts'
import { EXIT_OF_ACTION } from './failure.ts'
import { readReleaseFile } from './input-file.ts'
import { renderJudgement } from './judge-screen.ts'
import { readMetrics } from './metrics-input.ts'
import type { Terminal } from './terminal.ts'

export interface JudgeArguments {
  readonly release: string
  readonly metrics: string
  readonly json?: boolean
  readonly trustPoints?: boolean
}

/** One decision from aggregated numbers: no store, no network, no clock. */
export async function runJudge(options: JudgeArguments, terminal: Terminal): Promise<number> {
  const spec = readReleaseFile(options.release)
  const file = await readMetrics(options.metrics, spec, ['stable', 'canary'])
  for (const note of notesOn(file, spec)) terminal.note(`note: ${note}`)
  const decision = judgeMetrics(spec, file, { trustPoints: options.trustPoints === true })
  if (options.json === true) terminal.out(encodeDecision(decision))
  else {
    const lines = renderJudgement(decisionToWire(decision), file, terminal.color)
    for (const line of lines) terminal.out(line)
  }
  return EXIT_OF_ACTION[decision.action]
}
