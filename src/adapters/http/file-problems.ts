import type { FileProblem } from '../../contract/yaml-source.ts'
import { HaldaneError } from '../../domain/errors.ts'

const LINE = /^(.+?):(\d+):(\d+): (?:([A-Za-z_][\w.[\]-]*): )?(.+)$/

function problemInLine(line: string): FileProblem[] {
  const match = LINE.exec(line)
  if (match === null) return []
  const [, file = '', row, column, field = '', message = ''] = match
  return [{ file, line: Number(row), column: Number(column), field, message }]
}

/**
 * The problems of a release file as a list, for programs. The error names them one a line, as
 * `FILE:LINE:COLUMN: field: message`. Empty for every other error.
 */
export function problemsInFile(thrown: unknown): { errors?: readonly FileProblem[] } {
  if (!(thrown instanceof HaldaneError) || thrown.code !== 'invalid_input') return {}
  const errors = thrown.message.split('\n').flatMap(problemInLine)
  return errors.length === 0 ? {} : { errors }
}
