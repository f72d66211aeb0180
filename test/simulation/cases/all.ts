import type { SimulationCase } from '../case.ts'
import { COHORT_CASES } from './cohorts.ts'
import { DETECTION_CASES } from './detection.ts'
import { DRIFT_CASES, SHOCK_CASES } from './drift.ts'
import { LATE_CASES } from './late.ts'
import { MANY_COHORT_CASES } from './many-cohorts.ts'
import { MIX_CASES } from './mix.ts'
import { NULL_CASES } from './nulls.ts'
import { PASS_CASES } from './passes.ts'
import { RELEASE_CASES } from './releases.ts'
import { ROUTING_CASES } from './routing.ts'
import { CLUSTER_CASES, LABEL_CASES } from './users-and-labels.ts'

/** Every case, in the order of the report. */
export const ALL_CASES: readonly SimulationCase[] = [
  ...NULL_CASES,
  ...PASS_CASES,
  ...DETECTION_CASES,
  ...MIX_CASES,
  ...DRIFT_CASES,
  ...SHOCK_CASES,
  ...CLUSTER_CASES,
  ...LABEL_CASES,
  ...LATE_CASES,
  ...COHORT_CASES,
  ...ROUTING_CASES,
  ...MANY_COHORT_CASES,
  ...RELEASE_CASES,
]
