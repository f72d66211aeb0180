import type { Rejection } from '../domain/request-event.ts'
import { formatCount } from './figures.ts'
import type { Terminal } from './terminal.ts'

const REJECTIONS_SHOWN = 20

/** `FILE:LINE: field: message`, without the field when it is the whole line. */
export function renderRejection(
  file: string,
  line: number,
  { field, message }: Pick<Rejection, 'field' | 'message'>,
): string {
  return [`${file}:${line}`, field, message].filter((part) => part !== '').join(': ')
}

/** Rejected lines as `FILE:LINE: field: message`, the first few, then how many more. */
export function createRejectionReport(file: string, terminal: Terminal) {
  let lines = 0
  return {
    add(line: number, rejections: readonly Rejection[]) {
      lines++
      if (lines > REJECTIONS_SHOWN) return
      for (const rejection of rejections) terminal.note(renderRejection(file, line, rejection))
    },
    /** `total` when not every rejected line was added. */
    end(total = lines) {
      const more = total - Math.min(lines, REJECTIONS_SHOWN)
      if (more > 0) terminal.note(`… and ${formatCount(more)} more rejected lines`)
    },
  }
}
