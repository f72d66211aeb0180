import type { Cohort, CohortDimension } from '../domain/cohort.ts'
import { cohortKey, describeCohort } from '../domain/cohort.ts'
import type { ReleaseSpec } from '../domain/release.ts'
import { DEVICES } from '../domain/request-event.ts'
import { canonicalLocale } from './locale-tag.ts'
import { DURATION_RANGES, LARGEST_COUNT, RELEASE_DEFAULTS } from './release-defaults.ts'
import { readGuardrails } from './release-guardrail.ts'
import { LARGEST_TOTAL_WEIGHT, planOf } from './release-plan.ts'
import { durationFrom, durationOf, fractionOf, percentOf } from './release-units.ts'
import {
  describeNode,
  listOf,
  type MapReader,
  type ProblemLog,
  pathOf,
  type Read,
  readBoolean,
  readMap,
  wholeNumberFrom,
  wordOf,
} from './source-reader.ts'
import { MAX_SEMVER_LENGTH, SEMVER } from './stored-text.ts'
import { ROUTE_WORDS, splitRoute } from './wire-field.ts'
import type { SourceNode } from './yaml-source.ts'

export const RELEASE_KEYS = [
  'extends',
  'route',
  'stable',
  'canary',
  'plan',
  'guardrails',
  'cohorts',
  'coverage',
  'risk',
  'blocks',
  'warmup',
  'heartbeat',
  'max_duration',
  'total_weight',
  'mode',
  'judge',
]
export const DIMENSIONS: readonly CohortDimension[] = RELEASE_DEFAULTS.cohorts.by
export const MODES: readonly ReleaseSpec['mode'][] = ['enforced', 'dry_run']

const { blocks, coverage, heartbeat, judge, max_duration, risk, warmup } = RELEASE_DEFAULTS
const DEFAULT_COVERAGE = { minRequestsPerKeyCohort: coverage.min_requests_per_key_cohort }
const DEFAULT_RISK = {
  falseRollback: fractionOf(risk.false_rollback),
  falsePass: fractionOf(risk.false_pass),
}
const DEFAULT_BLOCKS = {
  lengthMs: durationOf(blocks.length),
  watermarkMs: durationOf(blocks.watermark),
  duplicateLookbackMs: durationOf(blocks.duplicate_lookback),
}

type WithoutPolicy = Omit<ReleaseSpec, 'policy'>
type Parts = { readonly [K in keyof WithoutPolicy]: WithoutPolicy[K] | undefined }

/** The release a map describes, every default filled in; undefined when anything was reported. */
export function readRelease(root: SourceNode, log: ProblemLog): WithoutPolicy | undefined {
  const map = readMap(root, '', RELEASE_KEYS, log)
  if (map === undefined) return undefined
  const route = map.required('route', readRoute, 'intent-classifier/production')
  const stable = map.required('stable', readVersion, '1.4.2')
  const canary = map.required('canary', readVersion, '1.5.0')
  if (stable !== undefined && stable === canary) {
    const message = `is ${canary}, the same as stable; a release compares two versions`
    log.add(map.placeOf('canary'), 'canary', message)
  }
  const totalWeight = map.optional(
    'total_weight',
    RELEASE_DEFAULTS.total_weight,
    wholeNumberFrom(2, LARGEST_TOTAL_WEIGHT),
  )
  const planExample = '[{ weight: 5, min_duration: 10m }]'
  const guardrailExample = '[{ metric: error_rate, max: 1% }]'
  const parts: Parts = {
    route: route?.route,
    modelName: route?.modelName,
    environment: route?.environment,
    stable,
    canary,
    plan: map.required('plan', planOf(totalWeight), planExample),
    guardrails: map.required('guardrails', readGuardrails, guardrailExample),
    cohorts: map.optional('cohorts', { by: DIMENSIONS, key: [] }, readCohorts),
    coverage: map.optional('coverage', DEFAULT_COVERAGE, readCoverage),
    risk: map.optional('risk', DEFAULT_RISK, readRisk),
    blocks: map.optional('blocks', DEFAULT_BLOCKS, readBlocks),
    warmupMs: map.optional('warmup', durationOf(warmup), durationFrom(...DURATION_RANGES.warmup)),
    heartbeatMs: map.optional(
      'heartbeat',
      durationOf(heartbeat),
      durationFrom(...DURATION_RANGES.heartbeat),
    ),
    maxDurationMs: map.optional(
      'max_duration',
      durationOf(max_duration),
      durationFrom(...DURATION_RANGES.max_duration),
    ),
    totalWeight,
    mode: map.optional('mode', RELEASE_DEFAULTS.mode, wordOf(MODES)),
    includeSynthetic: map.optional('judge', judge.include_synthetic, readJudge),
  }
  return log.problems.length === 0 && isComplete(parts) ? parts : undefined
}

function isComplete(parts: Parts): parts is WithoutPolicy {
  return Object.values(parts).every((part) => part !== undefined)
}

const readRoute: Read<{ route: string; modelName: string; environment: string }> = (
  node,
  field,
  log,
) => {
  const text = node.kind === 'scalar' ? node.text : ''
  const parts = splitRoute(text)
  if (parts !== null) return { route: text, ...parts }
  return log.add(node.place, field, `is ${describeNode(node)}; expected ${ROUTE_WORDS}`)
}

const readVersion: Read<string> = (node, field, log) => {
  const text = node.kind === 'scalar' ? node.text : ''
  if (text.length <= MAX_SEMVER_LENGTH && SEMVER.test(text)) return text
  const bare = text.replace(/^v/i, '')
  const complete = [bare, `${bare}.0`, `${bare}.0.0`].find((candidate) => SEMVER.test(candidate))
  const hint =
    complete === undefined
      ? `three numbers, such as 1.5.0, and at most ${MAX_SEMVER_LENGTH} characters`
      : complete
  const message = `is ${describeNode(node)}, which is no semantic version; write ${hint}`
  return log.add(node.place, field, message)
}

const readCohorts: Read<ReleaseSpec['cohorts']> = (node, field, log) => {
  const map = readMap(node, field, ['by', 'key'], log)
  if (map === undefined) return undefined
  const by = map.optional('by', DIMENSIONS, readDimensions)
  const readKey = keyCohortOf(by ?? DIMENSIONS)
  const readKeys = listOf(readKey, 'cohorts such as { locale: de-DE, device: mobile }')
  const key = map.optional('key', [], readKeys)
  return by === undefined || key === undefined ? undefined : { by, key }
}

const readDimensions: Read<readonly CohortDimension[]> = (node, field, log) => {
  const dimensions = listOf(wordOf(DIMENSIONS), DIMENSIONS.join(' and '))(node, field, log)
  if (dimensions === undefined) return undefined
  if (new Set(dimensions).size === dimensions.length) return dimensions
  return log.add(node.place, field, 'names a dimension twice; keep one')
}

function keyCohortOf(by: readonly CohortDimension[]): Read<Cohort> {
  const seen = new Set<string>()
  return (node, field, log) => {
    const cohort = readKeyCohort(by, node, field, log)
    if (cohort === undefined) return undefined
    if (seen.has(cohortKey(cohort))) {
      return log.add(node.place, field, `names ${describeCohort(cohort)} twice; keep one`)
    }
    seen.add(cohortKey(cohort))
    return cohort
  }
}

function readKeyCohort(
  by: readonly CohortDimension[],
  node: SourceNode,
  field: string,
  log: ProblemLog,
): Cohort | undefined {
  const map = readMap(node, field, DIMENSIONS, log)
  if (map === undefined) return undefined
  const given = DIMENSIONS.filter((dimension) => map.has(dimension))
  if (given.length === 0) {
    return log.add(node.place, field, 'names nothing; write for example { locale: de-DE }')
  }
  const cohort: { -readonly [D in CohortDimension]?: string } = {}
  for (const dimension of given) {
    if (!by.includes(dimension)) {
      const named = by.length === 0 ? 'none' : by.join(', ')
      const message = `is no cohort dimension of this release; cohorts.by names ${named}`
      log.add(map.placeOf(dimension), pathOf(field, dimension), message)
      continue
    }
    const value = map.optional(dimension, undefined, COHORT_VALUE[dimension])
    if (value !== undefined) cohort[dimension] = value
  }
  return Object.keys(cohort).length === given.length ? cohort : undefined
}

const readLocale: Read<string> = (node, field, log) => {
  const locale = node.kind === 'scalar' ? canonicalLocale(node.text) : null
  if (locale !== null) return locale
  const message = `is ${describeNode(node)}, which is no locale; write a BCP 47 tag such as de-DE`
  return log.add(node.place, field, message)
}

const COHORT_VALUE: Readonly<Record<CohortDimension, Read<string>>> = {
  locale: readLocale,
  device: wordOf(DEVICES),
}

const readCoverage: Read<ReleaseSpec['coverage']> = (node, field, log) => {
  const map = readMap(node, field, ['peak_hours', 'min_requests_per_key_cohort'], log)
  if (map === undefined) return undefined
  if (map.has('peak_hours')) {
    const message = 'peak_hours is not supported in this version; remove it'
    log.add(map.placeOf('peak_hours'), pathOf(field, 'peak_hours'), message)
  }
  const minRequestsPerKeyCohort = map.optional(
    'min_requests_per_key_cohort',
    DEFAULT_COVERAGE.minRequestsPerKeyCohort,
    wholeNumberFrom(0, LARGEST_COUNT),
  )
  return minRequestsPerKeyCohort === undefined ? undefined : { minRequestsPerKeyCohort }
}

const readProbability = percentOf(
  (percent) => percent > 0 && percent <= 50,
  'above 0% and up to 50%',
)

const readRisk: Read<ReleaseSpec['risk']> = (node, field, log) => {
  const map = readMap(node, field, ['false_rollback', 'false_pass'], log)
  if (map === undefined) return undefined
  const falseRollback = map.optional('false_rollback', DEFAULT_RISK.falseRollback, readProbability)
  const falsePass = map.optional('false_pass', DEFAULT_RISK.falsePass, readProbability)
  return falseRollback === undefined || falsePass === undefined
    ? undefined
    : { falseRollback, falsePass }
}

const readBlocks: Read<ReleaseSpec['blocks']> = (node, field, log) => {
  const map = readMap(node, field, ['length', 'watermark', 'duplicate_lookback'], log)
  if (map === undefined) return undefined
  const read = (key: keyof typeof DURATION_RANGES.blocks, fallback: number) => {
    const [low, high] = DURATION_RANGES.blocks[key]
    return map.optional(key, fallback, durationFrom(low, high))
  }
  const lengthMs = read('length', DEFAULT_BLOCKS.lengthMs)
  const watermarkMs = read('watermark', DEFAULT_BLOCKS.watermarkMs)
  const duplicateLookbackMs = read('duplicate_lookback', DEFAULT_BLOCKS.duplicateLookbackMs)
  return lengthMs === undefined || watermarkMs === undefined || duplicateLookbackMs === undefined
    ? undefined
    : { lengthMs, watermarkMs, duplicateLookbackMs }
}

const readJudge: Read<boolean> = (node, field, log) => {
  const map: MapReader | undefined = readMap(node, field, ['include_synthetic'], log)
  return map?.optional('include_synthetic', judge.include_synthetic, readBoolean)
}
