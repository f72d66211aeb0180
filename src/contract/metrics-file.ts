import { isUtf8 } from 'node:buffer'
import { cohortKey, describeCohort } from '../domain/cohort.ts'
import type { ReleaseSpec } from '../domain/release.ts'
import { kpisOf } from '../domain/release.ts'
import { readJsonSource } from './json-source.ts'
import { type MetricsRow, rowReader } from './metrics-row.ts'
import { printable } from './rejection-text.ts'
import { parseRfc3339 } from './rfc3339.ts'
import {
  createProblemLog,
  describeNode,
  listOf,
  type ProblemLog,
  pathOf,
  type Read,
  readMap,
} from './source-reader.ts'
import type { FileProblem, SourceNode } from './yaml-source.ts'

/** Larger than any file of one window; a bound on what a mistaken path can make a machine read. */
export const MAX_METRICS_BYTES = 16 * 1024 * 1024
const MAX_ROWS = 10_000

/** Aggregated numbers of one window, of the two versions of a release. */
export interface MetricsFile {
  readonly window: { readonly startMs: number; readonly endMs: number }
  /** At least one of either version; each version and cohort once. */
  readonly stable: readonly MetricsRow[]
  readonly canary: readonly MetricsRow[]
  /** Versions in the file that are neither, each once. */
  readonly otherVersions: readonly string[]
}

export type MetricsFileResult =
  | { readonly file: MetricsFile }
  | { readonly problems: readonly FileProblem[] }

type Role = 'stable' | 'canary'

/**
 * Reads a metrics file for the versions and KPIs of a release: either all of it, or every problem of
 * the file by place, none of the numbers. `needed`: the versions that must have rows.
 */
export function readMetricsFile(
  bytes: Uint8Array,
  fileName: string,
  spec: ReleaseSpec,
  needed: readonly Role[] = ['stable', 'canary'],
): MetricsFileResult {
  const whole = (message: string, line = 1): MetricsFileResult => ({
    problems: [{ file: fileName, line, column: 1, field: '', message }],
  })
  if (bytes.byteLength > MAX_METRICS_BYTES) return whole('is larger than 16 MiB')
  if (!isUtf8(bytes)) {
    return whole('holds bytes that are no UTF-8; save it as UTF-8', badLine(bytes))
  }
  const source = readJsonSource(new TextDecoder('utf-8').decode(bytes), fileName)
  if ('problems' in source) return source
  const log = createProblemLog()
  const file = readWhole(source.root, spec, needed, log)
  const { problems } = log
  return file === undefined || problems.length > 0 ? { problems } : { file }
}

/** The first line with a byte that is no UTF-8. A line break is never part of a longer sequence. */
function badLine(bytes: Uint8Array): number {
  let line = 1
  let from = 0
  for (;;) {
    const end = bytes.indexOf(0x0a, from)
    if (!isUtf8(bytes.subarray(from, end < 0 ? undefined : end)) || end < 0) return line
    from = end + 1
    line++
  }
}

function readWhole(
  root: SourceNode,
  spec: ReleaseSpec,
  needed: readonly Role[],
  log: ProblemLog,
): MetricsFile | undefined {
  const map = readMap(root, '', ['window', 'rows'], log)
  if (map === undefined) return undefined
  const bounds = new Map(kpisOf(spec).map(({ key, bounds: limits }) => [key, limits]))
  const window = map.required(
    'window',
    readWindow,
    '{"start": "2026-11-23T10:00:00Z", "end": "2026-11-23T11:00:00Z"}',
  )
  const rows: MetricsRow[] = []
  const complete = map.required('rows', rowsInto(rows, rowReader(bounds)), '[{"version": …}, …]')
  checkRepeats(rows, log)
  const stable = rows.filter(({ version }) => version === spec.stable)
  const canary = rows.filter(({ version }) => version === spec.canary)
  checkSizes([...stable, ...canary], log)
  if (complete === undefined) return undefined
  const versions = [...new Set(rows.map(({ version }) => version))]
  const shown = versions.slice(0, 5).map((version) => `"${printable(version)}"`)
  for (const [role, found] of [
    ['stable', stable],
    ['canary', canary],
  ] as const) {
    if (found.length > 0 || !needed.includes(role)) continue
    const message = `none has version "${spec[role]}", the ${role} version of the release; the versions here are ${shown.join(', ')}`
    log.add(map.placeOf('rows'), 'rows', message)
  }
  const otherVersions = versions.filter((v) => v !== spec.stable && v !== spec.canary)
  return window === undefined ? undefined : { window, stable, canary, otherVersions }
}

/** Collects the rows that are good, so that these can be compared although others are not. */
function rowsInto(rows: MetricsRow[], readRow: Read<MetricsRow>): Read<readonly MetricsRow[]> {
  const readAll = listOf<MetricsRow>(
    (node, field, log) => {
      const row = readRow(node, field, log)
      if (row !== undefined) rows.push(row)
      return row
    },
    'rows of one version and cohort',
    1,
  )
  return (node, field, log) => {
    if (node.kind !== 'list' || node.items.length <= MAX_ROWS) return readAll(node, field, log)
    return log.add(node.place, field, `has ${node.items.length} rows; at most ${MAX_ROWS}`)
  }
}

const readWindow: Read<MetricsFile['window']> = (node, field, log) => {
  const map = readMap(node, field, ['start', 'end'], log)
  if (map === undefined) return undefined
  const startMs = map.required('start', readTime, '"2026-11-23T10:00:00Z"')
  const endMs = map.required('end', readTime, '"2026-11-23T11:00:00Z"')
  if (startMs === undefined || endMs === undefined) return undefined
  if (endMs > startMs) return { startMs, endMs }
  const message = `is not after the start (${new Date(startMs).toISOString()})`
  return log.add(map.placeOf('end'), pathOf(field, 'end'), message)
}

const readTime: Read<number> = (node, field, log) => {
  const timeMs = node.kind === 'scalar' && node.quoted ? parseRfc3339(node.text) : null
  if (timeMs !== null) return timeMs
  const message = `is ${describeNode(node)}; expected an RFC 3339 time with offset, such as "2026-11-23T10:00:00Z"`
  return log.add(node.place, field, message)
}

function checkRepeats(rows: readonly MetricsRow[], log: ProblemLog): void {
  const seen = new Map<string, MetricsRow>()
  for (const row of rows) {
    const key = `${row.version} ${cohortKey(row.cohort)}`
    const first = seen.get(key)
    if (first === undefined) {
      seen.set(key, row)
      continue
    }
    const counted = [...first.replaced, ...row.replaced]
    const why = counted.length === 0 ? '' : ` (unknown words count as und and other)`
    const message = `has the version and cohort of ${first.field} at line ${first.place.line}, ${row.version} in ${describeCohort(row.cohort)}${why}; add the two up`
    log.add(row.place, row.field, message)
  }
}

/** Shares of traffic are known for all rows or for none. */
function checkSizes(rows: readonly MetricsRow[], log: ProblemLog): void {
  const known = rows.find(({ requests }) => requests !== null)
  if (known === undefined) return
  for (const { requests, place, field } of rows) {
    if (requests !== null) continue
    const message = `is missing, while ${known.field} has it; write for example requests: 27000`
    log.add(place, pathOf(field, 'requests'), message)
  }
}
