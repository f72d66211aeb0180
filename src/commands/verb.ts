import type { Command } from 'commander'
import type { WorkerEnvironment } from '../app.ts'
import type { Terminal } from './terminal.ts'

/** What verbs get from outside. */
export interface Context {
  readonly terminal: Terminal
  environment(): WorkerEnvironment
}

/** Lets a command run; what it resolves with is the exit code. */
export type AddVerb = (command: Command, run: () => Promise<number>) => void
