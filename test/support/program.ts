import { readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { fingerprintOf, writeModules } from './transpile.ts'

const ROOT = fileURLToPath(new URL('../..', import.meta.url))
const SOURCES = join(ROOT, 'src')
const OUTPUT = join(ROOT, '.haldane-program')
/** Names the sources the output is made of. */
const STAMP = 'sources.sha256'

/** Entry of the program that tests start: `node PROGRAM arguments`. */
export const PROGRAM = join(OUTPUT, 'main.js')

/**
 * Compiles the sources, unless that was done for equal ones: as plain JavaScript, like the package's,
 * the program starts in a third of the time it takes from source, and tests start it hundreds of times.
 */
export function buildProgram(): void {
  const sources = new Map(
    readdirSync(SOURCES, { recursive: true, encoding: 'utf8' })
      .filter((name) => name.endsWith('.ts'))
      .map((name) => [name, readFileSync(join(SOURCES, name), 'utf8')]),
  )
  const stamp = fingerprintOf(sources)
  if (stampOf(OUTPUT) === stamp) return
  const unfinished = `${OUTPUT}.${process.pid}`
  writeModules(unfinished, sources)
  writeFileSync(join(unfinished, STAMP), stamp)
  rmSync(OUTPUT, { recursive: true, force: true })
  renameSync(unfinished, OUTPUT)
}

function stampOf(directory: string): string | null {
  try {
    return readFileSync(join(directory, STAMP), 'utf8')
  } catch {
    return null
  }
}
