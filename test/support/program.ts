import { createHash } from 'node:crypto'
import { mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { COMPILER, javaScriptOf } from './transpile.ts'

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
  const names = readdirSync(SOURCES, { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.ts'))
    .sort()
  const sources = names.map((name) => readFileSync(join(SOURCES, name), 'utf8'))
  const hash = createHash('sha256').update(COMPILER)
  for (const [i, name] of names.entries()) hash.update(name).update(sources[i]!)
  const stamp = hash.digest('hex')
  if (stampOf(OUTPUT) === stamp) return

  const unfinished = `${OUTPUT}.${process.pid}`
  for (const [i, name] of names.entries()) {
    const path = join(unfinished, name.replace(/\.ts$/, '.js'))
    mkdirSync(dirname(path), { recursive: true })
    writeFileSync(path, javaScriptOf(sources[i]!))
  }
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
