import type { ReleaseSpec } from '../domain/release.ts'
import { defaultPolicy, sha256 } from './release-defaults.ts'
import { readRelease } from './release-schema.ts'
import { createProblemLog, type ProblemLog } from './source-reader.ts'
import { type FileProblem, readYaml, type SourceEntry, type SourceNode } from './yaml-source.ts'

/** Organisation policies that release files extend. */
export interface Policies {
  /** For release files that name none; null: none. */
  readonly defaultPath: string | null
  /** Text of a policy; throws an Error with the reason in words. */
  read(path: string): string
}

export interface ReleaseFileOptions {
  /** Shown in problems. */
  readonly fileName: string
  /** Text of the organisation policy that a release file `extends`; throws when there is none. */
  readonly readPolicy?: (path: string) => string
  /** What a release file extends that does not say; null: nothing. */
  readonly defaultPolicy?: string | null
}

export type ReleaseFileResult =
  | { readonly spec: ReleaseSpec }
  | { readonly problems: readonly FileProblem[] }

type MapNode = Extract<SourceNode, { kind: 'map' }>

/**
 * Reads a release file, YAML or JSON. Either the complete release, or every problem of the file and
 * of the policy it extends, by place. A policy gives top-level keys that the file does not have.
 */
export function parseReleaseFile(text: string, options: ReleaseFileOptions): ReleaseFileResult {
  const log = createProblemLog()
  const file = readRoot(text, options.fileName, log)
  if (file === undefined) return { problems: log.problems }
  const policy = readExtended(file, options, log)
  if (policy === undefined) return { problems: log.problems }
  const own = new Set(file.entries.map(({ key }) => key))
  const inherited = policy.entries.filter(({ key }) => !own.has(key))
  const release = readRelease({ ...file, entries: [...file.entries, ...inherited] }, log)
  if (release === undefined) return { problems: log.problems }
  return { spec: { ...release, policy: { name: policy.name, hash: policy.hash } } }
}

/** `FILE:LINE:COL: field: message`. */
export function formatProblem(problem: FileProblem): string {
  const { file, line, column, field, message } = problem
  return [`${file}:${line}:${column}`, ...(field === '' ? [] : [field]), message].join(': ')
}

function readRoot(text: string, file: string, log: ProblemLog): MapNode | undefined {
  const read = readYaml(text, file)
  if ('problems' in read) {
    for (const { field, message, ...place } of read.problems) log.add(place, field, message)
    return undefined
  }
  const { root } = read
  if (root.kind === 'map') return root
  const seen = root.kind === 'scalar' && root.value === null ? 'is empty' : 'is no map'
  const message = `${seen}; write keys such as route, stable, canary, plan and guardrails`
  return log.add(root.place, '', message)
}

interface Policy {
  readonly name: string
  readonly hash: string
  readonly entries: readonly SourceEntry[]
}

function readExtended(
  file: MapNode,
  options: ReleaseFileOptions,
  log: ProblemLog,
): Policy | undefined {
  const entry = file.entries.find(({ key }) => key === 'extends')
  const fallback = options.defaultPolicy ?? null
  if (entry === undefined && fallback === null) return { ...defaultPolicy(), entries: [] }
  const { place } = entry?.value ?? file
  const path = entry === undefined ? fallback : textOf(entry.value)
  if (path === null || path === '')
    return log.add(place, 'extends', 'names no file; write extends: policy.yaml')
  if (options.readPolicy === undefined) {
    return log.add(place, 'extends', 'cannot be followed here; copy the policy into the file')
  }
  let text: string
  try {
    text = options.readPolicy(path)
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error)
    return log.add(place, 'extends', `${path} cannot be read: ${why}`)
  }
  const root = readRoot(text, path, log)
  if (root === undefined) return undefined
  const nested = root.entries.find(({ key }) => key === 'extends')
  if (nested !== undefined) {
    log.add(nested.keyPlace, 'extends', 'a policy cannot extend another file; copy it in')
  }
  const entries = root.entries.filter(({ key }) => key !== 'extends')
  return { name: policyName(path), hash: sha256(text), entries }
}

function textOf(node: SourceNode): string {
  return node.kind === 'scalar' ? node.text : ''
}

/** `policies/payments.yaml` → `payments`. */
function policyName(path: string): string {
  const base = path.slice(Math.max(path.lastIndexOf('/'), path.lastIndexOf('\\')) + 1)
  return base.replace(/\.(?:ya?ml|json)$/i, '') || base
}
