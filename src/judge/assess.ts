import type { CohortRef } from '../domain/cohort.ts'
import type { Guardrail, ReleaseSpec } from '../domain/release.ts'
import type { Assessment, EvidenceRow, TrafficReading, Verdict } from '../domain/verdict.ts'
import type { CohortUnits, Unit } from './cohort-units.ts'
import type { GuardrailTest, Reading } from './guardrail-test.ts'
import type { JudgeMode } from './judge-mode.ts'
import { boundedLog } from './log-space.ts'
import { discoveries, leadingEvidence, logWeightedAverage } from './merging.ts'
import type { Traffic } from './traffic.ts'
import type { Weights } from './weights.ts'
import { familyOf, isTested } from './weights.ts'

const STALE_BLOCKS = 3

/** What a judge has folded, as far as verdicts are read from it. */
export interface AssessContext {
  readonly spec: ReleaseSpec
  readonly units: CohortUnits
  readonly tests: readonly GuardrailTest[]
  /** Null until the release has started. */
  readonly weights: Weights | null
  readonly weightsFrom: number | null
  readonly traffic: Traffic
  readonly rules: { readonly fewestBlocks: number }
  /** By index of the guardrail. */
  designEffectOf(guardrail: number): number
  readonly mode: JudgeMode
  readonly checks: TrafficReading
}

/** A hypothesis as read now. `logWeight` is that within its family. */
interface Read {
  readonly guardrail: Guardrail
  readonly unit: Unit
  readonly reading: Reading
  readonly logWeight: number
  readonly logE: number
}

/** Everything the judge says at the end of the last folded block. */
export function assess(context: AssessContext): Assessment {
  const { spec, units, traffic, weights } = context
  const reads = readAll(context)
  // −Infinity as weight keeps what may not decide out of the average and out of the lead.
  const critical = reads.map(({ guardrail, logWeight, logE }) => ({
    logWeight: familyOf(guardrail) === 'critical' ? logWeight : Number.NEGATIVE_INFINITY,
    logE,
  }))
  const total = logWeightedAverage(critical)
  const leading = leadingEvidence(critical)
  const rollback = total >= Math.log(1 / spec.risk.falseRollback)
  const rows = reads.map((read, index) => rowOf(read, context, rollback && index === leading))
  const required = rows.filter((row) => row.required)
  const breached = rows.some((row) => !row.dryRun && row.verdict === 'breached')
  const canaryRequests = traffic.of(units.overall).stepRequests
  const started = weights !== null
  const { split, late, labels, sampledApart, sessionsSeen } = context.checks
  return {
    split,
    late,
    labels,
    sampledApart,
    sessionsSeen,
    started,
    weightsFrom: context.weightsFrom,
    rollback,
    logEvidence: total === Number.NEGATIVE_INFINITY ? 0 : boundedLog(total),
    rows,
    leading,
    discovered: rollback ? discoveredIn(reads, spec.risk.falseRollback) : [],
    passed:
      started &&
      canaryRequests > 0 &&
      !breached &&
      required.every((row) => row.verdict === 'within_limit'),
    coverage: coverageOf(units, traffic),
    uncovered: uncoveredOf(context),
    canaryRequests,
    newestCanaryEndMs: traffic.newestCanaryEndMs,
    newestCanaryEndInStepMs: traffic.newestCanaryEndInStepMs,
    newestStableEndMs: traffic.newestStableEndMs,
    lateShare: traffic.events === 0 ? 0 : Math.min(1, traffic.late / traffic.events),
  }
}

function readAll({ spec, units, tests, weights, rules, designEffectOf }: AssessContext): Read[] {
  const ordered = [...units.units].sort(compareUnits)
  const reads: Read[] = []
  for (const [index, guardrail] of spec.guardrails.entries()) {
    const designEffect = designEffectOf(index)
    for (const unit of ordered) {
      if (!isTested(guardrail, unit)) continue
      const reading = (tests[index] as GuardrailTest).read(unit, designEffect)
      const enough = reading.blocks >= rules.fewestBlocks
      const logWeight = weights?.logWeight(index, unit.index) ?? Number.NEGATIVE_INFINITY
      const logE = enough ? reading.logEBreach : Number.NEGATIVE_INFINITY
      reads.push({ guardrail, unit, reading, logWeight, logE })
    }
  }
  return reads
}

/** Indices of critical hypotheses by e-BH; each counts alike, whatever its weight. */
function discoveredIn(reads: readonly Read[], alpha: number): number[] {
  const critical = reads
    .map(({ guardrail, logE }, index) => ({ guardrail, logE, index }))
    .filter(({ guardrail }) => familyOf(guardrail) === 'critical')
  const found = discoveries(
    critical.map(({ logE }) => logE),
    alpha,
  )
  return found.map((position) => (critical[position] as (typeof critical)[number]).index)
}

/** Overall, key cohorts as the release file lists them, then the others by locale and device. */
function compareUnits(a: Unit, b: Unit): number {
  const [nameA, nameB] = [nameOf(a.ref), nameOf(b.ref)]
  return placeOf(a) - placeOf(b) || (nameA < nameB ? -1 : 1)
}

function placeOf({ kind, keyPosition }: Unit): number {
  if (kind === 'overall') return -1
  return keyPosition >= 0 ? keyPosition : Number.MAX_SAFE_INTEGER
}

function nameOf(ref: CohortRef): string {
  return typeof ref === 'string' ? ref : `${ref.locale ?? ''}\n${ref.device ?? ''}`
}

function rowOf(read: Read, context: AssessContext, leadsRollback: boolean): EvidenceRow {
  const { guardrail, unit, reading, logWeight, logE } = read
  const { spec } = context
  const breached = leadsRollback || logWeight + logE >= Math.log(1 / spec.risk.falseRollback)
  const verdict = breached ? 'breached' : verdictOf(reading, unit, context)
  const weight = guardrail.dryRun ? 0 : Math.exp(logWeight)
  return {
    metric: guardrail.metric.name,
    limit: guardrail.written,
    cohort: unit.ref,
    stable: reading.stable,
    canary: reading.canary,
    difference: reading.difference,
    ciLow: reading.ciLow,
    ciHigh: reading.ciHigh,
    threshold: guardrail.limit.value,
    logEBreach: reading.logEBreach,
    logEPass: reading.logEPass,
    weight,
    verdict,
    method: reading.method,
    severity: guardrail.severity,
    dryRun: guardrail.dryRun,
    required: !guardrail.dryRun && (unit.kind === 'overall' || unit.keyPosition >= 0),
    needs: context.mode.needs ? needsOf(reading, unit, verdict, context) : null,
    contribution: contributionOf(unit, reading),
  }
}

function contributionOf(unit: Unit, { shift }: Reading): number | null {
  if (unit.kind === 'overall' || shift === null) return null
  return unit.share === 0 ? 0 : unit.share * shift
}

/** A cohort with canary requests, the newest of which are much older than the newest closed block. */
function isSilent(unit: Unit, { spec, traffic }: AssessContext): boolean {
  if (unit.kind === 'overall') return false
  const silenceMs = (traffic.newestClosedEndMs as number) - (traffic.of(unit).newestEndMs as number)
  return silenceMs > spec.blocks.watermarkMs + STALE_BLOCKS * spec.blocks.lengthMs
}

/** What can be said of a comparison that is not breached. */
function verdictOf(reading: Reading, unit: Unit, context: AssessContext): Verdict {
  if (reading.canary.n === 0 || isSilent(unit, context)) return 'no_data'
  // A version whose only counterpart sends nothing is not seen as it will be used.
  if (context.mode.manyBlocks && reading.stable.n === 0) return 'no_data'
  if (blocksLack(unit, context) > 1) return 'collecting'
  if (reading.logEPass >= Math.log(1 / context.spec.risk.falsePass)) return 'within_limit'
  return reading.collecting ? 'collecting' : 'undecided'
}

/** How many times the step's blocks with canary requests it takes to have enough of them for a pass. */
function blocksLack(unit: Unit, { rules, traffic }: AssessContext): number {
  return rules.fewestBlocks / Math.max(1, traffic.of(unit).stepBlocks)
}

function needsOf(
  reading: Reading,
  unit: Unit,
  verdict: Verdict,
  context: AssessContext,
): EvidenceRow['needs'] {
  const { spec, traffic } = context
  if (verdict === 'within_limit') return { requests: 0, seconds: 0 }
  const { stepRequests, blocksBefore } = traffic.of(unit)
  if (verdict === 'breached' || stepRequests === 0) return null
  const evidence = reading.growthToPass(Math.log(1 / spec.risk.falsePass))
  if (evidence === null) return null
  const growth = Math.max(evidence, blocksLack(unit, context))
  // At the rate since the unit's first request: a cohort may come hours after its step began.
  const seconds = ((traffic.stepBlocks - blocksBefore) * spec.blocks.lengthMs) / 1000
  return {
    requests: Math.ceil((growth - 1) * stepRequests),
    seconds: Math.ceil((growth - 1) * seconds),
  }
}

function coverageOf({ units, cells }: CohortUnits, traffic: Traffic): number {
  let covered = 0
  for (const cell of cells) {
    const unit = units[cell.unit]
    if (unit !== undefined && traffic.of(unit).stepRequests > 0) covered += cell.share
  }
  return Math.min(1, covered)
}

function uncoveredOf({ spec, units, traffic }: AssessContext): CohortRef[] {
  const fewest = Math.max(1, spec.coverage.minRequestsPerKeyCohort)
  return units.units
    .filter((unit) => unit.keyPosition >= 0 && traffic.of(unit).stepRequests < fewest)
    .sort(compareUnits)
    .map(({ ref }) => ref)
}
