import type {
  CohortScope,
  Guardrail,
  Limit,
  Metric,
  QuantileName,
  Severity,
} from '../domain/release.ts'
import { didYouMean } from './near-miss.ts'
import { RELEASE_DEFAULTS } from './release-defaults.ts'
import { percentOf, readLatency, readQuantity, scaled } from './release-units.ts'
import {
  describeNode,
  listOf,
  type MapReader,
  numberFrom,
  type ProblemLog,
  type Read,
  readBoolean,
  readMap,
  wordOf,
} from './source-reader.ts'
import { KPI_NAME } from './stored-text.ts'
import type { SourceNode } from './yaml-source.ts'

const DEFAULTS = RELEASE_DEFAULTS.guardrail
export const QUANTILES: Readonly<Record<QuantileName, number>> = {
  latency_p50: 0.5,
  latency_p90: 0.9,
  latency_p95: 0.95,
  latency_p99: 0.99,
}
const METRIC_WORDS = [...Object.keys(QUANTILES), 'error_rate', 'quality', 'kpi.<name>']
const LATER_METRICS = ['memory_headroom', 'agreement']
export const LIMIT_KINDS = ['max', 'min', 'max_increase', 'max_drop'] as const
export const LIMITS_OF: Readonly<Record<Metric['kind'], readonly Limit['kind'][]>> = {
  latency: ['max', 'max_increase'],
  error_rate: ['max', 'max_increase'],
  quality: ['min', 'max_drop'],
  kpi: ['min', 'max_drop', 'max_increase'],
}
export const GUARDRAIL_KEYS = [
  'metric',
  ...LIMIT_KINDS,
  'bounds',
  'importance',
  'severity',
  'dry_run',
  'cohorts',
]
export const LARGEST_KPI = 1e9
export const LARGEST_IMPORTANCE = 1000
export const SEVERITIES: readonly Severity[] = ['critical', 'signal']
export const SCOPES: readonly CohortScope[] = ['all', 'key', 'overall']

/** The guardrails of a release; also reports the same limit written twice and KPIs with two bounds. */
export function readGuardrails(
  node: SourceNode,
  field: string,
  log: ProblemLog,
): Guardrail[] | undefined {
  const seen: { guardrail: Guardrail; field: string; line: number }[] = []
  const readOne: Read<Guardrail> = (item, path) => {
    const guardrail = readGuardrail(item, path, log)
    if (guardrail === undefined) return undefined
    const { metric, limit } = guardrail
    const twin = seen.find(
      (other) =>
        other.guardrail.metric.name === metric.name && other.guardrail.limit.kind === limit.kind,
    )
    if (twin !== undefined) {
      const message = `limits ${limit.kind} of ${metric.name} a second time, first in ${twin.field} at line ${twin.line}; keep one`
      return log.add(item.place, path, message)
    }
    const relative = seen.find((other) => hasOtherBounds(other.guardrail.metric, metric))
    if (relative !== undefined) {
      const message = `gives ${metric.name} other bounds than ${relative.field} at line ${relative.line}; a KPI has the same bounds everywhere`
      return log.add(item.place, `${path}.bounds`, message)
    }
    seen.push({ guardrail, field: path, line: item.place.line })
    return guardrail
  }
  return listOf(readOne, 'guardrails such as { metric: latency_p95, max: 120ms }', 1)(
    node,
    field,
    log,
  )
}

function hasOtherBounds(a: Metric, b: Metric): boolean {
  if (a.kind !== 'kpi' || b.kind !== 'kpi' || a.key !== b.key) return false
  return a.bounds[0] !== b.bounds[0] || a.bounds[1] !== b.bounds[1]
}

function readGuardrail(node: SourceNode, field: string, log: ProblemLog): Guardrail | undefined {
  const map = readMap(node, field, GUARDRAIL_KEYS, log)
  if (map === undefined) return undefined
  const name = map.required('metric', readMetricName, 'latency_p95')
  const importance = map.optional('importance', DEFAULTS.importance, readImportance)
  const severity = map.optional('severity', DEFAULTS.severity, wordOf(SEVERITIES))
  const dryRun = map.optional('dry_run', DEFAULTS.dry_run, readBoolean)
  const cohorts = map.optional('cohorts', DEFAULTS.cohorts, wordOf(SCOPES))
  const metric = name === undefined ? undefined : metricOf(name, map, field, log)
  const limit = metric === undefined ? undefined : readLimit(metric, map, field, log)
  if (
    metric === undefined ||
    limit === undefined ||
    importance === undefined ||
    severity === undefined ||
    dryRun === undefined ||
    cohorts === undefined
  ) {
    return undefined
  }
  return { metric, ...limit, importance, severity, dryRun, cohorts }
}

const readMetricName: Read<string> = (node, field, log) => {
  if (node.kind !== 'scalar') {
    return log.add(node.place, field, `is ${describeNode(node)}; expected the name of a metric`)
  }
  const { text } = node
  if (Object.hasOwn(QUANTILES, text) || text === 'error_rate' || text === 'quality') return text
  if (LATER_METRICS.includes(text)) {
    return log.add(node.place, field, `${text} is not supported in this version; remove it`)
  }
  if (text.startsWith('kpi.')) {
    if (KPI_NAME.test(text.slice(4)) && text !== 'kpi.__proto__') return text
    const message = `is ${describeNode(node)}; the name after "kpi." has 1 to 64 of the characters A-Z a-z 0-9 _ . -`
    return log.add(node.place, field, message)
  }
  const hint = didYouMean(text, METRIC_WORDS)
  const message = `is ${describeNode(node)}, which is no metric${hint || ';'} allowed are ${METRIC_WORDS.join(', ')}`
  return log.add(node.place, field, message)
}

function metricOf(
  name: string,
  map: MapReader,
  field: string,
  log: ProblemLog,
): Metric | undefined {
  if (name.startsWith('kpi.')) {
    const bounds = map.required('bounds', readBounds, '[0, 1]; values outside count as the nearer')
    if (bounds === undefined) return undefined
    return { kind: 'kpi', name: `kpi.${name.slice(4)}`, key: name.slice(4), bounds }
  }
  if (map.has('bounds')) {
    const message = `belongs to KPIs only; remove it from ${name}`
    return log.add(map.placeOf('bounds'), `${field}.bounds`, message)
  }
  if (name === 'error_rate' || name === 'quality') return { kind: name, name } as Metric
  const quantile = name as QuantileName
  return { kind: 'latency', name: quantile, quantile: QUANTILES[quantile] }
}

const readBounds: Read<[number, number]> = (node, field, log) => {
  const values = listOf(numberFrom(-LARGEST_KPI, LARGEST_KPI), 'two numbers, [low, high]')(
    node,
    field,
    log,
  )
  if (values === undefined) return undefined
  const [low, high] = values
  if (values.length !== 2 || low === undefined || high === undefined) {
    return log.add(node.place, field, `has ${values.length} numbers; expected two, [low, high]`)
  }
  if (low < high) return [low, high]
  return log.add(node.place, field, `is [${low}, ${high}]; the first must be below the second`)
}

const readImportance: Read<number> = (node, field, log) => {
  const value = numberFrom(0, LARGEST_IMPORTANCE)(node, field, log)
  if (value !== 0) return value
  const message =
    'is 0; write a number above 0, or dry_run: true for a guardrail that decides nothing'
  return log.add(node.place, field, message)
}

function readLimit(
  metric: Metric,
  map: MapReader,
  field: string,
  log: ProblemLog,
): { limit: Limit; written: string } | undefined {
  const allowed = LIMITS_OF[metric.kind]
  const given = LIMIT_KINDS.filter((kind) => map.has(kind))
  const [kind] = given
  if (kind === undefined) {
    return log.add(map.place, field, `has no limit; ${metric.name} takes ${allowed.join(' or ')}`)
  }
  if (given.length > 1) {
    const message = `has ${given.length} limits (${given.join(', ')}); write one guardrail for each`
    return log.add(map.place, field, message)
  }
  if (!allowed.includes(kind)) {
    const message = `is no limit of ${metric.name}; allowed are ${allowed.join(', ')}`
    return log.add(map.placeOf(kind), `${field}.${kind}`, message)
  }
  let written = ''
  const read: Read<Limit> = (node, path) => {
    written = node.kind === 'scalar' ? `${kind}: ${node.text}` : ''
    return limitOf(metric, kind, node, path, log)
  }
  const limit = map.optional(kind, undefined, read)
  return limit === undefined ? undefined : { limit, written }
}

function limitOf(
  metric: Metric,
  kind: Limit['kind'],
  node: SourceNode,
  field: string,
  log: ProblemLog,
): Limit | undefined {
  if (metric.kind === 'error_rate' && kind === 'max_increase') {
    return readErrorIncrease(node, field, log)
  }
  const value = readerOf(metric, kind)(node, field, log)
  if (value === undefined) return undefined
  if (kind === 'max_increase') return { kind, relative: metric.kind === 'latency', value }
  return { kind, value }
}

function readerOf(metric: Metric, kind: Limit['kind']): Read<number> {
  switch (metric.kind) {
    case 'latency':
      return kind === 'max' ? readLatency : readLatencyIncrease
    case 'error_rate':
      return percentOf((percent) => percent > 0 && percent < 100, 'above 0% and below 100%')
    case 'quality':
      return plainNumber(0, 1, 'quality is a plain number from 0 to 1')
    case 'kpi': {
      const [low, high] = metric.bounds
      const range = high - low
      return kind === 'min'
        ? plainNumber(low, high, `${metric.name} lies within its bounds ${low} to ${high}`)
        : plainNumber(0, range, `a change of ${metric.name} is in its own unit, from 0 to ${range}`)
    }
  }
}

const readRelative = percentOf(
  (percent) => percent >= 0 && percent <= 1000,
  'from 0% to 1000%, relative to stable',
)

const readLatencyIncrease: Read<number> = (node, field, log) => {
  const unit = readQuantity(node, field, log, 'a percentage such as 10%')?.unit
  if (unit === undefined) return undefined
  if (unit === '' || unit === '%') return readRelative(node, field, log)
  const message = `is ${describeNode(node)}; the increase of a latency is relative: write for example 10%`
  return log.add(node.place, field, message)
}

const readErrorIncrease: Read<Limit> = (node, field, log) => {
  const kind = 'max_increase'
  const written = readQuantity(node, field, log, 'an increase such as 0.2pp or 10%')
  if (written === undefined) return undefined
  const { number, unit } = written
  if (unit === '%') {
    const value = readRelative(node, field, log)
    return value === undefined ? undefined : { kind, relative: true, value }
  }
  if (unit === 'pp') {
    if (Number(number) >= 0 && Number(number) < 100) {
      return { kind, relative: false, value: scaled(number, -2) }
    }
    return log.add(node.place, field, `is ${number}pp; allowed is from 0pp to below 100pp`)
  }
  const choice = `write ${number}pp for percentage points (1% may become ${Number((1 + Number(number)).toPrecision(10))}%) or ${number}% for a relative increase`
  const fault = unit === '' ? `${number} has no unit` : `has the unit "${unit}"`
  return log.add(node.place, field, `${fault}; ${choice}`)
}

/** A number without unit; a percentage is translated for the person who wrote it. */
function plainNumber(low: number, high: number, rule: string): Read<number> {
  return (node, field, log) => {
    const written = node.kind === 'scalar' ? /^([+-]?[\d.]+)\s*%$/.exec(node.text)?.[1] : undefined
    if (written === undefined) return numberFrom(low, high, `: ${rule}`)(node, field, log)
    const example = low === 0 && high === 1 ? `: write ${scaled(written, -2)}` : ''
    return log.add(node.place, field, `is ${written}%; ${rule}${example}`)
  }
}
