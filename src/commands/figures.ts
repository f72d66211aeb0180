import type { WireCohort, WireEvidence } from '../contract/evidence.ts'
import { describeDuration } from '../domain/time.ts'

/** A metric's value with its unit: `118 ms`, `0.52 %`, `0.861`. */
export function formatValue(metric: string, value: number | null): string {
  if (value === null) return '–'
  if (metric.startsWith('latency_')) return `${digits(value, 3)} ms`
  if (metric === 'error_rate') return `${digits(value * 100, 3)} %`
  return digits(value, 4)
}

/** A difference in the unit of the limit: `+12 %`, `+0.21 pp`, `−0.013`, `+4.2 ms`. */
export function formatDifference(
  row: Pick<WireEvidence, 'metric' | 'limit'>,
  value: number | null,
): string {
  if (value === null) return '–'
  const relative = row.limit.includes('%')
  if (row.limit.startsWith('max_increase') && relative) return `${signed(value * 100)} %`
  if (row.metric.startsWith('latency_')) return `${signed(value)} ms`
  if (row.metric === 'error_rate') return `${signed(value * 100)} pp`
  return signed(value)
}

export function formatInterval(row: WireEvidence): string {
  if (row.ci_low === null || row.ci_high === null) return '–'
  const low = formatDifference(row, row.ci_low)
  const high = formatDifference(row, row.ci_high)
  const unit = high.slice(high.indexOf(' '))
  const bare = high.includes(' ') && low.endsWith(unit) ? low.slice(0, -unit.length) : low
  return `${bare} … ${high}`
}

export function formatCohort(cohort: WireCohort): string {
  if (cohort === 'overall') return 'overall'
  return [cohort.locale, cohort.device].filter((part) => part !== undefined).join('/') || 'overall'
}

export function formatNeeds(row: WireEvidence): string {
  if (row.needs === null || row.needs.requests === 0) return ''
  return `${formatCount(row.needs.requests)} more, ${describeDuration(row.needs.seconds * 1000)}`
}

/** Thousands apart: `12 400`. */
export function formatCount(count: number): string {
  return String(Math.round(count)).replace(/\B(?=(\d{3})+$)/g, ' ')
}

function digits(value: number, significant: number): string {
  return String(Number(value.toPrecision(significant)))
}

function signed(value: number): string {
  const text = digits(Math.abs(value), 2)
  if (text === '0') return '0'
  return value < 0 ? `−${text}` : `+${text}`
}
