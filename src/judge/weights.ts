import type { Guardrail } from '../domain/release.ts'
import type { Unit } from './cohort-units.ts'

/** Hypotheses that share one error probability. */
export type Family = 'critical' | 'signal' | 'dry_run'

/** Dry-run guardrails are families of their own, so that they change nothing for the others. */
export function familyOf(guardrail: Guardrail): Family {
  return guardrail.dryRun ? 'dry_run' : guardrail.severity
}

/** Whether guardrail × unit is a hypothesis. */
export function isTested(guardrail: Guardrail, unit: Unit): boolean {
  if (unit.hidden) return false
  if (guardrail.cohorts === 'overall') return unit.kind === 'overall'
  if (guardrail.cohorts === 'key') return unit.keyPosition >= 0
  return true
}

/** Part of the cohorts' weight that is kept for cohorts that appear after the weights are fixed. */
const RESERVE = 0.1

/** Weights of the hypotheses, Σ ≤ 1 within a family, fixed before the data they weigh (statistics §5). */
export interface Weights {
  /** ln of the weight within the guardrail's family; −Infinity for none. */
  logWeight(guardrail: number, unit: number): number
  /**
   * Gives the units that have no weight yet, and appeared in the same block, their part of the
   * reserve: the i-th such unit gets 2⁻ⁱ of it; units of the same block share their parts equally,
   * so that no weight depends on a name.
   */
  grant(units: readonly Unit[]): void
}

interface Member {
  readonly index: number
  readonly guardrail: Guardrail
}

/**
 * Fixes the weights, Σ w = 1 in each family (reserve included): half to "overall", by importance;
 * half to cohorts, of which nine tenths ∝ importance·√share over the hypotheses that have a share of
 * the baseline. A half for which the family has no hypothesis (every guardrail `overall`, or every
 * one `key`, or no cohort dimensions) goes to the other.
 */
export function fixWeights(guardrails: readonly Guardrail[], units: readonly Unit[]): Weights {
  const weights = guardrails.map(() => new Map<number, number>())
  const families = new Map<Family | number, Member[]>()
  for (const [index, guardrail] of guardrails.entries()) {
    // Each guardrail in dry run is judged as if it were the only one of its kind.
    const family = guardrail.dryRun ? index : familyOf(guardrail)
    const members = families.get(family) ?? []
    members.push({ index, guardrail })
    families.set(family, members)
  }
  const give = (member: Member, unit: Unit, weight: number) => {
    if (weight > 0) weights[member.index]?.set(unit.index, weight)
  }
  const grants = [...families.values()].map((members) => {
    const reserve = fixFamily(members, units, give)
    return { members, reserve, next: 1 }
  })

  return {
    logWeight(guardrail, unit) {
      const weight = weights[guardrail]?.get(unit)
      return weight === undefined ? Number.NEGATIVE_INFINITY : Math.log(weight)
    },
    grant(appeared) {
      if (appeared.length === 0) return
      for (const family of grants) {
        const lacking = appeared.filter(
          (unit) =>
            unit.kind !== 'overall' &&
            family.members.some(
              ({ guardrail, index }) =>
                isTested(guardrail, unit) && weights[index]?.has(unit.index) !== true,
            ),
        )
        if (lacking.length === 0) continue
        const part = 2 ** (1 - family.next) - 2 ** (1 - family.next - lacking.length)
        family.next += lacking.length
        for (const unit of lacking) {
          const testing = family.members.filter(({ guardrail }) => isTested(guardrail, unit))
          const total = testing.reduce((sum, { guardrail }) => sum + guardrail.importance, 0)
          for (const member of testing) {
            const split = member.guardrail.importance / total
            give(member, unit, (family.reserve * part * split) / lacking.length)
          }
        }
      }
    },
  }
}

/** Returns the family's reserve for later cohorts. */
function fixFamily(
  members: readonly Member[],
  units: readonly Unit[],
  give: (member: Member, unit: Unit, weight: number) => void,
): number {
  const overall = units.filter(({ kind }) => kind === 'overall')
  const cohorts = units.filter(({ kind, hidden }) => kind !== 'overall' && !hidden)
  const onOverall = members.filter(({ guardrail }) => guardrail.cohorts !== 'key')
  const onCohorts = members.filter(({ guardrail }) => guardrail.cohorts !== 'overall')
  const hasCohorts = onCohorts.some(({ guardrail }) =>
    cohorts.some((unit) => isTested(guardrail, unit)),
  )
  const overallPart = onOverall.length === 0 ? 0 : hasCohorts ? 0.5 : 1
  const importance = onOverall.reduce((sum, { guardrail }) => sum + guardrail.importance, 0)
  for (const unit of overall) {
    for (const member of onOverall) {
      give(member, unit, (overallPart * member.guardrail.importance) / importance)
    }
  }
  const scores: { member: Member; unit: Unit; score: number }[] = []
  for (const member of onCohorts) {
    for (const unit of cohorts) {
      if (!isTested(member.guardrail, unit) || unit.share <= 0) continue
      scores.push({ member, unit, score: member.guardrail.importance * Math.sqrt(unit.share) })
    }
  }
  const cohortPart = hasCohorts ? 1 - overallPart : 0
  const total = scores.reduce((sum, { score }) => sum + score, 0)
  if (total === 0) return cohortPart
  for (const { member, unit, score } of scores) {
    give(member, unit, ((1 - RESERVE) * cohortPart * score) / total)
  }
  return RESERVE * cohortPart
}
