import { createHash } from 'node:crypto'
import { existsSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { dirname, join, relative } from 'node:path'
import { fileURLToPath } from 'node:url'
import { COMPILER, javaScriptOf } from '../support/transpile.ts'

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
  collect(script, sources)
  const names = [...sources.keys()].sort()
  const hash = createHash('sha256').update(COMPILER)
  for (const name of names) hash.update(relative(ROOT, name)).update(sources.get(name)!)
  const output = join(OUTPUT, `code-${hash.digest('hex').slice(0, 12)}`)
  const pathOf = (name: string, root: string) =>
    join(root, relative(ROOT, name).replace(/\.ts$/, '.js'))
  if (!existsSync(output)) {
    const unfinished = `${output}.${process.pid}`
    for (const name of names) {
      const path = pathOf(name, unfinished)
      mkdirSync(dirname(path), { recursive: true })
      writeFileSync(path, javaScriptOf(sources.get(name)!))
    }
    // Another run may have been faster.
    if (existsSync(output)) rmSync(unfinished, { recursive: true })
    else renameSync(unfinished, output)
  }
  return pathOf(script, output)
}

function collect(name: string, into: Map<string, string>): void {
  if (into.has(name)) return
  const source = readFileSync(name, 'utf8')
  into.set(name, source)
  for (const [, imported] of source.matchAll(IMPORT)) collect(join(dirname(name), imported!), into)
}
