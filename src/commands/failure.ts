import type { Action } from '../domain/decision.ts'
import { toHaldaneError } from '../domain/errors.ts'
import type { Terminal } from './terminal.ts'

export const EXIT_DONE = 0
export const EXIT_FAILED = 1
export const EXIT_INVALID = 2
/** How verbs that give a verdict end, for scripts. */
export const EXIT_OF_ACTION: Readonly<Record<Action, number>> = {
  increase: EXIT_DONE,
  hold: 10,
  rollback: 20,
}

/** Says what is wrong and what to do; the exit code is 2 when nothing was changed for bad input. */
export function reportFailure(thrown: unknown, terminal: Terminal): number {
  const error = toHaldaneError(thrown)
  terminal.note(`${terminal.color.red('error:')} ${error.message}`)
  if (error.remedy !== undefined) terminal.note(`  ${error.remedy}`)
  if (error.code === 'internal' && process.env['HALDANE_LOG_LEVEL'] === 'debug') {
    terminal.note(String(error.cause instanceof Error ? error.cause.stack : error.stack))
  }
  return error.code === 'invalid_input' || error.code === 'usage' ? EXIT_INVALID : EXIT_FAILED
}
