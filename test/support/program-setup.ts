import type { TestProject } from 'vitest/node'
import { buildProgram } from './program.ts'

/** What tests start is what the sources say, also when a change makes them run again. */
export function setup(project: TestProject): void {
  project.onTestsRerun(buildProgram)
  buildProgram()
}
