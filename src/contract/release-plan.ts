import type { PlanStep } from '../domain/release.ts'
import { DURATION_RANGES, LARGEST_COUNT, RELEASE_DEFAULTS } from './release-defaults.ts'
import { durationFrom, durationOf } from './release-units.ts'
import { listOf, type ProblemLog, type Read, readMap, wholeNumberFrom } from './source-reader.ts'
import type { Place, SourceNode } from './yaml-source.ts'

export const LARGEST_TOTAL_WEIGHT = 1_000_000

export const STEP_KEYS = ['weight', 'min_duration', 'min_requests']
/** Known words of later versions: named in the error, not in the schema. */
const LATER_KEYS = ['shadow', 'target_rps']

/** A weight with its place: it can be judged only beside the other steps. */
interface WrittenWeight {
  readonly weight: number
  readonly place: Place
  readonly field: string
}

/** The steps of a plan; weights are compared with `totalWeight` when that is known. */
export function planOf(totalWeight: number | undefined): Read<PlanStep[]> {
  return (node, field, log) => {
    const weights: WrittenWeight[] = []
    const readOne: Read<PlanStep> = (item, path) => readStep(item, path, weights, log)
    const readAll = listOf(readOne, 'steps such as { weight: 5, min_duration: 10m }', 1)
    const plan = readAll(node, field, log)
    checkWeights(weights, totalWeight, log)
    return plan
  }
}

function readStep(
  node: SourceNode,
  field: string,
  weights: WrittenWeight[],
  log: ProblemLog,
): PlanStep | undefined {
  const map = readMap(node, field, [...STEP_KEYS, ...LATER_KEYS], log)
  if (map === undefined) return undefined
  const shadow = map.has('shadow')
  for (const key of LATER_KEYS) {
    if (!map.has(key)) continue
    const instead = key === 'shadow' ? 'begin with a step that has a weight' : 'remove it'
    const message = `${key} is not supported in this version; ${instead}`
    log.add(map.placeOf(key), `${field}.${key}`, message)
  }
  const minDurationMs = map.optional(
    'min_duration',
    durationOf(RELEASE_DEFAULTS.step.min_duration),
    durationFrom(...DURATION_RANGES.step.min_duration),
  )
  const minRequests = map.optional(
    'min_requests',
    RELEASE_DEFAULTS.step.min_requests,
    wholeNumberFrom(0, LARGEST_COUNT),
  )
  const readWeight = wholeNumberFrom(1, LARGEST_TOTAL_WEIGHT, ', in parts of total_weight')
  const weight = shadow
    ? map.optional('weight', undefined, readWeight)
    : map.required('weight', readWeight, '5')
  if (weight === undefined) return undefined
  weights.push({ weight, place: map.placeOf('weight'), field: `${field}.weight` })
  if (minDurationMs === undefined || minRequests === undefined) return undefined
  return { weight, minDurationMs, minRequests }
}

/** Weights grow from step to step and stay below the total: after the last step comes promotion. */
function checkWeights(
  weights: readonly WrittenWeight[],
  totalWeight: number | undefined,
  log: ProblemLog,
): void {
  let before = 0
  for (const { weight, place, field } of weights) {
    if (totalWeight !== undefined && weight >= totalWeight) {
      const message = `is ${weight}, not below total_weight (${totalWeight}); after the last step comes promotion, so leave this step out`
      log.add(place, field, message)
    } else if (weight <= before) {
      const message = `is ${weight}, not above the step before (${before}); weights grow from step to step`
      log.add(place, field, message)
    }
    before = Math.max(before, weight)
  }
}
