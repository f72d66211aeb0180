import type { WireEvidence } from '../contract/evidence.ts'
import type { WireReleaseView } from '../contract/release-view-schema.ts'
import type { FleetStatus } from '../demo/fleet-messages.ts'
import { formatCohort, formatCount } from './figures.ts'
import { renderEvidence, renderReasons, renderTraffic, shownRows } from './release-screen.ts'
import { renderTable, type Terminal } from './terminal.ts'

type Color = Terminal['color']

export interface DemoFrame {
  readonly title: string
  readonly elapsedMs: number
  readonly fleet: FleetStatus | null
  readonly view: WireReleaseView | null
}

const BAR_CELLS = 20
const CONTRIBUTIONS_SHOWN = 4

/** Everything the demo shows while it runs. */
export function renderFrame(frame: DemoFrame, color: Color): string[] {
  const { fleet, view } = frame
  const seconds = Math.round(frame.elapsedMs / 1000)
  const lines = [`${color.bold(frame.title)}   ${seconds} s`, ...renderFleet(fleet, color)]
  if (view === null) return lines
  return [
    ...lines,
    ...renderWeights(view, fleet, color),
    '',
    ...renderEvidence(overallRows(view), color),
    '',
    ...renderGrid(view, color),
    '',
    ...renderReasons(view.decision, color),
  ]
}

/** What a finished release comes down to. */
export function renderVerdict(view: WireReleaseView, color: Color): string[] {
  return [
    ...renderReasons(view.decision, color),
    '',
    ...renderEvidence(shownRows(view), color),
    ...renderContributions(view, color),
  ]
}

function renderFleet(fleet: FleetStatus | null, color: Color): string[] {
  if (fleet === null) return ['  starting the serving fleet …']
  const { events } = fleet
  const line = `  load      ${formatCount(fleet.requestsPerSecond)} requests/s; ${formatCount(events.accepted)} events stored, ${formatCount(events.rejected)} rejected`
  return fleet.problem === null ? [line] : [line, `  ${color.yellow(fleet.problem)}`]
}

function renderWeights(view: WireReleaseView, fleet: FleetStatus | null, color: Color): string[] {
  const total = view.spec.total_weight
  const weight = view.traffic.find((share) => share.role === 'canary')?.weight ?? 0
  const filled = Math.round((weight / total) * BAR_CELLS)
  const bar = color.yellow('█'.repeat(filled)) + color.dim('░'.repeat(BAR_CELLS - filled))
  const observed = fleet?.observed.find((share) => share.version === view.canary)?.share ?? 0
  const applied = fleet?.router.appliedGeneration ?? null
  const router = applied === null ? 'no decision applied yet' : `the router applied #${applied}`
  return [
    `  weights   ${bar}  ${renderTraffic(view.traffic, total)}; seen ${(observed * 100).toFixed(1)} % canary; ${router}`,
  ]
}

function overallRows(view: WireReleaseView): WireEvidence[] {
  return view.evidence.filter((row) => row.required)
}

/** One cell per locale × device: the worst verdict of its guardrails, and its canary requests. */
function renderGrid(view: WireReleaseView, color: Color): string[] {
  const cells = new Map<string, WireEvidence[]>()
  const locales = new Set<string>()
  const devices = new Set<string>()
  for (const row of view.evidence) {
    if (row.cohort === 'overall' || row.cohort.locale === undefined) continue
    if (row.cohort.device === undefined) continue
    locales.add(row.cohort.locale)
    devices.add(row.cohort.device)
    const key = formatCohort(row.cohort)
    cells.set(key, [...(cells.get(key) ?? []), row])
  }
  if (cells.size === 0) return [color.dim('locale × device: no canary requests judged yet')]
  const sorted = [...devices].sort()
  const columns = [
    { title: 'locale' },
    ...sorted.map((device) => ({ title: device, align: 'right' as const })),
  ]
  const rows = [...locales]
    .sort()
    .map((locale) => [
      locale,
      ...sorted.map((device) => renderCell(cells.get(`${locale}/${device}`) ?? [], color)),
    ])
  const legend =
    '  (✗ breached · ✓ within every limit · ? undecided · … collecting; canary requests)'
  return [...renderTable(columns, rows), color.dim(legend)]
}

function renderCell(rows: readonly WireEvidence[], color: Color): string {
  const n = Math.max(0, ...rows.map((row) => row.canary.n))
  const has = (verdict: WireEvidence['verdict']) => rows.some((row) => row.verdict === verdict)
  if (n === 0) return color.dim('–')
  if (has('breached')) return color.red(`✗ ${formatCount(n)}`)
  if (has('collecting')) return color.dim(`… ${formatCount(n)}`)
  if (has('undecided') || has('no_data')) return `? ${formatCount(n)}`
  return color.green(`✓ ${formatCount(n)}`)
}

/** The cohorts that move a breached difference most, whether or not they can be judged alone yet. */
function renderContributions(view: WireReleaseView, color: Color): string[] {
  const leading = view.decision?.reasons.find((reason) => reason.code.endsWith('_breached'))
  if (leading?.metric === undefined) return []
  const rows = view.evidence
    .filter((row) => row.metric === leading.metric && row.contribution !== null)
    .filter((row) => row.cohort !== 'overall' && row.limit.startsWith('max_'))
    .sort((a, b) => Math.abs(b.contribution ?? 0) - Math.abs(a.contribution ?? 0))
    .slice(0, CONTRIBUTIONS_SHOWN)
  if (rows.length === 0) return []
  return [
    '',
    `where ${leading.metric} is lost (share of the overall difference):`,
    ...renderEvidence(rows, color),
  ]
}
