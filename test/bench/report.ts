import { cpus, loadavg, totalmem } from 'node:os'

/** One line of the table: `met` is null for a figure that has no bar of its own. */
export interface ResultRow {
  readonly part: string
  readonly figure: string
  readonly measured: string
  readonly bar: string
  readonly met: boolean | null
}

export function describeMachine(): string {
  const processors = cpus()
  const gigabytes = (totalmem() / 1024 ** 3).toFixed(0)
  const [load = 0] = loadavg()
  return (
    `${processors.length} CPUs (${processors[0]?.model ?? 'unknown'}), ${gigabytes} GB, ` +
    `${process.platform} ${process.arch}, Node ${process.versions.node}; ` +
    `load before the run ${load.toFixed(1)}`
  )
}

export function renderResults(rows: readonly ResultRow[]): string[] {
  const cells = rows.map(({ part, figure, measured, bar, met }) => [
    ...[part, figure, measured, bar],
    met === null ? '' : met ? 'pass' : 'FAIL',
  ])
  const all = [['part', 'figure', 'measured', 'bar', ''], ...cells]
  const widths = [0, 1, 2, 3, 4].map((at) => Math.max(...all.map((row) => row[at]?.length ?? 0)))
  return all.map((row) =>
    row
      .map((cell, at) => cell.padEnd(widths[at] ?? 0))
      .join('  ')
      .trimEnd(),
  )
}

export function count(value: number): string {
  return Math.round(value).toLocaleString('en-US')
}
