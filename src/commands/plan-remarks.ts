import type { ReleaseSpec } from '../domain/release.ts'
import { describeDuration } from '../domain/time.ts'
import type { ReleasePlan } from '../judge/planning.ts'
import { formatCohort } from './figures.ts'

/** What the tables of a plan leave out; `cohorts`: whether their shares of the traffic are known. */
export function renderRemarks(
  spec: ReleaseSpec,
  plan: ReleasePlan,
  { cohorts }: { readonly cohorts: boolean },
): string[] {
  const { rows, unknown, unseen, blind } = plan
  const lines: string[] = []
  if (!cohorts) lines.push(...remarkOnCohorts(spec, plan))
  const others = new Set(
    rows.filter(({ required }) => !required).map((row) => formatCohort(row.cohort)),
  )
  if (others.size > 0) {
    lines.push(`${others.size} more cohorts may roll the release back but need not pass: --json`)
  }
  if (unseen.length > 0) {
    const names = unseen.map(formatCohort).join(', ')
    lines.push(`key cohorts without baseline traffic, without which nothing passes: ${names}`)
  }
  for (const { metric, limit } of unknown) {
    lines.push(`not planned, for the baseline says nothing about it: ${metric} ${limit}`)
  }
  lines.push(...remarkOnUndecidable(spec, plan))
  for (const { metric, limit, cohort } of blind) {
    lines.push(
      `never to be known at this traffic, however bad: ${metric} ${limit}, ${formatCohort(cohort)}`,
    )
  }
  lines.push(
    'requests are taken as independent: where a user sends many, times grow with the design effect',
  )
  return lines
}

/** Of cohorts whose shares are not known it can still be said how large they must be. */
function remarkOnCohorts(spec: ReleaseSpec, { rows }: ReleasePlan): string[] {
  if (spec.cohorts.by.length === 0) return []
  const keys = spec.cohorts.key.map(formatCohort).join(', ')
  const must = keys === '' ? '' : `; these must pass in every step, too: ${keys}`
  const lines = [`cohorts are planned with --baseline FILE only, which shows their traffic${must}`]
  const seconds = rows
    .filter(({ required, step }) => required && step === 0)
    .map(({ passSeconds }) => passSeconds?.mean ?? Number.POSITIVE_INFINITY)
  const share = (1000 * Math.max(...seconds)) / spec.maxDurationMs
  if (keys === '' || share > 1) return lines
  const percent = Number((100 * share).toPrecision(2))
  const limit = describeDuration(spec.maxDurationMs)
  return [
    ...lines,
    `a key cohort with less than about ${percent} % of the traffic does not pass the first step within max_duration (${limit})`,
  ]
}

/** One line a cohort. */
function remarkOnUndecidable(spec: ReleaseSpec, { undecidable }: ReleasePlan): string[] {
  if (undecidable.length === 0) return []
  const limit = describeDuration(spec.maxDurationMs)
  const byCohort = new Map<string, string[]>()
  for (const { metric, limit, cohort, steps } of undecidable) {
    const name = formatCohort(cohort)
    const where =
      steps.length === spec.plan.length
        ? 'in every step'
        : `in step ${steps.map((step) => step + 1).join(', ')}`
    byCohort.set(name, [...(byCohort.get(name) ?? []), `${metric} ${limit} ${where}`])
  }
  return [
    ...[...byCohort].map(
      ([name, what]) =>
        `not decidable for ${name} within max_duration (${limit}) at this traffic: ${what.join('; ')}`,
    ),
    'what is not decidable holds the release until a person acts: use larger weights or wider limits, or leave the cohort out of cohorts.key',
  ]
}
