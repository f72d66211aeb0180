import { OVERALL } from '../domain/cohort.ts'
import { HaldaneError } from '../domain/errors.ts'
import type { ReleaseSpec } from '../domain/release.ts'
import { describeDuration } from '../domain/time.ts'
import { type PlannedRow, planRelease, type ReleasePlan } from '../judge/planning.ts'
import { EXIT_DONE } from './failure.ts'
import { formatCohort, formatCount } from './figures.ts'
import { readReleaseFile } from './input-file.ts'
import { readMetrics } from './metrics-input.ts'
import { assumeBaseline, measuredBaseline, type PlanBaseline } from './plan-baseline.ts'
import { renderRemarks } from './plan-remarks.ts'
import { renderTable, type Terminal } from './terminal.ts'

export interface PlanArguments {
  readonly release: string
  readonly rps?: string
  readonly baseline?: string
  readonly json?: boolean
}

/** What a release will be able to know, and when, before it starts. */
export async function runPlan(options: PlanArguments, terminal: Terminal): Promise<number> {
  const spec = readReleaseFile(options.release)
  const { baseline: path } = options
  const baseline =
    path === undefined
      ? assumeBaseline(spec)
      : measuredBaseline(await readMetrics(path, spec, ['stable']), path)
  const rps = readRate(options.rps, baseline.requestsPerSecond)
  const whole = planRelease(spec, baseline.facts, rps)
  const plan = baseline.cohorts ? whole : overallOnly(whole)
  if (options.json === true) terminal.out(JSON.stringify(planToWire(spec, rps, plan)))
  else for (const line of renderPlan(spec, rps, baseline, plan)) terminal.out(line)
  return EXIT_DONE
}

/** Without a measured baseline nothing is known of single cohorts. */
function overallOnly(plan: ReleasePlan): ReleasePlan {
  return {
    ...plan,
    unseen: [],
    rows: plan.rows.filter(({ cohort }) => cohort === OVERALL),
    undecidable: plan.undecidable.filter(({ cohort }) => cohort === OVERALL),
    blind: plan.blind.filter(({ cohort }) => cohort === OVERALL),
  }
}

function readRate(text: string | undefined, measured: number | null): number {
  const remedy = 'give the requests per second to both versions together, such as --rps 50'
  if (text === undefined) {
    if (measured !== null) return measured
    throw new HaldaneError('usage', '--rps is missing, and no --baseline with requests tells it', {
      remedy,
    })
  }
  const rate = Number(text)
  if (text.trim() !== '' && Number.isFinite(rate) && rate > 0) return rate
  throw new HaldaneError('usage', `--rps: "${text}" is no rate`, { remedy })
}

function renderPlan(
  spec: ReleaseSpec,
  rps: number,
  { words, cohorts }: PlanBaseline,
  plan: ReleasePlan,
): string[] {
  return [
    `${spec.route}: ${spec.stable} → ${spec.canary} at ${Number(rps.toPrecision(3))} requests per second to both together`,
    words,
    '',
    ...renderSteps(spec, plan),
    ...renderTotal(spec, plan),
    '',
    ...renderRows(spec, plan.rows),
    '',
    ...renderRemarks(spec, plan, { cohorts }),
  ]
}

function renderSteps(spec: ReleaseSpec, plan: ReleasePlan): string[] {
  const columns = [
    { title: 'step', align: 'right' },
    { title: 'weight', align: 'right' },
    { title: 'lasts about' },
    { title: 'nine of ten within' },
    { title: 'waits for' },
  ] as const
  return renderTable(
    columns,
    plan.steps.map(({ index, weight, seconds, slowest }) => [
      String(index + 1),
      `${weight} of ${spec.totalWeight}`,
      seconds === null ? 'for ever' : duration(seconds.mean) + tooLong(spec, seconds.mean),
      seconds === null ? '–' : duration(seconds.p90),
      slowest === null
        ? 'its minimum'
        : `${slowest.metric} ${slowest.limit}, ${formatCohort(slowest.cohort)}`,
    ]),
  )
}

/** Of all steps; nothing when one of them never ends. */
function renderTotal(spec: ReleaseSpec, { steps }: ReleasePlan): string[] {
  let seconds = 0
  for (const step of steps) {
    if (step.seconds === null) return []
    seconds += step.seconds.mean
  }
  const late = 1000 * seconds > spec.maxDurationMs
  const limit = describeDuration(spec.maxDurationMs)
  return [
    `promoted after about ${duration(seconds)}${late ? `: later than max_duration (${limit}), after which a person decides` : ''}`,
  ]
}

function renderRows(spec: ReleaseSpec, rows: readonly PlannedRow[]): string[] {
  const columns = [
    { title: 'guardrail' },
    { title: 'limit' },
    { title: 'cohort' },
    { title: 'step', align: 'right' },
    { title: 'requests', align: 'right' },
    { title: 'passes after' },
    { title: 'nine of ten within' },
    { title: 'rolls back in the step from' },
  ] as const
  return renderTable(
    columns,
    rows
      .filter(({ required }) => required)
      .map((row) => [
        row.metric,
        row.limit,
        formatCohort(row.cohort),
        String(row.step + 1),
        row.passSeconds === null ? '–' : formatCount(row.passSeconds.mean * row.requestsPerSecond),
        row.passSeconds === null
          ? 'never'
          : duration(row.passSeconds.mean) + tooLong(spec, row.passSeconds.mean),
        row.passSeconds === null ? '–' : duration(row.passSeconds.p90),
        describeEffect(row),
      ]),
  )
}

function describeEffect({ sees, limit }: PlannedRow): string {
  if (sees === null) return 'nothing'
  const digits = (value: number) => Number(value.toPrecision(2))
  switch (sees.effect) {
    case 'latency':
      return `+${digits(100 * sees.value)} % latency`
    case 'rate':
      return `${digits(100 * sees.value)} % errors`
    case 'mean':
      return `${limit.startsWith('max_increase') ? '+' : '−'}${digits(sees.value)}`
  }
}

function tooLong(spec: ReleaseSpec, seconds: number): string {
  return 1000 * seconds > spec.maxDurationMs ? ' (too long)' : ''
}

function duration(seconds: number): string {
  const rounded = seconds < 600 ? Math.ceil(seconds) : 60 * Math.ceil(seconds / 60)
  return describeDuration(1000 * rounded)
}

function planToWire(spec: ReleaseSpec, rps: number, plan: ReleasePlan): object {
  return {
    route: spec.route,
    stable: spec.stable,
    canary: spec.canary,
    rps,
    steps: plan.steps,
    evidence: plan.rows.map((row) => ({
      metric: row.metric,
      limit: row.limit,
      cohort: row.cohort,
      step: row.step,
      weight: row.weight,
      required: row.required,
      requests_per_second: row.requestsPerSecond,
      pass_seconds: row.passSeconds,
      rolls_back_from: row.sees,
    })),
    unknown: plan.unknown,
    unseen: plan.unseen,
    undecidable: plan.undecidable,
    blind: plan.blind,
  }
}
