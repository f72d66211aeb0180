import { HaldaneError } from '../../domain/errors.ts'

const LITERALS_AND_COMMENTS =
  /--[^\n]*|\/\*[\s\S]*?\*\/|'(?:[^'\\]|\\[\s\S]|'')*'|"(?:[^"\\]|\\[\s\S])*"|`(?:[^`\\]|\\[\s\S])*`/g

/** The statement with comments, string literals and quoted names blanked out, for looking at words. */
export function maskedSql(sql: string): string {
  return sql.replace(LITERALS_AND_COMMENTS, ' ')
}

export type StatementKind = 'select' | 'insert' | 'definition'

/**
 * Refuses statements that an embedded engine runs without an error and with another effect than
 * written: `SET` and engine settings leak into later statements of the connection, `input()` inserts
 * nothing, and of several statements in one text only the last gives an answer. Settings come from
 * the connection alone, so a `SETTINGS` clause of its own is refused too, except in a definition,
 * where it belongs to the table.
 */
export function assertHarmless(name: string, sql: string, kind: StatementKind): void {
  const words = maskedSql(sql)
  const fault = faultOf(words, kind)
  if (fault !== null) {
    throw new HaldaneError('internal', `statement ${name} is not sent: ${fault}`)
  }
}

function faultOf(words: string, kind: StatementKind): string | null {
  if (/;\s*\S/.test(words)) return 'it holds more than one statement'
  if (/\binput\s*\(/i.test(words)) return 'input() inserts nothing on an embedded engine'
  if (/^\s*set\b/i.test(words)) return 'SET would stick to the connection'
  if (kind !== 'definition' && /(?<!system\.)\bsettings\b/i.test(words)) {
    return 'settings are added by the connection, not written into the statement'
  }
  return null
}

/** `a = 1, b = 'x'`: the only form in which settings reach the engine. */
export function settingsClause(settings: Readonly<Record<string, string | number>>): string {
  return Object.entries(settings)
    .map(([name, value]) => `${name} = ${typeof value === 'number' ? value : quoted(value)}`)
    .join(', ')
}

function quoted(text: string): string {
  return `'${text.replaceAll('\\', '\\\\').replaceAll("'", "\\'")}'`
}

/** `2026-11-23 10:00:00.123`, the form every engine setting reads; UTC. */
export function sqlTime(unixMs: number): string {
  return new Date(unixMs).toISOString().replace('T', ' ').replace('Z', '')
}

/** The same with microseconds. */
export function sqlTimeUs(unixUs: number): string {
  const ms = Math.floor(unixUs / 1000)
  return `${sqlTime(ms)}${String(unixUs - ms * 1000).padStart(3, '0')}`
}
