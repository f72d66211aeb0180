import picocolors from 'picocolors'

/** Where a verb writes: results to `out`, everything else to `note`. */
export interface Terminal {
  out(text: string): void
  note(text: string): void
  /** True when `out` is a terminal that can be redrawn. */
  readonly interactive: boolean
  readonly color: ReturnType<typeof picocolors.createColors>
  readonly columns: number
  readonly rows: number
}

export function processTerminal(env: Readonly<Record<string, string | undefined>>): Terminal {
  const interactive = process.stdout.isTTY === true && env['TERM'] !== 'dumb'
  const colored = interactive && env['NO_COLOR'] === undefined
  for (const stream of [process.stdout, process.stderr]) {
    // Once, however many terminals a process makes.
    stream.off('error', outliveReader).on('error', outliveReader)
  }
  return {
    out: (text) => void process.stdout.write(`${text}\n`),
    note: (text) => void process.stderr.write(`${text}\n`),
    interactive,
    color: picocolors.createColors(colored),
    columns: process.stdout.columns ?? 120,
    rows: process.stdout.rows ?? 40,
  }
}

/** A reader that has seen enough, such as `head`, must not end a verb in the middle of its work. */
function outliveReader(error: NodeJS.ErrnoException): void {
  if (error.code !== 'EPIPE') throw error
}

export interface Column {
  readonly title: string
  readonly align?: 'left' | 'right'
}

/** A plain table, columns as wide as their widest cell; colour codes in cells take no room. */
export function renderTable(
  columns: readonly Column[],
  rows: readonly (readonly string[])[],
): string[] {
  const widths = columns.map((column, index) =>
    Math.max(column.title.length, ...rows.map((row) => visibleLength(row[index] ?? ''))),
  )
  const line = (cells: readonly string[]) =>
    columns
      .map((column, index) => {
        const cell = cells[index] ?? ''
        const room = ' '.repeat(Math.max(0, (widths[index] ?? 0) - visibleLength(cell)))
        return column.align === 'right' ? room + cell : cell + room
      })
      .join('  ')
      .trimEnd()
  return [line(columns.map((column) => column.title)), ...rows.map(line)]
}

// biome-ignore lint/suspicious/noControlCharactersInRegex: colour codes begin with ESC
const COLOR_CODE = /\u001b\[[0-9;]*m/g

function visibleLength(text: string): number {
  return text.replace(COLOR_CODE, '').length
}

/** As much of the lines as fits on a screen; a line that is cut loses its colours. */
export function fitScreen(
  lines: readonly string[],
  { columns, rows }: Pick<Terminal, 'columns' | 'rows'>,
): string[] {
  return lines
    .slice(0, Math.max(1, rows - 1))
    .map((line) =>
      visibleLength(line) <= columns
        ? line
        : `${line.replace(COLOR_CODE, '').slice(0, Math.max(1, columns - 1))}…`,
    )
}

/** Prints a line for work that takes longer than two seconds, at most once a second. */
export function createProgress(terminal: Terminal, nowMs: () => number) {
  const startedAtMs = nowMs()
  let shownAtMs = startedAtMs
  return (describe: () => string) => {
    const now = nowMs()
    if (now - startedAtMs < 2000 || now - shownAtMs < 1000) return
    shownAtMs = now
    terminal.note(describe())
  }
}
