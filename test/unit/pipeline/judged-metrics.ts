import { readMetricsFile } from '../../../src/contract/metrics-file.ts'
import type { Decision } from '../../../src/domain/decision.ts'
import type { ReleaseSpec } from '../../../src/domain/release.ts'
import type { EvidenceRow } from '../../../src/domain/verdict.ts'
import { judgeMetrics } from '../../../src/pipeline/judge-metrics.ts'

/** The decision on the content of a metrics file, which must be valid. */
export function judged(spec: ReleaseSpec, content: unknown, trustPoints = false): Decision {
  const bytes = new TextEncoder().encode(JSON.stringify(content))
  const read = readMetricsFile(bytes, 'm.json', spec)
  if (!('file' in read)) throw new Error(JSON.stringify(read.problems))
  return judgeMetrics(spec, read.file, { trustPoints })
}

export function rowIn(
  { evidence }: Decision,
  metric: string,
  cohort: unknown = 'overall',
): EvidenceRow {
  const row = evidence.find(
    (candidate) =>
      candidate.metric === metric && JSON.stringify(candidate.cohort) === JSON.stringify(cohort),
  )
  if (row === undefined) throw new Error(`no row of ${metric}`)
  return row
}

export const codesOf = ({ reasons }: Decision) => reasons.map(({ code }) => code)
/** One row a version, without cohorts. */
export const rowsOf = (stable: object, canary: object) => ({
  window: { start: '2026-11-23T10:00:00Z', end: '2026-11-23T11:00:00Z' },
  rows: [
    { version: '1.0.0', ...stable },
    { version: '1.1.0', ...canary },
  ],
})
export const NO_COHORTS = { cohorts: { by: [], key: [] } }
