import type { SimulationCase } from '../case.ts'
import { DETECTION_CASES } from './detection.ts'
import { MANY_COHORT_CASES } from './many-cohorts.ts'
import { NULL_CASES, PASS_CASES } from './nulls.ts'
import { RELEASE_CASES } from './releases.ts'
import { SCENARIO_CASES } from './scenarios.ts'

/** Every case, in the order of the report. */
export const ALL_CASES: readonly SimulationCase[] = [
  ...NULL_CASES,
  ...PASS_CASES,
  ...DETECTION_CASES,
  ...SCENARIO_CASES,
  ...MANY_COHORT_CASES,
  ...RELEASE_CASES,
]
