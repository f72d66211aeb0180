import { describeCohort } from '../domain/cohort.ts'
import type { Reason } from '../domain/decision.ts'
import type { ReleaseSpec } from '../domain/release.ts'
import type { Assessment, EvidenceRow } from '../domain/verdict.ts'

const DISCOVERED_NAMED = 8

/** A share as people read it, three significant digits. */
export function percent(share: number): string {
  return `${Number((share * 100).toPrecision(3))} %`
}

/** Comparisons found worse (e-BH) that have no reason of their own. */
export function describeDiscovered(
  spec: ReleaseSpec,
  { rows, discovered }: Assessment,
  told: readonly EvidenceRow[],
): string {
  const found = discovered
    .map((index) => rows[index] as EvidenceRow)
    .filter((row) => !told.includes(row))
    .map(({ metric, limit, cohort }) => `${metric} (${limit}) for ${describeCohort(cohort)}`)
  if (found.length === 0) return ''
  const named = found.slice(0, DISCOVERED_NAMED).join(', ')
  const more = found.length > DISCOVERED_NAMED ? ` and ${found.length - DISCOVERED_NAMED} more` : ''
  const rate = percent(spec.risk.falseRollback)
  return `; also worse, with at most ${rate} false among all that are found: ${named}${more}`
}

/** Where no history gave the cohorts their weights, the reason that rests on them says so. */
export function sayWeights(
  spec: ReleaseSpec,
  { weightsFrom }: Assessment,
  reasons: readonly Reason[],
): Reason[] {
  if (weightsFrom === null || spec.cohorts.by.length === 0) return [...reasons]
  const resting = reasons.findIndex(({ code }) => restsOnWeights(code))
  const note = ` (the weights of the cohorts are from the first ${weightsFrom} requests to ${spec.stable}, for too few came before the release)`
  return reasons.map((reason, index) =>
    index === Math.max(0, resting) ? { ...reason, message: reason.message + note } : reason,
  )
}

function restsOnWeights(code: string): boolean {
  return (
    code.endsWith('_breached') ||
    code === 'collecting' ||
    code === 'undecided' ||
    code === 'all_guardrails_passed'
  )
}
