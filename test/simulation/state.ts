import { createHash } from 'node:crypto'
import { mkdirSync, readdirSync, readFileSync, renameSync, statSync, writeFileSync } from 'node:fs'
import { basename, dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { Outcome, SimulationCase } from './case.ts'

/** Outcomes of the repetitions [from, from + outcomes.length) of a case. */
export interface Chunk {
  readonly from: number
  readonly outcomes: readonly Outcome[]
  readonly seconds: number
}

/** What was computed before, so that a run that was stopped goes on. */
export interface StateStore {
  read(test: SimulationCase): Chunk[]
  write(test: SimulationCase, chunk: Chunk): void
}

/**
 * One file a chunk, in a directory named by the seed and by the code that made it: figures of
 * another judge or another simulation are never mixed in.
 */
export function createStateStore(directory: string, seed: number): StateStore {
  const root = join(directory, `${codeFingerprint()}-${seed}`)
  const pathOf = (test: SimulationCase) => join(root, slugOf(test.name))
  return {
    read(test) {
      const path = pathOf(test)
      return filesIn(path)
        .filter((name) => name.endsWith('.json'))
        .map((name) => JSON.parse(readFileSync(join(path, name), 'utf8')) as Chunk)
        .sort((a, b) => a.from - b.from)
    },
    write(test, chunk) {
      const path = join(pathOf(test), `${chunk.from}-${chunk.outcomes.length}.json`)
      mkdirSync(dirname(path), { recursive: true })
      const unfinished = `${path}.${process.pid}.part`
      writeFileSync(unfinished, JSON.stringify(chunk))
      renameSync(unfinished, path)
    },
  }
}

/** Names differ in more than what a file name can carry, so a part of their hash is added. */
function slugOf(name: string): string {
  const hash = createHash('sha256').update(name).digest('hex').slice(0, 8)
  return `${name.replaceAll(/[^a-z0-9.]+/gi, '-')}-${hash}`
}

function filesIn(path: string): string[] {
  return statSync(path, { throwIfNoEntry: false }) === undefined ? [] : readdirSync(path)
}

/** What only schedules, shows and words results changes none of them. */
const NOT_FIGURES = [
  ...['compile.ts', 'families.ts', 'main.ts', 'page.ts', 'progress.ts', 'report.ts'],
  ...['schedule.ts', 'state.ts', 'summary.ts'],
]
/** What figures depend on, besides this directory. */
const CODE = ['judge', 'rollout', 'domain', 'contract', 'pipeline/release-run.ts']

function codeFingerprint(): string {
  const here = fileURLToPath(new URL('.', import.meta.url))
  const src = join(here, '../../src')
  const hash = createHash('sha256')
  const add = (path: string, name: string) => hash.update(name).update(readFileSync(path))
  for (const root of [here, ...CODE.map((part) => join(src, part))]) {
    if (root.endsWith('.ts')) add(root, basename(root))
    else {
      const files = readdirSync(root, { recursive: true, encoding: 'utf8' })
      for (const name of files.filter((file) => file.endsWith('.ts')).sort()) {
        if (root !== here || !NOT_FIGURES.includes(name)) add(join(root, name), name)
      }
    }
  }
  return hash.digest('hex').slice(0, 12)
}
