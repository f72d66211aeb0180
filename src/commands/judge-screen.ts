import type { WireDecision } from '../contract/decision.ts'
import type { MetricsFile } from '../contract/metrics-file.ts'
import { describeDuration } from '../domain/time.ts'
import { requestsOf } from '../pipeline/judge-metrics.ts'
import { formatCount } from './figures.ts'
import { actionColor, renderEvidence, renderReasonLines } from './release-screen.ts'
import type { Terminal } from './terminal.ts'

type Color = Terminal['color']

/** One window on one screen: the verdict, what it is about, why, and every comparison. */
export function renderJudgement(decision: WireDecision, file: MetricsFile, color: Color): string[] {
  return [
    `${color.bold(actionColor(decision.action, color))}: ${meaningOf(decision)}`,
    `  release   ${decision.release_id}, beside ${decision.stable_version}`,
    `  window    ${decision.window.start} … ${decision.window.end} (${describeDuration(file.window.endMs - file.window.startMs)})`,
    `  requests  ${requestsLine(decision, file)}`,
    `  step      ${stepLine(decision, requestsOf(file.canary) + requestsOf(file.stable) > 0)}`,
    '',
    ...renderReasonLines(decision.reasons, color),
    '',
    ...renderEvidence(decision.evidence, color),
    ...renderWindowLimits(decision.evidence, color),
  ]
}

/** What a comparison over one window cannot know. */
function renderWindowLimits(rows: WireDecision['evidence'], color: Color): string[] {
  if (!rows.some(({ method }) => method === 'single_window')) return []
  const text =
    'max_increase and max_drop compare the window as a whole: what changed within it, a ramp or the time of day, cannot be told from the canary.'
  return ['', color.dim(text)]
}

/** What to do with the traffic now. */
function meaningOf(decision: WireDecision): string {
  const weight = canaryWeight(decision.traffic)
  const now = canaryWeight(decision.previous_traffic)
  const dryRun = decision.mode === 'dry_run' ? ' (dry run)' : ''
  switch (decision.action) {
    case 'increase':
      return weight === decision.total_weight
        ? `${decision.canary_version} may take all traffic${dryRun}`
        : `${decision.canary_version} may go from ${now} to ${weight} of ${decision.total_weight}${dryRun}`
    case 'hold':
      return `${decision.canary_version} stays at ${now} of ${decision.total_weight}${dryRun}`
    case 'rollback':
      return `all traffic back to ${decision.stable_version}${dryRun}`
  }
}

function requestsLine(decision: WireDecision, file: MetricsFile): string {
  const stable = requestsOf(file.stable)
  const canary = requestsOf(file.canary)
  if (stable + canary === 0) return 'the file does not say how many'
  const share = Number(((100 * canary) / (stable + canary)).toPrecision(3))
  return `${formatCount(stable)} to ${decision.stable_version}, ${formatCount(canary)} to ${decision.canary_version} (${share} %)`
}

function stepLine(
  { step, previous_traffic, total_weight, action }: WireDecision,
  known: boolean,
): string {
  // An increase shows the step that follows.
  const index = action === 'increase' ? step.index - 1 : step.index
  const taken = known ? '' : ' (taken to be, the share of traffic is not known)'
  return `${index + 1} of ${step.count}: weight ${canaryWeight(previous_traffic)} of ${total_weight}${taken}`
}

function canaryWeight(traffic: WireDecision['traffic']): number {
  return traffic.find(({ role }) => role === 'canary')?.weight ?? 0
}
