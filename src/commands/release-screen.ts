import type { WireDecision } from '../contract/decision.ts'
import type { WireEvidence } from '../contract/evidence.ts'
import type { WireReleaseView, WireVerdict } from '../contract/release-view-schema.ts'
import {
  formatCohort,
  formatCount,
  formatDifference,
  formatInterval,
  formatNeeds,
  formatValue,
} from './figures.ts'
import { renderTable, type Terminal } from './terminal.ts'

type Color = Terminal['color']

const VERDICT_WORDS: Record<WireEvidence['verdict'], string> = {
  within_limit: 'within limit',
  breached: 'BREACHED',
  undecided: 'undecided',
  collecting: 'collecting',
  no_data: 'no data',
}

/** One release on one screen: where it stands, why, and every comparison that matters. */
export function renderRelease(view: WireReleaseView, color: Color): string[] {
  return [
    ...renderHead(view, color),
    '',
    ...renderReasons(view.decision, color),
    '',
    ...renderEvidence(shownRows(view), color),
  ]
}

function renderHead(view: WireReleaseView, color: Color): string[] {
  const { step, decision } = view
  const where =
    step === null ? '' : ` · step ${Math.min(step.index + 1, step.count)} of ${step.count}`
  const lines = [
    `${color.bold(view.release_id)}   ${phaseColor(view.phase, color)}${where} · generation ${view.generation}`,
    `  traffic   ${renderTraffic(view.traffic, decision?.total_weight ?? view.spec.total_weight)}${renderAcks(view)}`,
  ]
  if (decision !== null) {
    const counts = `${formatCount(decision.counts.events)} events, ${formatCount(decision.counts.duplicates)} duplicates, ${formatCount(decision.counts.late)} late`
    lines.push(`  judged    up to ${view.window_end ?? decision.window.end}; ${counts}`)
  }
  if (view.canary_requests !== null) {
    lines.push(`  step      ${formatCount(view.canary_requests)} canary requests so far`)
  }
  if (view.sessions_seen === false && (view.canary_requests ?? 0) > 0) {
    lines.push(
      '  sessions  none named (session_id): requests are taken as independent, design effect 1',
    )
  }
  return lines
}

export function renderTraffic(traffic: WireDecision['traffic'], totalWeight: number): string {
  if (traffic.length === 0) return 'no decision yet'
  const parts = traffic.map((share) => `${share.version} ${share.weight}`)
  return `${parts.join(' · ')} (of ${totalWeight})`
}

export function renderReasons(decision: WireDecision | null, color: Color): string[] {
  if (decision === null) return ['pending: the first decision is not made yet']
  return [
    `newest decision: ${actionColor(decision.action, color)} at ${decision.decided_at}`,
    ...renderReasonLines(decision.reasons, color),
  ]
}

export function renderReasonLines(reasons: WireDecision['reasons'], color: Color): string[] {
  return reasons.map((reason) => `  ${color.bold(reason.code)}: ${reason.message}`)
}

/** Required rows, breached ones and those of the newest decision. */
export function shownRows(view: WireReleaseView): WireEvidence[] {
  const named = new Set((view.decision?.evidence ?? []).map(rowKey))
  return view.evidence.filter(
    (row) => row.required || row.verdict === 'breached' || named.has(rowKey(row)),
  )
}

export function renderEvidence(rows: readonly WireEvidence[], color: Color): string[] {
  if (rows.length === 0) return ['no evidence yet']
  const columns = [
    { title: 'guardrail' },
    { title: 'limit' },
    { title: 'cohort' },
    { title: 'stable', align: 'right' },
    { title: 'canary', align: 'right' },
    { title: 'n', align: 'right' },
    { title: 'difference', align: 'right' },
    { title: '95 % interval' },
    { title: 'verdict' },
    { title: 'still needed' },
  ] as const
  return renderTable(
    columns,
    rows.map((row) => [
      describeGuardrail(row),
      row.limit,
      formatCohort(row.cohort),
      formatValue(row.metric, row.stable.value),
      formatValue(row.metric, row.canary.value),
      row.method === 'point' && row.canary.n === 0 ? '–' : formatCount(row.canary.n),
      formatDifference(row, row.difference),
      row.method === 'point' ? 'not known' : formatInterval(row),
      verdictColor(row.verdict, color),
      formatNeeds(row),
    ]),
  )
}

/** Its metric, and why a breach of it would not roll back. */
function describeGuardrail({ metric, dry_run, severity }: WireEvidence): string {
  if (dry_run) return `${metric} (dry run)`
  return severity === 'signal' ? `${metric} (signal)` : metric
}

/** The verdict on a release and why. */
export function renderVerdict(verdict: WireVerdict, color: Color): string[] {
  const { action, phase, release_id, generation, decided_at } = verdict
  const decided = decided_at === null ? 'no decision yet' : `#${generation} at ${decided_at}`
  return [
    `${color.bold(actionColor(action, color))}: ${release_id} is ${phaseColor(phase, color)} (${decided})`,
    ...renderReasonLines(verdict.reasons, color),
  ]
}

/** One line for a decision, for lists and for watching. */
export function renderDecisionLine(decision: WireDecision, color: Color): string {
  const traffic = renderTraffic(decision.traffic, decision.total_weight)
  const reasons = decision.reasons.map((reason) => reason.message).join('; ')
  return `${decision.decided_at}  #${decision.generation} ${actionColor(decision.action, color)}  ${decision.phase}  ${traffic}  ${reasons}`
}

function verdictColor(verdict: WireEvidence['verdict'], color: Color): string {
  const word = VERDICT_WORDS[verdict]
  if (verdict === 'breached') return color.red(word)
  if (verdict === 'within_limit') return color.green(word)
  return color.dim(word)
}

function renderAcks(view: WireReleaseView): string {
  if (view.acks.length === 0) return ''
  const acks = view.acks.map((ack) => `${ack.router_id} applied #${ack.applied_generation}`)
  return `   ${acks.join(', ')}`
}

function phaseColor(phase: string, color: Color): string {
  if (phase === 'promoted') return color.green(phase)
  return phase === 'rolled_back' || phase === 'aborted' ? color.red(phase) : color.yellow(phase)
}

export function actionColor(action: WireDecision['action'], color: Color): string {
  if (action === 'increase') return color.green(action)
  return action === 'rollback' ? color.red(action) : color.yellow(action)
}

function rowKey(row: WireEvidence): string {
  return `${row.metric}|${row.limit}|${formatCohort(row.cohort)}`
}
