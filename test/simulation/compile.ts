import { existsSync, readFileSync, renameSync, rmSync } from 'node:fs'
import { dirname, join, relative } from 'node:path'
import { fileURLToPath } from 'node:url'
import { fingerprintOf, writeModules } from '../support/transpile.ts'

const ROOT = fileURLToPath(new URL('../..', import.meta.url))
/** Below the packages that are imported, and not in the repository. */
const OUTPUT = join(ROOT, '.haldane-sim')
const IMPORT = /^(?:import|export)\s(?!type\s)[^'"]*?from '(\.[^']+)'/gm

/**
 * The module and all it imports as plain JavaScript, compiled once for equal sources: a loader that
 * keeps the names of functions makes every closure dearer, a quarter of the time of a simulation.
 */
export function compiled(script: string): string {
  const sources = new Map<string, string>()
  const entry = relative(ROOT, script)
  collect(entry, sources)
  const output = join(OUTPUT, `code-${fingerprintOf(sources).slice(0, 12)}`)
  if (!existsSync(output)) {
    const unfinished = `${output}.${process.pid}`
    writeModules(unfinished, sources)
    // Another run may have been faster.
    if (existsSync(output)) rmSync(unfinished, { recursive: true })
    else renameSync(unfinished, output)
  }
  return join(output, entry.replace(/\.ts$/, '.js'))
}

function collect(name: string, into: Map<string, string>): void {
  if (into.has(name)) return
  const source = readFileSync(join(ROOT, name), 'utf8')
  into.set(name, source)
  for (const [, imported] of source.matchAll(IMPORT)) collect(join(dirname(name), imported!), into)
}
