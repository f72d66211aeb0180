import { expect } from 'vitest'
import { decisionSchema, type WireDecision } from '../../../src/contract/decision.ts'
import type { WireEvidence } from '../../../src/contract/evidence.ts'
import type { ReleaseSpec } from '../../../src/domain/release.ts'

const TERMINAL = ['promoted', 'rolled_back', 'aborted']
const CODES = [
  ...['all_guardrails_passed', 'undecided', 'collecting', 'no_traffic', 'stale_data'],
  ...['min_duration', 'min_requests', 'coverage_missing', 'late_events', 'max_duration'],
  ...['cohort_parity_broken', 'label_rate_differs', 'sample_rate_differs'],
  ...['sample_ratio_mismatch', 'router_not_applied', 'manual', 'release_started'],
]

/** The decisions on stdout, each checked alone, as the successor of the one before, and as the last. */
export function readDecisions(stdout: string, spec: ReleaseSpec): WireDecision[] {
  expect(stdout === '' || stdout.endsWith('\n')).toBe(true)
  const lines = stdout.split('\n').slice(0, -1)
  const decisions = lines.map((line) => decisionSchema.strict().parse(JSON.parse(line)))
  for (const [index, decision] of decisions.entries()) {
    try {
      checkAlone(decision, spec)
      checkEvidence(decision, spec)
      const before = decisions[index - 1]
      if (before === undefined) checkFirst(decision, spec)
      else checkSuccessor(before, decision, spec)
    } catch (error) {
      throw new Error(`decision ${index + 1}: ${lines[index]}`, { cause: error })
    }
  }
  return decisions
}

function timeOf(text: string): number {
  expect(text).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/)
  return Date.parse(text)
}

export function canaryWeight(traffic: WireDecision['traffic']): number {
  return traffic.find(({ role }) => role === 'canary')?.weight ?? Number.NaN
}

function codesOf({ reasons }: WireDecision): string {
  return [...new Set(reasons.map(({ code }) => code))].sort().join()
}

function checkAlone(decision: WireDecision, spec: ReleaseSpec): void {
  const { window, traffic, step, reasons, counts } = decision
  expect(decision).toMatchObject({
    decision_id: `${decision.release_id}#${decision.generation}`,
    route: spec.route,
    release_id: `${spec.route}/${spec.canary}`,
    model_name: spec.modelName,
    environment: spec.environment,
    stable_version: spec.stable,
    canary_version: spec.canary,
    total_weight: spec.totalWeight,
    mode: spec.mode,
    policy: spec.policy,
  })
  const endMs = timeOf(window.end)
  expect(endMs % spec.blocks.lengthMs === 0 || decision.generation === 1).toBe(true)
  expect(timeOf(window.start)).toBeLessThanOrEqual(endMs)
  expect(timeOf(window.watermark)).toBe(endMs + spec.blocks.watermarkMs)
  expect(decision.decided_at).toBe(window.watermark)
  const terminal = TERMINAL.includes(decision.phase)
  const expiresAt = timeOf(decision.decided_at) + 3 * spec.heartbeatMs
  expect(decision.expires_at).toBe(terminal ? null : new Date(expiresAt).toISOString())
  for (const shares of [traffic, decision.previous_traffic]) {
    expect(shares.map(({ version, role }) => [version, role])).toEqual([
      [spec.stable, 'stable'],
      [spec.canary, 'canary'],
    ])
    expect(shares.reduce((sum, { weight }) => sum + weight, 0)).toBe(spec.totalWeight)
  }
  const weight = canaryWeight(traffic)
  const before = canaryWeight(decision.previous_traffic)
  if (decision.action === 'hold' && decision.generation > 1) {
    expect(traffic).toEqual(decision.previous_traffic)
  }
  if (decision.action === 'increase') expect(weight).toBeGreaterThan(before)
  if (decision.action === 'rollback') expect(weight).toBe(0)
  expect(decision.action === 'rollback').toBe(['rolled_back', 'aborted'].includes(decision.phase))
  expect(step.count).toBe(spec.plan.length)
  expect(step.index === step.count).toBe(decision.phase === 'promoted')
  if (decision.phase === 'promoted') expect(weight).toBe(spec.totalWeight)
  else expect(step.weight).toBe(spec.plan[step.index]?.weight)
  if (decision.action !== 'rollback') expect(weight).toBe(step.weight)
  expect(reasons.length).toBeGreaterThan(0)
  for (const { code, message } of reasons) {
    expect(code.endsWith('_breached') || CODES.includes(code)).toBe(true)
    expect(message).toMatch(/\S/)
    expect(message).not.toMatch(/NaN|undefined|null|Infinity/)
  }
  expect(counts.duplicates + counts.late).toBeLessThanOrEqual(counts.events)
}

/** Guardrails as in the file; within each overall, the key cohorts, the others by name; all once. */
function checkEvidence({ evidence, counts, reasons }: WireDecision, spec: ReleaseSpec): void {
  const order = (row: WireEvidence): string => {
    const guardrail = spec.guardrails.findIndex(
      ({ metric, written }) => metric.name === row.metric && written === row.limit,
    )
    const { cohort } = row
    const key =
      cohort === 'overall'
        ? -1
        : spec.cohorts.key.findIndex(
            (one) => one.locale === cohort.locale && one.device === cohort.device,
          )
    const rank = cohort === 'overall' ? 0 : key >= 0 ? 1 + key : 800
    const name = cohort === 'overall' ? '' : `${cohort.locale ?? ''} ${cohort.device ?? ''}`
    return `${String(100 + guardrail)} ${String(100 + rank)} ${name}`
  }
  const places = evidence.map(order)
  expect(places).toEqual([...new Set(places)].sort())
  if (evidence.length > 0) {
    const overall = evidence.filter(({ cohort }) => cohort === 'overall')
    expect(overall.map(({ limit }) => limit)).toEqual(spec.guardrails.map(({ written }) => written))
  }
  for (const row of evidence) {
    if (row.ci_low !== null && row.ci_high !== null) {
      expect(row.ci_low).toBeLessThanOrEqual(row.ci_high)
    }
    expect(row.stable.n + row.canary.n).toBeLessThanOrEqual(counts.events)
    expect(row.weight).toBeGreaterThanOrEqual(0)
  }
  expect(evidence.reduce((sum, { weight }) => sum + weight, 0)).toBeLessThanOrEqual(1 + 1e-9)
  const breached = reasons.filter(({ code }) => code.endsWith('_breached'))
  for (const { metric, cohort, code } of breached) {
    expect(code).toBe(`${metric}_breached`)
    const rows = evidence.filter(
      (row) => row.metric === metric && JSON.stringify(row.cohort) === JSON.stringify(cohort),
    )
    expect(rows.map(({ verdict }) => verdict)).toContain('breached')
  }
}

function checkFirst(decision: WireDecision, spec: ReleaseSpec): void {
  expect(decision).toMatchObject({ generation: 1, action: 'hold', phase: 'ramping', evidence: [] })
  expect(decision.reasons.map(({ code }) => code)).toEqual(['release_started'])
  expect(decision.counts).toEqual({ events: 0, duplicates: 0, late: 0 })
  expect(canaryWeight(decision.previous_traffic)).toBe(0)
  expect(canaryWeight(decision.traffic)).toBe(spec.plan[0]?.weight)
  expect(decision.step.index).toBe(0)
}

function checkSuccessor(before: WireDecision, decision: WireDecision, spec: ReleaseSpec): void {
  expect(TERMINAL).not.toContain(before.phase)
  expect(decision.generation).toBe(before.generation + 1)
  expect(decision.previous_traffic).toEqual(before.traffic)
  for (const name of ['events', 'duplicates', 'late'] as const) {
    expect(decision.counts[name]).toBeGreaterThanOrEqual(before.counts[name])
  }
  expect(decision.step.index).toBeGreaterThanOrEqual(before.step.index)
  const sinceMs = timeOf(decision.window.end) - timeOf(before.window.end)
  const { lengthMs } = spec.blocks
  const manual = codesOf(decision) === 'manual' && decision.decided_by !== 'analyzer'
  expect(sinceMs).toBeGreaterThanOrEqual(manual ? 0 : lengthMs)
  // A quiet worker is told from a dead one, and does not chatter.
  expect(sinceMs).toBeLessThan(spec.heartbeatMs + spec.blocks.watermarkMs + 2 * lengthMs)
  const says = ({ action, phase, traffic }: WireDecision) => [action, phase, traffic]
  const changed =
    JSON.stringify(says(before)) !== JSON.stringify(says(decision)) ||
    codesOf(before) !== codesOf(decision)
  expect(changed || sinceMs >= spec.heartbeatMs).toBe(true)
}
